//! Whether a turn is accepted, and when a refused caller may come back.

use std::time::Duration;

use whisperengine_types::Priority;

use super::{Phase, SchedulerCore};
use crate::{OverloadPolicy, RefusalReason, Refused, TurnError, controller::Capacity};

/// What admission needs to know of a turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdmissionRequest {
    pub(super) now: u64,
    pub(super) class: Priority,
    pub(super) session: Option<u32>,
    pub(super) deadline: Option<Duration>,
    /// Waiting turns of the session that it will replace or absorb.
    pub(super) replaces: usize,
    pub(super) place: Place,
}

/// Where the turn's place in the queue comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Free,
    Reserved,
}

impl<T, K> SchedulerCore<T, K> {
    /// Holds a place in the queue for a later [`submit_reserved`](Self::submit_reserved); `false` when
    /// there is none.
    pub fn reserve(&mut self) -> bool {
        let free = self.phase == Phase::Open && self.turns.len() + self.reserved < self.config.max_queued;
        self.reserved += usize::from(free);
        free
    }

    /// Gives back a place that will not be used.
    pub fn release(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// How long a turn of this class would wait: the sessions of its class that wait, at the class's
    /// share of the measured service rate.
    pub(super) fn class_wait(&self, class: Priority) -> Duration {
        self.wait_behind(class, self.ready[class as usize] as f64)
    }

    /// The estimate for a turn of a session: one pass over the class for it, and one for each turn of
    /// its own session before it.
    #[inline]
    pub(super) fn turn_wait(&self, class: Priority, session: Option<u32>, replaces: usize) -> Duration {
        let others = self.ready[class as usize] as f64;
        let own = session.map_or(0, |index| {
            let session = self.sessions.get(index);
            session.depth() - replaces.min(session.depth()) + usize::from(session.in_flight)
        });
        self.wait_behind(class, others + own as f64 * (others + 1.0))
    }

    /// Measures the service rate anew, after whatever it follows from has changed.
    pub(super) fn measure_rate(&mut self) {
        let Capacity { workers, batch } = self.controller.capacity();
        self.service_rate = self.rate.per_second(workers, batch, self.config.max_in_flight);
        if let Some(rate) = self.service_rate {
            // A session that was served in this round waits for the next, longer than estimated by this part.
            let part = self.config.max_wait.as_secs_f64() / 4.0;
            self.queue.limit_round((rate * part) as usize + 1);
        }
    }

    #[inline]
    pub(super) fn admit(&mut self, request: AdmissionRequest) -> Result<Duration, Refused> {
        self.bound_rate(request.now);
        match self.judge(request) {
            Ok(wait) => {
                if request.place == Place::Free && request.replaces == 0 && self.is_full() {
                    self.shed_for(request.class);
                }
                Ok(wait)
            }
            Err(refused) => {
                self.counters.refused.count(&refused.reason);
                Err(refused)
            }
        }
    }

    /// While the first calls run, all that is known of a turn's time is that it is not over yet. Without
    /// this, every turn that comes before the first call ends would be accepted, however many they are.
    #[inline]
    fn bound_rate(&mut self, now: u64) {
        if self.service_rate.is_none()
            && let Some(first) = self.first_call
        {
            let elapsed = Duration::from_nanos(now.saturating_sub(first)).as_secs_f64();
            self.service_bound = Some(self.in_flight.max(1) as f64 / elapsed.max(1e-9));
        }
    }

    #[inline]
    fn judge(&self, request: AdmissionRequest) -> Result<Duration, Refused> {
        let AdmissionRequest { class, session, .. } = request;
        let refuse = |reason, retry_after| Err(Refused { reason, retry_after });
        if self.phase != Phase::Open {
            return refuse(RefusalReason::ShuttingDown, None);
        }
        if session.is_none() && self.sessions.len() >= self.config.max_sessions {
            let limit = self.config.max_sessions;
            return refuse(
                RefusalReason::SessionLimit { limit },
                Some(self.next_session_end(request.now)),
            );
        }
        let estimated = self.turn_wait(class, session, request.replaces);
        let refuse_for = |reason| refuse(reason, Some(self.drain_time(class, estimated, request.now)));
        if request.replaces == 0 {
            let waiting = session.map_or(0, |index| self.sessions.get(index).depth());
            if waiting >= self.config.max_queued_per_session {
                let limit = self.config.max_queued_per_session;
                return refuse_for(RefusalReason::SessionFull { limit });
            }
            if self.depth[class as usize] >= self.config.max_queued_per_class {
                let limit = self.config.max_queued_per_class;
                return refuse_for(RefusalReason::ClassFull { class, limit });
            }
            if request.place == Place::Free && self.is_full() && self.gives_way_to(class).is_none() {
                let limit = self.config.max_queued;
                return refuse_for(RefusalReason::QueueFull { limit });
            }
        }
        let limit = self.config.max_wait;
        // An empty class always takes a turn: the estimate can be wrong, an idle worker cannot.
        let others = self.ready[class as usize] > 0;
        if others && estimated > limit {
            return refuse_for(RefusalReason::Overloaded { estimated, limit });
        }
        match request.deadline {
            Some(deadline) if others && estimated > deadline => {
                refuse_for(RefusalReason::DeadlineTooShort { estimated, deadline })
            }
            _ => Ok(estimated),
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.turns.len() + self.reserved >= self.config.max_queued
    }

    /// The lowest class that has turns, if it is less urgent than `class` and the policy is to shed.
    fn gives_way_to(&self, class: Priority) -> Option<Priority> {
        let lowest = Priority::ALL
            .into_iter()
            .rev()
            .find(|&lower| self.depth[lower as usize] > 0)?;
        (self.config.overload == OverloadPolicy::Shed && lowest > class).then_some(lowest)
    }

    fn shed_for(&mut self, class: Priority) {
        if let Some(lowest) = self.gives_way_to(class) {
            let oldest = self.by_age[lowest as usize].first;
            self.answer_queued(oldest, TurnError::Shed);
        }
    }

    #[inline]
    fn wait_behind(&self, class: Priority, turns: f64) -> Duration {
        self.served_in(turns, self.share(class))
    }

    /// How long `turns` take at the given part of the service.
    #[inline]
    fn served_in(&self, turns: f64, share: f64) -> Duration {
        let Some(rate) = self.service_rate.or(self.service_bound) else {
            return Duration::ZERO;
        };
        Duration::try_from_secs_f64(turns / (rate * share)).unwrap_or(Duration::MAX)
    }

    /// The part of the service that goes to `class` while the classes that now have turns compete.
    fn share(&self, class: Priority) -> f64 {
        let weight = |class: Priority| f64::from(self.config.weights[class as usize]);
        let aged = 1.0 / f64::from(self.config.aging_turns);
        let competing: f64 = Priority::ALL
            .into_iter()
            .filter(|&other| other == class || self.ready[other as usize] > 0)
            .map(weight)
            .sum();
        if competing == 0.0 {
            return 1.0;
        }
        (weight(class) / competing).max(aged)
    }

    /// When what waits now in front of a refused turn will be done: at its class's share of the service, but
    /// not after everything that waits, since the other classes' turns come to an end as well, nor, at first,
    /// after some times as long as the service has been measured for. Callers who stay away for longer leave
    /// workers idle.
    fn drain_time(&self, class: Priority, estimated: Duration, now: u64) -> Duration {
        if self.service_rate.is_none() {
            return UNMEASURED_RETRY;
        }
        let queue = self.wait_behind(class, self.depth[class as usize] as f64);
        let everything = self.served_in(self.turns.len() as f64, 1.0);
        let measured_for = Duration::from_nanos(now.saturating_sub(self.first_call.unwrap_or(now)));
        let worked_off = estimated.max(queue).min(everything).min(measured_for * FORESIGHT);
        worked_off.clamp(RETRY_RANGE.0, RETRY_RANGE.1)
    }

    fn next_session_end(&self, now: u64) -> Duration {
        let next = self.idle.next().unwrap_or(0);
        let wait = Duration::from_nanos(next.saturating_sub(now));
        wait.clamp(RETRY_RANGE.0, self.config.idle_timeout.max(RETRY_RANGE.0))
    }
}

/// When a refused caller may come back while no turn has been served yet.
const UNMEASURED_RETRY: Duration = Duration::from_secs(1);
/// How much longer than a rate has been measured for it is trusted to last: the first calls of all find
/// nothing in a cache, and the next ones take less.
const FORESIGHT: u32 = 8;
const RETRY_RANGE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(60));
