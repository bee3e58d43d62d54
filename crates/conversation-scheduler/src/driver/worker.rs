//! One worker: takes a batch, runs the handler, gives the sessions back.

use std::{
    any::Any,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use super::{
    host::{Host, sleep},
    shared::{Core, Shared, Wake},
};
use crate::{Batch, Lease, PanicPolicy, TurnError, batch::TakeBack};

struct Worker<T, R> {
    shared: Arc<Shared<T, R>>,
    index: usize,
    waker: Waker,
    done: Done,
    /// How often it has looked for work since then, and whether it is the one that spins.
    looks: usize,
    spins: bool,
}

/// What a worker has done and not given back.
#[derive(Default)]
struct Done {
    leases: Vec<Lease>,
    turns: usize,
    busy: Duration,
}

/// What a worker is to do next.
enum Step {
    Serve,
    Spin,
    Sleep,
    End,
}

pub(super) async fn run<T: Send + 'static, R: Send + 'static>(
    shared: Arc<Shared<T, R>>,
    host: Host,
    index: usize,
) {
    let mut batch = Batch::new(Arc::clone(&shared) as Arc<dyn TakeBack>);
    let mut worker = Worker {
        shared,
        index,
        waker: poll_fn(|cx| Poll::Ready(cx.waker().clone())).await,
        done: Done::default(),
        looks: 0,
        spins: false,
    };
    loop {
        match worker.next(&mut batch) {
            Step::Serve => {
                let started = worker.shared.clock.instant();
                worker.done.turns = batch.len();
                serve(&worker.shared, &mut batch, &mut worker.done.leases);
                worker.done.busy = worker.shared.clock.instant().saturating_duration_since(started);
                if host == Host::Task {
                    host.give_way().await;
                }
            }
            Step::Spin => spin(&worker.shared, host).await,
            Step::Sleep => sleep().await,
            Step::End => break,
        }
    }
}

impl<T, R> Worker<T, R> {
    /// Gives back what is done and takes a batch, if there is one.
    fn next(&mut self, batch: &mut Batch<T, R>) -> Step {
        let shared = &*self.shared;
        let mut state = shared.lock();
        let now = shared.clock.instant();
        state.wakes_up(self.index);
        if std::mem::take(&mut self.spins) {
            state.spins = false;
        }
        if self.done.turns > 0 {
            self.looks = if self.done.turns > LARGE { LOOKS } else { 0 };
            self.done.give_back(&mut state.core, now);
        }
        loop {
            let wanted = self.index < state.core.capacity().0;
            let found = wanted && state.core.serve(now, |turn| batch.push(turn)) > 0;
            if found || state.core.has_outputs() || state.must_stop() {
                // Also calls a further worker for what this one leaves.
                shared.release(state, Wake::One);
                if found {
                    return Step::Serve;
                }
                state = shared.lock();
                continue;
            }
            if state.stop {
                return Step::End;
            }
            if wanted && self.looks < LOOKS && !state.spins {
                self.looks += 1;
                self.spins = true;
                state.spins = true;
                shared.hint.store(false, Relaxed);
                return Step::Spin;
            }
            let sleeper = (self.index, self.waker.clone());
            if wanted {
                state.idle.push(sleeper);
                return Step::Sleep;
            }
            state.parked.push(sleeper);
            // The call that woke this worker was meant for one that is wanted.
            let other = if state.core.has_ready() {
                state.idle.pop()
            } else {
                None
            };
            drop(state);
            if let Some((_, waker)) = other {
                waker.wake();
            }
            return Step::Sleep;
        }
    }
}

impl Done {
    fn give_back<T, R>(&mut self, core: &mut Core<T, R>, now: Instant) {
        let turns = std::mem::take(&mut self.turns);
        core.complete_batch(self.leases.drain(..), turns, self.busy, now);
    }
}

impl<T, R> Drop for Worker<T, R> {
    /// A runtime that ends drops its tasks wherever they wait.
    fn drop(&mut self) {
        if self.done.turns > 0 {
            let now = self.shared.clock.instant();
            self.shared
                .with(Wake::None, |core| self.done.give_back(core, now));
        }
    }
}

/// Gives way to others until there is a hint of work or none has come for a while: under load a turn
/// finds a worker awake, and the turns that come meanwhile share its next batch.
async fn spin<T, R>(shared: &Shared<T, R>, host: Host) {
    for _ in 0..YIELDS {
        host.give_way().await;
        if shared.hint.load(Relaxed) {
            break;
        }
    }
}

/// Runs the handler over a batch so that every turn is answered or detached, whatever the handler does.
fn serve<T, R>(shared: &Shared<T, R>, batch: &mut Batch<T, R>, leases: &mut Vec<Lease>) {
    let size = batch.len();
    let Err(panic) = call(shared, batch) else {
        batch.fail_open(&TurnError::NoResult);
        batch.finish(leases);
        return;
    };
    let alone = if size > 1 && shared.on_panic == PanicPolicy::Isolate {
        batch.split_repeatable()
    } else {
        Vec::new()
    };
    fail(shared, batch, &panic);
    batch.finish(leases);
    for mut single in alone {
        if let Err(panic) = call(shared, &mut single) {
            fail(shared, &mut single, &panic);
        }
        single.fail_open(&TurnError::NoResult);
        single.finish(leases);
    }
}

/// Counts the panic before its callers hear of it.
fn fail<T, R>(shared: &Shared<T, R>, batch: &mut Batch<T, R>, panic: &TurnError) {
    let turns = batch.open_turns();
    shared.with(Wake::None, |core| core.record_panics(turns));
    batch.fail_open(panic);
}

fn call<T, R>(shared: &Shared<T, R>, batch: &mut Batch<T, R>) -> Result<(), TurnError> {
    catch_unwind(AssertUnwindSafe(|| shared.handler.handle(batch))).map_err(|panic| TurnError::Panicked {
        message: message(panic.as_ref()),
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is not text".to_owned())
}

/// How often a worker without work gives way before it goes to sleep: a few microseconds on an idle machine,
/// and more where others want the processor. Fifty times cost the engine more CPU time than they saved.
const YIELDS: usize = 4;
/// How often it does so again because what it was called for was taken by another.
const LOOKS: usize = 2;
/// After a batch of more turns than this it sleeps at once: such a batch is worth being called for, and
/// the next one grows meanwhile.
const LARGE: usize = 64;
