//! The handle: bounds, groups, dead letters, the end.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    MemoryOfOps,
    gated::{Gated, until},
    owner, record, store, unavailable,
};
use whisperengine_memory_batcher::{BatcherError, Config, MemoryBatcher, Overload};
use whisperengine_types::{Committed, MemoryError, MemoryId, MemoryStore, WriteOp};

fn start(set: impl FnOnce(&mut Config)) -> (Arc<Gated>, MemoryBatcher) {
    let mut config = Config::default();
    set(&mut config);
    let gated = Arc::new(Gated::default());
    let batcher = MemoryBatcher::start(gated.clone(), config).unwrap();
    (gated, batcher)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_never_holds_more_than_its_size() {
    let (gated, batcher) = start(|config| config.queue_items = 20);
    gated.shut();
    let writers: Vec<_> = (0..495)
        .map(|n| {
            let batcher = batcher.clone();
            tokio::spawn(async move { batcher.store(&owner("ana"), record(n, "tea")).await })
        })
        .collect();
    let held = |b: &MemoryBatcher| {
        let stats = b.stats();
        stats.waiting_items + stats.in_flight_items
    };
    until(|| held(&batcher) == 20 && gated.commits() == 1).await;
    assert_eq!(batcher.stats().accepted, 20);
    assert!(matches!(
        batcher.submit_many([store(&owner("ana"), record(999, "tea"))]),
        Err(BatcherError::Full {
            what: "write",
            limit: 20
        })
    ));
    gated.open();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(gated.memory.model.lock().unwrap().texts(&owner("ana")).len(), 495);
}

/// A batch with several places of one owner once ended the thread that commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_may_have_several_places_in_one_batch() {
    let (gated, batcher) = start(|_| ());
    gated.shut();
    let first = batcher
        .submit_many([store(&owner("cem"), record(0, "tea"))])
        .unwrap();
    until(|| gated.commits() == 1).await;
    let of = |user: &'static str, n: u64| (1..=n).map(move |n| store(&owner(user), record(n, "tea")));
    let waiting = batcher.submit_many(of("ana", 50).chain(of("ben", 20))).unwrap();
    gated.open();
    let outcomes = first.await.into_iter().chain(waiting.await);
    assert!(outcomes.map(Result::unwrap).count() == 71);
    batcher.store(&owner("ana"), record(99, "tea")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_if_so_configured() {
    let (gated, batcher) = start(|config| {
        config.queue_items = 4;
        config.queue_bytes = 8_000;
        config.overload = Overload::Refuse;
    });
    gated.shut();
    let accepted = batcher
        .submit_many((0..4).map(|n| store(&owner("ana"), record(n, "tea"))))
        .unwrap();
    let refused = batcher.store(&owner("ana"), record(9, "tea")).await;
    assert!(matches!(refused, Err(BatcherError::Full { .. })));
    let huge = batcher.store(&owner("ana"), record(9, &"x".repeat(9_000))).await;
    assert!(
        matches!(huge, Err(BatcherError::TooLarge { limit: 8_000, .. })),
        "{huge:?}"
    );
    gated.open();
    assert!(accepted.await.iter().all(Result::is_ok));
    batcher.store(&owner("ana"), record(9, "tea")).await.unwrap();
    let large = batcher.store(&owner("ana"), record(10, &"x".repeat(6_000))).await;
    assert!(large.is_ok(), "three slots are enough for it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_writes_than_the_queue_holds_go_through_in_order() {
    let (gated, batcher) = start(|config| config.queue_items = 8);
    let outcomes = batcher
        .write_many((0..100).map(|n| store(&owner("ana"), record(n, "tea"))))
        .await;
    let ids: Vec<MemoryId> = outcomes.into_iter().map(|o| o.unwrap().id.unwrap()).collect();
    assert_eq!(ids, (0..100).map(common::id).collect::<Vec<_>>());
    let batches = gated.memory.batches.lock().unwrap();
    let written: Vec<MemoryId> = batches
        .iter()
        .flatten()
        .map(|op| match op {
            WriteOp::Store { record, .. } => record.id.clone(),
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(written, (0..100).map(common::id).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_can_be_replayed() {
    use whisperengine_types::MemoryStoreLayer;

    /// Down until it is switched on.
    #[derive(Debug, Default)]
    struct Down(MemoryOfOps, std::sync::atomic::AtomicBool);
    impl MemoryStoreLayer for Down {
        fn inner(&self) -> &dyn MemoryStore {
            &self.0
        }

        fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
            if self.1.load(std::sync::atomic::Ordering::SeqCst) {
                return self.0.commit(ops);
            }
            ops.iter().map(|_| Err(unavailable())).collect()
        }
    }
    let store = Arc::new(Down::default());
    let mut config = Config::default();
    config.retry.max_attempts = 1;
    let batcher = MemoryBatcher::start(store.clone(), config).unwrap();
    let ana = owner("ana");
    for n in 0..3 {
        let failed = batcher.store(&ana, record(n, "tea")).await;
        assert!(matches!(failed, Err(BatcherError::Failed { attempts: 1, .. })));
    }
    assert_eq!(
        (batcher.dead_letters().len(), batcher.dead_letter_count()),
        (3, 3)
    );
    let replay = batcher.replay_dead_letters().await;
    assert_eq!(
        (replay.written, replay.failed, batcher.dead_letters().len()),
        (0, 3, 3)
    );
    store.1.store(true, std::sync::atomic::Ordering::SeqCst);
    batcher.store(&ana, record(1, "milk")).await.unwrap();
    let replay = batcher.replay_dead_letters().await;
    assert_eq!((replay.written, replay.failed), (2, 0));
    assert!(batcher.dead_letters().is_empty());
    assert_eq!(store.0.model.lock().unwrap().texts(&ana), ["tea", "milk", "tea"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_answers_everyone_with_every_thread_stuck_in_a_commit() {
    let (gated, batcher) = start(|config| {
        config.max_batch_items = 10;
        config.parallel_commits = 1;
    });
    gated.shut();
    let submission = batcher
        .submit_many((0..30).map(|n| store(&owner("ana"), record(n, "tea"))))
        .unwrap();
    until(|| gated.commits() == 1).await;
    let report = batcher.shutdown(Duration::from_millis(1)).await.unwrap();
    assert_eq!(report.pending, 30);
    assert_eq!(report.in_doubt.len() + report.unwritten.len(), 30);
    let outcomes = submission.await;
    let in_doubt = outcomes
        .iter()
        .filter(|o| matches!(o, Err(BatcherError::InDoubt)))
        .count();
    let unwritten = outcomes
        .iter()
        .filter(|o| matches!(o, Err(BatcherError::Unwritten)))
        .count();
    assert_eq!(
        (in_doubt, unwritten),
        (report.in_doubt.len(), report.unwritten.len())
    );
    gated.open();
    let closed = batcher.store(&owner("ana"), record(99, "tea")).await;
    assert!(matches!(closed, Err(BatcherError::Closed)));
    drop(batcher.shutdown(Duration::ZERO).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_last_handle_writes_what_was_accepted() {
    let (gated, batcher) = start(|_| {});
    gated.shut();
    let submission = batcher
        .submit_many((0..30).map(|n| store(&owner("ana"), record(n, "tea"))))
        .unwrap();
    drop(batcher);
    gated.open();
    assert!(submission.await.iter().all(Result::is_ok));
    assert_eq!(gated.memory.model.lock().unwrap().texts(&owner("ana")).len(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_store_answers_everyone() {
    let (gated, batcher) = start(|_| {});
    gated.panic_from_now_on(true);
    let outcomes = batcher
        .write_many((0..40).map(|n| store(&owner("ana"), record(n, "tea"))))
        .await;
    assert!(
        outcomes
            .iter()
            .all(|o| matches!(o, Err(BatcherError::Panicked { .. })))
    );
    gated.panic_from_now_on(false);
    assert_eq!(batcher.replay_dead_letters().await.written, 40);
}

#[test]
fn settings_are_checked() {
    let memory = Arc::new(MemoryOfOps::default());
    let broken: [fn(&mut Config); 5] = [
        |config| config.max_batch_items = 0,
        |config| config.parallel_commits = 0,
        |config| config.queue_bytes = 1,
        |config| config.linger_share = f64::NAN,
        |config| config.retry.max_attempts = 0,
    ];
    for set in broken {
        let mut config = Config::default();
        set(&mut config);
        let refused = MemoryBatcher::start(memory.clone(), config);
        assert!(matches!(refused, Err(BatcherError::Config(_))));
    }
    let text = serde_json::to_string(&Config::default()).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), Config::default());
    assert!(text.contains(r#""max_delay":"1ms""#), "{text}");
    let set = r#"{"max_delay":"40us","retry":{"backoff":"250ms","max_backoff":"2h"}}"#;
    let config: Config = serde_json::from_str(set).unwrap();
    assert_eq!(config.max_delay, Duration::from_micros(40));
    assert_eq!(config.retry.backoff, Duration::from_millis(250));
    assert_eq!(config.retry.max_backoff, Duration::from_secs(7_200));
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), config);
    for wrong in [
        r#"{"max_bach_items":3}"#,
        r#"{"max_delay":"5"}"#,
        r#"{"max_delay":"-1s"}"#,
        r#"{"max_delay":""}"#,
    ] {
        assert!(serde_json::from_str::<Config>(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conclusion_is_called_once_whenever_the_outcomes_come() {
    let (gated, batcher) = start(|_| {});
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let submit = |n| {
        batcher
            .submit_many([
                store(&owner("ana"), record(n, "tea")),
                store(&owner("ben"), record(n, "tea")),
            ])
            .unwrap()
    };
    let send = |name: &'static str| {
        let heard = heard.clone();
        move |outcomes: Vec<Result<_, BatcherError>>| {
            let durable = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            heard.send((name, outcomes.len(), durable)).unwrap();
        }
    };

    gated.shut();
    submit(1).then(send("later"));
    assert!(hears.try_recv().is_err(), "nothing is stored yet");
    gated.open();
    assert_eq!(hears.recv().await, Some(("later", 2, 2)));

    let answered = submit(2);
    let written = |gated: &Gated| gated.memory.model.lock().unwrap().texts(&owner("ben")).len();
    until(|| written(&gated) == 2 && batcher.stats().in_flight_items == 0).await;
    answered.then(send("now"));
    assert_eq!(hears.recv().await, Some(("now", 2, 2)));

    batcher
        .submit_many([])
        .unwrap()
        .then(send("nothing was submitted"));
    assert_eq!(hears.recv().await, Some(("nothing was submitted", 0, 0)));

    // A conclusion that panics costs nobody else anything: both committing threads go on.
    for n in 3..9 {
        submit(n).then(|_| panic!("a caller's own mistake"));
        submit(n + 10).then(send("after a panic"));
        assert_eq!(hears.recv().await, Some(("after a panic", 2, 2)));
    }

    gated.shut();
    submit(30).then(send("in doubt at the end"));
    let report = batcher.shutdown(Duration::ZERO).await.unwrap();
    assert_eq!(report.unwritten.len() + report.in_doubt.len(), 2);
    let (name, outcomes, durable) = hears.recv().await.unwrap();
    assert_eq!((name, outcomes, durable), ("in doubt at the end", 2, 0));
    gated.open();
}

#[test]
fn a_group_never_waits_under_its_callers_lock() {
    let (gated, batcher) = start(|config| config.queue_items = 4);
    gated.shut();
    let mut group = batcher.group(6);
    let places: Vec<Result<usize, BatcherError>> = (0..5)
        .map(|n| group.submit(store(&owner("ana"), record(n, "tea"))))
        .collect();
    assert!(
        places[..4]
            .iter()
            .enumerate()
            .all(|(at, place)| matches!(place, Ok(n) if *n == at))
    );
    assert!(matches!(
        places[4],
        Err(BatcherError::Full {
            what: "write",
            limit: 4
        })
    ));
    let submission = group.finish();
    gated.open();
    let outcomes = submission.wait();
    let durable: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(durable, [true, true, true, true, false, false]);
    assert!(
        matches!(outcomes[5], Err(BatcherError::Closed)),
        "places that were not used"
    );
}
