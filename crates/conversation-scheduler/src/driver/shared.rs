//! What callers, workers and the timer share, and who is woken when it has changed.

use std::{
    collections::VecDeque,
    hint::spin_loop,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Waker,
    time::Instant,
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::{runtime::Handle, sync::oneshot};
use whisperengine_types::Clock;

use super::{
    DrainReport,
    host::{self, Host},
    timer, worker,
};
use crate::{
    Error, Handler, Lease, Output, PanicPolicy, SchedulerCore, Turn, TurnError, TurnId,
    batch::TakeBack,
    reply::{ReplySlot, send_all},
    ticket::Cancel,
};

pub(super) type Core<T, R> = SchedulerCore<T, ReplySlot<R>>;

pub(crate) struct Shared<T, R> {
    pub(super) state: Mutex<State<T, R>>,
    /// Notifies the worker that spins that it may look again; what it finds is decided under the lock.
    pub(super) hint: AtomicBool,
    pub(super) timer: Condvar,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) handler: Box<dyn Handler<T, R>>,
    pub(super) on_panic: PanicPolicy,
}

pub(super) struct State<T, R> {
    pub(super) core: Core<T, R>,
    /// Workers without work, the last to go to sleep last; a caller that wakes one takes it out.
    pub(super) idle: Vec<Sleeper>,
    /// Workers that the controller does not want at present.
    pub(super) parked: Vec<Sleeper>,
    /// A worker without work gives way to others, ready for the next turn.
    pub(super) spins: bool,
    /// Workers that were wanted when last looked at.
    wanted: usize,
    pub(super) timer: Timer,
    /// Who waits for a place in the queue.
    place_waiters: Vec<Waker>,
    /// Threads and tasks that have not ended.
    threads: usize,
    pub(super) stop: bool,
    drain: Option<Drain<T>>,
}

/// A worker that sleeps, by its number, and how it is woken.
pub(super) type Sleeper = (usize, Waker);

/// Whether the timer thread has to be woken for an earlier time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Timer {
    Awake,
    SleepsUntil(Instant),
    Sleeps,
}

struct Drain<T> {
    waiters: Vec<oneshot::Sender<()>>,
    handed_back: Vec<Turn<T>>,
    completed_before: u64,
}

/// How much work a change may have made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    None,
    One,
    Many,
}

/// What is to be done once the lock is released.
struct Effects<T, R> {
    outputs: VecDeque<Output<T, ReplySlot<R>>>,
    places: Vec<Waker>,
    drained: Vec<oneshot::Sender<()>>,
}

impl<T, R> Shared<T, R> {
    pub(super) fn new(
        core: Core<T, R>,
        clock: Arc<dyn Clock>,
        handler: Box<dyn Handler<T, R>>,
        on_panic: PanicPolicy,
    ) -> Self {
        let (wanted, _) = core.capacity();
        Self {
            state: Mutex::new(State {
                core,
                idle: Vec::new(),
                parked: Vec::new(),
                spins: false,
                wanted,
                timer: Timer::Awake,
                place_waiters: Vec::new(),
                threads: 0,
                stop: false,
                drain: None,
            }),
            hint: AtomicBool::new(false),
            timer: Condvar::new(),
            clock,
            handler,
            on_panic,
        }
    }

    /// Looks again for a while before it waits: most hold the lock for less time than giving way takes.
    pub(super) fn lock(&self) -> MutexGuard<'_, State<T, R>> {
        for _ in 0..SPINS {
            if !self.state.is_locked()
                && let Some(state) = self.state.try_lock()
            {
                return state;
            }
            spin_loop();
        }
        self.state.lock()
    }

    /// Changes the state machine and notifies whom it concerns.
    pub(super) fn with<O>(&self, wake: Wake, act: impl FnOnce(&mut Core<T, R>) -> O) -> O {
        let mut state = self.lock();
        let outcome = act(&mut state.core);
        self.release(state, wake);
        outcome
    }

    /// Takes a place in the queue, or remembers whom to wake when there is one; `None` when there will
    /// never be one again.
    pub(crate) fn reserve(&self, waker: &Waker) -> Option<bool> {
        let mut state = self.lock();
        if state.core.is_ending() {
            return None;
        }
        let reserved = state.core.reserve();
        if !reserved && !state.place_waiters.iter().any(|known| known.will_wake(waker)) {
            state.place_waiters.push(waker.clone());
        }
        Some(reserved)
    }

    pub(crate) fn release_place(&self) {
        self.with(Wake::None, SchedulerCore::release);
    }

    /// Does one bounded round of what is due; whether more is due already.
    pub(super) fn run_timers(&self) -> bool {
        let now = self.clock.instant();
        let mut state = self.lock();
        state.core.handle_timeout(now);
        let more = state.core.poll_timeout().is_some_and(|next| next <= now);
        // Passed to a thread that waits for it: round after round, the next one would get it first otherwise.
        report(self.release_by(state, Wake::One, MutexGuard::unlock_fair));
        more
    }

    pub(super) fn drain(&self, until: Instant, waiter: oneshot::Sender<()>) {
        let mut state = self.lock();
        state.core.drain(until);
        let completed_before = state.core.completed();
        let drain = state.drain.get_or_insert_with(|| Drain {
            waiters: Vec::new(),
            handed_back: Vec::new(),
            completed_before,
        });
        drain.waiters.push(waiter);
        self.release(state, Wake::Many);
    }

    pub(super) fn report(&self) -> DrainReport<T> {
        let mut state = self.lock();
        let completed = state.core.completed();
        let still_running = state.core.in_flight();
        let (handed_back, before) = state.drain.as_mut().map_or((Vec::new(), completed), |drain| {
            (std::mem::take(&mut drain.handed_back), drain.completed_before)
        });
        DrainReport {
            served: completed - before,
            handed_back,
            still_running,
        }
    }

    /// Ends at once: what waits is answered, what runs runs to its end.
    pub(super) fn close(&self) {
        let now = self.clock.instant();
        self.with(Wake::Many, |core| {
            core.drain(now);
            core.handle_timeout(now);
        });
    }

    /// Releases the lock, then wakes, answers and reports. Nothing foreign runs under the lock.
    pub(super) fn release(&self, state: MutexGuard<'_, State<T, R>>, wake: Wake) {
        report(self.release_by(state, wake, drop));
    }

    /// [`release`](Self::release), but without notifying the waiters for the end; they are given back.
    fn release_by<'a>(
        &self,
        mut state: MutexGuard<'a, State<T, R>>,
        wake: Wake,
        unlock: impl FnOnce(MutexGuard<'a, State<T, R>>),
    ) -> Vec<oneshot::Sender<()>> {
        let called = self.settle(&mut state, wake);
        let timer = wake != Wake::None && state.timer_oversleeps();
        let effects = state.effects();
        unlock(state);
        called.into_iter().for_each(|(_, waker)| waker.wake());
        if timer {
            self.timer.notify_one();
        }
        self.deliver(effects)
    }

    /// The workers to wake: all of them at a turning point of the scheduler's life.
    fn settle(&self, state: &mut State<T, R>, wake: Wake) -> Vec<Sleeper> {
        let mut called = Vec::new();
        let (wanted, _) = state.core.capacity();
        if wanted > state.wanted {
            called.append(&mut state.parked);
        }
        state.wanted = wanted;
        if state.must_stop() {
            state.stop = true;
            called.append(&mut state.parked);
            called.append(&mut state.idle);
            self.timer.notify_all();
        }
        if !state.core.has_ready() {
            return called;
        }
        if state.spins {
            self.hint.store(true, Relaxed);
            return called;
        }
        match wake {
            Wake::None => {}
            Wake::One => called.extend(state.idle.pop()),
            Wake::Many => called.append(&mut state.idle),
        }
        called
    }

    fn deliver(&self, effects: Effects<T, R>) -> Vec<oneshot::Sender<()>> {
        let mut answers = Vec::new();
        for output in effects.outputs {
            match output {
                Output::Answered { token, error, .. } => answers.push((token, Err(error))),
                Output::SessionEnded(key) => {
                    // A handler's panic must not end the thread that happens to be here.
                    let _ = catch_unwind(AssertUnwindSafe(|| self.handler.session_ended(key)));
                }
            }
        }
        send_all(answers);
        effects.places.into_iter().for_each(Waker::wake);
        effects.drained
    }
}

impl<T: Send + 'static, R: Send + 'static> Shared<T, R> {
    /// Starts a thread and counts it until it has ended.
    pub(super) fn spawn_timer(self: &Arc<Self>) -> Result<(), Error> {
        let (shared, counted) = (Arc::clone(self), Counted::new(self));
        host::spawn_thread("scheduler-timer", move || {
            let _counted = counted;
            // Let go of before the end is counted.
            let shared = shared;
            timer::run(&shared);
        })
    }

    /// Starts a worker and counts it until it has ended.
    pub(super) fn spawn_worker(
        self: &Arc<Self>,
        index: usize,
        runtime: Option<&Handle>,
    ) -> Result<(), Error> {
        let (shared, counted) = (Arc::clone(self), Counted::new(self));
        let work = move |host| async move {
            let _counted = counted;
            worker::run(shared, host, index).await;
        };
        match runtime {
            Some(runtime) => {
                runtime.spawn(work(Host::Task));
                Ok(())
            }
            None => host::spawn_thread("scheduler-worker", || host::block_on(work(Host::Thread))),
        }
    }
}

/// Says that a thread or task of the scheduler has ended, however it does.
struct Counted<T, R>(Option<Arc<Shared<T, R>>>);

impl<T, R> Counted<T, R> {
    fn new(shared: &Arc<Shared<T, R>>) -> Self {
        shared.lock().threads += 1;
        Self(Some(Arc::clone(shared)))
    }
}

impl<T, R> Drop for Counted<T, R> {
    fn drop(&mut self) {
        let Some(shared) = self.0.take() else {
            return;
        };
        if !shared.lock().stop {
            // Its runtime has ended before the scheduler: what waits would wait for ever.
            shared.close();
        }
        let mut state = shared.lock();
        state.threads -= 1;
        let waiters = shared.release_by(state, Wake::None, drop);
        // At the end no thread holds the handler any more.
        drop(shared);
        report(waiters);
    }
}

fn report(waiters: Vec<oneshot::Sender<()>>) {
    for waiter in waiters {
        // An error means that nobody waits for the report.
        let _ = waiter.send(());
    }
}

impl<T, R> State<T, R> {
    /// A worker that may have been woken by something else than a call is not asleep any more.
    pub(super) fn wakes_up(&mut self, index: usize) {
        self.idle.retain(|&(sleeper, _)| sleeper != index);
        self.parked.retain(|&(sleeper, _)| sleeper != index);
    }

    /// Whether the end has come and the threads do not know it yet.
    pub(super) fn must_stop(&self) -> bool {
        !self.stop && (self.core.is_closed() || self.core.is_drained())
    }

    fn timer_oversleeps(&self) -> bool {
        let next = self.core.poll_timeout();
        match self.timer {
            Timer::Awake => false,
            Timer::Sleeps => next.is_some(),
            Timer::SleepsUntil(until) => next.is_some_and(|next| next < until),
        }
    }

    fn effects(&mut self) -> Effects<T, R> {
        let mut outputs = self.core.take_outputs();
        if let Some(drain) = &mut self.drain {
            for output in &mut outputs {
                if let Output::Answered {
                    error: TurnError::HandedBack,
                    turn,
                    ..
                } = output
                {
                    drain.handed_back.extend(turn.take().map(|turn| *turn));
                }
            }
        }
        let places = if !self.place_waiters.is_empty() && self.core.has_place() {
            std::mem::take(&mut self.place_waiters)
        } else {
            Vec::new()
        };
        let over = self.stop && (self.threads == 0 || self.core.in_flight() > 0);
        let drained = match &mut self.drain {
            Some(drain) if over => std::mem::take(&mut drain.waiters),
            _ => Vec::new(),
        };
        Effects {
            outputs,
            places,
            drained,
        }
    }
}

impl<T: Send + 'static, R: Send + 'static> Cancel for Shared<T, R> {
    fn cancel(&self, ids: &mut dyn Iterator<Item = TurnId>) {
        let taken: Vec<_> = self.with(Wake::None, |core| ids.filter_map(|id| core.cancel(id)).collect());
        send_all(
            taken
                .into_iter()
                .map(|(_, slot)| (slot, Err(TurnError::Cancelled))),
        );
    }
}

impl<T: Send + 'static, R: Send + 'static> TakeBack for Shared<T, R> {
    fn take_back(&self, leases: &mut dyn Iterator<Item = Lease>) {
        let now = self.clock.instant();
        self.with(Wake::One, |core| {
            leases.for_each(|lease| core.complete_detached(lease, now));
        });
    }
}

/// How often a thread looks at the lock before it waits for it: a few microseconds.
const SPINS: usize = 100;
