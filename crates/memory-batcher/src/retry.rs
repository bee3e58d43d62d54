//! Whether a failed write is tried again, and when the store counts as away.
//!
//! A commit in which everything of several owners fails begins an outage: single operations probe the store
//! at growing intervals. After as many failures as one operation has attempts the store is *down*: what waits
//! is given up together, and what comes is given up at once, until a probe succeeds. So every caller is
//! answered within about the time that the retries of one operation take.

use std::time::{Duration, Instant};

use whisperengine_types::MemoryError;

use crate::config::RetryConfig;

/// Attempts per operation, exponential backoff with jitter, a budget over all operations, and the outage.
#[derive(Debug)]
pub(crate) struct RetryPolicy {
    config: RetryConfig,
    /// Second attempts that may still be made, in thousandths.
    budget: u64,
    outage: Option<Outage>,
}

/// The store failed everything it was given.
#[derive(Debug)]
struct Outage {
    failures: u32,
    until: Instant,
    error: MemoryError,
}

const ONE: u64 = 1000;

impl RetryPolicy {
    pub(crate) fn new(config: RetryConfig) -> Self {
        Self {
            budget: u64::from(config.budget_items) * ONE,
            outage: None,
            config,
        }
    }

    /// Notes an operation that succeeded.
    pub(crate) fn succeeded(&mut self) {
        let earned = (self.config.budget_ratio * ONE as f64) as u64;
        self.budget = (self.budget + earned).min(u64::from(self.config.budget_items) * ONE);
    }

    /// How long to wait before the operation numbered `seq`, which failed `attempts` times, is tried again;
    /// `None` when it is given up.
    pub(crate) fn backoff(&mut self, attempts: u32, seq: u64) -> Option<Duration> {
        if attempts >= self.config.max_attempts || self.budget < ONE || self.down().is_some() {
            return None;
        }
        self.budget -= ONE;
        Some(self.delay(attempts, seq))
    }

    /// A batch is done in which `owners` owners had operations; `failure` is a passing one if all failed so.
    pub(crate) fn batch_done(&mut self, now: Instant, owners: usize, failure: Option<MemoryError>, seq: u64) {
        self.outage = match (failure, self.outage.take()) {
            (None, _) => None,
            (Some(_), None) if owners < 2 => None,
            (Some(error), outage) => {
                let failures = outage.map_or(0, |outage| outage.failures) + 1;
                let until = now + self.delay(failures, seq);
                Some(Outage {
                    failures,
                    until,
                    error,
                })
            }
        };
    }

    /// Until when nothing is to be written.
    pub(crate) fn paused_until(&self) -> Option<Instant> {
        self.outage.as_ref().map(|outage| outage.until)
    }

    /// Whether the next batch is one operation that probes the store.
    pub(crate) fn is_probing(&self) -> bool {
        self.outage.is_some()
    }

    /// Why the store is down, if it is.
    pub(crate) fn down(&self) -> Option<&MemoryError> {
        let outage = self.outage.as_ref();
        let is_down = |outage: &&Outage| outage.failures >= self.config.max_attempts;
        outage.filter(is_down).map(|outage| &outage.error)
    }

    /// `backoff * 2^(attempts - 1)`, at most `max_backoff`, of which up to half is taken off by a hash of the
    /// operation: spread out, and the same in every replay.
    fn delay(&self, attempts: u32, seq: u64) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1).min(31));
        let full = self
            .config
            .backoff
            .saturating_mul(doubled)
            .min(self.config.max_backoff);
        let mut hash = seq ^ (u64::from(attempts) << 56);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let share = ((hash >> 11) as f64) / (1_u64 << 53) as f64;
        full.mul_f64(1.0 - share / 2.0)
    }
}
