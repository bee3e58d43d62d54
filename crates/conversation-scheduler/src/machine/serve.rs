//! Turns on their way to the handler and back.

use std::time::{Duration, Instant};

use super::{Dispatch, Lease, SchedulerCore, nanos};
use crate::{
    Turn, TurnError, TurnId,
    controller::{Capacity, Load},
};

impl<T, K> SchedulerCore<T, K> {
    /// Takes the next turns to be served, each of another session, and appends them to `batch`; returns
    /// how many. At most the controller's batch size, and no more than one idle worker's part of what is ready.
    pub fn next_batch(&mut self, batch: &mut Vec<Dispatch<T, K>>, now: Instant) -> usize {
        self.serve(now, |dispatch| batch.push(dispatch))
    }

    /// [`next_batch`](Self::next_batch) to wherever the caller puts the turns.
    #[inline]
    pub(crate) fn serve(&mut self, now: Instant, mut put: impl FnMut(Dispatch<T, K>)) -> usize {
        let now = self.time(now);
        self.control(now);
        let Capacity { workers, batch: most } = self.controller.capacity();
        let ready: usize = self.ready.iter().sum();
        let permits = self.config.max_in_flight.saturating_sub(self.in_flight);
        let idle = workers.saturating_sub(self.calls).max(1);
        let limit = ready.div_ceil(idle).min(most).min(permits);
        let mut taken = 0;
        while taken < limit {
            let sessions = &self.sessions;
            let next = self.queue.get_where(|entry| {
                sessions
                    .find_live(entry.session)
                    .is_some_and(|session| session.ready_token == entry.token)
            });
            let Some((class, entry)) = next else { break };
            let record = self.sessions.get_mut(entry.session);
            let (first, most_urgent) = (record.turns.first, record.most_urgent());
            record.served_class = Some(class);
            record.served_round = self.queue.round(class);
            let deadline = self.turns.get(first).map_or(u64::MAX, |turn| turn.deadline);
            if deadline <= now {
                self.answer_queued(first, TurnError::DeadlinePassed);
                self.leave_line(entry.session);
                if let Some(class) = self.sessions.get(entry.session).most_urgent() {
                    self.make_ready(entry.session, class);
                }
                continue;
            }
            let turn = self.remove_queued(first);
            self.leave_line(entry.session);
            self.sessions.get_mut(entry.session).in_flight = true;
            self.in_flight += 1;
            let waited = now.saturating_sub(turn.submitted);
            self.counters.started[turn.class as usize] += 1;
            self.counters.waits[turn.class as usize].record(waited);
            put(Dispatch {
                turn: Turn {
                    id: TurnId {
                        index: first,
                        serial: turn.serial,
                    },
                    session: self.sessions.key(entry.session).clone(),
                    sequence: u64::from(turn.sequence),
                    class: most_urgent.unwrap_or(turn.class),
                    priority: turn.choice,
                    waited: Duration::from_nanos(waited),
                    attempt: 1,
                    payload: turn.payload,
                    earlier: turn.earlier,
                },
                token: turn.token,
                lease: Lease {
                    session: entry.session,
                    started: now,
                },
            });
            taken += 1;
        }
        if taken > 0 {
            self.calls += 1;
            self.last_call = now;
            self.first_call.get_or_insert(now);
        }
        taken
    }

    /// Takes back the leases of turns that were answered within one call of the handler; their sessions'
    /// next turns may be served. The call itself took `busy` and had `turns` turns, those that are still to
    /// be answered included.
    pub fn complete_batch(
        &mut self,
        leases: impl IntoIterator<Item = Lease>,
        turns: usize,
        busy: Duration,
        now: Instant,
    ) {
        for lease in leases {
            self.end(&lease);
        }
        self.calls = self.calls.saturating_sub(1);
        let now = self.time(now);
        self.rate.batch(turns, nanos(busy), now);
        self.control(now);
        self.measure_rate();
    }

    /// Takes back the lease of a turn that was answered after the handler's call.
    #[expect(clippy::needless_pass_by_value, reason = "a lease is given back once")]
    pub fn complete_detached(&mut self, lease: Lease, now: Instant) {
        self.end(&lease);
        let now = self.time(now);
        self.rate.detached(now.saturating_sub(lease.started), now);
        self.control(now);
        self.measure_rate();
    }

    #[inline]
    fn end(&mut self, lease: &Lease) {
        self.in_flight -= 1;
        let session = self.sessions.get_mut(lease.session);
        session.in_flight = false;
        if let Some(class) = session.most_urgent() {
            self.make_ready(lease.session, class);
        }
    }

    #[inline]
    fn leave_line(&mut self, session: u32) {
        let record = self.sessions.get_mut(session);
        if record.ready_token != 0 {
            record.ready_token = 0;
            self.ready[record.ready_class as usize] -= 1;
        }
    }

    fn control(&mut self, now: u64) {
        if !self.controller.is_due(now) {
            return;
        }
        self.rate.advance(now);
        let oldest = whisperengine_types::Priority::ALL
            .into_iter()
            .map(|class| self.oldest_wait(class, now))
            .max()
            .unwrap_or(0);
        let load = Load {
            queued: self.turns.len(),
            oldest,
            batch_time: self.rate.batch_time(),
            turn_share: self.rate.turn_share(self.controller.capacity().batch),
            utilisation: self.rate.utilisation(self.controller.capacity().workers),
        };
        self.controller.observe(load, now);
    }

    /// Answers every waiting turn with `error`.
    pub(super) fn answer_all(&mut self, error: &TurnError) {
        for class in 0..self.by_age.len() {
            while !self.by_age[class].is_empty() {
                self.answer_queued(self.by_age[class].first, error.clone());
            }
        }
    }
}
