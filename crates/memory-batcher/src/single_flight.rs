//! Equal queries in flight are searched for once.

use std::collections::HashMap;

use whisperengine_types::Timestamp;

use crate::query_key::QueryKey;

/// Searches that others may join, and who has.
#[derive(Debug)]
pub(crate) struct SingleFlight<W> {
    newest: HashMap<QueryKey, Flight>,
    waiters: HashMap<u64, Vec<W>>,
    next: u64,
}

#[derive(Debug, Clone, Copy)]
struct Flight {
    id: u64,
    last_write: u64,
    now: Timestamp,
}

/// What a query is to do.
#[derive(Debug)]
pub(crate) enum Join {
    /// Search, and call `finish` with this number.
    Lead { id: u64 },
    /// Wait for the one that searches.
    Follow,
}

impl<W> SingleFlight<W> {
    pub(crate) fn new() -> Self {
        Self {
            newest: HashMap::new(),
            waiters: HashMap::new(),
            next: 0,
        }
    }

    /// Joins the search for `key` that began after the owner's write number `last_write`, or begins one.
    /// A search that began before that write is not joined: it may not have seen it.
    pub(crate) fn join(
        &mut self,
        key: &QueryKey,
        last_write: u64,
        is_near: impl Fn(Timestamp) -> bool,
        waiter: W,
    ) -> Join {
        if let Some(flight) = self.newest.get(key)
            && flight.last_write == last_write
            && is_near(flight.now)
            && let Some(waiters) = self.waiters.get_mut(&flight.id)
        {
            waiters.push(waiter);
            return Join::Follow;
        }
        self.next += 1;
        let id = self.next;
        let now = key.query().now;
        self.newest.insert(key.clone(), Flight { id, last_write, now });
        self.waiters.insert(id, Vec::new());
        Join::Lead { id }
    }

    /// Ends search `id` for `key`: those who joined it.
    pub(crate) fn finish(&mut self, id: u64, key: &QueryKey) -> Vec<W> {
        if self.newest.get(key).is_some_and(|flight| flight.id == id) {
            self.newest.remove(key);
        }
        self.waiters.remove(&id).unwrap_or_default()
    }
}
