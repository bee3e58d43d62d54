//! Which memory came before and after which, within a session.

use crate::kernel::prefetch;

/// No record, no name.
pub(crate) const NONE: u32 = u32::MAX;

/// A chain of records for each session, in the order of (sent_at, seq).
#[derive(Debug, Default)]
pub(super) struct SessionLinks {
    before: Vec<u32>,
    after: Vec<u32>,
    last: Vec<u32>,
}

impl SessionLinks {
    pub(super) fn neighbours(&self, record: u32) -> (u32, u32) {
        (self.before[record as usize], self.after[record as usize])
    }

    /// Links `record`, the newest number, into its session. `order` is the sort key of a record.
    ///
    /// O(1) for a record later than all of its session, which is the common case.
    pub(super) fn insert(&mut self, record: u32, session: u32, order: impl Fn(u32) -> (i64, u64)) {
        self.before.push(NONE);
        self.after.push(NONE);
        if session == NONE {
            return;
        }
        let session = session as usize;
        if self.last.len() <= session {
            self.last.resize(session + 1, NONE);
        }
        let key = order(record);
        let mut after = NONE;
        let mut before = self.last[session];
        while before != NONE && order(before) > key {
            after = before;
            before = self.before[before as usize];
        }
        self.before[record as usize] = before;
        self.after[record as usize] = after;
        self.set_after(before, record);
        self.set_before(after, record, session);
    }

    pub(super) fn remove(&mut self, record: u32, session: u32) {
        if session == NONE {
            return;
        }
        let (before, after) = self.neighbours(record);
        self.set_after(before, after);
        self.set_before(after, before, session as usize);
        self.before[record as usize] = NONE;
        self.after[record as usize] = NONE;
    }

    /// Gives back what was reserved in vain.
    pub(super) fn shrink_to_fit(&mut self) {
        self.before.shrink_to_fit();
        self.after.shrink_to_fit();
        self.last.shrink_to_fit();
    }

    pub(super) fn prefetch(&self) {
        prefetch(&self.before);
        prefetch(&self.after);
    }

    pub(super) fn bytes(&self) -> usize {
        (self.before.capacity() + self.after.capacity() + self.last.capacity()) * 4
    }

    fn set_after(&mut self, record: u32, after: u32) {
        if record != NONE {
            self.after[record as usize] = after;
        }
    }

    fn set_before(&mut self, record: u32, before: u32, session: usize) {
        if record == NONE {
            self.last[session] = before;
        } else {
            self.before[record as usize] = before;
        }
    }
}
