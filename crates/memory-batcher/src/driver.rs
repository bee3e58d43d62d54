//! The threads that carry out what the [`Machine`] decides; no decision is made here.
//!
//! Some threads commit. One watches deadlines, since the others may be inside long commits. The futures
//! that callers hold need no runtime of a particular kind.

use std::{
    any::Any,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    thread,
    time::Instant,
};

use tokio::sync::{Semaphore, oneshot};
use whisperengine_types::{Clock, MemoryRecall, MemoryStore, SystemClock};

use crate::{
    BatcherError, Config, DrainReport, Result, Written,
    commits::{Commits, Crew},
    machine::{Input, Machine, Output},
    reads::Reads,
    submission::Reply,
};

/// What the handles and the threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn MemoryStore>,
    pub(crate) recall: Arc<dyn MemoryRecall>,
    pub(crate) config: Config,
    pub(crate) reads: Reads,
    /// One permit for each queue slot.
    pub(crate) room: Semaphore,
    pub(crate) commits: Commits,
    state: Mutex<State>,
    /// Wakes the thread that watches deadlines.
    alarm: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) machine: Machine<Token>,
    pub(crate) crew: Crew,
    /// When the watching thread wakes by itself.
    alarm_at: Option<Instant>,
    /// The answer to the write of [`Token::Here`].
    pub(crate) answer_here: Option<Result<Written>>,
    pub(crate) stopped: bool,
}

/// Whom to tell, and how.
#[derive(Debug)]
pub(crate) enum Token {
    /// A write's caller, and the queue slots to give back.
    Write { reply: Reply, slots: u32 },
    /// The caller that commits its write itself and looks for the answer; there is one at a time, because
    /// nothing else waits or is in flight when it begins.
    Here,
    /// A query that waits for its owner's pending writes.
    Await(oneshot::Sender<usize>),
    /// Who ordered the drain.
    Drain(Option<oneshot::Sender<DrainReport>>),
}

impl Token {
    pub(crate) fn to(caller: oneshot::Sender<Result<Written>>, slots: u32) -> Self {
        let reply = Reply::One(caller);
        Self::Write { reply, slots }
    }
}

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn MemoryStore>,
        recall: Arc<dyn MemoryRecall>,
        config: Config,
    ) -> Result<Self> {
        let machine = Machine::new(&config)?;
        let slots = config.queue_items.min(Semaphore::MAX_PERMITS);
        Ok(Self {
            store,
            recall,
            reads: Reads::new(&config),
            room: Semaphore::new(slots),
            state: Mutex::new(State {
                machine,
                crew: Crew::default(),
                alarm_at: None,
                answer_here: None,
                stopped: false,
            }),
            commits: Commits::default(),
            alarm: Condvar::new(),
            config,
        })
    }

    pub(crate) fn start(self: &Arc<Self>) -> Result<()> {
        let spawn = |name: &str, run: fn(&Self)| {
            let shared = Arc::clone(self);
            let builder = thread::Builder::new().name(name.to_owned());
            builder.spawn(move || run(&shared)).map_err(|error| {
                self.stop();
                BatcherError::NoThread {
                    reason: error.to_string(),
                }
            })
        };
        for _ in 0..self.config.parallel_commits {
            spawn("memory-commit", Self::commit_loop)?;
        }
        spawn("memory-deadline", Self::alarm_loop)?;
        for _ in 0..self.reads.threads() {
            spawn("memory-recall", Self::recall_loop)?;
        }
        Ok(())
    }

    /// Hands events to the machine at once, tells callers what can be told, and wakes who has work.
    pub(crate) fn feed(&self, inputs: impl IntoIterator<Item = Input<Token>>) {
        let now = now();
        let mut state = self.lock();
        for input in inputs {
            state.machine.handle(input, now);
        }
        self.after(state, now);
    }

    /// Reads from the machine.
    pub(crate) fn look<R>(&self, read: impl FnOnce(&mut Machine<Token>) -> R) -> R {
        read(&mut self.lock().machine)
    }

    /// Ends the threads.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.commits.work.notify_all();
        self.alarm.notify_all();
        self.reads.close();
    }

    /// Tells callers what can be told, and wakes who has work.
    pub(crate) fn after(&self, mut state: MutexGuard<'_, State>, now: Instant) {
        let answers = state.take_answers();
        self.tell_and_wake(state, answers, now);
    }

    /// Tells `answers`, and wakes who has work.
    pub(crate) fn tell_and_wake(&self, mut state: MutexGuard<'_, State>, answers: Answers, now: Instant) {
        let alarm = state.machine.next_alarm();
        if alarm.is_none() && state.machine.is_idle() {
            drop(state);
            return self.tell(answers);
        }
        let is_due = state.machine.is_due(now);
        if is_due {
            self.commits.due.store(true, Relaxed);
        }
        let next = state.machine.next_commit();
        let wake_commit = state.crew.call(is_due, next);
        let wake_alarm = alarm.is_some_and(|at| state.alarm_at.is_none_or(|known| at < known));
        drop(state);
        if wake_commit {
            self.commits.work.notify_one();
        }
        if wake_alarm {
            self.alarm.notify_one();
        }
        self.tell(answers);
    }

    fn alarm_loop(&self) {
        let mut state = self.lock();
        while !state.stopped {
            let now = now();
            state.machine.handle_timeout(now);
            state.alarm_at = state.machine.next_alarm();
            let wait = state.alarm_at.map(|at| at.saturating_duration_since(now));
            let answers = state.take_answers();
            if answers.0.is_some() {
                drop(state);
                self.tell(answers);
                state = self.lock();
                continue;
            }
            state = match wait {
                None => self.alarm.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let woken = self.alarm.wait_timeout(state, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn tell(&self, (first, outputs): Answers) {
        // Room first: whoever has its answer finds the slots that its write took free again.
        let Some(first) = first else {
            return;
        };
        let all = || std::iter::once(&first).chain(&outputs);
        let freed = all().map(|output| match output {
            Output::Answer {
                token: Token::Write { slots, .. },
                ..
            } => *slots as usize,
            _ => 0,
        });
        self.room.add_permits(freed.sum());
        for output in std::iter::once(first).chain(outputs) {
            match output {
                Output::Answer {
                    token: Token::Write { reply, .. },
                    outcome,
                } => reply.send(outcome),
                Output::Settled {
                    token: Token::Await(caller),
                    pending,
                } => drop(caller.send(pending)),
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

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The monotonic time.
pub(crate) fn now() -> Instant {
    SystemClock.instant()
}

/// A panic's message, where it has one.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// What is to be told: the first of it, for there is often just one, and the rest.
pub(crate) type Answers = (Option<Output<Token>>, Vec<Output<Token>>);

impl State {
    /// Takes out what is to be told, and puts aside what is looked for.
    pub(crate) fn take_answers(&mut self) -> Answers {
        let first = self.poll_answer();
        (first, std::iter::from_fn(|| self.poll_answer()).collect())
    }

    fn poll_answer(&mut self) -> Option<Output<Token>> {
        match self.machine.poll_answer()? {
            Output::Answer {
                token: Token::Here,
                outcome,
            } => {
                self.answer_here = Some(outcome);
                self.machine.poll_answer()
            }
            other => Some(other),
        }
    }
}
