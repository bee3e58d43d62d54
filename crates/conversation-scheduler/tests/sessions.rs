//! Sessions begin, fall idle and end; channels live as long as somebody is in them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Core, key, key_in, ms, serve_one_batch, start};
use whisperengine_conversation_scheduler::{Config, Output, RefusalReason, Submission};

const IDLE: Duration = Duration::from_secs(30 * 60);

fn ended(core: &mut Core) -> usize {
    let mut ended = 0;
    while let Some(output) = core.poll_output() {
        ended += usize::from(matches!(output, Output::SessionEnded(_)));
    }
    ended
}

/// Runs every timer that is due.
fn run_timers(core: &mut Core, now: std::time::Instant) {
    while core.poll_timeout().is_some_and(|next| next <= now) {
        core.handle_timeout(now);
    }
}

#[test]
fn an_idle_session_ends_after_its_timeout_and_a_used_one_does_not() {
    let begin = start();
    let mut core = Core::new(Config::default(), begin).unwrap();
    for n in 0..3 {
        core.submit(Submission::new(key(n), 0, 0), begin).unwrap();
    }
    serve_one_batch(&mut core, begin);
    let later = begin + IDLE / 2;
    core.submit(Submission::new(key(1), 0, 0), later).unwrap();
    serve_one_batch(&mut core, later);
    run_timers(&mut core, begin + IDLE.saturating_sub(ms(1)));
    assert_eq!(ended(&mut core), 0);
    run_timers(&mut core, begin + IDLE + Duration::from_secs(2));
    assert_eq!(ended(&mut core), 2);
    assert_eq!(core.metrics(begin).active_sessions, 1);
    run_timers(&mut core, later + IDLE + Duration::from_secs(2));
    assert_eq!(ended(&mut core), 1);
    let metrics = core.metrics(later);
    assert_eq!((metrics.active_sessions, metrics.expired_sessions), (0, 3));
    assert_eq!(core.poll_timeout(), None);
}

#[test]
fn a_session_that_ends_makes_room_for_another() {
    let begin = start();
    let mut config = Config::default();
    config.max_sessions = 2;
    let mut core = Core::new(config, begin).unwrap();
    core.submit(Submission::new(key(0), 0, 0), begin).unwrap();
    core.submit(Submission::new(key(1), 0, 0), begin).unwrap();
    serve_one_batch(&mut core, begin);
    let refused = core.submit(Submission::new(key(2), 0, 0), begin).unwrap_err();
    assert_eq!(refused.reason, RefusalReason::SessionLimit { limit: 2 });
    let back = begin + refused.retry_after.unwrap();
    run_timers(&mut core, back);
    core.submit(Submission::new(key(2), 0, 0), back).unwrap();
}

#[test]
fn a_session_that_begins_again_counts_from_one() {
    let begin = start();
    let mut core = Core::new(Config::default(), begin).unwrap();
    let submit = |core: &mut Core, now| core.submit(Submission::new(key(0), 0, 0), now).unwrap().sequence;
    assert_eq!((submit(&mut core, begin), submit(&mut core, begin)), (1, 2));
    serve_one_batch(&mut core, begin);
    serve_one_batch(&mut core, begin);
    let later = begin + 2 * IDLE;
    run_timers(&mut core, later);
    assert_eq!(submit(&mut core, later), 1);
}

#[test]
fn a_great_many_sessions_end_in_bounded_rounds() {
    let begin = start();
    let mut core = Core::new(Config::default(), begin).unwrap();
    let sessions = 20_000;
    for n in 0..sessions {
        core.submit(Submission::new(key(n), 0, 0), begin).unwrap();
        serve_one_batch(&mut core, begin);
    }
    let late = begin + 2 * IDLE;
    let mut rounds = 0;
    let mut all = 0;
    while core.poll_timeout().is_some_and(|next| next <= late) {
        core.handle_timeout(late);
        let round = ended(&mut core);
        assert!(round <= Core::TIMER_BUDGET, "{round} sessions in one round");
        all += round;
        rounds += 1;
    }
    assert_eq!(all, sessions);
    assert!(rounds >= sessions / Core::TIMER_BUDGET);
    assert_eq!(core.metrics(late).channels, 0);
}

#[test]
fn people_are_counted_by_channel() {
    let begin = start();
    let mut core = Core::new(Config::default(), begin).unwrap();
    for user in 0..7 {
        core.submit(Submission::new(key_in(user, 1), 0, 0), begin)
            .unwrap();
    }
    core.submit(Submission::new(key_in(0, 2), 0, 0), begin).unwrap();
    while !serve_one_batch(&mut core, begin).is_empty() {}
    let people = |core: &Core, channel| core.signals(&key_in(0, channel), begin).active_people;
    assert_eq!((people(&core, 1), people(&core, 2), people(&core, 3)), (7, 1, 0));
    assert_eq!(core.metrics(begin).channels, 2);
    let signals = core.signals(&key_in(3, 1), begin + ms(500));
    assert_eq!((signals.earlier_messages, signals.since_last), (1, Some(ms(500))));
    assert_eq!(core.signals(&key_in(9, 1), begin).since_last, None);
    run_timers(&mut core, begin + 2 * IDLE);
    assert_eq!((people(&core, 1), people(&core, 2)), (0, 0));
    assert_eq!(core.metrics(begin).channels, 0);
}
