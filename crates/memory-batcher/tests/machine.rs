//! The machine in simulated time: batches, order, retries, outages, dead letters, the end.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{
    delete, forget_all, owner, put_state, record, store, update,
    world::{Fault, World},
};
use whisperengine_memory_batcher::{BatcherError, Config, Input, estimated_bytes};
use whisperengine_types::{MemoryError, MetadataValue};

fn world(set: impl FnOnce(&mut Config)) -> World {
    let mut config = Config::default();
    // What is looked at is easier to see where only one commit is in flight.
    config.parallel_commits = 1;
    set(&mut config);
    World::new(&config)
}

/// A world whose store is away: two owners' writes have failed as often as they may.
fn down(set: impl FnOnce(&mut Config)) -> World {
    let mut world = world(set);
    world.commit_time = Duration::ZERO;
    world.faults = vec![Fault::Down; 1_000].into();
    for who in ["warm", "up", "twice"] {
        world.submit(store(&owner(who), record(0, "tea")));
    }
    world.run();
    assert!(world.machine.dead_letter_count() == 3);
    world
}

#[test]
fn every_kind_of_operation_is_answered() {
    let ana = owner("ana");
    let mut world = world(|_| {});
    let tokens = [
        world.submit(store(&ana, record(1, "tea"))),
        world.submit(update(&ana, 1, "milk")),
        world.submit(put_state(&ana, b"calm")),
        world.submit(delete(&ana, 1)),
        world.submit(forget_all(&ana)),
    ];
    let unknown = world.submit(delete(&ana, 8));
    world.run();
    for token in tokens {
        assert!(world.outcome(token).is_ok());
    }
    assert!(matches!(world.outcome(unknown), Err(BatcherError::Memory(_))));
}

#[test]
fn one_bad_record_fails_alone() {
    let ana = owner("ana");
    let mut world = world(|_| {});
    world.submit(store(&ana, record(9, "first")));
    let tokens = [("tea", true), ("", false), ("milk", true)].map(|(text, ok)| {
        let n = u64::from(world.ops.len() as u32);
        (world.submit(store(&ana, record(n, text))), ok)
    });
    world.run();
    for (token, ok) in tokens {
        assert_eq!(world.outcome(token).is_ok(), ok);
    }
    assert_eq!(
        world.machine.stats().dead_letters,
        0,
        "a bad request is not the store's fault"
    );
}

#[test]
fn a_batch_in_flight_is_answered_when_the_batcher_stops() {
    let mut world = world(|config| config.max_batch_items = 10);
    let ana = owner("ana");
    let tokens: Vec<_> = (0..100)
        .map(|n| world.submit(store(&ana, record(n, "tea"))))
        .collect();
    world.drain(Duration::from_secs(1));
    world.run();
    assert!(tokens.iter().all(|&token| world.outcome(token).is_ok()));
    assert_eq!(world.model.texts(&ana).len(), 100);
    let report = &world.reports[0];
    assert_eq!((report.pending, report.written), (100, 100));
    assert!(report.is_complete());
}

#[test]
fn a_drain_that_runs_out_of_time_says_what_is_not_written() {
    let mut world = world(|config| config.max_batch_items = 10);
    world.commit_time = Duration::from_millis(10);
    let ana = owner("ana");
    let tokens: Vec<_> = (0..40)
        .map(|n| world.submit(store(&ana, record(n, "tea"))))
        .collect();
    world.drain(Duration::from_millis(15));
    world.advance(Duration::from_millis(15));
    let report = world.reports[0].clone();
    assert_eq!(
        (
            report.pending,
            report.written,
            report.in_doubt.len(),
            report.unwritten.len()
        ),
        (40, 1, 10, 29)
    );
    let closed = |error: &BatcherError| matches!(error, BatcherError::Unwritten | BatcherError::InDoubt);
    let unwritten = tokens
        .iter()
        .filter(|t| world.outcome(**t).as_ref().is_err_and(closed))
        .count();
    assert_eq!(unwritten, 39);
    world.run();
    assert_eq!(world.reports.len(), 1, "the late commit changes nothing any more");
}

#[test]
fn writes_gather_while_a_commit_is_in_flight() {
    let mut world = world(|_| {});
    world.commit_time = Duration::from_millis(5);
    for n in 0..50 {
        world.submit(store(&owner(&format!("user{n}")), record(n, "tea")));
    }
    world.run();
    let sizes: Vec<usize> = world.batches.iter().map(|(_, ops)| ops.len()).collect();
    assert_eq!(
        sizes,
        [1, 49],
        "nobody waits when idle, everyone together under load"
    );
    assert_eq!(world.batches[0].0, world.start);
}

#[test]
fn batches_are_bounded_by_count_and_bytes() {
    let big = "x".repeat(10_000);
    let mut world = world(|config| {
        config.max_batch_items = 8;
        config.max_batch_bytes = 35_000;
    });
    for n in 0..20 {
        let text = if n < 10 { "tea" } else { &big };
        world.submit(store(&owner(&format!("user{n}")), record(n, text)));
    }
    world.run();
    for (_, ops) in &world.batches {
        let bytes: usize = ops.iter().map(estimated_bytes).sum();
        assert!(
            ops.len() <= 8 && bytes <= 35_000,
            "{} operations, {bytes} bytes",
            ops.len()
        );
    }
    assert_eq!(world.machine.stats().written, 20);
}

#[test]
fn metadata_of_every_type_is_stored() {
    let ana = owner("ana");
    let mut world = world(|_| {});
    let mut said = record(1, "tea");
    said.metadata.insert(
        "at".to_owned(),
        MetadataValue::Text("2026-11-22T18:47:00Z".to_owned()),
    );
    said.metadata.insert("n".to_owned(), MetadataValue::Int(3));
    said.metadata
        .insert("x".to_owned(), MetadataValue::Float(f64::MIN_POSITIVE));
    said.metadata.insert("yes".to_owned(), MetadataValue::Bool(true));
    let token = world.submit(store(&ana, said.clone()));
    world.run();
    assert!(world.outcome(token).is_ok());
    assert_eq!(*world.model.records[&ana]["1"], said);
}

#[test]
fn a_passing_failure_is_retried_with_growing_pauses() {
    let mut world = world(|config| config.retry.max_attempts = 6);
    world.commit_time = Duration::ZERO;
    world.faults = vec![Fault::Down; 5].into();
    let token = world.submit(store(&owner("ana"), record(1, "tea")));
    world.run();
    assert!(world.outcome(token).is_ok());
    let times: Vec<_> = world.batches.iter().map(|(at, _)| *at).collect();
    let pauses: Vec<f64> = times
        .windows(2)
        .map(|w| (w[1] - w[0]).as_secs_f64() * 1e3)
        .collect();
    for (pause, full) in pauses.iter().zip([5.0, 10.0, 20.0, 40.0, 80.0]) {
        assert!((full / 2.0..=full).contains(pause), "{pauses:?}");
    }
    assert_eq!(world.machine.stats().retries, 5);
}

#[test]
fn one_owners_failure_holds_up_nobody_else() {
    let (ana, ben) = (owner("ana"), owner("ben"));
    let mut world = world(|_| {});
    world.commit_time = Duration::from_millis(1);
    world.faults = [Fault::None, Fault::Some(0b01)].into();
    world.submit(store(&owner("warm-up"), record(0, "tea")));
    let slow = world.submit(store(&ana, record(1, "tea")));
    let quick = world.submit(store(&ben, record(1, "tea")));
    world.advance(Duration::from_millis(3));
    assert!(world.answers.contains_key(&quick) && !world.answers.contains_key(&slow));
    world.run();
    assert!(world.outcome(slow).is_ok());
}

#[test]
fn spurious_events_change_nothing() {
    let mut world = world(|_| {});
    let now = world.now;
    world.machine.handle(
        Input::Committed {
            batch: 7,
            results: Vec::new(),
        },
        now,
    );
    world.machine.handle(
        Input::Panicked {
            batch: 7,
            reason: String::new(),
        },
        now,
    );
    world.machine.handle_timeout(now);
    assert!(world.machine.poll_output(now).is_none() && world.machine.poll_timeout().is_none());
}

#[test]
fn the_retry_budget_is_shared() {
    let mut world = world(|config| {
        config.retry.budget_items = 3;
        config.retry.budget_ratio = 0.0;
    });
    world.faults = vec![Fault::Down; 50].into();
    for n in 0..10 {
        world.submit(store(&owner("ana"), record(n, "tea")));
    }
    world.run();
    assert_eq!(
        world.batches.len(),
        4,
        "a first attempt, and three more among all"
    );
    assert_eq!(world.machine.stats().dead_letters, 10);
}

#[test]
fn an_outage_is_probed_with_single_operations() {
    let mut world = world(|_| {});
    world.commit_time = Duration::from_millis(1);
    world.faults = [Fault::None, Fault::Down, Fault::Down, Fault::Down].into();
    for n in 0..41 {
        world.submit(store(&owner(&format!("user{n}")), record(n, "tea")));
    }
    world.run();
    let sizes: Vec<usize> = world.batches.iter().map(|(_, ops)| ops.len()).collect();
    assert_eq!(&sizes[..5], [1, 40, 1, 1, 1], "{sizes:?}");
    assert_eq!(
        (world.machine.stats().written, world.machine.stats().failed),
        (41, 0)
    );
}

#[test]
fn an_outage_answers_everyone_within_the_retries_of_one() {
    for owners in [1, 2, 32] {
        let mut world = world(|_| {});
        world.commit_time = Duration::from_millis(1);
        world.faults = vec![Fault::Down; 10_000].into();
        for n in 0..32 {
            world.submit(store(&owner(&format!("user{}", n % owners)), record(n, "tea")));
        }
        world.run();
        let last = world.answered_at.values().max().unwrap();
        let took = *last - world.start;
        // 5 + 10 + ... + 320 ms at most, and the same once more for the first write of a single owner.
        assert!(took < Duration::from_millis(1_300), "{owners} owners: {took:?}");
        assert_eq!(world.machine.dead_letter_count(), 32);
    }
}

#[test]
fn while_the_store_is_down_writes_are_answered_at_once_and_probe_now_and_then() {
    let mut world = down(|_| {});
    let tried = world.batches.len();
    for n in 0..200 {
        let token = world.submit(store(&owner("ana"), record(n, "tea")));
        world.advance(Duration::from_millis(10));
        assert!(world.answers.contains_key(&token), "write {n} waits");
    }
    let probes = world.batches.len() - tried;
    assert!((1..=5).contains(&probes), "{probes} probes in 2 s");
    world.faults.clear();
    world.advance(Duration::from_secs(2));
    let back = world.submit(store(&owner("ana"), record(900, "tea")));
    world.run();
    assert!(world.outcome(back).is_ok());
    world.replay();
    world.run();
    assert_eq!(world.replays.last().unwrap().written, 203);
    assert_eq!(world.model.texts(&owner("ana")).len(), 201);
}

#[test]
fn a_read_only_store_makes_dead_letters_at_once() {
    let mut world = world(|_| {});
    world.faults = [Fault::ReadOnly].into();
    let token = world.submit(store(&owner("ana"), record(1, "tea")));
    world.run();
    assert!(matches!(
        world.outcome(token),
        Err(BatcherError::Failed { attempts: 1, .. })
    ));
    world.replay();
    world.run();
    assert_eq!(world.model.texts(&owner("ana")), ["tea"]);
}

#[test]
fn dead_letters_are_bounded_and_the_newest_is_refused() {
    let mut world = down(|config| config.dead_letter_items = 10);
    let tokens: Vec<_> = (0..30)
        .map(|n| {
            let token = world.submit(store(&owner("ana"), record(n, "tea")));
            world.advance(Duration::from_millis(100));
            token
        })
        .collect();
    world.run();
    let full = |outcome: &_| {
        matches!(
            outcome,
            Err(BatcherError::Full {
                what: "dead letter",
                limit: 10
            })
        )
    };
    let kept: Vec<bool> = tokens.iter().map(|&token| !full(world.outcome(token))).collect();
    assert_eq!(kept, (0..30).map(|n| n < 7).collect::<Vec<_>>());
    assert_eq!(
        (world.machine.dead_letter_count(), world.machine.stats().refused),
        (10, 23)
    );
    world.faults.clear();
    world.advance(Duration::from_secs(2));
    let forgotten = world.submit(forget_all(&owner("somebody")));
    world.run();
    assert!(
        world.outcome(forgotten).is_ok(),
        "what is never a letter needs no room, and probes"
    );
    world.replay();
    world.run();
    assert_eq!(world.replays.last().unwrap().written, 10);
    assert_eq!(
        world.model.texts(&owner("ana")).len(),
        7,
        "what was said to be kept is written"
    );
}

#[test]
fn a_forgetting_that_failed_is_not_made_later_and_takes_dead_letters_with_it() {
    let (ana, ben) = (owner("ana"), owner("ben"));
    let mut world = down(|_| {});
    for who in [&ana, &ben] {
        world.submit(store(who, record(1, "before")));
        world.submit(put_state(who, b"before"));
    }
    let forgotten = world.submit(forget_all(&ana));
    world.run();
    let refused = world.outcome(forgotten);
    let is_unavailable = |error: &MemoryError| error.is_unavailable();
    assert!(
        matches!(refused, Err(BatcherError::Memory(error)) if is_unavailable(error)),
        "{refused:?}"
    );
    let letters: Vec<_> = world
        .machine
        .dead_letters()
        .map(|letter| letter.op.clone())
        .collect();
    assert!(letters.iter().all(|op| *op.owner() != ana));
    assert_eq!(letters.iter().filter(|op| *op.owner() == ben).count(), 2);

    world.faults.clear();
    world.advance(Duration::from_secs(2));
    let since: Vec<_> = (2..5)
        .map(|n| world.submit(store(&ana, record(n, "since"))))
        .collect();
    world.run();
    assert!(since.iter().all(|&token| world.outcome(token).is_ok()));
    world.replay();
    world.run();
    assert_eq!(world.model.texts(&ana), ["since"; 3]);
    assert_eq!(world.model.texts(&ben), ["before"]);
    assert_eq!(world.model.states.get(&ana), None);
}

#[test]
fn a_later_write_of_the_same_record_or_state_makes_a_letter_void() {
    let ana = owner("ana");
    let mut world = world(|config| config.retry.max_attempts = 1);
    world.faults = vec![Fault::Down; 4].into();
    for n in 1..=3 {
        world.submit(store(&ana, record(n, "old")));
        world.run();
    }
    world.submit(put_state(&ana, b"old"));
    world.run();
    world.submit(update(&ana, 9, "nothing there"));
    world.submit(store(&ana, record(2, "new")));
    world.submit(put_state(&ana, b"new"));
    world.run();
    let names: Vec<String> = world
        .machine
        .dead_letters()
        .map(|letter| letter.id.to_string())
        .collect();
    assert_eq!(names, ["dead letter 1", "dead letter 3"]);
    world.replay();
    world.run();
    assert_eq!(world.model.texts(&ana), ["old", "new", "old"]);
    assert_eq!(world.model.states[&ana].as_ref(), b"new");
}

#[test]
fn a_replay_waits_for_a_newer_write_under_way() {
    let ana = owner("ana");
    let mut world = world(|config| config.retry.max_attempts = 1);
    world.commit_time = Duration::from_millis(10);
    world.faults = vec![Fault::Down].into();
    world.submit(put_state(&ana, b"old"));
    world.run();
    world.submit(put_state(&ana, b"new"));
    world.replay();
    assert_eq!(world.replays[0], whisperengine_memory_batcher::Replay::default());
    world.run();
    world.replay();
    world.run();
    assert_eq!(world.model.states[&ana].as_ref(), b"new");
    assert_eq!(world.machine.dead_letter_count(), 0);
}

#[test]
fn only_the_operation_that_makes_the_store_panic_fails() {
    let mut world = world(|_| {});
    world.commit_time = Duration::from_millis(1);
    // The batch of four, and of its operations alone the third.
    world.faults = [
        Fault::None,
        Fault::PanicBefore,
        Fault::None,
        Fault::None,
        Fault::PanicAfter,
    ]
    .into();
    let tokens: Vec<_> = (0..5)
        .map(|n| world.submit(store(&owner(&format!("user{n}")), record(n, "tea"))))
        .collect();
    world.run();
    let ok: Vec<bool> = tokens.iter().map(|&token| world.outcome(token).is_ok()).collect();
    assert_eq!(ok, [true, true, true, false, true]);
    assert!(matches!(
        world.outcome(tokens[3]),
        Err(BatcherError::Panicked { letter: Some(_), .. })
    ));
}

#[test]
fn owners_without_pending_writes_are_let_go() {
    let mut world = world(|_| {});
    for n in 0..500 {
        world.submit(store(&owner(&format!("user{n}")), record(n, "tea")));
        world.advance(Duration::from_millis(n % 3));
    }
    world.run();
    assert_eq!(world.machine.stats().owners, 0);
    assert_eq!(
        world.machine.poll_timeout(),
        None,
        "a machine at rest sets no timer"
    );
}

#[test]
fn one_owner_with_many_writes_leaves_room_for_the_others() {
    let mut world = world(|config| config.max_batch_items = 64);
    world.commit_time = Duration::from_millis(1);
    for n in 0..1_000 {
        world.submit(store(&owner("flood"), record(n, "tea")));
    }
    let other = world.submit(store(&owner("quiet"), record(0, "tea")));
    world.advance(Duration::from_millis(4));
    assert!(world.answers.contains_key(&other));
}

#[test]
fn another_owners_commit_is_not_waited_for() {
    let mut world = world(|config| config.parallel_commits = 2);
    world.submit(store(&owner("ana"), record(0, "first")));
    for n in 1..16 {
        world.submit(store(&owner("ben"), record(n, "more")));
        world.submit(store(&owner("ana"), record(100 + n, "after the first")));
    }
    // Fifteen of Ben's are not enough for a commit of their own, and Ana's have to follow her first.
    assert_eq!(world.batches.len(), 1);
    world.submit(store(&owner("ben"), record(16, "enough")));
    assert_eq!(world.batches.len(), 2);
    assert!(world.batches[1].1.iter().all(|op| *op.owner() == owner("ben")));
    world.run();
    assert_eq!((world.batches.len(), world.answered.len()), (3, 32));
}
