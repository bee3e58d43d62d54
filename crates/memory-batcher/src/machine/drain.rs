//! The end: no more is accepted, what was accepted is written, and the report accounts for all of it.

use std::time::Instant;

use whisperengine_types::WriteOp;

use super::{Entry, Machine, Origin, Output, letter};
use crate::{BatcherError, DeadLetter, Stats};

/// What became of the operations that were pending when the drain began:
/// `pending = written + failed + unwritten.len() + in_doubt.len()`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct DrainReport {
    /// Operations that were pending when the drain began, replayed letters included.
    pub pending: usize,
    /// Of these, durable now.
    pub written: usize,
    /// Of these, refused or given up; their callers know.
    pub failed: usize,
    /// Of these, not written when the deadline passed; nothing was changed.
    pub unwritten: Vec<WriteOp>,
    /// Of these, with the store when the deadline passed: they may or may not be durable.
    pub in_doubt: Vec<WriteOp>,
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
    until: Instant,
    pending: usize,
    before: Stats,
    report: Option<DrainReport>,
}

impl<T> Drain<T> {
    /// When it ends, if it has not ended.
    pub(super) fn until(&self) -> Option<Instant> {
        self.report.is_none().then_some(self.until)
    }
}

impl<T> Machine<T> {
    pub(super) fn start_drain(&mut self, until: Instant, token: T, now: Instant) {
        self.closed = true;
        let pending = self.queue.waiting().items + self.items_in_flight();
        let before = self.stats.clone();
        let drain = self.drain.get_or_insert_with(|| Drain {
            tokens: Vec::new(),
            until,
            pending,
            before,
            report: None,
        });
        drain.until = drain.until.min(until);
        drain.tokens.push(token);
        self.finish_drain();
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
        for commit in std::mem::take(&mut self.in_flight) {
            for entry in commit.entries {
                in_doubt.extend(self.let_go(entry, BatcherError::InDoubt));
            }
        }
        for entry in self.queue.clear() {
            if entry.applied.is_some() {
                in_doubt.extend(self.let_go(entry, BatcherError::InDoubt));
            } else {
                unwritten.extend(self.let_go(entry, BatcherError::Unwritten));
            }
        }
        self.report(unwritten, in_doubt);
    }

    /// Answers the operation's caller; what came from a dead letter is one again.
    fn let_go(&mut self, entry: Entry<T>, error: BatcherError) -> Option<WriteOp> {
        match entry.origin {
            Origin::Caller(token) => {
                self.answer(token, Err(error));
                Some(entry.op)
            }
            Origin::Letter { replay } => {
                self.stats.failed += 1;
                self.letters.put(letter(&entry, error.to_string()));
                self.note_replayed(replay, false);
                None
            }
        }
    }

    fn report(&mut self, unwritten: Vec<WriteOp>, in_doubt: Vec<WriteOp>) {
        let (now, letters) = (&self.stats, &self.letters);
        let Some(drain) = &mut self.drain else {
            return;
        };
        let since = |after: u64, before: u64| (after - before) as usize;
        let report = drain.report.get_or_insert_with(|| DrainReport {
            pending: drain.pending,
            written: since(now.written, drain.before.written),
            failed: since(now.failed, drain.before.failed),
            unwritten,
            in_doubt,
            dead_letters: letters.list().cloned().collect(),
        });
        for token in drain.tokens.drain(..) {
            self.outputs.push_back(Output::Drained {
                token,
                report: report.clone(),
            });
        }
    }
}
