//! Every limit refuses with its own reason and a time to come back; an overload costs the refused, not
//! the accepted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use common::{Core, Random, answered, key, ms, poisson, serve_one_batch, simulate, start, us};
use whisperengine_conversation_scheduler::{
    Config, OverloadPolicy, RefusalReason, Submission, SubmitOptions, TurnError,
};
use whisperengine_types::Priority;

fn core_with(change: impl FnOnce(&mut Config)) -> (Core, Instant) {
    let mut config = Config::default();
    change(&mut config);
    let now = start();
    (Core::new(config, now).unwrap(), now)
}

fn turn(session: usize, options: impl Into<SubmitOptions>) -> Submission<u64, u64> {
    Submission::new(key(session), session as u64, session as u64).with(options)
}

/// Serves so many turns, one at a time, for 10 ms each; the time afterwards.
fn serve_a_hundred_a_second(core: &mut Core, mut now: Instant, turns: usize) -> Instant {
    for n in 0..turns {
        core.submit(turn(n, Priority::Normal), now).unwrap();
        let mut batch = Vec::new();
        core.next_batch(&mut batch, now);
        now += ms(10);
        core.complete_batch(batch.into_iter().map(|d| d.lease), 1, ms(10), now);
    }
    now
}

#[test]
fn each_limit_refuses_with_its_reason() {
    let (mut core, now) = core_with(|config| {
        config.max_sessions = 5;
        config.max_queued = 8;
        config.max_queued_per_class = 6;
        config.max_queued_per_session = 3;
    });
    let mut refusal = |session, class| core.submit(turn(session, class), now).err().map(|r| r.reason);
    for _ in 0..3 {
        assert_eq!(refusal(0, Priority::Normal), None);
        assert_eq!(refusal(1, Priority::Normal), None);
    }
    let limit = 3;
    assert_eq!(
        refusal(0, Priority::High),
        Some(RefusalReason::SessionFull { limit })
    );
    let full = RefusalReason::ClassFull {
        class: Priority::Normal,
        limit: 6,
    };
    assert_eq!(refusal(2, Priority::Normal), Some(full));
    assert_eq!(refusal(2, Priority::High), None);
    assert_eq!(refusal(3, Priority::Low), None);
    let limit = 8;
    assert_eq!(
        refusal(4, Priority::Critical),
        Some(RefusalReason::QueueFull { limit })
    );
    assert_eq!(core.queued(), 8);
    serve_one_batch(&mut core, now);
    let mut refusal = |session, class| core.submit(turn(session, class), now).err().map(|r| r.reason);
    assert_eq!(refusal(4, Priority::Critical), None);
    let limit = 5;
    assert_eq!(
        refusal(5, Priority::Critical),
        Some(RefusalReason::SessionLimit { limit })
    );
    let refused = core.metrics(now).refused;
    assert_eq!(refused.total(), 4);
    assert_eq!((refused.session_full, refused.class_full), (1, 1));
    assert_eq!((refused.queue_full, refused.session_limit), (1, 1));
}

#[test]
fn a_refused_caller_learns_when_the_queue_is_drained() {
    let (mut core, now) = core_with(|config| {
        config.max_queued = 200;
        config.max_batch_turns = NonZeroUsize::MIN;
    });
    let now = serve_a_hundred_a_second(&mut core, now, 50);
    let rate = core.metrics(now).service_rate.unwrap();
    assert!((rate - 100.0).abs() < 1.0, "{rate} turns/s");
    for n in 0..200 {
        core.submit(turn(n, Priority::Normal), now).unwrap();
    }
    let refused = core.submit(turn(999, Priority::Normal), now).unwrap_err();
    assert_eq!(refused.reason, RefusalReason::QueueFull { limit: 200 });
    let retry = refused.retry_after.unwrap().as_secs_f64();
    assert!(
        (retry - 2.0).abs() < 0.05,
        "200 turns at 100/s, retry in {retry} s"
    );
}

/// At a tenth of the service the least urgent class would have to stay away for ten times as long as there is
/// anything to do: a crowd that came at once left the workers idle for seconds.
#[test]
fn a_refused_caller_comes_back_when_everything_is_drained_at_the_latest() {
    let (mut core, now) = core_with(|config| {
        config.max_wait = Duration::from_secs(2);
        config.max_batch_turns = NonZeroUsize::MIN;
    });
    let now = serve_a_hundred_a_second(&mut core, now, 100);
    let rate = core.metrics(now).service_rate.unwrap();
    let mut waiting = 0;
    for (class, turns) in [
        (Priority::Critical, 40),
        (Priority::High, 30),
        (Priority::Normal, 20),
    ] {
        for _ in 0..turns {
            core.submit(turn(waiting, class), now).unwrap();
            waiting += 1;
        }
    }
    let refused = loop {
        match core.submit(turn(waiting, Priority::Low), now) {
            Ok(_) => waiting += 1,
            Err(refused) => break refused,
        }
    };
    let RefusalReason::Overloaded { estimated, .. } = refused.reason else {
        panic!("{refused:?}");
    };
    let everything = waiting as f64 / rate;
    let retry = refused.retry_after.unwrap().as_secs_f64();
    assert!(estimated.as_secs_f64() > 1.5 * everything, "{estimated:?}");
    assert!(
        (retry / everything - 1.0).abs() < 0.01,
        "{waiting} turns at {rate}/s, retry in {retry} s"
    );
}

#[test]
fn what_was_measured_for_a_moment_keeps_nobody_away_for_long() {
    let (mut core, now) = core_with(|config| {
        config.max_queued = 200;
        config.max_batch_turns = NonZeroUsize::MIN;
    });
    // A first call that takes 10 ms, on whatever it finds in no cache.
    let now = serve_a_hundred_a_second(&mut core, now, 1);
    for n in 0..200 {
        core.submit(turn(n, Priority::Normal), now).unwrap();
    }
    let refused = core.submit(turn(999, Priority::Normal), now).unwrap_err();
    assert_eq!(
        refused.retry_after,
        Some(ms(80)),
        "not the 2 s that 200 such turns take"
    );
}

#[test]
fn before_the_first_turn_is_done_the_wait_is_judged_by_how_long_it_has_run() {
    let (mut core, now) = core_with(|config| {
        config.max_wait = ms(2);
        config.min_workers = NonZeroUsize::MIN;
        config.max_workers = Some(NonZeroUsize::MIN);
        config.max_batch_turns = NonZeroUsize::MIN;
    });
    let offer = |core: &mut Core, session, at| core.submit(turn(session, Priority::Normal), now + at);
    assert!(offer(&mut core, 0, ms(0)).is_ok());
    assert_eq!(core.next_batch(&mut Vec::new(), now), 1);
    // Nothing is known of a turn's time but that it is more than 1 ms: one in front, 1 ms of waiting.
    assert!(offer(&mut core, 1, ms(1)).is_ok(), "nobody else waits");
    assert!(offer(&mut core, 2, ms(1)).is_ok());
    assert_eq!(core.estimated_wait(&key(9), Priority::Normal), ms(2));
    // More than 3 ms, and two in front.
    let refused = offer(&mut core, 3, ms(3)).unwrap_err();
    let (estimated, limit) = (ms(6), ms(2));
    assert_eq!(refused.reason, RefusalReason::Overloaded { estimated, limit });
    assert_eq!(core.metrics(now).service_rate, None, "nothing is measured yet");
}

#[test]
fn a_session_limit_says_when_the_next_session_ends() {
    let (mut core, now) = core_with(|config| config.max_sessions = 1);
    core.submit(turn(0, Priority::Normal), now).unwrap();
    let refused = core
        .submit(turn(1, Priority::Normal), now + Duration::from_secs(600))
        .unwrap_err();
    let retry = refused.retry_after.unwrap();
    let expected = Duration::from_secs(1_200);
    assert!(
        retry >= expected && retry < expected + Duration::from_secs(4),
        "{retry:?}"
    );
}

#[test]
fn what_cannot_be_started_in_time_is_refused_at_once() {
    let (mut core, now) = core_with(|config| {
        config.max_wait = Duration::from_secs(1);
        config.max_batch_turns = NonZeroUsize::MIN;
    });
    let now = serve_a_hundred_a_second(&mut core, now, 1);
    let taken = (0..1_000).take_while(|&n| core.submit(turn(n, Priority::Normal), now).is_ok());
    let taken = taken.count();
    assert!((100..=102).contains(&taken), "{taken} turns within 1 s at 100/s");
    let refused = core.submit(turn(5_000, Priority::Normal), now).unwrap_err();
    assert!(
        matches!(refused.reason, RefusalReason::Overloaded { .. }),
        "{refused:?}"
    );
    // Another class has its own line and its own share.
    core.submit(turn(5_001, Priority::Critical), now).unwrap();
    let (mut core, now) = core_with(|_| ());
    let now = serve_a_hundred_a_second(&mut core, now, 1);
    for n in 0..50 {
        core.submit(turn(n, Priority::Normal), now).unwrap();
    }
    let short = SubmitOptions::new(Priority::Normal).deadline(ms(100));
    let refused = core.submit(turn(70, short), now).unwrap_err();
    assert!(
        matches!(refused.reason, RefusalReason::DeadlineTooShort { .. }),
        "{refused:?}"
    );
    core.submit(turn(70, short.deadline(ms(900))), now).unwrap();
}

#[test]
fn shedding_takes_the_oldest_of_the_lowest_class_and_tells_its_caller() {
    let (mut core, now) = core_with(|config| {
        config.max_queued = 4;
        config.overload = OverloadPolicy::Shed;
    });
    for (session, class) in [
        (0, Priority::Normal),
        (1, Priority::Low),
        (2, Priority::Low),
        (3, Priority::High),
    ] {
        core.submit(turn(session, class), now).unwrap();
    }
    core.submit(turn(4, Priority::Normal), now).unwrap();
    core.submit(turn(5, Priority::Critical), now).unwrap();
    assert_eq!(answered(&mut core), [(1, TurnError::Shed), (2, TurnError::Shed)]);
    core.submit(turn(6, Priority::High), now).unwrap();
    assert_eq!(answered(&mut core), [(0, TurnError::Shed)]);
    let refused = core.submit(turn(7, Priority::Normal), now).unwrap_err();
    assert_eq!(refused.reason, RefusalReason::QueueFull { limit: 4 });
    assert!(answered(&mut core).is_empty());
    assert_eq!(core.metrics(now).classes[3].dropped.shed, 2);
}

#[test]
fn a_reserved_place_is_there_when_it_is_used() {
    let (mut core, now) = core_with(|config| config.max_queued = 2);
    assert!(core.reserve() && core.reserve() && !core.reserve());
    let refused = core.submit(turn(0, Priority::Critical), now).unwrap_err();
    assert_eq!(refused.reason, RefusalReason::QueueFull { limit: 2 });
    core.submit_reserved(turn(1, Priority::Low), now).unwrap();
    core.release();
    core.submit(turn(2, Priority::Low), now).unwrap();
    assert!(!core.reserve());
}

/// Two workers, calls of 2 ms and 0.5 ms per turn with up to 4 turns: 2,000 turns a second at most.
fn overload(load: f64, max_wait: Duration) -> common::Outcome {
    let mut config = Config::default();
    config.min_workers = NonZeroUsize::new(2).unwrap();
    config.max_batch_turns = NonZeroUsize::new(4).unwrap();
    config.max_wait = max_wait;
    config.max_queued = 1_000_000;
    config.max_queued_per_class = 1_000_000;
    let mut random = Random(11);
    let arrivals = poisson(&mut random, 5_000, 2_000.0 * load, SPAN, |_| {
        Priority::Normal.into()
    });
    simulate(config, 2, &arrivals, |turns| ms(2) + us(500) * turns as u32)
}

const SPAN: Duration = Duration::from_secs(20);

#[test]
fn at_ten_times_the_load_goodput_stays_and_the_accepted_are_served_in_twice_the_unloaded_time() {
    let unloaded = overload(0.1, Duration::from_secs(5)).quantile(0.99, |_| true);
    let peak = overload(1.2, Duration::from_secs(3_600)).served_between(Duration::ZERO, SPAN);
    let outcome = overload(10.0, us(2_000));
    let good = outcome.served_between(Duration::ZERO, SPAN);
    let p99 = outcome.quantile(0.99, |_| true);
    println!("peak {peak}, at ten times {good}; p99 unloaded {unloaded:?}, overloaded {p99:?}");
    assert!(good as f64 >= 0.9 * peak as f64, "{good} of {peak}");
    assert!(p99 <= 2 * unloaded, "{p99:?} against {unloaded:?}");
    assert!(outcome.dropped.is_empty());
    let offered = 20_000.0 * SPAN.as_secs_f64();
    assert!(outcome.refused.len() as f64 > 0.85 * offered);
    for refused in &outcome.refused {
        assert!(
            matches!(refused.reason, RefusalReason::Overloaded { .. }),
            "{refused:?}"
        );
        assert!(refused.retry_after.is_some_and(|after| after >= ms(1)));
    }
    // The same without admission by wait: everyone is served, far too late.
    let unlimited = overload(10.0, Duration::from_secs(3_600));
    assert!(unlimited.quantile(0.99, |_| true) > 1_000 * unloaded);
}
