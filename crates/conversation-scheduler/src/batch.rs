//! What a handler gets: turns of different sessions at once, and a way to answer each as it is done.

use std::{fmt, sync::Arc};

use whisperengine_types::SessionKey;

use crate::{
    Dispatch, Lease, Turn, TurnError,
    reply::{Answer, ReplySlot, send_all},
};

/// The work itself. A closure from `&[Turn<T>]` to one result per turn, in order, is a handler too.
///
/// It runs on the scheduler's own threads, so it may block and compute, unless it was started with
/// [`Scheduler::start_on`](crate::Scheduler::start_on). Turns of one batch belong to
/// different sessions; the next turn of a session comes only after the call, or after its
/// [`Reply`] if the turn was detached.
///
/// # Panics
/// A handler may panic. Turns that were answered keep their answers; the others are treated as
/// [`PanicPolicy`](crate::PanicPolicy) says: by default each is run again, alone, with
/// [`Turn::attempt`] 2, so that only the one that panics fails. A turn whose work must not run twice is
/// marked with [`Batch::begin_effects`] before that work begins; it then fails with its batch instead.
pub trait Handler<T, R>: Send + Sync {
    /// Answers every turn of the batch, now or through [`Batch::detach`]; one that is left without is
    /// answered [`NoResult`](TurnError::NoResult).
    fn handle(&self, batch: &mut Batch<T, R>);

    /// A session was idle for too long and is forgotten; what is kept for it elsewhere may go.
    fn session_ended(&self, _session: SessionKey) {}
}

impl<T, R, F> Handler<T, R> for F
where
    F: Fn(&[Turn<T>]) -> Vec<R> + Send + Sync,
{
    fn handle(&self, batch: &mut Batch<T, R>) {
        let results = self(batch.turns());
        batch.complete_all(results);
    }
}

/// Turns of different sessions, to be answered.
pub struct Batch<T, R> {
    turns: Vec<Turn<T>>,
    open: Vec<Open<R>>,
    scheduler: Arc<dyn TakeBack>,
}

/// One turn's way back.
struct Open<R> {
    slot: Option<ReplySlot<R>>,
    /// Taken by [`Batch::detach`].
    lease: Option<Lease>,
    effects: bool,
}

/// Takes leases back after the handler's call.
pub(crate) trait TakeBack: Send + Sync {
    fn take_back(&self, leases: &mut dyn Iterator<Item = Lease>);
}

impl<T, R> Batch<T, R> {
    pub(crate) fn new(scheduler: Arc<dyn TakeBack>) -> Self {
        Self {
            turns: Vec::new(),
            open: Vec::new(),
            scheduler,
        }
    }

    /// The turns, most urgent first.
    pub fn turns(&self) -> &[Turn<T>] {
        &self.turns
    }

    /// The turns, for a handler that takes payloads out of them. What is taken is missing if the turn
    /// has to run again.
    pub fn turns_mut(&mut self) -> &mut [Turn<T>] {
        &mut self.turns
    }

    /// Number of turns.
    pub fn len(&self) -> usize {
        self.turns.len()
    }

    /// Whether there are none; never so in a call of the handler.
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Answers turn `index`; its caller has the result at once. A second answer is dropped.
    ///
    /// # Panics
    /// When there is no turn `index`.
    pub fn complete(&mut self, index: usize, result: R) {
        if let Some(slot) = self.open[index].slot.take() {
            slot.send(Ok(result));
        }
    }

    /// Answers the turns in order; missing results are left open, surplus ones dropped.
    pub fn complete_all(&mut self, results: impl IntoIterator<Item = R>) {
        let answers = self
            .open
            .iter_mut()
            .zip(results)
            .filter_map(|(open, result)| Some((open.slot.take()?, Ok(result))));
        send_all(answers);
    }

    /// Marks turn `index` as having effects from here on: it is not run again after a panic.
    ///
    /// # Panics
    /// When there is no turn `index`.
    pub fn begin_effects(&mut self, index: usize) {
        self.open[index].effects = true;
    }

    /// Takes turn `index` out of the call: it is answered later, from anywhere, and its session waits for
    /// that. `None` when it is answered or detached already.
    ///
    /// # Panics
    /// When there is no turn `index`.
    pub fn detach(&mut self, index: usize) -> Option<Reply<R>> {
        let open = &mut self.open[index];
        let slot = open.slot.take()?;
        let lease = open.lease.take();
        Some(Reply {
            slot: Some(slot),
            lease,
            scheduler: Arc::clone(&self.scheduler),
        })
    }

    /// Takes out every turn that is still open, to be answered together: as [`detach`](Self::detach) for
    /// each, but the scheduler is notified once.
    pub fn detach_all(&mut self) -> Replies<R> {
        let (slots, leases) = self
            .open
            .iter_mut()
            .filter_map(|open| Some((open.slot.take()?, open.lease.take()?)))
            .unzip();
        Replies {
            slots,
            leases,
            scheduler: Arc::clone(&self.scheduler),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, Dispatch { turn, token, lease }: Dispatch<T, ReplySlot<R>>) {
        self.turns.push(turn);
        self.open.push(Open {
            slot: Some(token),
            lease: Some(lease),
            effects: false,
        });
    }

    /// Takes out the turns without an answer that may run again.
    pub(crate) fn split_repeatable(&mut self) -> Vec<Self> {
        let mut kept = Self::new(Arc::clone(&self.scheduler));
        let mut alone = Vec::new();
        for (mut turn, open) in self.turns.drain(..).zip(self.open.drain(..)) {
            let repeat = open.slot.is_some() && !open.effects;
            let target = if repeat {
                turn.attempt += 1;
                alone.push(Self::new(Arc::clone(&self.scheduler)));
                alone.last_mut().expect("one was pushed just now")
            } else {
                &mut kept
            };
            target.turns.push(turn);
            target.open.push(open);
        }
        *self = kept;
        alone
    }

    /// Turns without an answer.
    pub(crate) fn open_turns(&self) -> usize {
        self.open.iter().filter(|open| open.slot.is_some()).count()
    }

    /// Answers what is still open with `error`.
    pub(crate) fn fail_open(&mut self, error: &TurnError) {
        let answers: Vec<(ReplySlot<R>, Answer<R>)> = self
            .open
            .iter_mut()
            .filter_map(|open| Some((open.slot.take()?, Err(error.clone()))))
            .collect();
        send_all(answers);
    }

    /// Empties the batch; gives the leases of the turns that were not detached.
    pub(crate) fn finish(&mut self, leases: &mut Vec<Lease>) {
        self.turns.clear();
        leases.extend(self.open.drain(..).filter_map(|open| open.lease));
    }
}

impl<T: fmt::Debug, R> fmt::Debug for Batch<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("turns", &self.turns)
            .finish_non_exhaustive()
    }
}

/// The answer of a detached turn, still to be given. Dropped without one, the turn is answered
/// [`NoResult`](TurnError::NoResult).
#[must_use = "dropping a reply answers the turn without a result"]
pub struct Reply<R> {
    slot: Option<ReplySlot<R>>,
    lease: Option<Lease>,
    scheduler: Arc<dyn TakeBack>,
}

impl<R> Reply<R> {
    /// Answers the turn; its session's next turn may be served.
    pub fn complete(mut self, result: R) {
        if let Some(slot) = self.slot.take() {
            slot.send(Ok(result));
        }
    }
}

impl<R> Drop for Reply<R> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.send(Err(TurnError::NoResult));
        }
        if let Some(lease) = self.lease.take() {
            self.scheduler.take_back(&mut std::iter::once(lease));
        }
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

/// The answers of turns that were detached together. Dropped without them, each turn is answered
/// [`NoResult`](TurnError::NoResult).
#[must_use = "dropping the replies answers the turns without a result"]
pub struct Replies<R> {
    slots: Vec<ReplySlot<R>>,
    leases: Vec<Lease>,
    scheduler: Arc<dyn TakeBack>,
}

impl<R> Replies<R> {
    /// Answers the turns, in the order of the batch; their sessions' next turns may be served. Turns for
    /// which there is no result are answered [`NoResult`](TurnError::NoResult), surplus results dropped.
    pub fn complete(mut self, results: impl IntoIterator<Item = R>) {
        let answers = self.slots.drain(..).zip(results.into_iter().map(Ok));
        send_all(answers);
    }

    /// How many turns wait for their answers.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no turn waits.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

impl<R> Drop for Replies<R> {
    fn drop(&mut self) {
        send_all(self.slots.drain(..).map(|slot| (slot, Err(TurnError::NoResult))));
        if !self.leases.is_empty() {
            self.scheduler.take_back(&mut self.leases.drain(..));
        }
    }
}

impl<R> fmt::Debug for Replies<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("turns", &self.slots.len())
            .finish_non_exhaustive()
    }
}
