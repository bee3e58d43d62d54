//! When to commit what has gathered.
//!
//! With nobody else about, at once. Under load a commit in flight is itself the time in which the next
//! batch gathers; after it, the callers it answered are about to come back, so the next commit waits for
//! as many as were there last time, but never longer than a share of what a commit takes.

use std::time::{Duration, Instant};

use crate::Config;

#[derive(Debug)]
pub(crate) struct FlushPolicy {
    max_items: usize,
    max_bytes: usize,
    max_delay: Duration,
    linger_share: f64,
    lurk: Duration,
    /// Moving average of a commit's duration.
    usual: Duration,
    /// How many operations the next batch may hope for.
    expected: usize,
    linger_until: Option<Instant>,
}

impl FlushPolicy {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            max_items: config.max_batch_items,
            max_bytes: config.max_batch_bytes,
            max_delay: config.max_delay,
            linger_share: config.linger_share,
            lurk: config.lurk,
            usual: Duration::ZERO,
            expected: 0,
            linger_until: None,
        }
    }

    /// A commit of `items` that took `took` is done, and `waiting` operations have gathered meanwhile.
    pub(crate) fn committed(&mut self, now: Instant, took: Duration, items: usize, waiting: usize) {
        self.usual = if self.usual.is_zero() {
            took
        } else {
            self.usual.mul_f64(0.875) + took.mul_f64(0.125)
        };
        self.expected = items + waiting;
        let linger = self
            .usual
            .mul_f64(self.linger_share)
            .max(self.lurk)
            .min(self.max_delay);
        self.linger_until = (self.expected > 1 && !linger.is_zero()).then(|| now + linger);
    }

    /// Whether `items` ready operations of `bytes` should be committed now.
    pub(crate) fn is_due(&self, now: Instant, items: usize, bytes: usize) -> bool {
        items > 0
            && (items >= self.expected.min(self.max_items)
                || bytes >= self.max_bytes
                || self.linger_until.is_none_or(|until| until <= now))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything under an injected clock: `(batch, waiting, took µs)` then `(at µs, ready, due)`.
    #[test]
    fn waits_for_those_who_come_back_and_not_when_idle() {
        let config = Config::default();
        let cases = [
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
                vec![(99, 40, false), (100, 40, true)],
            ),
            (
                "slow disk",
                Some((60, 4, 40_000)),
                vec![(999, 40, false), (1000, 40, true)],
            ),
            (
                "no latency",
                Some((60, 4, 0)),
                vec![(49, 63, false), (50, 1, true)],
            ),
        ];
        let start = std::sync::LazyLock::force(&START);
        for (name, committed, checks) in cases {
            let mut policy = FlushPolicy::new(&config);
            if let Some((items, waiting, took)) = committed {
                policy.committed(*start, Duration::from_micros(took), items, waiting);
            }
            for (at, ready, due) in checks {
                let now = *start + Duration::from_micros(at);
                assert_eq!(policy.is_due(now, ready, ready), due, "{name} at {at}");
            }
        }
    }

    static START: std::sync::LazyLock<Instant> =
        std::sync::LazyLock::new(|| whisperengine_types::Clock::instant(&whisperengine_types::SystemClock));
}
