//! One worker: takes a batch, runs the handler, gives the sessions back.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use super::shared::{Shared, Wake};
use crate::{Batch, Lease, PanicPolicy, TurnError, batch::TakeBack};

/// What a worker has just done.
struct Done {
    leases: Vec<Lease>,
    turns: usize,
    busy: Duration,
}

pub(super) fn run<T: Send + 'static, R: Send + 'static>(shared: &Arc<Shared<T, R>>, index: usize) {
    let mut batch = Batch::new(Arc::clone(shared) as Arc<dyn TakeBack>);
    let mut done = Done {
        leases: Vec::new(),
        turns: 0,
        busy: Duration::ZERO,
    };
    while next(shared, index, &mut done, &mut batch) {
        let started = shared.clock.instant();
        done.turns = batch.len();
        serve(shared, &mut batch, &mut done.leases);
        done.busy = shared.clock.instant().saturating_duration_since(started);
    }
}

/// Gives back what is done and waits for a batch; `false` when the scheduler has ended.
fn next<T, R>(shared: &Shared<T, R>, index: usize, done: &mut Done, batch: &mut Batch<T, R>) -> bool {
    let mut state = shared.lock();
    let mut now = shared.clock.instant();
    let mut looks = if done.turns > LARGE { LOOKS } else { 0 };
    if done.turns > 0 {
        let turns = std::mem::take(&mut done.turns);
        state
            .core
            .complete_batch(done.leases.drain(..), turns, done.busy, now);
    }
    loop {
        let wanted = index < state.core.capacity().0;
        let found = wanted && state.core.serve(now, |turn| batch.push(turn)) > 0;
        if found || state.core.has_outputs() || state.must_stop() {
            // Also calls a further worker for what this one leaves.
            shared.release(state, Wake::One);
            if found {
                return true;
            }
            state = shared.lock();
            continue;
        }
        if state.stop {
            return false;
        }
        if wanted && looks < LOOKS && !state.lurks {
            looks += 1;
            state.lurks = true;
            shared.hint.store(false, Relaxed);
            drop(state);
            lurk(shared);
            state = shared.lock();
            state.lurks = false;
        } else if wanted {
            state.idle += 1;
            shared.work.wait(&mut state);
            state.idle -= 1;
            state.called = state.called.saturating_sub(1);
        } else {
            if state.core.has_ready() && state.idle > state.called {
                // The call that woke this worker was meant for one that is wanted.
                state.called += 1;
                shared.work.notify_one();
            }
            shared.parked.wait(&mut state);
        }
        now = shared.clock.instant();
    }
}

/// Gives way to other threads until there is a hint of work or none has come for a while: under load a
/// turn finds a worker awake, and the turns that come meanwhile share its next batch.
fn lurk<T, R>(shared: &Shared<T, R>) {
    for _ in 0..YIELDS {
        thread::yield_now();
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
