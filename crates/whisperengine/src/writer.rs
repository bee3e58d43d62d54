//! How turns become durable: through the batcher's group commit.
//!
//! There is one place where writes wait, the batcher: its queue, and behind it the dead letters that the store
//! would not take. Both are bounded; what finds no room is refused and said to be not stored. A write that
//! takes longer than the deadline, or that is submitted while the store is known to be away, is answered
//! `Volatile` at once and stays in its place.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::oneshot;
use whisperengine_memory_batcher::{BatcherError, MemoryBatcher, Submission, WriteGroup};
use whisperengine_types::{Clock, Committed, Durability, MemoryError, WriteOp};

use crate::fallback::{Gate, guarded};

/// Writes turns and says how safe they are. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    batcher: MemoryBatcher,
    gate: Arc<Gate>,
    clock: Arc<dyn Clock>,
    /// What an acknowledged write is: durable, or volatile when the store is in memory.
    acknowledged: Durability,
    limits: WaitLimits,
    unanswered: Arc<Mutex<VecDeque<Arc<Unanswered>>>>,
    /// Writes that were answered `Volatile` and then found no room to wait in.
    lost: Arc<AtomicUsize>,
}

/// How much is waited for, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitLimits {
    /// For the store's answer.
    pub(crate) deadline: Duration,
    /// Writes that the batcher keeps when the store will not take them.
    pub(crate) kept_items: usize,
}

/// Writes whose answer somebody waits for.
struct Unanswered {
    since: Instant,
    writes: usize,
    conclude: Mutex<Option<Conclude>>,
}

type Conclude = Box<dyn FnOnce(Vec<Durability>) + Send>;

impl Writer {
    pub(crate) fn new(
        batcher: MemoryBatcher,
        gate: Arc<Gate>,
        clock: Arc<dyn Clock>,
        acknowledged: Durability,
        limits: WaitLimits,
    ) -> Self {
        Self {
            batcher,
            gate,
            clock,
            acknowledged,
            limits,
            unanswered: Arc::default(),
            lost: Arc::default(),
        }
    }

    /// A group of at most `writes` writes, to be submitted one by one and answered together.
    pub(crate) fn group(&self, writes: usize) -> WriteGroup {
        self.batcher.group(writes)
    }

    /// Submits a write; its place in the group's answers, or why it is not stored.
    pub(crate) fn submit(&self, group: &mut WriteGroup, op: WriteOp) -> Result<usize, Durability> {
        group.submit(op).map_err(|error| self.durability(Err(error)))
    }

    /// Submits a write by itself.
    pub(crate) fn submit_one(&self, op: WriteOp) -> Submission {
        let mut group = self.batcher.group(1);
        // Refused, its place is answered as closed.
        let _ = group.submit(op);
        group.finish()
    }

    /// Calls `conclude` with one [`Durability`] for each write of `group`, in order: once they are known, or
    /// when the deadline is over, or now if the store is known to be away. `conclude` must not block.
    pub(crate) fn conclude(
        &self,
        group: WriteGroup,
        conclude: impl FnOnce(Vec<Durability>) + Send + 'static,
    ) {
        let submission = group.finish();
        let unanswered = Arc::new(Unanswered {
            since: self.clock.instant(),
            writes: submission.len(),
            conclude: Mutex::new(Some(Box::new(conclude))),
        });
        let writer = self.clone();
        let answering = Arc::clone(&unanswered);
        submission.then(move |outcomes| {
            let answers = outcomes.into_iter().map(|outcome| writer.note(outcome)).collect();
            if let Err(late) = answering.answer(answers) {
                late.iter().for_each(|answer| writer.note_lost(answer));
            }
            writer.drop_answered();
        });
        // What is refused outright has its answer by now.
        if self.gate.is_closed() || !self.has_room() {
            self.lock().push_back(unanswered);
            self.drop_answered();
        } else {
            unanswered.answer_volatile();
        }
    }

    /// Whether everything that is under way may wait for the store to come back.
    fn has_room(&self) -> bool {
        let stats = self.batcher.stats();
        stats.waiting_items + stats.in_flight_items + stats.dead_letters <= self.limits.kept_items
    }

    /// Waits for a submitted write, at most for the deadline.
    pub(crate) async fn stored(&self, submission: Submission) -> Durability {
        let (known, answer) = oneshot::channel();
        let writer = self.clone();
        submission.then(move |outcomes| {
            let outcome = outcomes.into_iter().next().expect("one write was submitted");
            if let Err(late) = known.send(writer.note(outcome)) {
                writer.note_lost(&late);
            }
        });
        if let Ok(stored) = tokio::time::timeout(self.limits.deadline, answer).await {
            return stored.unwrap_or(Durability::Volatile);
        }
        self.gate.note(Some("a commit takes too long"));
        Durability::Volatile
    }

    /// Waits for a submitted write, as long as it takes.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) async fn committed(&self, submission: Submission) -> Result<(), MemoryError> {
        submission
            .await
            .into_iter()
            .try_for_each(|outcome| outcome.map(drop).map_err(as_memory_error))
    }

    /// Answers what waits for longer than the deadline; whether anything still waits.
    pub(crate) fn expire(&self) -> bool {
        let now = self.clock.instant();
        let mut expired = Vec::new();
        let waits = {
            let mut unanswered = self.lock();
            while let Some(first) = unanswered.front() {
                let is_late = now.saturating_duration_since(first.since) >= self.limits.deadline;
                if !is_late && !first.is_answered() {
                    break;
                }
                expired.extend(unanswered.pop_front());
            }
            !unanswered.is_empty()
        };
        for unanswered in expired {
            if unanswered.answer_volatile() {
                self.gate.note(Some("a commit takes too long"));
            }
        }
        waits
    }

    /// Tries once more what the store would not take, without waiting for it.
    pub(crate) fn retry(&self, runtime: &tokio::runtime::Handle) {
        if self.batcher.dead_letter_count() == 0 {
            return;
        }
        let batcher = self.batcher.clone();
        runtime.spawn(async move { batcher.replay_dead_letters().await });
    }

    /// How many writes wait for the store to come back.
    pub(crate) fn waiting(&self) -> usize {
        self.batcher.dead_letter_count()
    }

    /// How many writes that were said to wait are lost.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }

    fn note_lost(&self, answer: &Durability) {
        if let Durability::NotStored { reason } = answer {
            self.lost.fetch_add(1, Ordering::Relaxed);
            tracing::error!(reason, "a write that was said to wait is lost");
        }
    }

    pub(crate) fn batcher(&self) -> &MemoryBatcher {
        &self.batcher
    }

    /// Tells the gate how a write went, and the caller how safe it is.
    fn note(&self, outcome: Result<Committed, BatcherError>) -> Durability {
        match &outcome {
            Ok(_) => self.gate.note(None),
            Err(BatcherError::Memory(error)) if error.is_unavailable() => {
                self.gate.note(Some(&error.to_string()));
            }
            Err(BatcherError::Failed { source, .. }) => self.gate.note(Some(&source.to_string())),
            Err(BatcherError::Panicked { reason, .. }) => self.gate.note(Some(reason)),
            // The request's fault, or a place of the group that was not used.
            Err(_) => {}
        }
        self.durability(outcome)
    }

    fn durability(&self, outcome: Result<Committed, BatcherError>) -> Durability {
        match outcome {
            Ok(_) => self.acknowledged.clone(),
            // Kept as a dead letter, and written when the store is back.
            Err(BatcherError::Failed { .. } | BatcherError::Panicked { letter: Some(_), .. }) => {
                Durability::Volatile
            }
            Err(error) => Durability::NotStored {
                reason: error_chain(&error),
            },
        }
    }

    fn drop_answered(&self) {
        let mut unanswered = self.lock();
        while unanswered.front().is_some_and(|first| first.is_answered()) {
            unanswered.pop_front();
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Unanswered>>> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unanswered {
    /// Gives the answers back where somebody has answered before.
    fn answer(&self, answers: Vec<Durability>) -> Result<(), Vec<Durability>> {
        let conclude = self
            .conclude
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(conclude) = conclude else {
            return Err(answers);
        };
        if let Err(panic) = guarded(|| conclude(answers)) {
            tracing::error!(panic, "the end of a turn panicked");
        }
        Ok(())
    }

    fn answer_volatile(&self) -> bool {
        self.answer(vec![Durability::Volatile; self.writes]).is_ok()
    }

    fn is_answered(&self) -> bool {
        self.conclude
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }
}

impl std::fmt::Debug for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unanswered")
            .field("since", &self.since)
            .field("writes", &self.writes)
            .finish_non_exhaustive()
    }
}

pub(crate) fn as_memory_error(error: BatcherError) -> MemoryError {
    match error {
        BatcherError::Memory(error) => error,
        other => MemoryError::Unavailable {
            reason: error_chain(&other),
            source: None,
        },
    }
}

/// An error and its causes, in one line.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
