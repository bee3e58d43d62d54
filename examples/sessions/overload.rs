//! More turns than can be served: what is accepted, how long it takes, and when the rest may come back.

use std::{
    collections::BTreeMap,
    hint::black_box,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use whisperengine_conversation_scheduler::{Batch, Config, Error, Handler, Scheduler};
use whisperengine_examples::measure::{self, Latencies};
use whisperengine_types::{BotId, Priority};

use crate::throughput::key;

/// One load and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// Offered turns as a multiple of what can be served.
    pub load: f64,
    pub served_per_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub refused: BTreeMap<&'static str, u64>,
    pub shortest_retry_ms: f64,
    pub longest_retry_ms: f64,
}

/// All of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Turns a second with always one more waiting.
    pub peak_per_s: f64,
    pub unloaded_p99_ms: f64,
    pub with_admission: Vec<Point>,
    pub without_admission: Vec<Point>,
    /// Served at ten times the peak, as a part of the peak.
    pub goodput_share: f64,
    /// 99th percentile of what is accepted at ten times the peak, as a multiple of the unloaded one.
    pub p99_ratio: f64,
}

/// A turn carries when it was submitted.
type Payload = std::time::Instant;

/// Computes for a fixed number of steps per turn; notes when each turn is done.
struct Compute {
    steps: u64,
    latencies: Arc<Mutex<Latencies>>,
}

impl Handler<Payload, ()> for Compute {
    fn handle(&self, batch: &mut Batch<Payload, ()>) {
        for index in 0..batch.len() {
            compute(self.steps);
            let submitted = batch.turns()[index].payload;
            let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner);
            latencies.record(submitted.elapsed());
            drop(latencies);
            batch.complete(index, ());
        }
    }
}

/// Measures the peak, then a row of loads with admission by estimated wait and one without.
///
/// # Errors
/// When a scheduler cannot be started.
pub fn run(span: Duration, mut tell: impl FnMut(&str)) -> Result<Outcome, Error> {
    let steps = steps_for(TURN);
    tell("unloaded");
    let unloaded = load(steps, 0.1, 100.0, span, Admission::None)?;
    tell("peak");
    let peak = load(
        steps,
        1.0,
        1.5 * workers().get() as f64 / TURN.as_secs_f64(),
        span,
        Admission::None,
    )?
    .served_per_s;
    let mut with_admission = Vec::new();
    let mut without_admission = Vec::new();
    for multiple in LOADS {
        tell(&format!("load {multiple}"));
        let rate = multiple * peak;
        let limit = Admission::Wait(TURN.mul_f64(0.5));
        with_admission.push(load(steps, multiple, rate, span, limit)?);
        without_admission.push(load(steps, multiple, rate, span, Admission::None)?);
    }
    let worst = with_admission.last().expect("there are loads");
    Ok(Outcome {
        peak_per_s: peak,
        unloaded_p99_ms: unloaded.p99_ms,
        goodput_share: worst.served_per_s / peak,
        p99_ratio: worst.p99_ms / unloaded.p99_ms,
        with_admission,
        without_admission,
    })
}

#[derive(Debug, Clone, Copy)]
enum Admission {
    None,
    Wait(Duration),
}

/// Offers `rate` turns a second at even distances from one thread, whatever is answered.
fn load(steps: u64, multiple: f64, rate: f64, span: Duration, admission: Admission) -> Result<Point, Error> {
    let mut config = Config::default();
    config.min_workers = workers();
    config.max_workers = Some(workers());
    config.max_batch_turns = NonZeroUsize::MIN;
    config.max_queued = 1_000_000;
    config.max_queued_per_class = 1_000_000;
    config.max_wait = match admission {
        Admission::None => Duration::from_secs(86_400),
        Admission::Wait(limit) => limit,
    };
    let latencies = Arc::new(Mutex::new(Latencies::default()));
    let compute = Compute {
        steps,
        latencies: Arc::clone(&latencies),
    };
    let scheduler = Scheduler::start(config, compute)?;
    let bot = BotId::new("ember").expect("a plain word is an id");
    let keys: Vec<_> = (0..10_000).map(|n| key(&bot, n)).collect();
    let begin = measure::now();
    let mut refused = BTreeMap::new();
    let mut retries: Option<(Duration, Duration)> = None;
    let mut tickets = Vec::new();
    let mut sent = 0u64;
    while begin.elapsed() < span {
        let due = (begin.elapsed().as_secs_f64() * rate) as u64;
        if sent >= due {
            std::thread::park_timeout(Duration::from_micros(100));
            continue;
        }
        let session = keys[sent as usize % keys.len()].clone();
        sent += 1;
        match scheduler.submit(session, measure::now(), Priority::Normal) {
            Ok(ticket) => tickets.push(ticket),
            Err(refusal) => {
                *refused.entry(reason(&refusal)).or_insert(0) += 1;
                let retry = refusal.retry_after.unwrap_or_default();
                let (low, high) = retries.unwrap_or((retry, retry));
                retries = Some((low.min(retry), high.max(retry)));
            }
        }
    }
    let elapsed = begin.elapsed().as_secs_f64();
    let latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
    drop(tickets);
    let (low, high) = retries.unwrap_or_default();
    Ok(Point {
        load: multiple,
        served_per_s: latencies.count() as f64 / elapsed,
        p50_ms: latencies.p50_ms(),
        p99_ms: latencies.p99_ms(),
        refused,
        shortest_retry_ms: low.as_secs_f64() * 1e3,
        longest_retry_ms: high.as_secs_f64() * 1e3,
    })
}

fn reason(refused: &whisperengine_conversation_scheduler::Refused) -> &'static str {
    use whisperengine_conversation_scheduler::RefusalReason as R;
    match refused.reason {
        R::QueueFull { .. } => "queue_full",
        R::ClassFull { .. } => "class_full",
        R::SessionFull { .. } => "session_full",
        R::SessionLimit { .. } => "session_limit",
        R::Overloaded { .. } => "overloaded",
        R::DeadlineTooShort { .. } => "deadline_too_short",
        R::ShuttingDown => "shutting_down",
        _ => "other",
    }
}

/// Steps of computing that take about `span` on this machine.
fn steps_for(span: Duration) -> u64 {
    let begin = measure::now();
    compute(1 << 24);
    ((1u64 << 24) as f64 * span.as_secs_f64() / begin.elapsed().as_secs_f64()) as u64
}

fn compute(steps: u64) -> u64 {
    (0..steps).fold(0xCBF2_9CE4_8422_2325, |hash, step| {
        black_box((hash ^ step).wrapping_mul(0x0100_0000_01B3))
    })
}

/// One processor is left to the senders: what is measured is the wait for a worker, not for a processor
/// that the sender has taken from it.
fn workers() -> NonZeroUsize {
    let processors = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    NonZeroUsize::new(processors - 1).unwrap_or(NonZeroUsize::MIN)
}

const TURN: Duration = Duration::from_millis(2);
const LOADS: [f64; 8] = [0.2, 0.5, 0.8, 1.0, 1.5, 2.0, 5.0, 10.0];
