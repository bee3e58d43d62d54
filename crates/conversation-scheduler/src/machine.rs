//! The scheduler without threads, clocks or wakers: calls in, turns out, time as an argument.
//!
//! Invariants: a session has at most one turn in flight; its turns leave in the order they came; a
//! session with waiting turns and none in flight has exactly one live entry in the weighted queue; every
//! accepted turn leaves exactly once, by [`next_batch`](SchedulerCore::next_batch),
//! [`cancel`](SchedulerCore::cancel) or [`Output::Answered`].

mod admission;
mod burst;
mod serve;
mod submit;
mod timers;

use self::burst::Bursts;
pub(crate) use self::{admission::Place, submit::Incoming};

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use hashbrown::DefaultHashBuilder;
use whisperengine_types::{Priority, SessionKey};

use crate::{
    ClassMetrics, Config, Error, Metrics, Result, SessionSignals, SubmitOptions, Turn, TurnError, TurnId,
    WeightedQueue,
    controller::{Bounds, Capacity, Controller},
    metrics::Counters,
    rate::ServiceRate,
    sessions::{Sessions, hash_of},
    timing_wheel::TimingWheel,
    turns::{List, Turns},
};

/// The scheduler's state machine; [`Scheduler`](crate::Scheduler) drives it with threads.
///
/// `T` is the payload of a turn, `K` a token that comes back with the turn when it is answered.
/// Calls that come too early, twice or for nothing do nothing.
///
/// ```
/// use std::time::Duration;
/// use whisperengine_conversation_scheduler::{Config, SchedulerCore, Submission};
/// use whisperengine_types::{BotId, ChannelId, Clock, SessionKey, SystemClock, UserId};
///
/// let now = SystemClock.instant();
/// let mut core = SchedulerCore::new(Config::default(), now)?;
/// let (bot, user, channel) = (BotId::new("ember")?, UserId::new("ana")?, ChannelId::new("dm")?);
/// let session = SessionKey { bot, user, channel };
/// for text in ["first", "second"] {
///     core.submit(Submission::new(session.clone(), text, ()), now)?;
/// }
/// let mut batch = Vec::new();
/// core.next_batch(&mut batch, now);
/// assert_eq!(batch.len(), 1); // one turn in flight per session
/// core.complete_batch(batch.drain(..).map(|dispatch| dispatch.lease), 1, Duration::ZERO, now);
/// core.next_batch(&mut batch, now);
/// assert_eq!(batch[0].turn.payload, "second");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SchedulerCore<T, K = ()> {
    config: Config,
    base: Instant,
    sessions: Sessions,
    turns: Turns<T, K>,
    /// All waiting turns of each class, oldest first.
    by_age: [List; 4],
    depth: [usize; 4],
    queue: WeightedQueue<Ready>,
    /// Live entries of each class in `queue`.
    ready: [usize; 4],
    idle: TimingWheel,
    deadlines: TimingWheel,
    bursts: Bursts,
    rate: ServiceRate,
    /// Turns per second by `rate` and the controller's capacity, as of the latest call that ended.
    service_rate: Option<f64>,
    /// When the first call began, and what the rate can at most be while no call has ended.
    first_call: Option<u64>,
    service_bound: Option<f64>,
    controller: Controller,
    counters: Counters,
    outputs: VecDeque<Output<T, K>>,
    phase: Phase,
    reserved: usize,
    in_flight: usize,
    /// Batches taken whose call has not ended, and when the latest was taken.
    calls: usize,
    last_call: u64,
    last_serial: u64,
    last_token: u32,
}

/// A session's place in the weighted queue; dead once the session's token is another.
#[derive(Debug, Clone, Copy)]
struct Ready {
    session: u32,
    token: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Until the given time, in nanoseconds since the base.
    Draining(u64),
    Closed,
}

/// A turn on its way in.
#[derive(Debug, Clone)]
pub struct Submission<T, K = ()> {
    /// Whose turn it is.
    pub session: SessionKey,
    /// What the handler gets.
    pub payload: T,
    /// What comes back with the answer.
    pub token: K,
    /// How it is to be queued.
    pub options: SubmitOptions,
}

impl<T, K> Submission<T, K> {
    /// A turn of normal priority.
    pub fn new(session: SessionKey, payload: T, token: K) -> Self {
        Self {
            session,
            payload,
            token,
            options: SubmitOptions::default(),
        }
    }

    /// With options.
    #[must_use]
    pub fn with(mut self, options: impl Into<SubmitOptions>) -> Self {
        self.options = options.into();
        self
    }
}

impl<T> Submission<T> {
    pub(crate) fn with_token<K>(self, token: K) -> Submission<T, K> {
        Submission {
            session: self.session,
            payload: self.payload,
            token,
            options: self.options,
        }
    }
}

/// What the scheduler says of a turn that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accepted {
    /// The turn's name.
    pub id: TurnId,
    /// Its position among its session's accepted turns, from 1.
    pub sequence: u64,
    /// How long it will wait, as estimated at submission.
    pub estimated_wait: Duration,
}

/// A turn to be served now.
#[derive(Debug)]
pub struct Dispatch<T, K> {
    /// The turn.
    pub turn: Turn<T>,
    /// What it was submitted with.
    pub token: K,
    /// To be given back when the turn is done.
    pub lease: Lease,
}

/// The right to be the one turn in flight of a session, until it is given back.
#[derive(Debug)]
#[must_use = "a session whose lease is not given back is never served again"]
pub struct Lease {
    session: u32,
    started: u64,
}

/// What happened without being asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output<T, K> {
    /// An accepted turn that was never started has its answer.
    Answered {
        /// Which turn.
        id: TurnId,
        /// What it was submitted with.
        token: K,
        /// Why there is no result.
        error: TurnError,
        /// The turn itself, for a caller who wants to keep it; `None` when it was merged.
        turn: Option<Box<Turn<T>>>,
    },
    /// A session was idle for too long and is forgotten.
    SessionEnded(SessionKey),
}

impl<T, K> SchedulerCore<T, K> {
    /// An empty scheduler whose time begins at `now`.
    ///
    /// # Errors
    /// [`Error::Config`] when a setting is out of range.
    pub fn new(config: Config, now: Instant) -> Result<Self, Error> {
        config.validate()?;
        let idle_tick = (nanos(config.idle_timeout) / IDLE_TICKS).max(1);
        let max_workers = config.max_workers.unwrap_or(config.min_workers);
        let controller = Controller::new(Bounds {
            min_workers: config.min_workers.get(),
            max_workers: max_workers.get(),
            max_batch: config.max_batch_turns.get(),
            batch_target: nanos(config.batch_time_target),
            wait_target: nanos(config.max_wait) / 4,
        });
        Ok(Self {
            base: now,
            sessions: Sessions::new(),
            turns: Turns::new(),
            by_age: [List::EMPTY; 4],
            depth: [0; 4],
            queue: WeightedQueue::new(config.weights, config.aging_turns),
            ready: [0; 4],
            idle: TimingWheel::new(idle_tick, IDLE_TICKS as usize * 2),
            deadlines: TimingWheel::new(DEADLINE_TICK, DEADLINE_SLOTS),
            bursts: Bursts::new(),
            rate: ServiceRate::new(),
            service_rate: None,
            first_call: None,
            service_bound: None,
            controller,
            counters: Counters::new(),
            outputs: VecDeque::new(),
            phase: Phase::Open,
            reserved: 0,
            in_flight: 0,
            calls: 0,
            last_call: 0,
            last_serial: 0,
            last_token: 0,
            config,
        })
    }

    /// The next thing that happened, in order.
    pub fn poll_output(&mut self) -> Option<Output<T, K>> {
        self.outputs.pop_front()
    }

    pub(crate) fn has_outputs(&self) -> bool {
        !self.outputs.is_empty()
    }

    pub(crate) fn take_outputs(&mut self) -> VecDeque<Output<T, K>> {
        std::mem::take(&mut self.outputs)
    }

    /// How many workers should be active, and how many turns one call should get at most.
    pub fn capacity(&self) -> (usize, usize) {
        let Capacity { workers, batch } = self.controller.capacity();
        (workers, batch)
    }

    /// Turns waiting.
    pub fn queued(&self) -> usize {
        self.turns.len()
    }

    /// Turns with the handler.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether [`next_batch`](Self::next_batch) would give something.
    pub fn has_ready(&self) -> bool {
        self.ready.iter().any(|&n| n > 0) && self.in_flight < self.config.max_in_flight
    }

    /// Whether it ends and nothing is waiting or in flight.
    pub fn is_drained(&self) -> bool {
        self.phase != Phase::Open && self.turns.len() == 0 && self.in_flight == 0
    }

    /// Whether it ends.
    pub(crate) fn is_ending(&self) -> bool {
        self.phase != Phase::Open
    }

    /// Whether it ends and will not start another turn.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Turns that were started and are done.
    pub fn completed(&self) -> u64 {
        self.counters.started.iter().sum::<u64>() - self.in_flight as u64
    }

    /// Whether a place can be reserved, or never again.
    pub(crate) fn has_place(&self) -> bool {
        self.phase != Phase::Open || self.turns.len() + self.reserved < self.config.max_queued
    }

    /// How long a new turn of this session and class would wait.
    pub fn estimated_wait(&self, session: &SessionKey, class: Priority) -> Duration {
        self.turn_wait(class, self.find(session), 0)
    }

    /// What is known of a session, for scoring its next message.
    pub fn signals(&self, session: &SessionKey, now: Instant) -> SessionSignals {
        let now = self.time(now);
        let known = self.find(session).map(|index| self.sessions.get(index));
        SessionSignals {
            earlier_messages: known.map_or(0, |session| u64::from(session.sequence)),
            since_last: known.map(|session| Duration::from_nanos(now.saturating_sub(session.last_message))),
            active_people: self.sessions.members(&session.bot, &session.channel),
        }
    }

    /// A snapshot of the metrics.
    pub fn metrics(&mut self, now: Instant) -> Metrics {
        let now = self.time(now);
        self.rate.advance(now);
        self.measure_rate();
        let Capacity { workers, batch } = self.controller.capacity();
        let class_metrics = |class: Priority| {
            let at = class as usize;
            ClassMetrics {
                class,
                depth: self.depth[at],
                oldest_wait: Duration::from_nanos(self.oldest_wait(class, now)),
                estimated_wait: self.class_wait(class),
                accepted: self.counters.accepted[at],
                started: self.counters.started[at],
                dropped: self.counters.dropped[at],
                mean_wait: self.counters.waits[at].mean(),
                p50_wait: self.counters.waits[at].quantile(0.5),
                p99_wait: self.counters.waits[at].quantile(0.99),
            }
        };
        Metrics {
            active_sessions: self.sessions.len(),
            channels: self.sessions.channel_count(),
            queued: self.turns.len(),
            in_flight: self.in_flight,
            classes: Priority::ALL.map(class_metrics),
            service_rate: self.service_rate,
            utilisation: self.rate.utilisation(workers),
            workers,
            batch_turns: batch,
            refused: self.counters.refused,
            panicked: self.counters.panicked,
            expired_sessions: self.counters.expired_sessions,
        }
    }

    /// Counts turns whose handler panicked.
    pub fn record_panics(&mut self, turns: usize) {
        self.counters.panicked += turns as u64;
    }

    pub(crate) fn hasher(&self) -> &DefaultHashBuilder {
        self.sessions.hasher()
    }

    fn find(&self, key: &SessionKey) -> Option<u32> {
        self.sessions.find(hash_of(self.hasher(), key), key)
    }

    /// Nanoseconds since the base; a time before it counts as the base.
    #[inline]
    fn time(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.base))
    }

    fn oldest_wait(&self, class: Priority, now: u64) -> u64 {
        let oldest = self.turns.get(self.by_age[class as usize].first);
        oldest.map_or(0, |turn| now.saturating_sub(turn.submitted))
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Ticks of the idle wheel in one idle timeout: a session is forgotten at most one part in 1,024 late.
const IDLE_TICKS: u64 = 1_024;
/// Deadlines are kept to the millisecond.
const DEADLINE_TICK: u64 = 1_000_000;
const DEADLINE_SLOTS: usize = 4_096;
