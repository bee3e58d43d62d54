//! Who commits: the thread of the caller that finds the batcher idle, or else threads made for it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Condvar, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::oneshot,
};
use whisperengine_types::WriteOp;

use crate::{
    Result, Written,
    driver::{Shared, State, Token, now, panic_message},
    machine::{Input, Prepared},
};

/// What callers and committing threads share besides the state machine.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    /// Wakes a thread that commits.
    pub(crate) work: Condvar,
    /// Tells the thread that gives way to others, ready for the next batch, that one is due.
    pub(crate) due: AtomicBool,
    usual: Usual,
    /// Single writes that are called and not yet handed in.
    coming: AtomicUsize,
}

/// The usual duration of a commit in nanoseconds: a moving average in which a long one counts as
/// [`LONG`], since a thread that lost its processor once says little about the store.
#[derive(Debug)]
struct Usual(AtomicU64);

impl Default for Usual {
    fn default() -> Self {
        Self(AtomicU64::new(LONG.as_nanos() as u64))
    }
}

impl Usual {
    fn note(&self, took: Duration) {
        let took = took.min(LONG).as_nanos() as u64;
        let before = self.0.load(Relaxed);
        self.0.store(before - before / 8 + took / 8, Relaxed);
    }

    fn is_below(&self, limit: Duration) -> bool {
        u128::from(self.0.load(Relaxed)) < limit.as_nanos()
    }
}

/// What became of a single write when it was handed in.
#[derive(Debug)]
pub(crate) enum Fed {
    Answered(Result<Written>),
    Waits(oneshot::Receiver<Result<Written>>),
}

/// How the committing threads spend their time; part of what is locked.
#[derive(Debug, Default)]
pub(crate) struct Crew {
    /// Asleep, and how many of them have been called.
    idle: usize,
    called: usize,
    /// One of them gives way to others, ready for the next batch.
    lurks: bool,
    /// When the next of them wakes by itself.
    wakes_at: Option<Instant>,
}

/// A single write that is called and not yet handed in.
#[derive(Debug)]
pub(crate) struct Coming<'a>(&'a AtomicUsize);

impl Drop for Coming<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Crew {
    /// Whether a sleeping thread is to be called because a batch is due, or will be before one wakes.
    pub(crate) fn call(&mut self, is_due: bool, next: Option<Instant>) -> bool {
        let sooner = |at: Instant| self.wakes_at.is_none_or(|known| at < known);
        let needed = !self.lurks && (is_due || next.is_some_and(sooner));
        let call = needed && self.idle > self.called;
        self.called += usize::from(call);
        call
    }
}

impl Shared {
    /// Announces a single write.
    pub(crate) fn coming(&self) -> Coming<'_> {
        self.commits.coming.fetch_add(1, Relaxed);
        Coming(&self.commits.coming)
    }

    /// Hands in a single write that takes `slots` queue slots, and commits it here and now where that is the
    /// quickest for all.
    pub(crate) fn feed_one(&self, write: Prepared, slots: u32, coming: Coming<'_>) -> Fed {
        drop(coming);
        let mut now = now();
        // Made outside the lock where it will be needed.
        let channel = (!self.looks_idle(slots)).then(oneshot::channel);
        let mut state = self.lock();
        if !state.machine.goes_ahead(&write, now) || !self.may_commit_here(&state) {
            let (caller, answer) = channel.unwrap_or_else(oneshot::channel);
            let token = Token::to(caller, slots);
            state.machine.handle(Input::Write { write, token }, now);
            self.after(state, now);
            return Fed::Waits(answer);
        }
        let mut next = state.machine.handle_and_poll_commit(write, Token::Here, now);
        // What comes meanwhile is committed here too while that is quick, and handed over if it goes on.
        for round in 1..=ROUNDS {
            let Some((batch, ops)) = next else {
                break;
            };
            drop(state);
            let input;
            (input, now) = self.commit(batch, &ops, now);
            state = self.lock();
            state.machine.handle(input, now);
            if round == ROUNDS || !self.commits.usual.is_below(BRIEF) {
                break;
            }
            next = state.machine.poll_commit(now);
        }
        let answers = state.take_answers();
        let fed = if let Some(outcome) = state.answer_here.take() {
            self.room.add_permits(slots as usize);
            Fed::Answered(outcome)
        } else {
            // It is to be tried again, by others.
            let (caller, answer) = oneshot::channel();
            let waits = state.machine.tokens().find(|token| matches!(token, Token::Here));
            *waits.expect("a write without an answer has its token") = Token::to(caller, slots);
            Fed::Waits(answer)
        };
        self.tell_and_wake(state, answers, now);
        fed
    }

    /// Whether no other write is accepted and not yet answered, about.
    fn looks_idle(&self, slots: u32) -> bool {
        self.room.available_permits() + slots as usize >= self.config.queue_items
    }

    /// Whether the caller's thread may wait for the store.
    fn may_commit_here(&self, state: &State) -> bool {
        let limit = self.config.inline_commit;
        if self.commits.usual.is_below(limit.min(BRIEF)) {
            return true;
        }
        // Whoever calls several writes before awaiting them would find them committed one by one.
        let alone = self.commits.coming.load(Relaxed) == 0;
        let usual = state.machine.commit_time();
        alone && !usual.is_zero() && usual < limit && others_go_on()
    }

    /// One commit, begun at `since`: what the store says of it, and when it has done so.
    fn commit(&self, batch: u64, ops: &[WriteOp], since: Instant) -> (Input<Token>, Instant) {
        let result = catch_unwind(AssertUnwindSafe(|| self.store.commit(ops)));
        let ended = now();
        self.commits.usual.note(ended.saturating_duration_since(since));
        let input = match result {
            Ok(results) => Input::Committed { batch, results },
            Err(panic) => Input::Panicked {
                batch,
                reason: panic_message(&*panic),
            },
        };
        (input, ended)
    }

    pub(crate) fn commit_loop(&self) {
        let mut lurking = None;
        let mut state = self.lock();
        while !state.stopped {
            let now = now();
            if let Some((batch, ops)) = state.machine.poll_commit(now) {
                let State { machine, crew, .. } = &mut *state;
                // Another thread minds what is left.
                let call = crew.call(machine.is_due(now), machine.next_commit());
                drop(state);
                if call {
                    self.commits.work.notify_one();
                }
                let (input, _) = self.commit(batch, &ops, now);
                self.feed([input]);
                lurking = Some(crate::driver::now() + self.config.lurk);
                state = self.lock();
                continue;
            }
            let next = state.machine.next_commit();
            let soon = next.filter(|at| *at < now + self.config.lurk);
            let until = soon.or(lurking.filter(|until| now < *until));
            if let Some(until) = until.filter(|_| !state.crew.lurks) {
                state.crew.lurks = true;
                self.commits.due.store(false, Relaxed);
                drop(state);
                while !self.commits.due.load(Relaxed) && crate::driver::now() < until {
                    thread::yield_now();
                }
                state = self.lock();
                state.crew.lurks = false;
                continue;
            }
            lurking = None;
            let sleep = next.map(|at| at.saturating_duration_since(now));
            let known = state.crew.wakes_at;
            state.crew.wakes_at = [known, next].into_iter().flatten().min();
            state.crew.idle += 1;
            state = match sleep {
                None => self
                    .commits
                    .work
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(sleep) => {
                    let woken = self.commits.work.wait_timeout(state, sleep);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.crew.idle -= 1;
            state.crew.called = state.crew.called.saturating_sub(1);
            if sleep.is_some() {
                state.crew.wakes_at = None;
            }
        }
    }
}

/// Whether other tasks go on while this thread waits: other threads of its runtime take them over.
fn others_go_on() -> bool {
    Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
}

/// So short that it is not worth a change of threads, and no caller's thread is missed.
const BRIEF: Duration = Duration::from_micros(50);
/// What a longer commit counts as.
const LONG: Duration = Duration::from_micros(200);
/// Commits in turn on one caller's thread.
const ROUNDS: usize = 8;
