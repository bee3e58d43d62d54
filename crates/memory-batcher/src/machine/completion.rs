//! What a finished commit means for each of its operations.
//!
//! **Order under partial failure.** If an operation fails for a passing reason, later ones of the same
//! owner in the same batch may have been applied before it. They are not acknowledged: they stay behind
//! it and are applied again after it, which leaves the state that the order of submission gives. (What an
//! earlier update finds may then be what a later store left, so that it succeeds where it would have found
//! nothing; the later store is applied after it and stands.) Other owners are not affected.

use std::time::Instant;

use whisperengine_types::{Committed, MemoryError, MemoryId, WriteOp};

use super::{EntryKey, InFlight, Machine, record_id};
use crate::{BatcherError, DeadLetterId, Result, Written, buffer::Waiter};

/// What to do with an operation after a commit.
enum Verdict {
    Settle(Result<Option<MemoryId>>),
    TryAgain,
}

impl<T> Machine<T> {
    pub(super) fn committed(
        &mut self,
        batch: u64,
        results: Vec<Result<Committed, MemoryError>>,
        now: Instant,
    ) {
        let Some(keys) = self.land(batch, now) else {
            return;
        };
        let mut results = results.into_iter();
        let (mut again, mut owners, mut all_failed) = (Vec::new(), 0, true);
        let mut last_slot = None;
        let awaited = self.awaited_slots(&keys);
        for key in keys.iter().copied() {
            let result = results.next().unwrap_or_else(|| {
                self.may_be_applied(key);
                Err(no_result())
            });
            all_failed &= result.as_ref().is_err_and(MemoryError::is_retryable);
            let slot = self.entry(key).slot;
            if last_slot.replace(slot) != Some(slot) {
                owners += 1;
            }
            match self.verdict(batch, key, result, now) {
                Verdict::Settle(outcome) => self.settle(key, &outcome),
                Verdict::TryAgain => again.push(key),
            }
        }
        self.retry.batch_done(now, owners, all_failed, batch);
        self.stats.retries += again.len() as u64;
        self.put_back(&again, now);
        self.spare = keys;
        self.tell_all_settled(awaited);
    }

    /// Whatever was in the batch is tried again alone, so that only the operation that does it fails.
    pub(super) fn panicked(&mut self, batch: u64, reason: &str, now: Instant) {
        let Some(keys) = self.land(batch, now) else {
            return;
        };
        self.stats.panics += 1;
        let awaited = self.awaited_slots(&keys);
        for &key in &keys {
            self.may_be_applied(key);
            self.entry(key).alone = true;
        }
        if let [key] = *keys {
            let attempts = self.entry(key).attempts + 1;
            let letter = self.bury(key, attempts, format!("the store panicked: {reason}"));
            let error = BatcherError::Panicked {
                reason: reason.to_owned(),
                letter: Some(letter),
            };
            self.settle(key, &Err(error));
        } else {
            self.put_back(&keys, now);
        }
        self.tell_all_settled(awaited);
    }

    /// Takes a commit out of what is in flight.
    fn land(&mut self, batch: u64, now: Instant) -> Option<Vec<EntryKey>> {
        let at = self.in_flight.iter().position(|commit| commit.batch == batch)?;
        let InFlight { keys, since, .. } = self.in_flight.swap_remove(at);
        let took = now.saturating_duration_since(since);
        let others = self.buffer.live().items + self.items_in_flight();
        self.policy.committed(now, took, keys.len(), others);
        self.buffer.land(&keys);
        Some(keys)
    }

    fn verdict(
        &mut self,
        batch: u64,
        key: EntryKey,
        result: Result<Committed, MemoryError>,
        now: Instant,
    ) -> Verdict {
        let entry = self
            .buffer
            .entry(key)
            .expect("entries in flight are in the buffer");
        let slot = entry.slot;
        if self.buffer.owners.slot(slot).failed_in == batch {
            if let Ok(committed) = result {
                self.entry(key).applied = Some(committed);
            }
            return Verdict::TryAgain;
        }
        let error = match result {
            Ok(committed) => {
                self.retry.succeeded();
                return Verdict::Settle(Ok(committed.id));
            }
            Err(error) => error,
        };
        let entry = self.entry(key);
        // A delete that was, or may have been, applied before finds nothing the second time.
        if let (WriteOp::Delete { .. }, MemoryError::NotFound { .. }) = (&entry.op, &error)
            && let Some(committed) = entry.applied.take()
        {
            return Verdict::Settle(Ok(committed.id));
        }
        if !error.is_unavailable() {
            return Verdict::Settle(Err(BatcherError::Memory(error)));
        }
        entry.attempts += 1;
        let (attempts, was_applied) = (entry.attempts, entry.applied.is_some());
        if error.is_retryable()
            && let Some(wait) = self.retry.backoff(attempts, key.seq)
        {
            self.buffer.owners.slot_mut(slot).failed_in = batch;
            self.buffer.hold(slot, now + wait);
            return Verdict::TryAgain;
        }
        let letter = self.bury(key, attempts, error.to_string());
        if was_applied {
            return Verdict::Settle(Err(BatcherError::InDoubt));
        }
        Verdict::Settle(Err(BatcherError::Failed {
            attempts,
            letter,
            source: error,
        }))
    }

    /// Notes that nobody knows whether the operation was applied.
    fn may_be_applied(&mut self, key: EntryKey) {
        let entry = self.entry(key);
        let id = record_id(&entry.op).cloned();
        entry.applied.get_or_insert(Committed { id });
    }

    fn bury(&mut self, key: EntryKey, attempts: u32, reason: String) -> DeadLetterId {
        let entry = self.entry(key);
        let write = entry.to_write();
        self.letters.push(write, attempts, reason)
    }

    /// Answers everyone who waits for the operation.
    fn settle(&mut self, key: EntryKey, outcome: &Result<Option<MemoryId>>) {
        if outcome.is_ok() {
            self.stats.written += 1;
            let entry = self.buffer.entry(key).expect("settled once");
            self.letters.overtaken_by(&entry.op);
        } else {
            self.stats.failed += 1;
            self.forget_store(key);
        }
        let entry = self.buffer.remove(key);
        let id = record_id(&entry.op).cloned();
        let tell = |duplicate| match outcome {
            Ok(committed) => Ok(Written {
                id: committed.clone().or_else(|| id.clone()),
                duplicate,
            }),
            Err(error) => Err(error.clone()),
        };
        if let Some(Waiter { token, .. }) = entry.first {
            self.answer(token, tell(false));
        }
        for Waiter { token, .. } in entry.repeats {
            self.answer(token, tell(true));
        }
    }

    /// Puts operations back in their places; those whose callers' time is up are dropped.
    fn put_back(&mut self, keys: &[EntryKey], now: Instant) {
        self.buffer.put_back(keys);
        for &key in keys {
            self.expire(key, now);
        }
    }

    /// The owners among those of `keys` whom somebody waits for.
    fn awaited_slots(&mut self, keys: &[EntryKey]) -> Vec<u32> {
        let mut slots = Vec::new();
        for &key in keys {
            let slot = self.entry(key).slot;
            if !self.buffer.owners.slot(slot).barriers.is_empty() && slots.last() != Some(&slot) {
                slots.push(slot);
            }
        }
        slots
    }

    fn tell_all_settled(&mut self, slots: Vec<u32>) {
        for slot in slots {
            self.tell_settled(slot);
        }
        self.finish_drain();
    }
}

fn no_result() -> MemoryError {
    MemoryError::Unavailable {
        reason: "the store gave fewer results than it was given operations".to_owned(),
        source: None,
    }
}
