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
    /// Longest time that a ready write is held back so that a batch may fill (default 1 ms). The delay actually
    /// taken is [`linger_share`](Self::linger_share) of a commit's duration, at least 50 us, only under
    /// concurrent load, only until the batch is as large as the last one and only where commits take at least
    /// 50 us. Zero never holds back.
    #[serde(with = "duration_text::required")]
    pub max_delay: Duration,
    /// How much of a commit's usual duration may be spent filling the next batch, `0..=1` (default 0.5).
    pub linger_share: f64,
    /// Most commits in flight at a time, each of other owners and on a thread of its own (default 2). With 64
    /// writers on a store with fsync one commit reaches 0.74 to 0.89 of the throughput of the store fed directly,
    /// because the store idles while the answered callers come back; two reach 0.9 to 1.08.
    pub parallel_commits: usize,
    /// Most operations accepted and not yet answered (default 65,536).
    pub queue_items: usize,
    /// Most bytes of such operations, estimated (default 256 MiB). One queue slot holds
    /// `queue_bytes / queue_items` bytes; a larger operation takes several slots.
    pub queue_bytes: usize,
    /// What happens to a caller when the queue is full (default: wait).
    pub overload: Overload,
    /// When a failed write is tried again.
    pub retry: RetryConfig,
    /// Most dead letters kept (default 10,000). When there is no room, new writes are refused with
    /// [`BatcherError::Full`](crate::BatcherError::Full) while the store is failing.
    pub dead_letter_items: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_batch_items: 1024,
            max_batch_bytes: 4 << 20,
            max_delay: Duration::from_millis(1),
            linger_share: 0.5,
            parallel_commits: 2,
            queue_items: 65_536,
            queue_bytes: 256 << 20,
            overload: Overload::Wait,
            retry: RetryConfig::default(),
            dead_letter_items: 10_000,
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
            ("queue_items", self.queue_items),
            ("retry.max_attempts", self.retry.max_attempts as usize),
        ];
        if let Some(&(field, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Zero { field });
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

/// What happens to a caller when the queue is full.
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
