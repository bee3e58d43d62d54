//! The end: no more is accepted, what was accepted is written, and the report accounts for all of it.

use std::{cmp::Reverse, time::Instant};

use super::{Alarm, Machine, Output};
use crate::{BatcherError, DeadLetter, Write, WriteStats};

/// What became of the operations that were pending when the drain began:
/// `pending = written + failed + expired + unwritten.len() + in_doubt.len()`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DrainReport {
    /// Operations that were pending when the drain began; repeats count with the store they repeat.
    pub pending: usize,
    /// Of these, durable now.
    pub written: usize,
    /// Of these, refused or given up; their callers know.
    pub failed: usize,
    /// Of these, not written in the time that their callers gave.
    pub expired: usize,
    /// Of these, not written when the deadline passed; nothing was changed.
    pub unwritten: Vec<Write>,
    /// Of these, in the store's hands when the deadline passed: they may or may not be durable.
    pub in_doubt: Vec<Write>,
    /// The dead letters that are held, those of before the drain too.
    pub dead_letters: Vec<DeadLetter>,
}

impl DrainReport {
    /// Whether everything that was pending has a known outcome.
    pub fn is_complete(&self) -> bool {
        self.unwritten.is_empty() && self.in_doubt.is_empty()
    }
}

#[derive(Debug)]
pub(super) struct Drain<T> {
    tokens: Vec<T>,
    pending: usize,
    before: WriteStats,
    ended: Option<DrainReport>,
}

impl<T> Machine<T> {
    pub(super) fn start_drain(&mut self, until: Instant, token: T, now: Instant) {
        self.closed = true;
        let pending = self.buffer.live().items + self.items_in_flight();
        let before = self.stats.clone();
        let drain = self.drain.get_or_insert_with(|| Drain {
            tokens: Vec::new(),
            pending,
            before,
            ended: None,
        });
        drain.tokens.push(token);
        self.alarms.push(Reverse((until, Alarm::Drain)));
        self.handle_timeout(now);
    }

    /// Reports if nothing is pending any more.
    pub(super) fn finish_drain(&mut self) {
        if self.drain.is_some() && self.is_idle() {
            self.report(Vec::new(), Vec::new());
        }
    }

    /// The deadline has passed: answers everyone, and reports.
    pub(super) fn end_drain(&mut self) {
        let (mut unwritten, mut in_doubt) = (Vec::new(), Vec::new());
        let (waiting, barriers) = self.buffer.clear();
        for commit in std::mem::take(&mut self.in_flight) {
            self.buffer.land(&commit.keys);
            for key in commit.keys {
                let write = self.let_go(key, &BatcherError::InDoubt);
                in_doubt.push(write);
            }
        }
        for key in waiting {
            if self.buffer.entry(key).is_none_or(|entry| entry.is_abandoned()) {
                self.buffer.remove(key);
            } else if self.entry(key).applied.is_some() {
                let write = self.let_go(key, &BatcherError::InDoubt);
                in_doubt.push(write);
            } else {
                let write = self.let_go(key, &BatcherError::Unwritten);
                unwritten.push(write);
            }
        }
        for (token, pending) in barriers {
            self.outputs.push_back(Output::Settled { token, pending });
        }
        self.report(unwritten, in_doubt);
    }

    fn let_go(&mut self, key: super::EntryKey, error: &BatcherError) -> Write {
        self.forget_store(key);
        let entry = self.buffer.remove(key);
        let write = entry.to_write();
        for waiter in entry.first.into_iter().chain(entry.repeats) {
            self.answer(waiter.token, Err(error.clone()));
        }
        write
    }

    fn report(&mut self, unwritten: Vec<Write>, in_doubt: Vec<Write>) {
        let (now, letters) = (&self.stats, self.letters.list().cloned().collect());
        let Some(drain) = &mut self.drain else {
            return;
        };
        let since = |after: u64, before: u64| (after - before) as usize;
        let report = drain.ended.get_or_insert_with(|| DrainReport {
            pending: drain.pending,
            written: since(now.written, drain.before.written),
            failed: since(now.failed, drain.before.failed),
            expired: since(now.expired, drain.before.expired),
            unwritten,
            in_doubt,
            dead_letters: letters,
        });
        for token in drain.tokens.drain(..) {
            self.outputs.push_back(Output::Drained {
                token,
                report: report.clone(),
            });
        }
    }
}
