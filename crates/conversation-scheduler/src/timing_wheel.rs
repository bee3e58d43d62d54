//! Timers in O(1): a hashed timing wheel (Varghese and Lauck, SOSP 1987) over dense indices.
//!
//! One level only. A timer beyond the horizon is parked in the furthest slot and popped there early, so
//! the caller that pops an index compares its real time and arms it again if it is not due. Nothing ever
//! cascades: the work of one call is bounded by the number of pops the caller asks for.

use crate::slab::NIL;

#[derive(Debug)]
pub(crate) struct TimingWheel {
    tick: u64,
    heads: Vec<u32>,
    occupied: Vec<u64>,
    links: Vec<Link>,
    /// No timer lies in a tick before this one.
    current: u64,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
    /// `NIL` while the index has no timer.
    slot: u32,
}

const UNLINKED: Link = Link {
    previous: NIL,
    next: NIL,
    slot: NIL,
};

impl TimingWheel {
    /// A wheel with `slots` (a power of two, at least 64) slots of `tick` nanoseconds.
    pub(crate) fn new(tick: u64, slots: usize) -> Self {
        assert!(slots.is_power_of_two() && slots >= 64 && tick > 0);
        Self {
            tick,
            heads: vec![NIL; slots],
            occupied: vec![0; slots / 64],
            links: Vec::new(),
            current: 0,
            len: 0,
        }
    }

    /// Sets the timer of `index` to `at` nanoseconds, in place of an earlier one.
    pub(crate) fn arm(&mut self, index: u32, at: u64) {
        self.disarm(index);
        if self.links.len() <= index as usize {
            self.links.resize(index as usize + 1, UNLINKED);
        }
        let furthest = self.current + self.heads.len() as u64 - 1;
        let tick = at.div_ceil(self.tick).clamp(self.current, furthest);
        let slot = self.slot_of(tick);
        let head = self.heads[slot];
        self.links[index as usize] = Link {
            previous: NIL,
            next: head,
            slot: slot as u32,
        };
        if head != NIL {
            self.links[head as usize].previous = index;
        }
        self.heads[slot] = index;
        self.occupied[slot / 64] |= 1 << (slot % 64);
        self.len += 1;
    }

    /// Removes the timer of `index`, if it has one.
    pub(crate) fn disarm(&mut self, index: u32) {
        let Some(&link) = self.links.get(index as usize) else {
            return;
        };
        if link.slot == NIL {
            return;
        }
        if link.previous == NIL {
            self.heads[link.slot as usize] = link.next;
            if link.next == NIL {
                let slot = link.slot as usize;
                self.occupied[slot / 64] &= !(1 << (slot % 64));
            }
        } else {
            self.links[link.previous as usize].next = link.next;
        }
        if link.next != NIL {
            self.links[link.next as usize].previous = link.previous;
        }
        self.links[index as usize] = UNLINKED;
        self.len -= 1;
    }

    /// Takes one timer whose slot has passed at `now` nanoseconds; it may have been parked there early.
    pub(crate) fn pop(&mut self, now: u64) -> Option<u32> {
        let limit = now / self.tick;
        match self.first_tick() {
            Some(tick) if tick <= limit => {
                self.current = tick;
                let index = self.heads[self.slot_of(tick)];
                self.disarm(index);
                Some(index)
            }
            _ => {
                self.current = self.current.max(limit);
                None
            }
        }
    }

    /// When [`pop`](Self::pop) next has something to give, in nanoseconds.
    pub(crate) fn next(&self) -> Option<u64> {
        self.first_tick().map(|tick| tick.saturating_mul(self.tick))
    }

    fn slot_of(&self, tick: u64) -> usize {
        tick as usize & (self.heads.len() - 1)
    }

    /// The earliest tick that holds a timer: one pass over the bitmap, from `current` around.
    fn first_tick(&self) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        let slots = self.heads.len();
        let start = self.slot_of(self.current);
        let words = self.occupied.len();
        for step in 0..=words {
            let word = (start / 64 + step) % words;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << (start % 64);
            } else if step == words {
                bits &= !(u64::MAX << (start % 64));
            }
            if bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                let ahead = (slot + slots - start) & (slots - 1);
                return Some(self.current + ahead as u64);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Arm(u32, u64),
        Disarm(u32),
        Advance(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..40u32, 0..5_000u64).prop_map(|(index, after)| Step::Arm(index, after)),
            (0..40u32).prop_map(Step::Disarm),
            (0..2_000u64).prop_map(Step::Advance),
        ]
    }

    proptest! {
        /// Against a sorted map: what is due is popped, nothing before its time, nothing twice.
        #[test]
        fn pops_what_a_sorted_map_would(steps in prop::collection::vec(step(), 1..200)) {
            let mut wheel = TimingWheel::new(10, 64);
            let mut expected = BTreeMap::new();
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Arm(index, after) => {
                        wheel.arm(index, now + after);
                        expected.insert(index, now + after);
                    }
                    Step::Disarm(index) => {
                        wheel.disarm(index);
                        expected.remove(&index);
                    }
                    Step::Advance(by) => {
                        now += by;
                        let mut due = Vec::new();
                        while let Some(index) = wheel.pop(now) {
                            let at = expected[&index];
                            if at > now {
                                wheel.arm(index, at);
                            } else {
                                expected.remove(&index);
                                due.push(index);
                            }
                        }
                        // A timer is rounded up to its tick: at most one tick late, never early.
                        prop_assert!(expected.values().all(|&at| at + 10 > now));
                        if let Some(next) = wheel.next() {
                            prop_assert!(next > now);
                        }
                    }
                }
                prop_assert_eq!(wheel.len, expected.len());
            }
        }
    }
}
