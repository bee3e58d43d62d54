//! What happens by time alone: idle sessions end, deadlines pass, a drain comes to its end.

use std::time::{Duration, Instant};

use super::{Output, Phase, SchedulerCore, nanos};
use crate::{TurnError, controller::Capacity};

impl<T, K> SchedulerCore<T, K> {
    /// When [`handle_timeout`](Self::handle_timeout) next has something to do; may be in the past.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let drain = match self.phase {
            Phase::Draining(until) => Some(until),
            Phase::Open | Phase::Closed => None,
        };
        let bursts = self.bursts.next();
        [
            self.idle.next(),
            self.deadlines.next(),
            bursts,
            drain,
            self.relief_at(),
        ]
        .into_iter()
        .flatten()
        .min()
        .and_then(|at| self.base.checked_add(Duration::from_nanos(at)))
    }

    /// Does what is due at `now`, at most [`TIMER_BUDGET`](Self::TIMER_BUDGET) timers of a kind; when more
    /// are due, [`poll_timeout`](Self::poll_timeout) is in the past.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.time(now);
        self.end_bursts(now);
        self.pass_deadlines(now);
        self.end_idle_sessions(now);
        if self.relief_at().is_some_and(|at| at <= now) {
            self.controller.add_worker();
            self.measure_rate();
        }
        if let Phase::Draining(until) = self.phase
            && until <= now
        {
            self.phase = Phase::Closed;
            self.answer_all(&TurnError::HandedBack);
        }
    }

    /// How many timers of a kind one call handles: well under a millisecond of work.
    pub const TIMER_BUDGET: usize = 128;

    /// Refuses new turns from now on and serves what waits; what still waits at `until` is handed back
    /// through [`Output::Answered`] with [`TurnError::HandedBack`].
    pub fn drain(&mut self, until: Instant) {
        let until = self.time(until);
        self.phase = match self.phase {
            Phase::Open => Phase::Draining(until),
            Phase::Draining(before) => Phase::Draining(before.min(until)),
            Phase::Closed => Phase::Closed,
        };
        self.end_all_bursts();
    }

    /// When a further worker is called in because turns wait and every active one is inside a long call.
    fn relief_at(&self) -> Option<u64> {
        let Capacity { workers, .. } = self.controller.capacity();
        let stuck = self.controller.can_grow() && self.calls >= workers && self.has_ready();
        stuck.then(|| {
            self.last_call
                .saturating_add(nanos(self.config.batch_time_target))
        })
    }

    fn pass_deadlines(&mut self, now: u64) {
        for _ in 0..Self::TIMER_BUDGET {
            let Some(index) = self.deadlines.pop(now) else {
                return;
            };
            let deadline = self.turns.get(index).map_or(u64::MAX, |turn| turn.deadline);
            if deadline <= now {
                self.answer_queued(index, TurnError::DeadlinePassed);
            } else {
                self.deadlines.arm(index, deadline);
            }
        }
    }

    fn end_idle_sessions(&mut self, now: u64) {
        let timeout = nanos(self.config.idle_timeout);
        for _ in 0..Self::TIMER_BUDGET {
            let Some(index) = self.idle.pop(now) else { return };
            let session = self.sessions.get(index);
            let end = if session.is_busy() {
                now.saturating_add(timeout)
            } else {
                session.last_message.saturating_add(timeout)
            };
            if end > now {
                self.idle.arm(index, end);
            } else {
                let key = self.sessions.end(index);
                self.counters.expired_sessions += 1;
                self.outputs.push_back(Output::SessionEnded(key));
            }
        }
    }
}
