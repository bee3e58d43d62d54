//! What an idle session costs, and what it costs everybody else when very many end together.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::Serialize;
use whisperengine_conversation_scheduler::{Config, Error, Scheduler, Submission, Turn};
use whisperengine_examples::measure;
use whisperengine_types::{BotId, Clock, ManualClock, Priority, Timestamp};

use crate::throughput::key;

/// Memory and pauses.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub idle_sessions: usize,
    /// Resident memory per session, key and channel included; every person in a channel of their own.
    pub bytes_per_idle_session: f64,
    /// The longest that one turn took from submission to answer while all of them ended.
    pub longest_turn_while_ending_ms: f64,
    /// The longest that the scheduler was busy with ending sessions without a break.
    pub longest_round_ms: f64,
    /// The most CPU time that one such round took: without the time for which another thread had its processor.
    pub longest_round_cpu_ms: f64,
    pub ending_all_ms: f64,
    pub left: usize,
}

/// Begins `sessions` sessions with one turn each, lets them fall idle and ends them all at once.
///
/// # Errors
/// When the scheduler cannot be started.
pub async fn run(sessions: usize) -> Result<Outcome, Error> {
    let mut config = Config::default();
    config.max_sessions = sessions + 1;
    let timeout = config.idle_timeout;
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let work = |turns: &[Turn<u32>]| turns.iter().map(|turn| turn.payload).collect();
    let shared_clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let scheduler = Scheduler::start_with_clock(config, shared_clock, work)?;
    let bot = BotId::new("ember").expect("a plain word is an id");
    let before = measure::rss_bytes();
    let mut at = 0;
    while at < sessions {
        let to = (at + 1_024).min(sessions);
        let turns = (at..to).map(|n| Submission::new(key(&bot, n), n as u32, ()));
        scheduler.submit_many(turns).all().await;
        at = to;
    }
    let after = measure::rss_bytes();
    let per_session = after.saturating_sub(before) as f64 / sessions as f64;
    clock.advance(timeout + Duration::from_secs(60));
    let ended = Arc::new(AtomicBool::new(false));
    let prober = std::thread::spawn({
        let (scheduler, ended, bot) = (scheduler.clone(), Arc::clone(&ended), bot.clone());
        move || {
            let mut longest = Duration::ZERO;
            while !ended.load(Ordering::Relaxed) {
                let begin = measure::now();
                if let Ok(ticket) = scheduler.submit(key(&bot, sessions), 0, Priority::Normal) {
                    let _ = ticket.wait();
                }
                longest = longest.max(begin.elapsed());
            }
            longest
        }
    });
    let begin = measure::now();
    let (mut longest_round, mut longest_cpu) = (Duration::ZERO, Duration::ZERO);
    loop {
        let (round, cpu) = (measure::now(), measure::thread_cpu());
        let more = scheduler.run_timers();
        longest_cpu = longest_cpu.max(measure::thread_cpu().saturating_sub(cpu));
        longest_round = longest_round.max(round.elapsed());
        if !more {
            break;
        }
        std::thread::yield_now();
    }
    let ending = begin.elapsed();
    ended.store(true, Ordering::Relaxed);
    let longest = prober.join().expect("the prober does not panic");
    let left = scheduler.metrics().active_sessions;
    scheduler.shutdown(Duration::from_secs(10)).await;
    Ok(Outcome {
        idle_sessions: sessions,
        bytes_per_idle_session: per_session,
        longest_turn_while_ending_ms: longest.as_secs_f64() * 1e3,
        longest_round_ms: longest_round.as_secs_f64() * 1e3,
        longest_round_cpu_ms: longest_cpu.as_secs_f64() * 1e3,
        ending_all_ms: ending.as_secs_f64() * 1e3,
        left,
    })
}
