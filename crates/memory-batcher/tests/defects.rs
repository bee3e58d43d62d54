//! One test for each defect of the batcher before this one, named after it; on the machine, in simulated time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{
    delete, forget_all, id, owner, put_state, record, store, update,
    world::{Fault, World},
};
use whisperengine_memory_batcher::{BatcherError, Config, Dedup, IdempotencyKey, Input, Write};
use whisperengine_types::{MetadataValue, Priority};

fn world(set: impl FnOnce(&mut Config)) -> World {
    let mut config = Config::default();
    // What is looked at is easier to see where only one commit is in flight.
    config.parallel_commits = 1;
    set(&mut config);
    World::new(&config)
}

#[test]
fn a_failed_write_is_not_remembered_as_stored() {
    let ana = owner("ana");
    let mut world = world(|config| config.retry.max_attempts = 1);
    world.faults = [Fault::Down].into();
    let first = world.submit(store(&ana, record(1, "tea")));
    world.run();
    assert!(matches!(
        world.outcome(first),
        Err(BatcherError::Failed { attempts: 1, .. })
    ));
    assert!(world.model.texts(&ana).is_empty());
    let again = world.submit(store(&ana, record(1, "tea")));
    world.run();
    let written = world.outcome(again).as_ref().unwrap();
    assert_eq!((written.id.clone(), written.duplicate), (Some(id(1)), false));
    assert_eq!(world.model.texts(&ana), ["tea"]);
}

#[test]
fn a_duplicate_of_a_failing_write_gets_its_outcome_and_id() {
    let ana = owner("ana");
    for (faults, ok) in [(vec![Fault::Down; 2], true), (vec![Fault::Down; 9], false)] {
        let mut world = world(|_| {});
        world.faults = faults.into();
        let first = world.submit(store(&ana, record(1, "tea")));
        let mut same = record(1, "tea");
        same.id = id(77);
        let second = world.submit(store(&ana, same));
        world.run();
        assert_eq!(world.outcome(first).is_ok(), ok);
        match world.outcome(second) {
            Ok(written) => assert_eq!((written.id.clone(), written.duplicate), (Some(id(1)), true)),
            Err(error) => assert!(!ok && matches!(error, BatcherError::Failed { .. })),
        }
        assert_eq!(world.machine.stats().duplicates, 1);
    }
}

#[test]
fn a_legitimate_repeat_is_stored() {
    let (ana, ben) = (owner("ana"), owner("ben"));
    let mut world = world(|config| config.dedup_window = Duration::from_secs(5));
    let mut later = record(2, "good morning");
    later.id = id(3);
    for op in [
        store(&ana, record(1, "good morning")),
        // Another day, another person, another speaker, another kind of quote: all different memories.
        store(&ana, record(2, "good morning")),
        store(&ben, record(1, "good morning")),
    ] {
        world.submit(op);
    }
    let mut quoted = record(1, "good morning");
    quoted.id = id(4);
    quoted
        .metadata
        .insert("mood".to_owned(), MetadataValue::Float(0.5));
    world.submit(store(&ana, quoted));
    world.run();
    world.advance(Duration::from_secs(5));
    world.submit(store(&ana, later));
    world.run();
    assert_eq!(world.machine.stats().duplicates, 0);
    assert_eq!(world.model.texts(&ana).len(), 4);
    assert_eq!(world.model.texts(&ben).len(), 1);
}

#[test]
fn a_record_that_was_changed_or_removed_can_be_stored_again() {
    let ana = owner("ana");
    for between in [
        update(&ana, 1, "milk"),
        delete(&ana, 1),
        forget_all(&ana),
        store(&ana, record(1, "milk")),
    ] {
        let mut world = world(|_| {});
        let text = "tea";
        let mut first = record(1, text);
        first.sent_at = record(9, "").sent_at;
        world.submit(store(&ana, first.clone()));
        world.submit(between);
        let again = world.submit(store(&ana, first));
        world.run();
        assert!(!world.outcome(again).as_ref().unwrap().duplicate);
        assert_eq!(world.model.texts(&ana), [text]);
    }
}

#[test]
fn an_idempotency_key_is_the_callers_word() {
    let (ana, ben) = (owner("ana"), owner("ben"));
    let mut world = world(|_| {});
    let keyed = |op| Write::new(op).dedup(Dedup::Key(IdempotencyKey::new("message-1").unwrap()));
    world.submit(keyed(store(&ana, record(1, "tea"))));
    world.submit(delete(&ana, 1));
    let repeat = world.submit(keyed(store(&ana, record(2, "other words"))));
    let other = world.submit(keyed(store(&ben, record(2, "other words"))));
    world.run();
    let written = world.outcome(repeat).as_ref().unwrap();
    assert_eq!((written.id.clone(), written.duplicate), (Some(id(1)), true));
    assert!(!world.outcome(other).as_ref().unwrap().duplicate);
    assert!(
        world.model.texts(&ana).is_empty(),
        "a retry must not undo the deletion"
    );
    for bad in [String::new(), "x".repeat(257)] {
        assert!(matches!(
            IdempotencyKey::new(bad),
            Err(BatcherError::InvalidKey { .. })
        ));
    }
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
    let told = tokens
        .iter()
        .filter(|t| world.outcome(**t).as_ref().is_err_and(closed))
        .count();
    assert_eq!(told, 39);
    world.run();
    assert_eq!(world.reports.len(), 1, "the late commit changes nothing any more");
}

#[test]
fn the_most_urgent_is_served_first() {
    let mut world = world(|config| config.max_batch_items = 1);
    for n in 0..101 {
        let priority = if n == 100 {
            Priority::Critical
        } else {
            Priority::Low
        };
        let op = store(&owner(&format!("user{n}")), record(n, "tea"));
        world.submit(Write::new(op).priority(priority));
    }
    world.run();
    // The first was in flight when the others came.
    assert_eq!(world.answered[1], 100);
}

#[test]
fn the_least_urgent_is_served_in_the_end() {
    let mut world = world(|config| config.max_batch_items = 1);
    let low = world.submit(Write::new(store(&owner("quiet"), record(0, "tea"))).priority(Priority::Low));
    let blocked = world.submit(Write::new(store(&owner("quiet"), record(1, "tea"))).priority(Priority::Low));
    for n in 2..200 {
        let op = store(&owner("loud"), record(n, "me first"));
        world.submit(Write::new(op).priority(Priority::Critical));
        world.advance(Duration::from_millis(1));
    }
    world.run();
    let place = |token| world.answered.iter().position(|&t| t == token).unwrap();
    assert_eq!(place(low), 0);
    // Three classes lie between them, 20 ms each.
    assert!((60..=63).contains(&place(blocked)), "{}", place(blocked));
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
        let bytes: usize = ops.iter().map(|op| Write::new(op.clone()).bytes()).sum();
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
    world.commit_time = Duration::ZERO;
    world.faults = [Fault::None, Fault::Down, Fault::Down, Fault::Down].into();
    world.commit_time = Duration::from_millis(1);
    for n in 0..41 {
        world.submit(store(&owner(&format!("user{n}")), record(n, "tea")));
    }
    world.run();
    let sizes: Vec<usize> = world.batches.iter().map(|(_, ops)| ops.len()).collect();
    assert_eq!(&sizes[..5], [1, 40, 1, 1, 1], "{sizes:?}");
    assert_eq!(world.machine.stats().written, 41);
    assert_eq!(world.machine.stats().failed, 0);
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
fn dead_letters_are_listed_and_overtaken_ones_marked() {
    let ana = owner("ana");
    let mut world = world(|config| config.retry.max_attempts = 1);
    world.faults = vec![Fault::Down; 3].into();
    for n in 1..=3 {
        world.submit(store(&ana, record(n, "tea")));
        world.run();
    }
    world.submit(update(&ana, 9, "nothing there"));
    world.submit(store(&ana, record(2, "milk")));
    world.run();
    let letters: Vec<_> = world.machine.dead_letters().cloned().collect();
    let marks: Vec<_> = letters.iter().map(|l| (l.id.to_string(), l.superseded)).collect();
    let expected = [
        ("dead letter 1", false),
        ("dead letter 2", true),
        ("dead letter 3", false),
    ];
    assert_eq!(marks, expected.map(|(name, mark)| (name.to_owned(), mark)));
    world.submit(forget_all(&ana));
    world.run();
    assert_eq!(
        world.machine.dead_letters().count(),
        0,
        "what is forgotten is in no queue either"
    );
}

#[test]
fn a_deadline_withdraws_the_write() {
    let (ana, ben) = (owner("ana"), owner("ben"));
    let mut world = world(|_| {});
    world.commit_time = Duration::from_millis(10);
    world.submit(store(&ben, record(1, "tea")));
    let late = world.submit(Write::new(store(&ana, record(1, "tea"))).timeout(Duration::from_millis(5)));
    world.advance(Duration::from_millis(5));
    assert!(matches!(world.outcome(late), Err(BatcherError::DeadlineExceeded)));
    let again = world.submit(store(&ana, record(1, "tea")));
    world.run();
    assert!(!world.outcome(again).as_ref().unwrap().duplicate);
    assert_eq!(
        world.batches.iter().flat_map(|(_, ops)| ops).count(),
        2,
        "the first was never written"
    );
}

#[test]
fn a_duplicate_with_more_time_keeps_the_write_alive() {
    let (ana, ben) = (owner("ana"), owner("ben"));
    let mut world = world(|_| {});
    world.commit_time = Duration::from_millis(10);
    world.submit(store(&ben, record(1, "tea")));
    let hasty = world.submit(Write::new(store(&ana, record(1, "tea"))).timeout(Duration::from_millis(5)));
    let patient = world.submit(store(&ana, record(1, "tea")));
    world.run();
    assert!(matches!(
        world.outcome(hasty),
        Err(BatcherError::DeadlineExceeded)
    ));
    assert_eq!(world.outcome(patient).as_ref().unwrap().id, Some(id(1)));
    assert_eq!(world.model.texts(&ana), ["tea"]);
}

#[test]
fn a_reader_waits_for_pending_writes_and_no_longer_than_it_says() {
    let ana = owner("ana");
    let mut world = world(|config| config.retry.max_attempts = 100);
    world.commit_time = Duration::from_millis(10);
    let idle = world.wait_for(&ana, Duration::from_secs(1));
    assert_eq!(world.settled[&idle], 0);
    world.submit(Write::new(store(&ana, record(1, "tea"))).priority(Priority::Low));
    world.submit(store(&ana, record(2, "tea")));
    let reader = world.wait_for(&ana, Duration::from_secs(1));
    world.submit(store(&ana, record(3, "tea")));
    world.advance(Duration::from_millis(19));
    assert!(!world.settled.contains_key(&reader));
    // The second commit waits up to a millisecond for more.
    world.advance(Duration::from_millis(2));
    assert_eq!(world.settled[&reader], 0);
    world.faults = vec![Fault::Down; 50].into();
    world.submit(store(&ana, record(4, "tea")));
    let reader = world.wait_for(&ana, Duration::from_millis(30));
    world.advance(Duration::from_millis(30));
    assert_eq!(world.settled[&reader], 1, "one write is still pending");
}

#[test]
fn a_read_makes_its_owners_writes_urgent() {
    let mut world = world(|config| config.max_batch_items = 1);
    for n in 0..50 {
        world.submit(store(&owner(&format!("user{n}")), record(n, "tea")));
    }
    world.wait_for(&owner("user49"), Duration::from_secs(1));
    world.run();
    assert_eq!(world.answered[1], 49);
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
fn idle_owners_are_let_go() {
    let mut world = world(|_| {});
    for n in 0..5_000 {
        world.submit(store(&owner(&format!("user{n}")), record(n, "tea")));
        world.advance(Duration::from_secs(1));
    }
    let owners = world.machine.stats().owners;
    assert!(owners < 1_000, "{owners} owners held, of whom 300 wrote lately");
    // Whoever is unknown counts as having written before everyone who is known.
    let view = world.machine.view(&owner("user0"));
    assert!(view.last_write > 0 && view.last_write < view.as_of - 300);
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
fn another_owners_commit_is_not_waited_for() {
    let mut world = world(|config| {
        config.parallel_commits = 2;
        config.parallel_items = 4;
    });
    world.submit(store(&owner("ana"), record(0, "first")));
    for n in 1..4 {
        world.submit(store(&owner("ben"), record(n, "more")));
        world.submit(store(&owner("ana"), record(10 + n, "after the first")));
    }
    // Three of Ben's are not enough for a commit of their own, and Ana's have to follow her first.
    assert_eq!(world.batches.len(), 1);
    world.submit(store(&owner("ben"), record(4, "enough")));
    assert_eq!(world.batches.len(), 2);
    assert!(world.batches[1].1.iter().all(|op| *op.owner() == owner("ben")));
    world.run();
    assert_eq!(world.batches.len(), 3);
    assert_eq!(world.answered.len(), 8);
}
