//! The threads that carry out what the [`Machine`] decides; no decision is made here.
//!
//! Each thread commits, and while idle minds the machine's timer. The futures that callers hold need no runtime
//! of a particular kind.

use std::{
    any::Any,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use tokio::sync::{Semaphore, oneshot};
use whisperengine_types::{Clock, MemoryStore, SystemClock, WriteOp};

use crate::{
    BatcherError, Config, DrainReport, Replay, Result,
    machine::{Input, Machine, Output},
    submission::Reply,
};

/// What the handles and the threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn MemoryStore>,
    pub(crate) config: Config,
    /// One permit for each queue slot.
    pub(crate) room: Semaphore,
    state: Mutex<State>,
    /// Wakes a thread for a commit or for an earlier timer.
    work: Condvar,
    /// Wakes the thread that watches a drain's deadline.
    drained: Condvar,
}

#[derive(Debug)]
struct State {
    machine: Machine<Token>,
    /// Commits that the machine has ordered and no thread has begun.
    jobs: VecDeque<Job>,
    /// Threads asleep, and when the one of them that minds the timer wakes by itself.
    idle: usize,
    alarm: Option<Instant>,
    stopped: bool,
}

#[derive(Debug)]
struct Job {
    batch: u64,
    ops: Vec<WriteOp>,
}

/// Where an outcome goes.
#[derive(Debug)]
pub(crate) enum Token {
    /// To a write's caller; the queue slots are given back.
    Write { reply: Reply, slots: u32 },
    /// To the caller of a replay.
    Replay(oneshot::Sender<Replay>),
    /// To the caller of a drain, if it waits for the report.
    Drain(Option<oneshot::Sender<DrainReport>>),
}

impl Shared {
    pub(crate) fn new(store: Arc<dyn MemoryStore>, config: Config) -> Result<Self> {
        let state = State {
            machine: Machine::new(&config)?,
            jobs: VecDeque::new(),
            idle: 0,
            alarm: None,
            stopped: false,
        };
        Ok(Self {
            store,
            room: Semaphore::new(config.queue_items.min(Semaphore::MAX_PERMITS)),
            state: Mutex::new(state),
            work: Condvar::new(),
            drained: Condvar::new(),
            config,
        })
    }

    pub(crate) fn start(self: &Arc<Self>) -> Result<()> {
        for _ in 0..self.config.parallel_commits {
            self.spawn("memory-commit", Self::run)
                .inspect_err(|_| self.stop())?;
        }
        Ok(())
    }

    /// Feeds events to the machine, answers callers, and wakes threads for what is to be done.
    pub(crate) fn feed(&self, inputs: impl IntoIterator<Item = Input<Token>>) {
        let now = now();
        let mut state = self.lock();
        for input in inputs {
            state.machine.handle(input, now);
        }
        let outputs = state.poll(now);
        self.wake(state);
        self.deliver(outputs);
    }

    /// Reads from the machine.
    pub(crate) fn look<R>(&self, read: impl FnOnce(&Machine<Token>) -> R) -> R {
        read(&self.lock().machine)
    }

    /// Has a drain end at its deadline though every thread may be inside a commit.
    pub(crate) fn watch_drain(self: &Arc<Self>, until: Instant) -> Result<()> {
        self.spawn("memory-drain", move |shared| {
            let mut state = shared.lock();
            while !state.stopped {
                let now = now();
                if let Some(left) = until.checked_duration_since(now).filter(|left| !left.is_zero()) {
                    let woken = shared.drained.wait_timeout(state, left);
                    state = woken.unwrap_or_else(PoisonError::into_inner).0;
                    continue;
                }
                state.machine.handle_timeout(now);
                let outputs = state.poll(now);
                drop(state);
                return shared.deliver(outputs);
            }
        })
    }

    fn spawn(self: &Arc<Self>, name: &str, run: impl FnOnce(&Self) + Send + 'static) -> Result<()> {
        let shared = Arc::clone(self);
        let builder = thread::Builder::new().name(name.to_owned());
        let spawned = builder.spawn(move || run(&shared));
        spawned.map(drop).map_err(|error| BatcherError::NoThread {
            reason: error.to_string(),
        })
    }

    fn run(&self) {
        let mut state = self.lock();
        while !state.stopped {
            if let Some(job) = state.jobs.pop_front() {
                self.wake(state);
                let input = self.commit(job);
                state = self.lock();
                let now = now();
                state.machine.handle(input, now);
                state = self.poll_and_deliver(state, now);
                continue;
            }
            let now = now();
            let next = state.machine.poll_timeout();
            if next.is_some_and(|at| at <= now) {
                state.machine.handle_timeout(now);
                state = self.poll_and_deliver(state, now);
                continue;
            }
            state.idle += 1;
            // One sleeping thread minds the timer.
            let minded = next.filter(|&at| state.alarm.is_none_or(|known| at < known));
            state = match minded {
                None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    state.alarm = minded;
                    let woken = self.work.wait_timeout(state, at.saturating_duration_since(now));
                    let mut state = woken.unwrap_or_else(PoisonError::into_inner).0;
                    state.alarm = None;
                    state
                }
            };
            state.idle -= 1;
        }
    }

    fn commit(&self, Job { batch, ops }: Job) -> Input<Token> {
        match catch_unwind(AssertUnwindSafe(|| self.store.commit(&ops))) {
            Ok(results) => Input::Committed { batch, results },
            Err(panic) => Input::Panicked {
                batch,
                reason: panic_message(&*panic),
            },
        }
    }

    fn poll_and_deliver<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        now: Instant,
    ) -> MutexGuard<'a, State> {
        let outputs = state.poll(now);
        if outputs.is_empty() {
            return state;
        }
        drop(state);
        self.deliver(outputs);
        self.lock()
    }

    /// Lets go of the state and wakes a thread if there is a commit, or an earlier timer than the one it minds.
    fn wake(&self, state: MutexGuard<'_, State>) {
        let next = state.machine.poll_timeout();
        let sooner = next.is_some_and(|at| state.alarm.is_none_or(|known| at < known));
        let wake = state.idle > 0 && (sooner || !state.jobs.is_empty());
        drop(state);
        if wake {
            self.work.notify_one();
        }
    }

    fn deliver(&self, outputs: Vec<Output<Token>>) {
        // Room first: an answered caller finds the slots of its write free again.
        let freed = outputs.iter().map(|output| match output {
            Output::Answer {
                token: Token::Write { slots, .. },
                ..
            } => *slots as usize,
            _ => 0,
        });
        self.room.add_permits(freed.sum());
        for output in outputs {
            match output {
                Output::Answer {
                    token: Token::Write { reply, .. },
                    outcome,
                } => reply.send(outcome),
                // An error below means that nobody waits for it any more.
                Output::Replayed {
                    token: Token::Replay(caller),
                    replay,
                } => drop(caller.send(replay)),
                Output::Drained {
                    token: Token::Drain(caller),
                    report,
                } => {
                    self.stop();
                    drop(caller.map(|caller| caller.send(report)));
                }
                other => unreachable!("each output bears the token of its input: {other:?}"),
            }
        }
    }

    /// Ends the threads.
    fn stop(&self) {
        self.lock().stopped = true;
        self.work.notify_all();
        self.drained.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Queues the commits that are due, and gives everything else that is to be done.
    fn poll(&mut self, now: Instant) -> Vec<Output<Token>> {
        let mut outputs = Vec::new();
        while let Some(output) = self.machine.poll_output(now) {
            match output {
                Output::Commit { batch, ops } => self.jobs.push_back(Job { batch, ops }),
                other => outputs.push(other),
            }
        }
        outputs
    }
}

/// The monotonic time.
pub(crate) fn now() -> Instant {
    SystemClock.instant()
}

/// A panic's message, where it has one.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
