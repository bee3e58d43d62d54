//! How many turns per second the workers can serve, measured where they work.
//!
//! Sums of turns and of the time they took lose half their weight every half-life, so the rate follows
//! a change within seconds and one slow batch does not decide it.

/// Turns and time at work, recent ones counting most.
#[derive(Debug, Clone)]
pub(crate) struct ServiceRate {
    /// Served inside handler calls, and the workers' seconds in them.
    turns: f64,
    batches: f64,
    busy: f64,
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
            detached: 0.0,
            detached_time: 0.0,
            wall: 0.0,
            updated: 0,
        }
    }

    /// A worker spent `busy` nanoseconds in one call on `turns` turns.
    pub(crate) fn batch(&mut self, turns: usize, busy: u64, now: u64) {
        self.advance(now);
        self.turns += turns as f64;
        self.batches += 1.0;
        self.busy += seconds(busy);
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
            &mut self.detached,
            &mut self.detached_time,
        ] {
            *sum *= keep;
        }
        // The integral of the weight over the elapsed time, not the time itself.
        let tail = HALF_LIFE / std::f64::consts::LN_2;
        self.wall = self.wall * keep + tail * (1.0 - keep);
    }

    /// Turns per second with all of `workers` and `in_flight` permits in use; `None` before any turn.
    pub(crate) fn per_second(&self, workers: usize, in_flight: usize) -> Option<f64> {
        let by_workers =
            (self.turns > 0.0 && self.busy > 0.0).then(|| workers as f64 * self.turns / self.busy);
        let by_permits = (self.detached > 0.0 && self.detached_time > 0.0)
            .then(|| in_flight as f64 * self.detached / self.detached_time);
        match (by_workers, by_permits) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
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
