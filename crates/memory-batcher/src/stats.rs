//! Counters of what was done.

use std::time::Duration;

/// What a batcher has done since it was started, and what it holds.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Operations accepted.
    pub accepted: u64,
    /// Operations that are durable.
    pub written: u64,
    /// Operations refused by the memory or given up.
    pub failed: u64,
    /// Second and further attempts at operations.
    pub retries: u64,
    /// Calls of the store's `commit`; each is durable when it returns.
    pub commits: u64,
    /// Operations given to `commit` in total; divided by `commits` this is the mean batch size.
    pub committed_items: u64,
    /// The largest batch.
    pub largest_batch: usize,
    /// Moving average of a commit's duration; one counts as four times it at most.
    pub commit_time: Duration,
    /// Times the store panicked.
    pub panics: u64,
    /// Operations waiting for a commit, held ones too.
    pub waiting_items: usize,
    /// Their estimated bytes.
    pub waiting_bytes: usize,
    /// Operations in the commits in flight.
    pub in_flight_items: usize,
    /// Owners with pending writes.
    pub owners: usize,
    /// Dead letters held, those that are being replayed included.
    pub dead_letters: usize,
    /// Writes refused because they would have found no room among the dead letters.
    pub refused: u64,
}
