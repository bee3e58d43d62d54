//! The best candidates by estimate, as many as the next stage will look at.

use crate::kernel::BLOCK;

/// Keeps the `capacity` best of all that are offered, and lags a little for speed.
#[derive(Debug)]
pub(super) struct Candidates {
    capacity: usize,
    threshold: f32,
    /// Estimate in the upper half, in an order that integers compare like; number in the lower.
    keys: Vec<u64>,
}

impl Candidates {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            threshold: f32::NEG_INFINITY,
            keys: Vec::with_capacity(2 * capacity.min(1 << 16)),
        }
    }

    /// Estimates at or below this are of no use any more.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    #[inline]
    pub(super) fn offer(&mut self, estimate: f32, id: u32) {
        self.keys.push(key(estimate, id));
        if self.keys.len() >= 2 * self.capacity {
            self.prune();
        }
    }

    /// Offers the lanes of a block whose bits are set in `lanes`, under numbers from `start` on.
    #[inline]
    pub(super) fn offer_lanes(&mut self, mut lanes: u64, estimates: &[f32; BLOCK], start: u32) {
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            self.offer(estimates[lane as usize], start + lane);
        }
    }

    /// Keeps no more than `capacity` from now on, which is at least 1.
    pub(super) fn keep(&mut self, capacity: usize) {
        self.capacity = capacity;
        if self.keys.len() > capacity {
            self.prune();
        }
    }

    /// Leaves out what is below an estimate, now and from now on, unless that leaves fewer than `enough`.
    pub(super) fn raise(&mut self, least: f32, enough: usize) {
        let below = least.next_down();
        let good = self.keys.iter().filter(|&&key| score(key) > below);
        if below > self.threshold && good.count() >= enough {
            self.threshold = below;
            self.keys.retain(|&key| score(key) > below);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    fn prune(&mut self) {
        let (_, &mut worst, _) = self
            .keys
            .select_nth_unstable_by(self.capacity - 1, |a, b| b.cmp(a));
        self.keys.truncate(self.capacity);
        self.threshold = unordered((worst >> 32) as u32);
    }

    /// The numbers of the `count` best so far, in no order.
    pub(super) fn best(&self, count: usize) -> Vec<u32> {
        let best = Self {
            capacity: count.max(1),
            threshold: self.threshold,
            keys: self.keys.clone(),
        };
        best.into_ids()
    }

    /// The keys of the best, in no order.
    pub(super) fn into_keys(mut self) -> Vec<u64> {
        if self.keys.len() > self.capacity {
            self.prune();
        }
        self.keys
    }

    /// The numbers of the best, in no order.
    pub(super) fn into_ids(self) -> Vec<u32> {
        self.into_keys().iter().map(|&key| key as u32).collect()
    }
}

/// Leaves each slot once: a vector can stand in two lists.
pub(super) fn once_each(slots: &mut Vec<u32>) {
    let mut seen = Seen::new(slots.len());
    slots.retain(|&slot| seen.insert(slot));
}

/// A small set of slots, by open addressing.
struct Seen {
    mask: usize,
    places: Vec<u32>,
}

impl Seen {
    fn new(members: usize) -> Self {
        let size = (2 * members + 1).next_power_of_two();
        Self {
            mask: size - 1,
            places: vec![u32::MAX; size],
        }
    }

    /// Adds `slot`, which is not `u32::MAX`; whether it was new.
    fn insert(&mut self, slot: u32) -> bool {
        let mut at = (slot.wrapping_mul(0x9E37_79B1) >> 7) as usize & self.mask;
        loop {
            match self.places[at] {
                u32::MAX => {
                    self.places[at] = slot;
                    return true;
                }
                there if there == slot => return false,
                _ => at = (at + 1) & self.mask,
            }
        }
    }
}

/// A number that compares as `score` does, with `id` in its lower half.
#[inline]
pub(super) fn key(score: f32, id: u32) -> u64 {
    u64::from(ordered(score)) << 32 | u64::from(id)
}

/// The score of a key.
#[inline]
pub(super) fn score(key: u64) -> f32 {
    unordered((key >> 32) as u32)
}

#[inline]
fn ordered(value: f32) -> u32 {
    let bits = value.to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

fn unordered(order: u32) -> f32 {
    f32::from_bits(if order >> 31 == 1 {
        order & !(1 << 31)
    } else {
        !order
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Candidates, once_each};

    proptest! {
        #[test]
        fn what_is_below_a_raised_estimate_is_left_out_unless_that_leaves_too_few(
            offers in prop::collection::vec(-2.0_f32..2.0, 0..60),
            least in -2.0_f32..2.0,
            enough in 0_usize..30,
        ) {
            let mut candidates = Candidates::new(100);
            for (id, &estimate) in (0..).zip(&offers) {
                candidates.offer(estimate, id);
            }
            candidates.raise(least, enough);
            let good = offers.iter().filter(|&&estimate| estimate >= least).count();
            let expected = if good >= enough { good } else { offers.len() };
            prop_assert_eq!(candidates.len(), expected);
            prop_assert_eq!(candidates.threshold() < least, true);
        }

        #[test]
        fn the_best_are_kept_once_each(
            offers in prop::collection::vec((-2.0_f32..2.0, 0_u32..200), 0..300),
            capacity in 1_usize..40,
        ) {
            let mut candidates = Candidates::new(capacity);
            for &(estimate, slot) in &offers {
                if estimate > candidates.threshold() {
                    candidates.offer(estimate, slot);
                }
            }
            let mut got = candidates.into_ids();
            once_each(&mut got);
            got.sort_unstable();
            let mut sorted = offers;
            sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.cmp(&a.1)));
            let mut expected: Vec<u32> = sorted.iter().take(capacity).map(|offer| offer.1).collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(got, expected);
        }
    }
}
