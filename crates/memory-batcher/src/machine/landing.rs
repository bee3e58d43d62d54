//! What a finished commit means for each of its operations.
//!
//! **Order under partial failure.** If an operation fails for a passing reason, later ones of the same owner in
//! the same batch may have been applied before it. They are not acknowledged: they stay behind it and are
//! applied again after it, which leaves the state that the order of submission gives. (What an earlier update
//! finds may then be what a later store left, so that it succeeds where it would have found nothing; the later
//! store is applied after it and stands.) Other owners are not affected.

use std::time::Instant;

use whisperengine_types::{Committed, MemoryError, WriteOp};

use super::{Entry, InFlight, Machine, Origin, Output, ReplayRun, letter, owners_of};
use crate::{BatcherError, Result, dead_letter::record_id};

/// What to do with an operation after a commit.
enum Verdict {
    Settle(Result<Committed>),
    GiveUp(MemoryError),
    TryAgain,
}

impl<T> Machine<T> {
    pub(super) fn committed(
        &mut self,
        batch: u64,
        results: Vec<Result<Committed, MemoryError>>,
        now: Instant,
    ) {
        let Some(entries) = self.land(batch, now) else {
            return;
        };
        let owners = owners_of(&entries);
        let mut failure = None;
        let mut all_failed = true;
        let mut again = Vec::new();
        let mut results = results.into_iter();
        for mut entry in entries {
            let result = results.next().unwrap_or_else(|| {
                entry.may_be_applied();
                Err(no_result())
            });
            match &result {
                Err(error) if error.is_retryable() => failure = Some(error.clone()),
                _ => all_failed = false,
            }
            match self.verdict(batch, &mut entry, result, now) {
                Verdict::Settle(outcome) => self.settle(entry, outcome),
                Verdict::GiveUp(error) => self.give_up(entry, error),
                Verdict::TryAgain => again.push(entry),
            }
        }
        self.retry
            .batch_done(now, owners.len(), failure.filter(|_| all_failed), batch);
        self.stats.retries += again.len() as u64;
        self.queue.land(&owners, again);
        if let Some(error) = self.retry.down().cloned() {
            for entry in self.queue.clear() {
                self.give_up(entry, error.clone());
            }
        }
        self.finish_drain();
    }

    /// What was in the batch is tried again one by one, so that only the operation that does it fails.
    pub(super) fn panicked(&mut self, batch: u64, reason: &str, now: Instant) {
        let Some(mut entries) = self.land(batch, now) else {
            return;
        };
        self.stats.panics += 1;
        let owners = owners_of(&entries);
        for entry in &mut entries {
            entry.may_be_applied();
            entry.alone = true;
        }
        if entries.len() == 1 {
            for mut entry in std::mem::take(&mut entries) {
                entry.attempts += 1;
                let reason = reason.to_owned();
                let letter = self.keep(&entry, format!("the store panicked: {reason}"));
                let error = letter.map(|letter| BatcherError::Panicked { reason, letter });
                self.settle(entry, Err(error.unwrap_or_else(|full| full)));
            }
        }
        self.queue.land(&owners, entries);
        self.finish_drain();
    }

    /// Gives an operation up for a failure of the store: it becomes a dead letter, if there is room.
    pub(super) fn give_up(&mut self, entry: Entry<T>, error: MemoryError) {
        let was_applied = entry.applied.is_some();
        let outcome = match self.keep(&entry, error.to_string()) {
            Err(full) => full,
            Ok(_) if was_applied => BatcherError::InDoubt,
            Ok(Some(letter)) => BatcherError::Failed {
                attempts: entry.attempts,
                letter,
                source: error,
            },
            Ok(None) => BatcherError::Memory(error),
        };
        self.settle(entry, Err(outcome));
    }

    /// Keeps what was given up as a dead letter: `None` for what must not be made later.
    fn keep(&mut self, entry: &Entry<T>, reason: String) -> Result<Option<crate::DeadLetterId>> {
        if matches!(entry.op, WriteOp::ForgetAll { .. }) || self.queue.is_forgotten(entry) {
            return Ok(None);
        }
        // The room of a replayed letter is its own still.
        if matches!(entry.origin, Origin::Caller(_)) && !self.letters.has_room(1) {
            self.stats.refused += 1;
            return Err(self.no_room());
        }
        self.letters.put(letter(entry, reason));
        Ok(Some(entry.letter_id()))
    }

    /// Takes a commit out of what is in flight.
    fn land(&mut self, batch: u64, now: Instant) -> Option<Vec<Entry<T>>> {
        let at = self.in_flight.iter().position(|commit| commit.batch == batch)?;
        let InFlight { entries, since, .. } = self.in_flight.swap_remove(at);
        let took = now.saturating_duration_since(since);
        let others = self.queue.waiting().items + self.items_in_flight();
        self.policy.committed(now, took, entries.len(), others);
        Some(entries)
    }

    fn verdict(
        &mut self,
        batch: u64,
        entry: &mut Entry<T>,
        result: Result<Committed, MemoryError>,
        now: Instant,
    ) -> Verdict {
        let owner = entry.op.owner();
        let follows_failure = self.queue.has_failed(owner, batch);
        let error = match result {
            Ok(committed) if follows_failure => {
                entry.applied = Some(committed);
                return Verdict::TryAgain;
            }
            Ok(committed) => {
                self.retry.succeeded();
                return Verdict::Settle(Ok(committed));
            }
            Err(error) => error,
        };
        entry.attempts += u32::from(error.is_unavailable());
        if follows_failure {
            return Verdict::TryAgain;
        }
        // A delete that was, or may have been, applied before finds nothing the second time.
        if let (WriteOp::Delete { .. }, MemoryError::NotFound { .. }) = (&entry.op, &error)
            && let Some(committed) = entry.applied.take()
        {
            return Verdict::Settle(Ok(committed));
        }
        if !error.is_unavailable() {
            return Verdict::Settle(Err(BatcherError::Memory(error)));
        }
        if error.is_retryable()
            && let Some(wait) = self.retry.backoff(entry.attempts, entry.seq)
        {
            self.queue.fail(owner, batch);
            self.queue.hold(owner, now + wait);
            return Verdict::TryAgain;
        }
        Verdict::GiveUp(error)
    }

    /// Answers the caller of an operation that is over.
    fn settle(&mut self, entry: Entry<T>, outcome: Result<Committed>) {
        let forgets = matches!(entry.op, WriteOp::ForgetAll { .. });
        // What is to be forgotten is not written later, whether the store has forgotten it yet or not.
        if outcome.is_ok() || forgets {
            self.letters.supersede(&entry.op, entry.seq);
        }
        if forgets {
            self.queue.forgotten(entry.op.owner(), entry.seq);
        }
        match outcome {
            Ok(_) => self.stats.written += 1,
            Err(_) => self.stats.failed += 1,
        }
        match entry.origin {
            Origin::Caller(token) => self.answer(token, outcome),
            Origin::Letter { replay } => self.note_replayed(replay, outcome.is_ok()),
        }
    }

    pub(super) fn note_replayed(&mut self, replay: u64, written: bool) {
        self.letters.replayed();
        let Some(run) = self.replays.get_mut(&replay) else {
            return;
        };
        run.missing -= 1;
        run.replay.written += usize::from(written);
        run.replay.failed += usize::from(!written);
        if run.missing == 0
            && let Some(ReplayRun { token, replay, .. }) = self.replays.remove(&replay)
        {
            self.outputs.push_back(Output::Replayed { token, replay });
        }
    }
}

impl<T> Entry<T> {
    /// Notes that nobody knows whether the operation was applied.
    fn may_be_applied(&mut self) {
        let id = record_id(&self.op).cloned();
        self.applied.get_or_insert(Committed { id });
    }
}

fn no_result() -> MemoryError {
    MemoryError::Unavailable {
        reason: "the store gave fewer results than it was given operations".to_owned(),
        source: None,
    }
}
