//! One test for each defect of the first system's conversation manager (and of its engine's queues),
//! named after what it did wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{Core, answered, key, key_in, ms, serve_one_batch, start};
use whisperengine_conversation_scheduler::{
    Config, OverloadPolicy, PriorityScore, RefusalReason, Scheduler, ScoreInput, Submission, Turn, TurnError,
};
use whisperengine_types::Priority;

fn core(change: impl FnOnce(&mut Config)) -> (Core, std::time::Instant) {
    let mut config = Config::default();
    change(&mut config);
    let now = start();
    (Core::new(config, now).unwrap(), now)
}

fn turn(session: usize, token: u64, class: Priority) -> Submission<u64, u64> {
    Submission::new(key(session), token, token).with(class)
}

#[tokio::test]
async fn urgent_messages_were_processed_twice() {
    let runs = Arc::new(Mutex::new(BTreeMap::<u64, u32>::new()));
    let log = Arc::clone(&runs);
    let work = move |turns: &[Turn<u64>]| -> Vec<u64> {
        let mut log = log.lock().unwrap();
        turns
            .iter()
            .for_each(|turn| *log.entry(turn.payload).or_default() += 1);
        turns.iter().map(|turn| turn.payload).collect()
    };
    let scheduler = Scheduler::start(Config::default(), work).unwrap();
    let classes = [Priority::Critical, Priority::High];
    let turns = (0..400).map(|n| Submission::new(key(n % 40), n as u64, ()).with(classes[n % 2]));
    scheduler.submit_many(turns).all().await;
    scheduler.shutdown(Duration::from_secs(60)).await;
    assert_eq!(*runs.lock().unwrap(), (0..400).map(|n| (n, 1)).collect());
}

#[tokio::test]
async fn normal_and_low_messages_were_never_processed_and_no_result_was_delivered() {
    let work = |turns: &[Turn<u64>]| turns.iter().map(|turn| turn.payload * 10).collect();
    let scheduler = Scheduler::start(Config::default(), work).unwrap();
    for class in Priority::ALL {
        let ticket = scheduler.submit(key(0), 7, class).unwrap();
        assert_eq!(ticket.await, Ok(70), "{class}");
    }
}

#[test]
fn the_session_limit_was_not_enforced() {
    let (mut core, now) = core(|config| config.max_sessions = 10);
    let taken = (0..51).filter(|&n| core.submit(turn(n, 0, Priority::Normal), now).is_ok());
    assert_eq!(taken.count(), 10);
    let metrics = core.metrics(now);
    assert_eq!((metrics.active_sessions, metrics.refused.session_limit), (10, 41));
}

#[test]
fn an_unknown_priority_was_a_key_error() {
    let error = "urgent!!".parse::<Priority>().unwrap_err();
    assert_eq!(error.text, "urgent!!");
}

#[test]
fn a_full_queue_dropped_the_oldest_in_silence_and_grew_for_urgent_ones() {
    let (mut core, now) = core(|config| {
        config.max_queued = 100;
        config.overload = OverloadPolicy::Shed;
    });
    for n in 0..100 {
        core.submit(turn(n, n as u64, Priority::Low), now).unwrap();
    }
    let urgent = (100..400).filter(|&n| core.submit(turn(n, n as u64, Priority::High), now).is_ok());
    assert_eq!(urgent.count(), 100);
    assert_eq!(core.queued(), 100);
    let dropped: Vec<_> = answered(&mut core);
    assert_eq!(
        dropped,
        (0..100).map(|n| (n, TurnError::Shed)).collect::<Vec<_>>()
    );
}

#[test]
fn critical_messages_waited_behind_low_ones() {
    let (mut core, now) = core(|config| config.max_batch_turns = NonZeroUsize::MIN);
    for n in 0..2_000 {
        core.submit(turn(n, n as u64, Priority::Low), now).unwrap();
    }
    // Four of a round may go first; after them one low turn has its share of the round.
    for round in 0..10 {
        for n in 0..4 {
            let session = 5_000 + round * 4 + n;
            core.submit(turn(session, 9_999, Priority::Critical), now)
                .unwrap();
            assert_eq!(
                serve_one_batch(&mut core, now),
                [9_999],
                "turn {n} of round {round} was not next"
            );
        }
        assert_ne!(serve_one_batch(&mut core, now), [9_999]);
    }
}

#[tokio::test]
async fn every_queued_message_was_lost_on_stop() {
    let done = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&done);
    let work = move |turns: &[Turn<u64>]| {
        counter.fetch_add(turns.len(), Ordering::Relaxed);
        vec![(); turns.len()]
    };
    let scheduler = Scheduler::start(Config::default(), work).unwrap();
    let many = scheduler.submit_many((0..3_051).map(|n| Submission::new(key(n % 500), n as u64, ())));
    let report = scheduler.shutdown(Duration::from_secs(600)).await;
    assert!(report.handed_back.is_empty());
    assert_eq!(done.load(Ordering::Relaxed), 3_051);
    assert!(many.all().await.iter().all(Result::is_ok));
    // With no time to serve them they come back, each to its caller and all to the caller of `shutdown`.
    let (mut core, now) = core(|_| ());
    for n in 0..3_051 {
        core.submit(turn(n, n as u64, Priority::ALL[n % 4]), now).unwrap();
    }
    core.drain(now);
    core.handle_timeout(now);
    let mut back = answered(&mut core);
    back.sort_by_key(|(token, _)| *token);
    assert!(
        back.into_iter()
            .eq((0..3_051).map(|n| (n, TurnError::HandedBack)))
    );
    assert!(core.is_drained());
}

#[tokio::test]
async fn the_callers_context_was_changed() {
    let context = Arc::new(BTreeMap::from([("mood", "calm")]));
    let work = |turns: &[Turn<Arc<BTreeMap<&'static str, &'static str>>>]| {
        turns.iter().map(|turn| turn.payload.len()).collect()
    };
    let scheduler = Scheduler::start(Config::default(), work).unwrap();
    let ticket = scheduler
        .submit(key(0), Arc::clone(&context), Priority::High)
        .unwrap();
    assert_eq!(ticket.await, Ok(1));
    assert_eq!(*context, BTreeMap::from([("mood", "calm")]));
}

#[tokio::test]
async fn one_consumer_served_everybody() {
    // Four calls can only end together: with fewer than four at work the barrier would never open.
    let barrier = Barrier::new(4);
    let work = move |turns: &[Turn<u64>]| {
        barrier.wait();
        vec![(); turns.len()]
    };
    let mut config = Config::default();
    config.min_workers = NonZeroUsize::new(4).unwrap();
    config.max_workers = NonZeroUsize::new(4);
    config.max_batch_turns = NonZeroUsize::MIN;
    let scheduler = Scheduler::start(config, work).unwrap();
    let answers = scheduler
        .submit_many((0..8).map(|n| Submission::new(key(n), 0, ())))
        .all()
        .await;
    assert_eq!(answers.len(), 8);
}

#[test]
fn the_order_of_one_persons_messages_was_not_kept() {
    let (mut core, now) = core(|_| ());
    for n in 0..40 {
        core.submit(turn(0, n, Priority::ALL[3 - n as usize % 4]), now)
            .unwrap();
    }
    let mut served = Vec::new();
    while core.queued() > 0 {
        served.extend(serve_one_batch(&mut core, now));
    }
    assert!(served.into_iter().eq(0..40));
}

#[test]
fn the_priority_score_was_computed_and_never_used() {
    let (mut core, now) = core(|_| ());
    let score = |text| {
        PriorityScore::of(&ScoreInput {
            text,
            ..ScoreInput::default()
        })
    };
    core.submit(
        Submission::new(key(0), 0, 0).with(score("lovely weather today")),
        now,
    )
    .unwrap();
    core.submit(
        Submission::new(key(1), 1, 1).with(score("I need help, urgent")),
        now,
    )
    .unwrap();
    let mut batch = Vec::new();
    core.next_batch(&mut batch, now);
    let classes: Vec<_> = batch.iter().map(|d| (d.turn.payload, d.turn.class)).collect();
    assert_eq!(classes, [(1, Priority::High), (0, Priority::Normal)]);
    assert_eq!(batch[0].turn.priority.score().unwrap().total(), 80);
}

#[test]
fn messages_per_second_counted_the_managers_own_ticks() {
    let (mut core, mut now) = core(|config| config.max_batch_turns = NonZeroUsize::new(4).unwrap());
    for _ in 0..1_000 {
        now += ms(1);
        core.handle_timeout(now);
    }
    assert_eq!(core.metrics(now).service_rate, None);
    // One worker, four turns in each call of 20 ms: 200 a second, however often it is asked.
    for n in 0..200 {
        for session in 0..4 {
            core.submit(turn(session, n, Priority::Normal), now).unwrap();
        }
        let mut batch = Vec::new();
        core.next_batch(&mut batch, now);
        now += ms(20);
        core.complete_batch(batch.into_iter().map(|d| d.lease), 4, ms(20), now);
        core.handle_timeout(now);
    }
    let metrics = core.metrics(now);
    assert!((metrics.service_rate.unwrap() - 200.0).abs() < 2.0);
    assert!(metrics.utilisation > 0.9);
    assert_eq!(metrics.classes[2].started, 800);
}

#[test]
fn one_session_per_person_whatever_the_channel() {
    let (mut core, now) = core(|_| ());
    for channel in 0..3 {
        core.submit(Submission::new(key_in(0, channel), channel as u64, 0), now)
            .unwrap();
    }
    assert_eq!(core.metrics(now).active_sessions, 3);
    // And so one channel does not wait for the other.
    assert_eq!(serve_one_batch(&mut core, now), [0, 1, 2]);
}

#[test]
fn empty_channel_sets_were_never_removed() {
    let (mut core, now) = core(|_| ());
    for n in 0..500 {
        core.submit(Submission::new(key_in(n, n / 5), 0, 0), now).unwrap();
    }
    while !serve_one_batch(&mut core, now).is_empty() {}
    assert_eq!(core.metrics(now).channels, 100);
    let later = now + Duration::from_secs(3_600);
    while core.poll_timeout().is_some_and(|next| next <= later) {
        core.handle_timeout(later);
    }
    assert_eq!(core.metrics(now).channels, 0);
}

#[test]
fn idle_cleanup_could_delete_a_session_in_use() {
    let (mut core, now) = core(|_| ());
    core.submit(turn(0, 1, Priority::Normal), now).unwrap();
    core.submit(turn(0, 2, Priority::Normal), now).unwrap();
    let mut batch = Vec::new();
    core.next_batch(&mut batch, now);
    let late = now + Duration::from_secs(7_200);
    core.handle_timeout(late);
    assert_eq!(core.metrics(late).active_sessions, 1);
    core.complete_batch(batch.into_iter().map(|d| d.lease), 1, ms(1), late);
    assert_eq!(serve_one_batch(&mut core, late), [2]);
    core.handle_timeout(late + Duration::from_secs(7_200));
    assert_eq!(core.metrics(late).active_sessions, 0);
}

#[test]
fn helpful_was_a_cry_for_help() {
    let class = |text| {
        PriorityScore::of(&ScoreInput {
            text,
            ..ScoreInput::default()
        })
        .class()
    };
    assert_eq!(class("you were helpful, I am happy"), Priority::Normal);
    assert_eq!(class("help"), Priority::High);
}

#[test]
fn a_full_queue_was_answered_with_silence() {
    let (mut core, now) = core(|config| config.max_queued = 1);
    core.submit(turn(0, 0, Priority::Normal), now).unwrap();
    let refused = core.submit(turn(1, 1, Priority::Normal), now).unwrap_err();
    assert_eq!(refused.reason, RefusalReason::QueueFull { limit: 1 });
    assert!(refused.retry_after.is_some());
}
