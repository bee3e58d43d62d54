//! Turns through a running scheduler: every answer is awaited by its caller, every turn's order checked.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use tokio::runtime::Handle;
use whisperengine_conversation_scheduler::{
    Config, Error, Metrics, PriorityChoice, ScheduleError, Scheduler, Submission, SubmitOptions, Turn,
};
use whisperengine_examples::measure;
use whisperengine_types::{BotId, ChannelId, Priority, SessionKey, UserId};

/// What is offered.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// People, each with one session.
    pub sessions: usize,
    /// Turns a second over all of them; `None` for as many as are answered.
    pub rate: Option<f64>,
    /// Whether session 0 sends a thousand times as many turns as any other.
    pub flooder: bool,
    /// For how long.
    pub span: Duration,
    /// Workers of the scheduler, and tasks that submit.
    pub workers: NonZeroUsize,
    /// Whether the workers are tasks, too.
    pub on_runtime: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub turns: u64,
    pub refused: u64,
    pub turns_per_s: f64,
    pub cpu_us_per_turn: f64,
    /// Turns that were served before an earlier one of their session, or twice.
    pub order_violations: u64,
    pub fairness: Fairness,
    pub metrics: Metrics,
}

/// Turns served per session.
#[derive(Debug, Serialize)]
pub struct Fairness {
    pub fewest: u32,
    pub median: u32,
    pub most: u32,
    /// Jain's index over all sessions but the flooder: 1 is equal.
    pub jain_index: f64,
    /// Part of all turns that went to the flooder.
    pub flooder_share: Option<f64>,
}

/// The last turn number and the count of each session, as the handler saw them.
#[derive(Debug)]
struct Log {
    last: Vec<AtomicU32>,
    violations: AtomicU64,
}

/// Whose turn it is, and its number in its session.
type Payload = (u32, u32);

/// The key of person `n`: own channel, shared bot.
pub fn key(bot: &BotId, n: usize) -> SessionKey {
    SessionKey {
        bot: bot.clone(),
        user: UserId::from_number(700_000_000_000_000_000 + n as u64),
        channel: ChannelId::from_number(900_000_000_000_000_000 + n as u64),
    }
}

/// Runs the offer.
///
/// # Errors
/// When the scheduler cannot be started.
pub async fn run(offer: Offer) -> Result<Outcome, Error> {
    let mut config = Config::default();
    config.min_workers = offer.workers;
    config.max_workers = Some(offer.workers);
    config.max_batch_turns = NonZeroUsize::new(512).expect("512 is not zero");
    config.max_in_flight = 16_384;
    config.max_queued = 2 * offer.sessions.max(50_000);
    config.max_queued_per_class = config.max_queued;
    let log = Arc::new(Log {
        last: (0..offer.sessions).map(|_| AtomicU32::new(0)).collect(),
        violations: AtomicU64::new(0),
    });
    let handler = handler(Arc::clone(&log));
    let scheduler = if offer.on_runtime {
        Scheduler::start_on(&Handle::current(), config, handler)?
    } else {
        Scheduler::start(config, handler)?
    };
    let (wall, cpu) = (measure::now(), measure::process_cpu());
    let end = wall + offer.span;
    let callers: Vec<_> = (0..offer.workers.get())
        .map(|part| {
            let caller = Caller {
                scheduler: scheduler.clone(),
                bot: BotId::new("ember").expect("a plain word is an id"),
                sessions: (part..offer.sessions).step_by(offer.workers.get()).collect(),
                numbers: vec![0; offer.sessions],
                rate: offer.rate.map(|rate| rate / offer.workers.get() as f64),
                flooder: offer.flooder && part == 0,
            };
            tokio::spawn(caller.run(end))
        })
        .collect();
    let (mut turns, mut refused) = (0, 0);
    for caller in callers {
        let counts = caller.await.expect("a caller does not panic");
        turns += counts.0;
        refused += counts.1;
    }
    let elapsed = wall.elapsed().as_secs_f64();
    let spent = measure::process_cpu().saturating_sub(cpu);
    let metrics = scheduler.metrics();
    scheduler.shutdown(Duration::from_secs(10)).await;
    Ok(Outcome {
        turns,
        refused,
        turns_per_s: turns as f64 / elapsed,
        cpu_us_per_turn: spent.as_secs_f64() * 1e6 / turns.max(1) as f64,
        order_violations: log.violations.load(Ordering::Relaxed),
        fairness: fairness(&log, offer.flooder),
        metrics,
    })
}

/// Does no work but to check the order: refused turns leave gaps, so numbers only have to rise.
fn handler(log: Arc<Log>) -> impl Fn(&[Turn<Payload>]) -> Vec<u32> + Send + Sync + 'static {
    let counts = move |turn: &Turn<Payload>| {
        let (session, number) = turn.payload;
        let before = log.last[session as usize].swap(number, Ordering::Relaxed);
        if before >= number {
            log.violations.fetch_add(1, Ordering::Relaxed);
        }
        number
    };
    move |turns| turns.iter().map(&counts).collect()
}

struct Caller {
    scheduler: Scheduler<Payload, u32>,
    bot: BotId,
    sessions: Vec<usize>,
    numbers: Vec<u32>,
    rate: Option<f64>,
    flooder: bool,
}

impl Caller {
    /// Goes round its sessions, `GROUP` turns at a time, with `AHEAD` groups under way.
    async fn run(mut self, end: std::time::Instant) -> (u64, u64) {
        let keys: Vec<SessionKey> = self.sessions.iter().map(|&n| key(&self.bot, n)).collect();
        let start = measure::now();
        let (mut turns, mut refused, mut sent) = (0u64, 0u64, 0u64);
        let mut under_way = std::collections::VecDeque::new();
        let mut at = 0;
        while measure::now() < end {
            let mut size = GROUP.min(self.sessions.len());
            if let Some(rate) = self.rate {
                let due = (start.elapsed().as_secs_f64() * rate) as u64;
                size = size.min(due.saturating_sub(sent) as usize);
                if size == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    continue;
                }
            }
            let mut group = Vec::with_capacity(size);
            for _ in 0..size {
                group.push(self.turn(at, &keys[at]));
                at = (at + 1) % self.sessions.len();
            }
            sent += size as u64;
            if self.flooder {
                let flood = size * 1_000 / self.sessions.len().max(1);
                group.extend((0..flood.clamp(1, 64)).map(|_| self.turn(0, &keys[0])));
            }
            under_way.push_back(self.scheduler.submit_many(group));
            if under_way.len() > AHEAD
                && let Some(tickets) = under_way.pop_front()
            {
                count(tickets.all().await, &mut turns, &mut refused);
            }
        }
        for tickets in under_way {
            count(tickets.all().await, &mut turns, &mut refused);
        }
        (turns, refused)
    }

    fn turn(&mut self, at: usize, key: &SessionKey) -> Submission<Payload> {
        let session = self.sessions[at];
        self.numbers[session] += 1;
        let class = Priority::ALL[session % 4];
        let options = SubmitOptions::new(PriorityChoice::Class(class));
        Submission::new(key.clone(), (session as u32, self.numbers[session]), ()).with(options)
    }
}

fn count(answers: Vec<Result<u32, ScheduleError>>, turns: &mut u64, refused: &mut u64) {
    for answer in answers {
        match answer {
            Ok(_) => *turns += 1,
            Err(_) => *refused += 1,
        }
    }
}

fn fairness(log: &Log, flooder: bool) -> Fairness {
    let all: Vec<u32> = log.last.iter().map(|n| n.load(Ordering::Relaxed)).collect();
    let total: f64 = all.iter().map(|&n| f64::from(n)).sum();
    let mut others: Vec<u32> = all[usize::from(flooder)..].to_vec();
    others.sort_unstable();
    let sum: f64 = others.iter().map(|&n| f64::from(n)).sum();
    let squares: f64 = others.iter().map(|&n| f64::from(n).powi(2)).sum();
    Fairness {
        fewest: others.first().copied().unwrap_or(0),
        median: others.get(others.len() / 2).copied().unwrap_or(0),
        most: others.last().copied().unwrap_or(0),
        jain_index: sum * sum / (others.len() as f64 * squares).max(1.0),
        flooder_share: flooder.then(|| f64::from(all[0]) / total.max(1.0)),
    }
}

const GROUP: usize = 1_024;
const AHEAD: usize = 2;
