//! Answers are fresh, whole, and made once.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    gated::{Gated, until},
    id, owner, query, record, store, update,
};
use whisperengine_memory_batcher::{BatcherError, Config, MemoryBatcher, Write};
use whisperengine_types::{Embedding, EmbeddingSpace, Filter, MemoryKind, RecallQuery, Timestamp, WriteOp};

fn start(set: impl FnOnce(&mut Config)) -> (Arc<Gated>, MemoryBatcher) {
    let mut config = Config::default();
    config.inline_commit = Duration::ZERO;
    config.inline_search = Duration::ZERO;
    set(&mut config);
    let gated = Arc::new(Gated::default());
    let batcher = MemoryBatcher::start(gated.clone(), gated.clone(), config).unwrap();
    (gated, batcher)
}

async fn texts(batcher: &MemoryBatcher, user: &str, text: &str) -> Vec<String> {
    let recall = batcher.query(&owner(user), query(text)).await.unwrap();
    recall
        .memories
        .iter()
        .map(|hit| hit.memory.text.clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_after_a_write_is_never_stale() {
    let (gated, batcher) = start(|_| {});
    let ana = owner("ana");
    for n in 0..50 {
        batcher.store(&ana, record(n, "tea")).await.unwrap();
        assert_eq!(
            texts(&batcher, "ana", "tea").await.len(),
            (n as usize + 1).min(10)
        );
        texts(&batcher, "ana", "tea").await;
    }
    batcher.update(&ana, id(0), text_patch("milk")).await.unwrap();
    assert_eq!(texts(&batcher, "ana", "milk").await, ["milk"]);
    batcher.delete(&ana, id(0)).await.unwrap();
    assert!(texts(&batcher, "ana", "milk").await.is_empty());
    let stats = batcher.stats().queries;
    // Every answer but the latest two, of which the delete voids one more.
    assert_eq!((stats.hits, stats.invalidations), (50, 51));
    batcher.forget_all(&ana).await.unwrap();
    assert_eq!(
        batcher.stats().queries.entries,
        0,
        "what is forgotten is in no cache"
    );
    assert!(texts(&batcher, "ana", "tea").await.is_empty());
    assert_eq!(gated.searches(), 53);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_of_one_owner_leaves_the_others_answers() {
    let (_, batcher) = start(|_| {});
    batcher.store(&owner("ben"), record(1, "tea")).await.unwrap();
    texts(&batcher, "ben", "tea").await;
    batcher.store(&owner("ana"), record(1, "tea")).await.unwrap();
    texts(&batcher, "ben", "tea").await;
    assert_eq!(batcher.stats().queries.hits, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_sees_its_owners_pending_writes() {
    let (gated, batcher) = start(|_| {});
    gated.shut();
    let pending = batcher
        .submit_many([store(&owner("ana"), record(1, "tea"))])
        .unwrap();
    let reader = tokio::spawn({
        let batcher = batcher.clone();
        async move { texts(&batcher, "ana", "tea").await }
    });
    until(|| batcher.stats().queries.waited == 1).await;
    gated.open();
    assert_eq!(reader.await.unwrap(), ["tea"]);
    assert!(pending.await[0].is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_a_pending_write_says_so_and_is_not_kept() {
    let (gated, batcher) = start(|config| config.read_wait = Duration::ZERO);
    let ana = owner("ana");
    batcher.store(&ana, record(1, "tea")).await.unwrap();
    gated.shut();
    let pending = batcher.submit_many([store(&ana, record(2, "tea"))]).unwrap();
    let reader = tokio::spawn({
        let batcher = batcher.clone();
        async move { batcher.query(&owner("ana"), query("tea")).await.unwrap() }
    });
    until(|| gated.searching() == 1).await;
    gated.open();
    let recall = reader.await.unwrap();
    assert_eq!(recall.memories.len(), 1);
    assert!(
        recall
            .degraded
            .as_ref()
            .is_some_and(|note| note.contains("1 writes")),
        "{recall:?}"
    );
    assert!(pending.await[0].is_ok());
    assert_eq!(texts(&batcher, "ana", "tea").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_begun_before_a_write_is_not_given_after_it() {
    let (gated, batcher) = start(|_| {});
    let ana = owner("ana");
    gated.shut();
    let early = tokio::spawn({
        let batcher = batcher.clone();
        async move { texts(&batcher, "ana", "tea").await }
    });
    until(|| gated.searching() == 1).await;
    let write = tokio::spawn({
        let batcher = batcher.clone();
        async move { batcher.store(&owner("ana"), record(1, "tea")).await }
    });
    until(|| gated.commits() == 1).await;
    gated.open();
    write.await.unwrap().unwrap();
    assert!(early.await.unwrap().is_empty(), "it was asked before the write");
    assert_eq!(
        texts(&batcher, "ana", "tea").await,
        ["tea"],
        "the old answer was neither cached nor shared"
    );
    drop(ana);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_queries_in_flight_run_once() {
    let (gated, batcher) = start(|_| {});
    batcher.store(&owner("ana"), record(1, "tea")).await.unwrap();
    gated.shut();
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let batcher = batcher.clone();
            tokio::spawn(async move { batcher.query(&owner("ana"), query("tea")).await.unwrap() })
        })
        .collect();
    until(|| batcher.stats().queries.joined == 19).await;
    gated.open();
    for reader in readers {
        assert_eq!(reader.await.unwrap().memories.len(), 1);
    }
    assert_eq!(gated.searches(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_that_differ_anywhere_have_answers_of_their_own() {
    let (gated, batcher) = start(|config| config.recency_tolerance = Duration::from_secs(60));
    let space = EmbeddingSpace::new("test", 2).unwrap();
    let prefix = "a".repeat(50);
    let base = query(&format!("{prefix} one"));
    let with = |change: &dyn Fn(&mut RecallQuery)| {
        let mut query = base.clone();
        change(&mut query);
        query
    };
    let embedding = |x| Some(Embedding::new(&space, vec![x, 1.0]).unwrap());
    let different = [
        base.clone(),
        with(&|q| q.text = format!("{prefix} two")),
        with(&|q| q.k = 11),
        with(&|q| q.filter = Filter::Kind(vec![MemoryKind::Fact])),
        with(&|q| q.filter = Filter::ImportanceAtLeast(0.5)),
        with(&|q| q.filter = Filter::ImportanceAtLeast(0.6)),
        with(&|q| q.embedding = embedding(1.0)),
        with(&|q| q.embedding = embedding(2.0)),
        with(&|q| q.now = Timestamp::from_millis(60_001)),
    ];
    for query in &different {
        batcher.query(&owner("ana"), query.clone()).await.unwrap();
    }
    batcher.query(&owner("ben"), base.clone()).await.unwrap();
    assert_eq!((gated.searches(), batcher.stats().queries.hits), (10, 0));
    batcher
        .query(&owner("ben"), with(&|q| q.now = Timestamp::from_millis(60_000)))
        .await
        .unwrap();
    batcher.query(&owner("ana"), different[7].clone()).await.unwrap();
    assert_eq!((gated.searches(), batcher.stats().queries.hits), (10, 2));
    for _ in 0..2 {
        let nan = with(&|q| q.filter = Filter::ImportanceAtLeast(f32::NAN));
        batcher.query(&owner("ana"), nan).await.unwrap();
    }
    assert_eq!(gated.searches(), 12, "what equals nothing is never shared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_cannot_change_each_others_answers() {
    let (_, batcher) = start(|_| {});
    batcher.store(&owner("ana"), record(1, "tea")).await.unwrap();
    let mut mine = batcher.query(&owner("ana"), query("tea")).await.unwrap();
    Arc::make_mut(&mut mine).memories.clear();
    assert_eq!(texts(&batcher, "ana", "tea").await, ["tea"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panicking_search_answers_everyone_and_the_next_one_works() {
    let (gated, batcher) = start(|_| {});
    batcher.store(&owner("ana"), record(1, "tea")).await.unwrap();
    gated.panic_from_now_on(true);
    for _ in 0..20 {
        let failed = batcher.query(&owner("ana"), query("tea")).await;
        assert!(
            matches!(failed, Err(BatcherError::Panicked { letter: None, .. })),
            "{failed:?}"
        );
    }
    gated.panic_from_now_on(false);
    assert_eq!(texts(&batcher, "ana", "tea").await, ["tea"]);
}

#[test]
fn a_thread_without_a_runtime_can_ask_and_write() {
    let (_, batcher) = start(|_| {});
    let outcomes = batcher
        .submit_many([store(&owner("ana"), record(1, "tea"))])
        .unwrap()
        .wait();
    assert!(outcomes[0].is_ok());
    let recall = batcher.query_blocking(&owner("ana"), query("tea")).unwrap();
    assert_eq!(recall.memories.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_whose_caller_went_away_leaves_nobody_waiting() {
    let (gated, batcher) = start(|config| config.query_queue_items = 1);
    gated.shut();
    let spawn = |text: &'static str| {
        let batcher = batcher.clone();
        tokio::spawn(async move { texts(&batcher, "ana", text).await })
    };
    let first = spawn("tea");
    until(|| gated.searching() == 1).await;
    let gone = spawn("milk");
    gone.abort();
    drop(gone.await);
    first.abort();
    drop(first.await);
    gated.open();
    assert!(spawn("milk").await.unwrap().is_empty());
    assert!(spawn("tea").await.unwrap().is_empty());
}

fn text_patch(text: &str) -> whisperengine_types::MemoryPatch {
    match update(&owner("ana"), 0, text) {
        WriteOp::Update { patch, .. } => (*patch).clone(),
        _ => unreachable!(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_query_queue_refuses_if_so_configured() {
    let (gated, batcher) = start(|config| {
        config.query_queue_items = 1;
        config.overload = whisperengine_memory_batcher::Overload::Refuse;
    });
    gated.shut();
    let first = tokio::spawn({
        let batcher = batcher.clone();
        async move { texts(&batcher, "ana", "tea").await }
    });
    until(|| gated.searching() == 1).await;
    let refused = batcher.query(&owner("ana"), query("milk")).await;
    assert!(matches!(
        refused,
        Err(BatcherError::Full {
            what: "query",
            limit: 1
        })
    ));
    gated.open();
    first.await.unwrap();
    drop(Write::new(store(&owner("ana"), record(1, "tea"))));
}

/// The predecessor held its lock across an await. A guard of the standard library's mutex is not `Send`,
/// so a future that held one while it waits would not be either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_lock_is_held_while_anyone_waits() {
    fn send<F: Future + Send>(future: F) -> F {
        future
    }
    let (gated, batcher) = start(|_| {});
    batcher.store(&owner("ben"), record(1, "tea")).await.unwrap();
    texts(&batcher, "ben", "tea").await;
    gated.shut();
    let storing = tokio::spawn({
        let batcher = batcher.clone();
        async move { send(batcher.store(&owner("ana"), record(2, "milk"))).await }
    });
    until(|| gated.commits() == 1).await;
    let asking = tokio::spawn({
        let batcher = batcher.clone();
        async move { send(batcher.query(&owner("eve"), query("milk"))).await }
    });
    until(|| gated.searching() == 1).await;
    // With the store stuck in a commit and in a search, all that does not need it goes on.
    assert_eq!(texts(&batcher, "ben", "tea").await, ["tea"]);
    assert_eq!(batcher.stats().writes.in_flight_items, 1);
    assert!(batcher.dead_letters().is_empty());
    let submitted = batcher
        .submit_many([store(&owner("ben"), record(3, "more"))])
        .unwrap();
    gated.open();
    assert!(storing.await.unwrap().is_ok() && asking.await.unwrap().is_ok());
    assert!(send(submitted).await[0].is_ok());
    drop((
        send(batcher.write_many([store(&owner("ben"), record(4, "again"))])),
        send(batcher.replay_dead_letters()),
        send(batcher.shutdown(Duration::ZERO)),
    ));
}
