//! How many turns per second the workers can serve, measured where they work.
//!
//! Sums of turns and of the time they took lose half their weight every half-life, so the rate follows
//! a change within seconds and one slow batch does not decide it. A call of `n` turns is taken to cost
//! `a + b n`, fitted by least squares: were the cost per turn just the mean, a scheduler that sees small
//! calls would think itself slow, admit little, and go on seeing small calls.

/// Turns and time at work, recent ones counting most.
#[derive(Debug, Clone)]
pub(crate) struct ServiceRate {
    /// Served inside handler calls, and the workers' seconds in them.
    turns: f64,
    batches: f64,
    busy: f64,
    /// Sums of squared turns and of turns times seconds, for the fit.
    squares: f64,
    products: f64,
    /// Answered after the call, and their seconds from start to answer.
    detached: f64,
    detached_time: f64,
    /// Seconds that have passed, discounted alike: what a worker could have worked.
    wall: f64,
    updated: u64,
}

const HALF_LIFE: f64 = 2.0;

impl ServiceRate {
    pub(crate) fn new() -> Self {
        Self {
            turns: 0.0,
            batches: 0.0,
            busy: 0.0,
            squares: 0.0,
            products: 0.0,
            detached: 0.0,
            detached_time: 0.0,
            wall: 0.0,
            updated: 0,
        }
    }

    /// A worker spent `busy` nanoseconds in one call on `turns` turns.
    pub(crate) fn batch(&mut self, turns: usize, busy: u64, now: u64) {
        self.advance(now);
        let (turns, busy) = (turns as f64, seconds(busy));
        self.turns += turns;
        self.batches += 1.0;
        self.busy += busy;
        self.squares += turns * turns;
        self.products += turns * busy;
    }

    /// A turn was answered `sojourn` nanoseconds after it was started, outside the call.
    pub(crate) fn detached(&mut self, sojourn: u64, now: u64) {
        self.advance(now);
        self.detached += 1.0;
        self.detached_time += seconds(sojourn);
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, now: u64) {
        let elapsed = seconds(now.saturating_sub(self.updated));
        if elapsed < RESOLUTION {
            return;
        }
        self.updated = now;
        let keep = (-elapsed / HALF_LIFE).exp2();
        for sum in [
            &mut self.turns,
            &mut self.batches,
            &mut self.busy,
            &mut self.squares,
            &mut self.products,
            &mut self.detached,
            &mut self.detached_time,
        ] {
            *sum *= keep;
        }
        // The integral of the weight over the elapsed time, not the time itself.
        let tail = HALF_LIFE / std::f64::consts::LN_2;
        self.wall = self.wall * keep + tail * (1.0 - keep);
    }

    /// Turns per second with all of `workers` in calls of up to `batch` turns and `in_flight` permits in
    /// use; `None` before any turn.
    pub(crate) fn per_second(&self, workers: usize, batch: usize, in_flight: usize) -> Option<f64> {
        let by_workers = (self.turns > 0.0 && self.busy > 0.0)
            .then(|| workers as f64 * self.turns_per_worker_second(batch));
        let by_permits = (self.detached > 0.0 && self.detached_time > 0.0)
            .then(|| in_flight as f64 * self.detached / self.detached_time);
        match (by_workers, by_permits) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// The rate of one worker in the largest calls that are not far from those it was seen in.
    fn turns_per_worker_second(&self, batch: usize) -> f64 {
        let (call, turn) = self.cost();
        let typical = self.squares / self.turns;
        let size = (batch as f64).min(REACH * typical).max(1.0);
        size / (call + turn * size).max(1e-9)
    }

    /// Seconds of a call without turns, and of each turn in it.
    fn cost(&self) -> (f64, f64) {
        let spread = self.batches * self.squares - self.turns * self.turns;
        if spread < 0.01 * self.turns * self.turns {
            // All calls alike: nothing tells the two apart, so each is taken for half of it.
            let half = self.busy / 2.0;
            return (half / self.batches, half / self.turns);
        }
        let turn = (self.batches * self.products - self.turns * self.busy) / spread;
        let call = (self.busy - turn * self.turns) / self.batches;
        if turn <= 0.0 {
            (self.busy / self.batches, 0.0)
        } else if call <= 0.0 {
            (0.0, self.products / self.squares)
        } else {
            (call, turn)
        }
    }

    /// The part of a call of `batch` turns that grows with the number of turns, 0 to 1.
    pub(crate) fn turn_share(&self, batch: usize) -> f64 {
        if self.turns == 0.0 || self.busy == 0.0 {
            return 1.0;
        }
        let (call, turn) = self.cost();
        let turns = turn * batch as f64;
        turns / (call + turns).max(1e-12)
    }

    /// The part of `workers`' time that was spent in handler calls, 0 to 1.
    pub(crate) fn utilisation(&self, workers: usize) -> f64 {
        if self.wall == 0.0 {
            return 0.0;
        }
        (self.busy / (self.wall * workers as f64)).clamp(0.0, 1.0)
    }

    /// Nanoseconds of one handler call, on average.
    pub(crate) fn batch_time(&self) -> u64 {
        if self.batches == 0.0 {
            return 0;
        }
        (self.busy / self.batches * 1e9) as u64
    }
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 * 1e-9
}

/// Shorter steps are gathered: at a million turns a second an exponential per batch would be felt.
const RESOLUTION: f64 = 1e-3;
/// How many times larger than the typical call the fit is trusted.
const REACH: f64 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn rate(sizes: &[usize], cost: impl Fn(u64) -> u64) -> f64 {
        let mut rate = ServiceRate::new();
        for (n, &size) in sizes.iter().enumerate() {
            rate.batch(size, cost(size as u64), n as u64 * 10 * MS);
        }
        rate.per_second(2, 8, usize::MAX).unwrap()
    }

    #[test]
    fn a_fixed_cost_is_told_from_a_cost_per_turn() {
        // 2 ms a call and 0.5 ms a turn: 8 turns in 6 ms, on two workers.
        let fitted = rate(&[1, 2, 1, 3, 2, 4, 8], |n| 2 * MS + n * MS / 2);
        assert!((fitted / (2.0 * 8.0 / 0.006) - 1.0).abs() < 0.01, "{fitted}");
        let linear = rate(&[1, 2, 1, 3, 2, 4, 8], |n| n * MS);
        assert!((linear / 2_000.0 - 1.0).abs() < 0.01, "{linear}");
        let constant = rate(&[1, 2, 1, 3, 2, 4, 8], |_| 4 * MS);
        assert!((constant / 4_000.0 - 1.0).abs() < 0.01, "{constant}");
    }

    #[test]
    fn calls_that_are_all_alike_leave_the_benefit_of_the_doubt_within_reach() {
        let one_by_one = rate(&[1; 20], |_| 4 * MS);
        assert!(one_by_one > 500.0 && one_by_one < 1_000.0, "{one_by_one}");
    }

    #[test]
    fn turns_answered_later_are_limited_by_the_permits() {
        let mut rate = ServiceRate::new();
        for n in 0..100 {
            rate.batch(1, MS / 100, n * 10 * MS);
            rate.detached(50 * MS, n * 10 * MS);
        }
        let per_second = rate.per_second(1, 1, 10).unwrap();
        assert!((per_second - 200.0).abs() < 1.0, "{per_second}");
    }
}
