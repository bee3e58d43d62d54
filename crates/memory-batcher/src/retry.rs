//! Whether and when a failed write is tried again.

use std::time::{Duration, Instant};

use crate::config::RetryConfig;

/// Attempts per operation, exponential backoff with jitter, a budget over all operations, and a pause
/// of all writes while the store as a whole is down.
#[derive(Debug)]
pub(crate) struct RetryPolicy {
    config: RetryConfig,
    /// Second attempts that may still be made, in thousandths.
    budget: u64,
    outage: Option<Outage>,
}

/// The store failed everything it was given.
#[derive(Debug, Clone, Copy)]
struct Outage {
    failures: u32,
    until: Instant,
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

    /// How long to wait before the operation numbered `seq`, which failed `attempts` times, is tried
    /// again; `None` when it is not to be.
    pub(crate) fn backoff(&mut self, attempts: u32, seq: u64) -> Option<Duration> {
        if attempts >= self.config.max_attempts || self.budget < ONE {
            return None;
        }
        self.budget -= ONE;
        Some(self.delay(attempts, seq))
    }

    /// A batch is done in which `owners` owners had operations; `all_failed` of them for a passing reason.
    pub(crate) fn batch_done(&mut self, now: Instant, owners: usize, all_failed: bool, seq: u64) {
        self.outage = match self.outage {
            _ if !all_failed => None,
            None if owners < 2 => None,
            outage => {
                let failures = outage.map_or(0, |o| o.failures) + 1;
                let until = now + self.delay(failures, seq);
                Some(Outage { failures, until })
            }
        };
    }

    /// Until when nothing is to be written.
    pub(crate) fn paused_until(&self) -> Option<Instant> {
        self.outage.map(|outage| outage.until)
    }

    /// Whether the next batch is to be one operation that tries whether the store is back.
    pub(crate) fn is_probing(&self) -> bool {
        self.outage.is_some()
    }

    /// `backoff * 2^(attempts - 1)`, at most `max_backoff`, of which up to half is taken off by a hash of
    /// the operation: spread out, and the same in every replay.
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
