//! What can be set, and what each setting costs.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

/// Settings of a [`MemoryBatcher`](crate::MemoryBatcher) and of its [`Machine`](crate::Machine).
///
/// Durations are written `"250ms"`, `"1.5s"`, `"3min"`, `"1h 30m"` in text formats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Most operations in one commit (default 1,024). Raising it favours throughput over latency.
    pub max_batch_items: usize,
    /// Most bytes in one commit, estimated (default 4 MiB); a single larger operation goes alone.
    pub max_batch_bytes: usize,
    /// Longest time that a ready write is held back so that a batch may fill (default 1 ms). The
    /// delay actually taken is [`linger_share`](Self::linger_share) of a commit's duration, at least
    /// [`lurk`](Self::lurk), only under concurrent load, only until the batch is as large as the last one and
    /// only where commits take at least `lurk`. Zero never holds back.
    #[serde(with = "duration_text::required")]
    pub max_delay: Duration,
    /// How much of a commit's usual duration may be spent filling the next batch, `0..=1` (default 0.5).
    pub linger_share: f64,
    /// Most commits in flight at a time, each of other owners (default 2). More than one lets the store
    /// work on a batch while it syncs another; a store that takes commits one by one gains nothing.
    pub parallel_commits: usize,
    /// Fewest operations in a commit that runs beside another (default 16); fewer wait, and share a sync.
    pub parallel_items: usize,
    /// A write that finds nothing else waiting or in flight is committed on its caller's own thread, which
    /// saves two changes of threads, while commits take less than this (default 1 ms): on a thread of a
    /// multi-threaded tokio runtime, whose other threads take its tasks over meanwhile, or on any thread if
    /// they usually take less than 50 us. Zero always hands over.
    #[serde(with = "duration_text::required")]
    pub inline_commit: Duration,
    /// Waiting this long raises an operation by one priority class (default 20 ms), so that the lowest
    /// class waits at most three times this longer than the highest. Must not be zero.
    #[serde(with = "duration_text::required")]
    pub aging: Duration,
    /// Most operations accepted and not yet answered (default 65,536).
    pub queue_items: usize,
    /// Most bytes of such operations, estimated (default 256 MiB). One queue slot holds
    /// `queue_bytes / queue_items` bytes; a larger operation takes several slots.
    pub queue_bytes: usize,
    /// Most queries waiting for a reader thread (default 16,384).
    pub query_queue_items: usize,
    /// What happens to a caller when a queue is full (default: wait).
    pub overload: Overload,
    /// How long a write may wait to be written if it names no time of its own (default: without end).
    #[serde(with = "duration_text::optional")]
    pub timeout: Option<Duration>,
    /// How long a stored record is remembered for [deduplication](crate::Dedup) (default 5 min).
    /// Zero turns deduplication off.
    #[serde(with = "duration_text::required")]
    pub dedup_window: Duration,
    /// Most records remembered for deduplication (default 100,000, about 200 bytes each).
    pub dedup_items: usize,
    /// When a failed write is tried again.
    pub retry: RetryConfig,
    /// Most dead letters kept; the oldest goes first (default 10,000).
    pub dead_letter_items: usize,
    /// How long an answered query may be answered from memory (default 3 min). Zero turns the cache off.
    #[serde(with = "duration_text::required")]
    pub cache_ttl: Duration,
    /// Most bytes of cached answers, estimated (default 64 MiB).
    pub cache_bytes: u64,
    /// A cached answer serves a query whose `now` differs from that of the query it was computed for by
    /// at most this (default 3 min). Raising it saves work where recency hardly moves the ranking.
    #[serde(with = "duration_text::required")]
    pub recency_tolerance: Duration,
    /// How long a query waits for its owner's pending writes (default 1 s) before it answers without
    /// them and says so in `Recall::degraded`.
    #[serde(with = "duration_text::required")]
    pub read_wait: Duration,
    /// A query is searched for on its caller's own thread while the slowest search of late took less than
    /// this (default 50 us), and handed to a thread that searches otherwise. Zero always hands over.
    #[serde(with = "duration_text::required")]
    pub inline_search: Duration,
    /// How long an idle thread of the batcher gives way to others, ready for the next piece of work,
    /// before it goes to sleep (default 50 us). Raising it saves wake-ups at the price of CPU time.
    #[serde(with = "duration_text::required")]
    pub lurk: Duration,
    /// Threads that search (default 0: as many as there are processors, at most 8).
    pub readers: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_batch_items: 1024,
            max_batch_bytes: 4 << 20,
            max_delay: Duration::from_millis(1),
            linger_share: 0.5,
            parallel_commits: 2,
            parallel_items: 16,
            inline_commit: Duration::from_millis(1),
            aging: Duration::from_millis(20),
            queue_items: 65_536,
            queue_bytes: 256 << 20,
            query_queue_items: 16_384,
            overload: Overload::Wait,
            timeout: None,
            dedup_window: Duration::from_secs(300),
            dedup_items: 100_000,
            retry: RetryConfig::default(),
            dead_letter_items: 10_000,
            cache_ttl: Duration::from_secs(180),
            cache_bytes: 64 << 20,
            recency_tolerance: Duration::from_secs(180),
            read_wait: Duration::from_secs(1),
            inline_search: Duration::from_micros(50),
            lurk: Duration::from_micros(50),
            readers: 0,
        }
    }
}

impl Config {
    /// Checks that the settings can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the first setting that cannot be.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let positive = [
            ("max_batch_items", self.max_batch_items),
            ("max_batch_bytes", self.max_batch_bytes),
            ("parallel_commits", self.parallel_commits),
            ("parallel_items", self.parallel_items),
            ("queue_items", self.queue_items),
            ("query_queue_items", self.query_queue_items),
            ("dedup_items", self.dedup_items),
            ("retry.max_attempts", self.retry.max_attempts as usize),
        ];
        if let Some(&(field, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Zero { field });
        }
        if self.aging.is_zero() {
            return Err(ConfigError::Zero { field: "aging" });
        }
        if self.queue_bytes < self.queue_items {
            return Err(ConfigError::QueueBytes {
                bytes: self.queue_bytes,
                items: self.queue_items,
            });
        }
        let shares = [
            ("linger_share", self.linger_share),
            ("retry.budget_ratio", self.retry.budget_ratio),
        ];
        match shares.iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            Some(&(field, value)) => Err(ConfigError::Share { field, value }),
            None => Ok(()),
        }
    }
}

/// What happens to a caller when a queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overload {
    /// It waits its turn, first come first served.
    #[default]
    Wait,
    /// It is refused with [`BatcherError::Full`](crate::BatcherError::Full).
    Refuse,
}

/// When a write that failed for a passing reason is tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetryConfig {
    /// Most attempts at one operation, the first included (default 8).
    pub max_attempts: u32,
    /// Wait before the second attempt; it doubles each time and is shortened by up to half at random
    /// (default 5 ms).
    #[serde(with = "duration_text::required")]
    pub backoff: Duration,
    /// Longest wait between attempts (default 1 s).
    #[serde(with = "duration_text::required")]
    pub max_backoff: Duration,
    /// Second attempts allowed for each operation that succeeds, `0..=1` (default 0.2). When the budget
    /// is used up an operation that fails becomes a dead letter at once.
    pub budget_ratio: f64,
    /// Second attempts allowed at the start, and the most that can be saved up (default 4,096).
    pub budget_items: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 8,
            backoff: Duration::from_millis(5),
            max_backoff: Duration::from_secs(1),
            budget_ratio: 0.2,
            budget_items: 4096,
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting must be positive.
    #[error("{field} is zero")]
    Zero {
        /// Which.
        field: &'static str,
    },
    /// A queue slot would hold less than one byte.
    #[error("queue_bytes {bytes} is less than queue_items {items}")]
    QueueBytes {
        /// The bytes.
        bytes: usize,
        /// The items.
        items: usize,
    },
    /// A share is not in `0..=1`.
    #[error("{field} is {value}, not in 0..=1")]
    Share {
        /// Which.
        field: &'static str,
        /// The value given.
        value: f64,
    },
}
