//! Equal queries in flight are searched for once.

use hashbrown::{HashMap, HashTable};
use whisperengine_types::Timestamp;

use crate::query_key::QueryKey;

/// Searches that others may join, and who has.
#[derive(Debug)]
pub(crate) struct SingleFlight<W> {
    /// The newest search for each query that is being searched for.
    newest: HashTable<Flight>,
    /// Those who have joined a search, where someone has.
    waiters: HashMap<u64, Vec<W>>,
    next: u64,
}

#[derive(Debug)]
struct Flight {
    key: QueryKey,
    id: u64,
    last_write: u64,
    now: Timestamp,
}

/// What a query is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Join<R> {
    /// Search, and call `finish` with this number.
    Lead { id: u64 },
    /// Wait for the one that searches.
    Follow(R),
}

impl<W> SingleFlight<W> {
    pub(crate) fn new() -> Self {
        Self {
            newest: HashTable::new(),
            waiters: HashMap::new(),
            next: 0,
        }
    }

    /// Joins the search for `key` that began after the owner's write number `last_write`, or begins one.
    /// A search that began before that write is not joined: it may not have seen it.
    pub(crate) fn join<R>(
        &mut self,
        key: &QueryKey,
        last_write: u64,
        is_near: impl Fn(Timestamp) -> bool,
        waiter: impl FnOnce() -> (W, R),
    ) -> Join<R> {
        self.next += 1;
        let flight = Flight {
            key: key.clone(),
            id: self.next,
            last_write,
            now: key.query().now,
        };
        match self.newest.find_mut(key.hash(), |flight| flight.key == *key) {
            Some(found) if found.last_write == last_write && is_near(found.now) => {
                let (waiter, answer) = waiter();
                self.waiters.entry(found.id).or_default().push(waiter);
                return Join::Follow(answer);
            }
            Some(older) => *older = flight,
            None => {
                self.newest
                    .insert_unique(key.hash(), flight, |flight| flight.key.hash());
            }
        }
        Join::Lead { id: self.next }
    }

    /// Ends search `id` for `key`: those who joined it.
    pub(crate) fn finish(&mut self, id: u64, key: &QueryKey) -> Vec<W> {
        if let Ok(found) = self.newest.find_entry(key.hash(), |flight| flight.id == id) {
            found.remove();
        }
        if self.waiters.is_empty() {
            return Vec::new();
        }
        self.waiters.remove(&id).unwrap_or_default()
    }
}
