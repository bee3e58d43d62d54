//! The handle: bounds, convenience, dead letters, the end.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    MemoryOfOps,
    gated::{Gated, until},
    owner, query, record, store, unavailable,
};
use whisperengine_memory_batcher::{BatcherError, Config, Exchange, Fact, MemoryBatcher, Overload, Write};
use whisperengine_types::{
    Committed, MemoryError, MemoryId, MemoryKind, MemoryRecord, MemoryStore, Timestamp, WriteOp,
};

fn start(set: impl FnOnce(&mut Config)) -> (Arc<Gated>, MemoryBatcher) {
    let mut config = Config::default();
    config.inline_commit = Duration::ZERO;
    set(&mut config);
    let gated = Arc::new(Gated::default());
    let batcher = MemoryBatcher::start(gated.clone(), gated.clone(), config).unwrap();
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
        let stats = b.stats().writes;
        stats.waiting_items + stats.in_flight_items
    };
    until(|| held(&batcher) == 20 && gated.commits() == 1).await;
    assert_eq!(batcher.stats().writes.accepted, 20);
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
    drop(Write::new(store(&owner("ana"), record(1, "tea"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_writes_than_the_queue_holds_go_through_in_order() {
    let (gated, batcher) = start(|config| config.queue_items = 8);
    let records: Vec<MemoryRecord> = (0..100).map(|n| record(n, "tea")).collect();
    let outcomes = batcher.store_many(&owner("ana"), records).await;
    let ids: Vec<String> = outcomes.into_iter().map(|o| o.unwrap().id.to_string()).collect();
    assert_eq!(ids, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
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
async fn exchanges_facts_and_states_are_stored_as_what_they_are() {
    let (gated, batcher) = start(|_| {});
    let ana = owner("ana");
    let at = Timestamp::from_millis(1_000);
    let exchange = Exchange::new("I love hiking", "Where do you go?", at);
    let first = batcher.store_exchange(&ana, exchange.clone()).await.unwrap();
    let second = batcher.store_exchange(&ana, exchange).await.unwrap();
    assert_eq!((first.id.clone(), second.duplicate), (second.id, true));
    let mut fact = Fact::new("allergic to nuts", at);
    fact.context = Some("at dinner".to_owned());
    let fact = batcher.store_fact(&ana, fact).await.unwrap();
    let again = batcher
        .store_fact(&ana, Fact::new("allergic to nuts", at + Duration::from_secs(9)))
        .await
        .unwrap();
    assert_eq!(fact.id, again.id);
    batcher.put_state(&ana, *b"calm").await.unwrap();
    let found = gated.get(&ana, &[first.id, fact.id]).unwrap();
    let kinds: Vec<MemoryKind> = found.iter().map(|r| r.as_ref().unwrap().kind).collect();
    assert_eq!(kinds, [MemoryKind::Exchange, MemoryKind::Fact]);
    assert_eq!(
        Exchange::parts(found[0].as_ref().unwrap()),
        Some(("I love hiking", "Where do you go?"))
    );
    assert_eq!(
        gated.scan(&ana, None, 10).unwrap().len(),
        2,
        "no fact is there twice"
    );
    assert_eq!(gated.state(&ana).unwrap().as_deref(), Some(&b"calm"[..]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_can_be_replayed() {
    use whisperengine_types::MemoryStoreLayer;

    /// Down until told otherwise.
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
    let recall = Arc::new(MemoryOfOps::default());
    let batcher = MemoryBatcher::start(store.clone(), recall, config).unwrap();
    let ana = owner("ana");
    for n in 0..3 {
        let failed = batcher.store(&ana, record(n, "tea")).await;
        assert!(matches!(failed, Err(BatcherError::Failed { attempts: 1, .. })));
    }
    assert_eq!(batcher.dead_letters().len(), 3);
    let replay = batcher.replay_dead_letters().await;
    assert_eq!(
        (replay.written, replay.failed, batcher.dead_letters().len()),
        (0, 3, 3)
    );
    store.1.store(true, std::sync::atomic::Ordering::SeqCst);
    batcher.store(&ana, record(1, "milk")).await.unwrap();
    let replay = batcher.replay_dead_letters().await;
    assert_eq!((replay.written, replay.failed, replay.superseded), (2, 0, 1));
    assert!(batcher.dead_letters().is_empty());
    assert_eq!(store.0.model.lock().unwrap().texts(&ana), ["tea", "milk", "tea"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_answers_everyone_with_a_commit_stuck() {
    let (gated, batcher) = start(|config| config.max_batch_items = 10);
    gated.shut();
    let submission = batcher
        .submit_many((0..30).map(|n| store(&owner("ana"), record(n, "tea"))))
        .unwrap();
    until(|| gated.commits() == 1).await;
    let report = batcher.shutdown(Duration::ZERO).await.unwrap();
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
    let closed = batcher.query(&owner("ana"), query("tea")).await;
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
        .store_many(&owner("ana"), (0..40).map(|n| record(n, "tea")).collect())
        .await;
    assert!(
        outcomes
            .iter()
            .all(|o| matches!(o, Err(BatcherError::Panicked { .. })))
    );
    gated.panic_from_now_on(false);
    assert_eq!(batcher.replay_dead_letters().await.written, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_passes_while_the_disk_hangs() {
    let (gated, batcher) = start(|_| {});
    gated.shut();
    let stuck = batcher
        .submit_many([store(&owner("ana"), record(1, "tea"))])
        .unwrap();
    until(|| gated.commits() == 1).await;
    let late = Write::new(store(&owner("ben"), record(1, "tea"))).timeout(Duration::from_millis(1));
    let late = batcher.write(late).await;
    assert!(matches!(late, Err(BatcherError::DeadlineExceeded)));
    gated.open();
    assert!(stuck.await[0].is_ok());
}

#[test]
fn settings_are_checked() {
    let memory = Arc::new(MemoryOfOps::default());
    let broken: [fn(&mut Config); 5] = [
        |config| config.max_batch_items = 0,
        |config| config.aging = Duration::ZERO,
        |config| config.queue_bytes = 1,
        |config| config.linger_share = f64::NAN,
        |config| config.retry.max_attempts = 0,
    ];
    for set in broken {
        let mut config = Config::default();
        set(&mut config);
        let refused = MemoryBatcher::start(memory.clone(), memory.clone(), config);
        assert!(matches!(refused, Err(BatcherError::Config(_))));
    }
    let text = serde_json::to_string(&Config::default()).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), Config::default());
    assert!(text.contains(r#""cache_ttl":"3m""#), "{text}");
    let set = r#"{"max_delay":"40us","timeout":"1.5s","retry":{"backoff":"250ms","max_backoff":"2h"}}"#;
    let config: Config = serde_json::from_str(set).unwrap();
    assert_eq!(config.max_delay, Duration::from_micros(40));
    assert_eq!(config.timeout, Some(Duration::from_millis(1_500)));
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
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let submit = |n| {
        batcher
            .submit_many([
                store(&owner("ana"), record(n, "tea")),
                store(&owner("ben"), record(n, "tea")),
            ])
            .unwrap()
    };
    let tell = |name: &'static str| {
        let told = told.clone();
        move |outcomes: Vec<Result<_, BatcherError>>| {
            let durable = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            told.send((name, outcomes.len(), durable)).unwrap();
        }
    };

    gated.shut();
    submit(1).then(tell("later"));
    assert!(hears.try_recv().is_err(), "nothing is stored yet");
    gated.open();
    assert_eq!(hears.recv().await, Some(("later", 2, 2)));

    let answered = submit(2);
    let written = |gated: &Gated| gated.memory.model.lock().unwrap().texts(&owner("ben")).len();
    until(|| written(&gated) == 2 && batcher.stats().writes.in_flight_items == 0).await;
    answered.then(tell("now"));
    assert_eq!(hears.recv().await, Some(("now", 2, 2)));

    batcher
        .submit_many::<Write>([])
        .unwrap()
        .then(tell("nothing was handed in"));
    assert_eq!(hears.recv().await, Some(("nothing was handed in", 0, 0)));

    // A conclusion that panics costs nobody else anything: both committing threads go on.
    for n in 3..9 {
        submit(n).then(|_| panic!("a caller's own mistake"));
        submit(n + 10).then(tell("after a panic"));
        assert_eq!(hears.recv().await, Some(("after a panic", 2, 2)));
    }

    gated.shut();
    submit(30).then(tell("in doubt at the end"));
    let report = batcher.shutdown(Duration::ZERO).await.unwrap();
    assert_eq!(report.unwritten.len() + report.in_doubt.len(), 2);
    let (name, outcomes, durable) = hears.recv().await.unwrap();
    assert_eq!((name, outcomes, durable), ("in doubt at the end", 2, 0));
    gated.open();
}
