//! Sessions by number, and a simulation of workers around the state machine on a clock of its own.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use whisperengine_conversation_scheduler::{
    Config, Dispatch, Lease, Output, Refused, SchedulerCore, Submission, SubmitOptions, TurnError,
};
use whisperengine_types::{BotId, ChannelId, Clock, SessionKey, SystemClock, UserId};

/// Some instant to count from; tests never read the clock again.
pub fn start() -> Instant {
    SystemClock.instant()
}

pub fn key(n: usize) -> SessionKey {
    key_in(n, n)
}

/// User `n` in a channel.
pub fn key_in(n: usize, channel: usize) -> SessionKey {
    SessionKey {
        bot: BotId::new("ember").unwrap(),
        user: UserId::from_number(n as u64),
        channel: ChannelId::from_number(channel as u64),
    }
}

/// Longer than any test takes.
pub const LONG: Duration = Duration::from_secs(3_600);

/// For drivers: so many workers, and batches of so many turns.
pub fn config(workers: usize, batch: usize) -> Config {
    let mut config = Config::default();
    config.min_workers = NonZeroUsize::new(workers).unwrap();
    config.max_workers = NonZeroUsize::new(workers);
    config.max_batch_turns = NonZeroUsize::new(batch).unwrap();
    config
}

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

pub type Core = SchedulerCore<u64, u64>;

/// Takes one batch and gives it straight back; the payloads in order.
pub fn serve_one_batch(core: &mut Core, now: Instant) -> Vec<u64> {
    let mut batch = Vec::new();
    let turns = core.next_batch(&mut batch, now);
    let payloads = batch.iter().map(|dispatch| dispatch.turn.payload).collect();
    core.complete_batch(
        batch.into_iter().map(|dispatch| dispatch.lease),
        turns,
        Duration::ZERO,
        now,
    );
    payloads
}

/// Tokens of the turns that were answered unasked, with their errors.
pub fn answered(core: &mut Core) -> Vec<(u64, TurnError)> {
    let mut answers = Vec::new();
    while let Some(output) = core.poll_output() {
        if let Output::Answered { token, error, .. } = output {
            answers.push((token, error));
        }
    }
    answers
}

/// One arrival of the simulation.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub at: Duration,
    pub session: usize,
    pub options: SubmitOptions,
}

/// What became of the arrivals.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Sojourn (wait and service) of each served turn, by session.
    pub sojourns: BTreeMap<usize, Vec<Duration>>,
    /// When each turn was done, and its session, in order.
    pub done: Vec<(Duration, usize)>,
    pub refused: Vec<Refused>,
    pub dropped: Vec<TurnError>,
}

impl Outcome {
    pub fn served(&self) -> usize {
        self.done.len()
    }

    /// Turns done from `from` on, before `to`.
    pub fn served_between(&self, from: Duration, to: Duration) -> usize {
        self.done.iter().filter(|(at, _)| *at >= from && *at < to).count()
    }

    pub fn quantile(&self, q: f64, of: impl Fn(usize) -> bool) -> Duration {
        let mut all: Vec<_> = self
            .sojourns
            .iter()
            .filter(|(session, _)| of(**session))
            .flat_map(|(_, sojourns)| sojourns.iter().copied())
            .collect();
        all.sort_unstable();
        all[((q * all.len() as f64).ceil() as usize).clamp(1, all.len()) - 1]
    }
}

enum Event {
    Arrive(usize),
    Done {
        leases: Vec<Lease>,
        turns: Vec<(usize, Duration)>,
        busy: Duration,
    },
}

/// Workers that take batches and are busy for `service(batch size)`; ends when all is done.
pub fn simulate(
    config: Config,
    workers: usize,
    arrivals: &[Arrival],
    service: impl Fn(usize) -> Duration,
) -> Outcome {
    let base = start();
    let mut core: SchedulerCore<usize, Duration> = SchedulerCore::new(config, base).unwrap();
    let mut events = BinaryHeap::new();
    let mut bodies = Vec::new();
    for (index, arrival) in arrivals.iter().enumerate() {
        events.push(Reverse((arrival.at, bodies.len())));
        bodies.push(Some(Event::Arrive(index)));
    }
    let mut outcome = Outcome::default();
    let mut idle = workers;
    while let Some(Reverse((at, body))) = events.pop() {
        let now = base + at;
        core.handle_timeout(now);
        match bodies[body].take().expect("an event happens once") {
            Event::Arrive(index) => {
                let Arrival { session, options, .. } = &arrivals[index];
                let submission = Submission::new(key(*session), *session, at).with(*options);
                if let Err(refused) = core.submit(submission, now) {
                    outcome.refused.push(refused);
                }
            }
            Event::Done { leases, turns, busy } => {
                idle += 1;
                let count = turns.len();
                for (session, arrived) in turns {
                    outcome.done.push((at, session));
                    outcome
                        .sojourns
                        .entry(session)
                        .or_default()
                        .push(at.saturating_sub(arrived));
                }
                core.complete_batch(leases, count, busy, now);
            }
        }
        while let Some(output) = core.poll_output() {
            if let Output::Answered { error, .. } = output {
                outcome.dropped.push(error);
            }
        }
        while idle > 0 {
            let mut batch = Vec::new();
            let size = core.next_batch(&mut batch, now);
            if size == 0 {
                break;
            }
            idle -= 1;
            let busy = service(size);
            let mut leases = Vec::new();
            let mut turns = Vec::new();
            for Dispatch { turn, token, lease } in batch {
                leases.push(lease);
                turns.push((turn.payload, token));
            }
            events.push(Reverse((at + busy, bodies.len())));
            bodies.push(Some(Event::Done { leases, turns, busy }));
        }
    }
    outcome
}

/// A small generator of repeatable numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In 0 to 1, never 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The time to the next event of a Poisson process.
    pub fn gap(&mut self, per_second: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.unit()).ln() / per_second)
    }
}

/// Poisson arrivals of sessions `0..sessions` at `per_second` in all, for `span`.
pub fn poisson(
    random: &mut Random,
    sessions: usize,
    per_second: f64,
    span: Duration,
    options: impl Fn(&mut Random) -> SubmitOptions,
) -> Vec<Arrival> {
    let mut arrivals = Vec::new();
    let mut at = random.gap(per_second);
    while at < span {
        arrivals.push(Arrival {
            at,
            session: (random.next() % sessions as u64) as usize,
            options: options(random),
        });
        at += random.gap(per_second);
    }
    arrivals
}
