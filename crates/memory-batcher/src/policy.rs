//! When to commit what has gathered.
//!
//! A write that finds nothing else pending is committed at once. Under load a commit in flight is itself the
//! time in which the next batch gathers. After it the callers it answered are about to come back, so the next
//! commit waits for as many as were there last time, at most a share of what a commit takes, and not at all
//! where another commit costs less than the waiting. Where commits run side by side each waits for its part of
//! them only, so that one is under way while the callers of the other come back.

use std::time::{Duration, Instant};

use crate::{Config, machine::PARALLEL_ITEMS};

#[derive(Debug)]
pub(crate) struct FlushPolicy {
    max_items: usize,
    max_bytes: usize,
    max_delay: Duration,
    linger_share: f64,
    /// Moving average of a commit's duration, in which one counts as [`OUTLIER`] times it at most: a
    /// pause of the disk says little about the commits after it.
    usual: Duration,
    /// How many operations were about at the end of the latest commit: done, waiting or in flight.
    expected: usize,
    parallel_commits: usize,
    linger_until: Option<Instant>,
}

impl FlushPolicy {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            max_items: config.max_batch_items,
            max_bytes: config.max_batch_bytes,
            max_delay: config.max_delay,
            linger_share: config.linger_share,
            usual: Duration::ZERO,
            expected: 0,
            parallel_commits: config.parallel_commits,
            linger_until: None,
        }
    }

    /// A commit of `items` that took `took` is done; `others` wait or are in flight still.
    pub(crate) fn committed(&mut self, now: Instant, took: Duration, items: usize, others: usize) {
        self.usual = if self.usual.is_zero() {
            took
        } else {
            (self.usual * 7 + took.min((self.usual * OUTLIER).max(OUTLIER_FLOOR))) / 8
        };
        self.expected = items + others;
        self.linger_until = None;
        if self.expected > 1 && self.usual >= WAKE_UP {
            let share = self.usual.mul_f64(self.linger_share);
            let linger = share.max(WAKE_UP).min(self.max_delay);
            self.linger_until = (!linger.is_zero()).then(|| now + linger);
        }
    }

    /// Whether `items` ready operations of `bytes` should be committed now, beside `in_flight` others.
    pub(crate) fn is_due(&self, now: Instant, items: usize, bytes: usize, in_flight: usize) -> bool {
        // Those whose operations are in flight cannot come before these have landed.
        let may_come = self.expected.saturating_sub(in_flight);
        items > 0
            && (items >= self.share().min(may_come)
                || bytes >= self.max_bytes
                || self.linger_until.is_none_or(|until| until <= now))
    }

    /// How many operations one batch may take: all, or its part where commits run side by side.
    pub(crate) fn share(&self) -> usize {
        if self.expected < self.parallel_commits.saturating_mul(PARALLEL_ITEMS) {
            return self.max_items;
        }
        self.expected.div_ceil(self.parallel_commits).min(self.max_items)
    }

    /// When ready operations that are not due become due.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.linger_until
    }

    /// The moving average of a commit's duration.
    pub(crate) fn usual(&self) -> Duration {
        self.usual
    }
}

/// What waking a thread costs: commits shorter than this are not worth waiting for a fuller batch.
const WAKE_UP: Duration = Duration::from_micros(50);
const OUTLIER: u32 = 4;
/// No commit as short as this is an outlier: the average of a store that takes no time would never grow again.
const OUTLIER_FLOOR: Duration = Duration::from_micros(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_soon_forgotten_and_a_slow_disk_soon_known() {
        let mut policy = FlushPolicy::new(&Config::default());
        let mut commit = |micros| {
            policy.committed(*START, Duration::from_micros(micros), 1, 0);
            policy.usual().as_micros()
        };
        commit(100);
        assert_eq!(commit(30_000), 137);
        let slow = (0..30).map(|_| commit(10_000)).position(|usual| usual >= 1_000);
        assert!(slow.is_some_and(|commits| commits < 8), "{slow:?}");
        let mut policy = FlushPolicy::new(&Config::default());
        policy.committed(*START, Duration::from_nanos(1), 1, 0);
        for _ in 0..40 {
            policy.committed(*START, Duration::from_millis(1), 1, 0);
        }
        assert!(policy.usual() > Duration::from_micros(500));
    }

    #[test]
    fn waits_for_those_who_come_back_and_not_when_idle() {
        let config = Config {
            parallel_commits: 1,
            ..Config::default()
        };
        check(
            &config,
            &[
                ("first write", None, vec![(0, 1, true)]),
                ("one caller", Some((1, 0, 200)), vec![(0, 0, false), (0, 1, true)]),
                (
                    "many callers",
                    Some((60, 4, 400)),
                    vec![(0, 4, false), (50, 63, false), (60, 64, true)],
                ),
                (
                    "stragglers",
                    Some((60, 4, 400)),
                    vec![(199, 40, false), (200, 40, true)],
                ),
                (
                    "slow disk",
                    Some((60, 4, 40_000)),
                    vec![(999, 40, false), (1000, 40, true)],
                ),
                (
                    "hardly slower than handing over",
                    Some((60, 4, 60)),
                    vec![(49, 63, false), (50, 1, true)],
                ),
                ("no latency", Some((60, 4, 0)), vec![(0, 0, false), (0, 1, true)]),
            ],
        );
    }

    #[test]
    fn waits_for_its_part_where_commits_run_side_by_side() {
        let config = Config::default();
        check(
            &config,
            &[
                (
                    "half of many",
                    Some((60, 4, 400)),
                    vec![(50, 31, false), (50, 32, true)],
                ),
                (
                    "all of few",
                    Some((20, 4, 400)),
                    vec![(50, 23, false), (50, 24, true)],
                ),
            ],
        );
        let mut policy = FlushPolicy::new(&config);
        policy.committed(*START, Duration::from_micros(400), 33, 32);
        assert_eq!(policy.share(), 33);
        // 33 are answered and come back; the other 32 are in flight.
        assert!(policy.is_due(*START, 33, 33, 32) && !policy.is_due(*START, 32, 32, 32));
        assert!(policy.is_due(*START, 32, 32, 33));
        policy.committed(*START, Duration::from_micros(400), 4_000, 0);
        assert_eq!(policy.share(), config.max_batch_items);
        policy.committed(*START, Duration::from_micros(400), 20, 4);
        assert_eq!(policy.share(), config.max_batch_items);
    }

    /// Under the name: `(batch, others, took in µs)`, then `(at µs, ready, due)`.
    type Case<'a> = (&'a str, Option<(usize, usize, u64)>, Vec<(u64, usize, bool)>);

    fn check(config: &Config, cases: &[Case<'_>]) {
        for (name, committed, checks) in cases {
            let mut policy = FlushPolicy::new(config);
            if let Some((items, others, took)) = *committed {
                policy.committed(*START, Duration::from_micros(took), items, others);
            }
            for &(at, ready, due) in checks {
                let now = *START + Duration::from_micros(at);
                assert_eq!(policy.is_due(now, ready, ready, 0), due, "{name} at {at}");
            }
        }
    }

    static START: std::sync::LazyLock<Instant> =
        std::sync::LazyLock::new(|| whisperengine_types::Clock::instant(&whisperengine_types::SystemClock));
}
