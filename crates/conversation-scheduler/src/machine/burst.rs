//! Turns that wait for the rest of their burst: a turn that replaces or absorbs others is held for the window, so
//! that the next line of its session joins it. Kept apart from the turns, which cost nothing more without it.

use std::time::Duration;

use hashbrown::HashMap;

use super::{DEADLINE_SLOTS, DEADLINE_TICK, SchedulerCore, nanos};
use crate::{Coalesce, timing_wheel::TimingWheel};

/// The held turns, by index.
#[derive(Debug)]
pub(super) struct Bursts {
    holds: HashMap<u32, Hold>,
    ends: TimingWheel,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    /// When the first turn of the burst was submitted.
    since: u64,
    until: u64,
}

impl Bursts {
    pub(super) fn new() -> Self {
        Self {
            holds: HashMap::new(),
            ends: TimingWheel::new(DEADLINE_TICK, DEADLINE_SLOTS),
        }
    }

    #[inline]
    pub(super) fn holds(&self, turn: u32) -> bool {
        !self.holds.is_empty() && self.holds.contains_key(&turn)
    }

    /// When the burst of a held turn began.
    pub(super) fn since(&self, turn: u32) -> Option<u64> {
        self.holds.get(&turn).map(|hold| hold.since)
    }

    /// When the next hold ends.
    pub(super) fn next(&self) -> Option<u64> {
        self.ends.next()
    }

    /// Lets go of a turn.
    #[inline]
    pub(super) fn end(&mut self, turn: u32) {
        if !self.holds.is_empty() && self.holds.remove(&turn).is_some() {
            self.ends.disarm(turn);
        }
    }

    fn hold(&mut self, turn: u32, hold: Hold) {
        self.holds.insert(turn, hold);
        self.ends.arm(turn, hold.until);
    }

    /// Lets go of a turn whose hold has ended at `now`.
    fn pop(&mut self, now: u64) -> Option<u32> {
        while let Some(turn) = self.ends.pop(now) {
            match self.holds.get(&turn) {
                Some(hold) if hold.until > now => self.ends.arm(turn, hold.until),
                _ => {
                    self.holds.remove(&turn);
                    return Some(turn);
                }
            }
        }
        None
    }
}

impl<T, K> SchedulerCore<T, K> {
    /// Holds a turn whose burst began at `since` back for its next line; how long at most. A turn that is not
    /// coalesced ends the burst that waits before it instead.
    pub(super) fn hold(
        &mut self,
        turn: u32,
        session: u32,
        coalesce: Coalesce,
        since: u64,
        now: u64,
    ) -> Duration {
        if coalesce == Coalesce::Queue {
            let first = self.sessions.get(session).turns.first;
            if self.bursts.holds(first) {
                self.bursts.end(first);
                self.serve_burst(first);
            }
            return Duration::ZERO;
        }
        let window = nanos(self.config.coalesce_window);
        let last = since.saturating_add(window.saturating_mul(BURST_WINDOWS));
        let until = now.saturating_add(window).min(last).max(now + 1);
        self.bursts.hold(turn, Hold { since, until });
        Duration::from_nanos(until - now)
    }

    /// Lets the turns be served whose bursts are over.
    pub(super) fn end_bursts(&mut self, now: u64) {
        for _ in 0..Self::TIMER_BUDGET {
            let Some(turn) = self.bursts.pop(now) else {
                return;
            };
            self.serve_burst(turn);
        }
    }

    /// Lets every held turn be served.
    pub(super) fn end_all_bursts(&mut self) {
        while let Some(turn) = self.bursts.pop(u64::MAX) {
            self.serve_burst(turn);
        }
    }

    fn serve_burst(&mut self, turn: u32) {
        let Some(session) = self.turns.get(turn).map(|turn| turn.session) else {
            return;
        };
        if let Some(class) = self.sessions.get(session).most_urgent() {
            self.make_ready(session, class);
        }
    }
}

/// A burst that goes on is served after this many windows.
const BURST_WINDOWS: u64 = 4;
