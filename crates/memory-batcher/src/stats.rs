//! Counters of what was done.

use std::time::Duration;

/// What a batcher has done since it was started, and what it holds.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// The write path.
    pub writes: WriteStats,
    /// The read path.
    pub queries: QueryStats,
}

/// Counters of the write path.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct WriteStats {
    /// Operations handed in and accepted, repeats included.
    pub accepted: u64,
    /// Operations that are durable, repeats not included.
    pub written: u64,
    /// Repeats: answered with the outcome of the store they repeat.
    pub duplicates: u64,
    /// Operations refused by the memory or given up, repeats not included.
    pub failed: u64,
    /// Operations not written in time.
    pub expired: u64,
    /// Second and further attempts at operations.
    pub retries: u64,
    /// Calls of the store's `commit`; each is durable when it returns.
    pub commits: u64,
    /// Operations handed to `commit` in total; divided by `commits` this is the mean batch size.
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
    /// Operations in the commit in flight.
    pub in_flight_items: usize,
    /// Owners with pending or recent writes.
    pub owners: usize,
    /// Dead letters held.
    pub dead_letters: usize,
    /// Dead letters that had to make room for newer ones.
    pub dead_letters_dropped: u64,
}

/// Counters of the read path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueryStats {
    /// Queries answered from the cache.
    pub hits: u64,
    /// Queries that joined an equal one in flight.
    pub joined: u64,
    /// Queries that were searched for.
    pub misses: u64,
    /// Queries that first waited for pending writes of their owner.
    pub waited: u64,
    /// Queries answered without a pending write of their owner, and marked as degraded.
    pub degraded: u64,
    /// Cached answers found to be older than a write of their owner.
    pub invalidations: u64,
    /// Cached answers dropped for want of room.
    pub evictions: u64,
    /// Cached answers that grew too old.
    pub expirations: u64,
    /// Cached answers, those that a write has voided since their owner last asked included.
    pub entries: u64,
    /// Their bytes; an estimate.
    pub bytes: u64,
}

impl QueryStats {
    /// The share of queries answered without a search of their own, `0..=1`.
    pub fn hit_rate(&self) -> f64 {
        let saved = self.hits + self.joined;
        match saved + self.misses {
            0 => 0.0,
            all => saved as f64 / all as f64,
        }
    }
}

impl WriteStats {
    /// The share of accepted operations that were repeats, `0..=1`.
    pub fn dedup_share(&self) -> f64 {
        match self.accepted {
            0 => 0.0,
            all => self.duplicates as f64 / all as f64,
        }
    }
}
