//! How many workers are active and how many turns they take at once, from what the queue does.
//!
//! Workers follow the queue: one more while it grows or its oldest turn waits too long, one fewer after
//! a quiet while. The batch follows its own duration: halved when a call takes longer than its target and
//! most of that time grows with the number of turns, doubled when turns still wait and calls are short or
//! cost about the same for any number. Multiplicative down and bounded up, so that it settles (the argument
//! of AIMD, Chiu and Jain 1989).

/// What the controller sees, once per interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Load {
    pub(crate) queued: usize,
    /// Nanoseconds that the oldest queued turn has waited.
    pub(crate) oldest: u64,
    /// Nanoseconds of one handler call.
    pub(crate) batch_time: u64,
    /// The part of it that grows with the number of turns, 0 to 1.
    pub(crate) turn_share: f64,
    pub(crate) utilisation: f64,
}

/// What it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Capacity {
    pub(crate) workers: usize,
    pub(crate) batch: usize,
}

#[derive(Debug)]
pub(crate) struct Controller {
    capacity: Capacity,
    bounds: Bounds,
    queued_before: usize,
    quiet: u32,
    next: u64,
}

/// Limits and targets; times in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) min_workers: usize,
    pub(crate) max_workers: usize,
    pub(crate) max_batch: usize,
    pub(crate) batch_target: u64,
    pub(crate) wait_target: u64,
}

/// Nanoseconds between two decisions.
pub(crate) const INTERVAL: u64 = 50_000_000;
/// Quiet intervals after which a worker is let go.
const PATIENCE: u32 = 20;
const QUIET_UTILISATION: f64 = 0.3;
/// From this part on that grows with the turns, half as many take markedly less time.
const SHORTENED: f64 = 0.5;
/// Below this part twice as many turns take hardly more time.
const FIXED: f64 = 0.25;

impl Controller {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            capacity: Capacity {
                workers: bounds.min_workers,
                batch: bounds.max_batch,
            },
            bounds,
            queued_before: 0,
            quiet: 0,
            next: 0,
        }
    }

    #[inline]
    pub(crate) fn capacity(&self) -> Capacity {
        self.capacity
    }

    #[inline]
    pub(crate) fn is_due(&self, now: u64) -> bool {
        now >= self.next
    }

    pub(crate) fn can_grow(&self) -> bool {
        self.capacity.workers < self.bounds.max_workers
    }

    /// Calls in one more worker, up to the limit.
    pub(crate) fn add_worker(&mut self) {
        self.quiet = 0;
        self.capacity.workers = (self.capacity.workers + 1).min(self.bounds.max_workers);
    }

    pub(crate) fn observe(&mut self, load: Load, now: u64) -> Capacity {
        self.next = now + INTERVAL;
        let grows = load.queued > self.queued_before && load.queued > self.capacity.batch;
        let late = load.queued > 0 && load.oldest > self.bounds.wait_target;
        if grows || late {
            self.add_worker();
        } else if load.queued == 0 && load.utilisation < QUIET_UTILISATION {
            self.quiet += 1;
            if self.quiet >= PATIENCE {
                self.quiet = 0;
                self.capacity.workers = (self.capacity.workers - 1).max(self.bounds.min_workers);
            }
        } else {
            self.quiet = 0;
        }
        let long = load.batch_time > self.bounds.batch_target;
        let short = load.batch_time < self.bounds.batch_target / 2;
        if long && load.turn_share >= SHORTENED {
            self.capacity.batch = (self.capacity.batch / 2).max(1);
        } else if load.queued > self.capacity.batch && (short || load.turn_share < FIXED) {
            self.capacity.batch = (self.capacity.batch * 2).min(self.bounds.max_batch);
        }
        self.queued_before = load.queued;
        self.capacity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn controller() -> Controller {
        Controller::new(Bounds {
            min_workers: 1,
            max_workers: 4,
            max_batch: 64,
            batch_target: 20 * MS,
            wait_target: 10 * MS,
        })
    }

    fn after(intervals: u32, load: impl Fn(u32) -> Load) -> Capacity {
        let mut controller = controller();
        for step in 0..intervals {
            controller.observe(load(step), u64::from(step) * INTERVAL);
        }
        controller.capacity()
    }

    #[test]
    fn a_growing_queue_brings_workers_up_to_the_limit() {
        let growing = |step: u32| Load {
            queued: 100 * step as usize,
            oldest: MS,
            batch_time: 15 * MS,
            turn_share: 0.9,
            utilisation: 1.0,
        };
        assert_eq!(after(3, growing).workers, 3);
        assert_eq!(after(30, growing).workers, 4);
    }

    #[test]
    fn a_late_oldest_turn_brings_workers_though_the_queue_does_not_grow() {
        let late = |_| Load {
            queued: 5,
            oldest: 50 * MS,
            batch_time: 15 * MS,
            turn_share: 0.9,
            utilisation: 0.9,
        };
        assert_eq!(after(3, late).workers, 4);
    }

    #[test]
    fn long_calls_halve_the_batch_and_short_ones_double_it_while_turns_wait() {
        let slow = |_| Load {
            queued: 1_000,
            oldest: MS,
            batch_time: 50 * MS,
            turn_share: 0.9,
            utilisation: 1.0,
        };
        assert_eq!(after(3, slow).batch, 8);
        assert_eq!(after(20, slow).batch, 1);
        let recovering = |step: u32| Load {
            batch_time: if step < 3 { 50 * MS } else { 5 * MS },
            ..slow(step)
        };
        assert_eq!(after(5, recovering).batch, 32);
        assert_eq!(after(20, recovering).batch, 64);
    }

    #[test]
    fn a_call_that_costs_the_same_for_any_number_of_turns_is_not_made_smaller() {
        let fixed = |_| Load {
            queued: 1_000,
            oldest: MS,
            batch_time: 100 * MS,
            turn_share: 0.05,
            utilisation: 1.0,
        };
        assert_eq!(after(20, fixed).batch, 64);
        let learnt = |step: u32| Load {
            turn_share: if step < 3 { 0.5 } else { 0.05 },
            ..fixed(step)
        };
        assert_eq!((after(3, learnt).batch, after(20, learnt).batch), (8, 64));
    }

    #[test]
    fn quiet_lets_workers_go_slowly_and_never_below_the_minimum() {
        let load = |step: u32| Load {
            queued: if step < 10 { 100 * step as usize } else { 0 },
            oldest: 0,
            batch_time: MS,
            turn_share: 0.9,
            utilisation: if step < 10 { 1.0 } else { 0.1 },
        };
        assert_eq!(after(11, load).workers, 4);
        assert_eq!(after(10 + PATIENCE, load).workers, 3);
        assert_eq!(after(10 + 10 * PATIENCE, load).workers, 1);
    }
}
