//! A write that finds the batcher idle is committed on its caller's thread, where nobody is kept waiting by it.
//!
//! No commit counts as longer than 200 us however slow this machine is, nor is a batcher's first one taken for
//! shorter; so the first eight commits never bring the usual one below 50 us, from where on every thread will do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, ThreadId},
    time::Duration,
};

use common::{MemoryOfOps, owner, record, unavailable};
use whisperengine_memory_batcher::{BatcherError, Config, MemoryBatcher};
use whisperengine_types::{Committed, MemoryError, MemoryStore, MemoryStoreLayer, WriteOp};

/// Notes which thread makes each commit; panics at the text "panic", fails once at "fail", and waits at "wait"
/// until it is told to go on.
#[derive(Debug, Default)]
struct Noted {
    memory: MemoryOfOps,
    threads: Mutex<Vec<ThreadId>>,
    has_failed: AtomicBool,
    goes_on: Gate,
}

#[derive(Debug, Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl MemoryStoreLayer for Noted {
    fn inner(&self) -> &dyn MemoryStore {
        &self.memory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.threads.lock().unwrap().push(thread::current().id());
        let said = |text: &str| {
            let says = |op: &WriteOp| matches!(op, WriteOp::Store { record, .. } if record.text == text);
            ops.iter().any(says)
        };
        assert!(!said("panic"), "on demand");
        if said("fail") && !self.has_failed.swap(true, Ordering::Relaxed) {
            return ops.iter().map(|_| Err(unavailable())).collect();
        }
        if said("wait") {
            let open = self.goes_on.open.lock().unwrap();
            drop(self.goes_on.opened.wait_while(open, |open| !*open).unwrap());
        }
        self.inner().commit(ops)
    }
}

fn start(inline_commit: Duration) -> (Arc<Noted>, MemoryBatcher) {
    let mut config = Config::default();
    config.inline_commit = inline_commit;
    config.retry.max_attempts = 2;
    config.retry.backoff = Duration::from_millis(1);
    let store = Arc::new(Noted::default());
    let recall = Arc::new(MemoryOfOps::default());
    let batcher = MemoryBatcher::start(store.clone(), recall, config).unwrap();
    (store, batcher)
}

impl Noted {
    /// Of each commit so far, whether this thread made it.
    fn were_here(&self) -> Vec<bool> {
        let here = thread::current().id();
        self.threads
            .lock()
            .unwrap()
            .iter()
            .map(|id| *id == here)
            .collect()
    }
}

async fn write_one_by_one(batcher: &MemoryBatcher, writes: u64) {
    for n in 0..writes {
        batcher.store(&owner("ana"), record(n, "tea")).await.unwrap();
    }
}

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lone_writer_commits_on_its_own_thread_once_it_is_known_how_long_that_takes() {
    let (store, batcher) = start(LONG);
    write_one_by_one(&batcher, 40).await;
    let here = store.were_here();
    assert_eq!(here.len(), 40, "one by one");
    assert!(!here[0], "nothing is known of the store yet");
    assert!(here[1..].iter().all(|here| *here), "{here:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn zero_always_hands_over() {
    let (store, batcher) = start(Duration::ZERO);
    write_one_by_one(&batcher, 40).await;
    assert_eq!(store.were_here(), [false; 40]);
}

#[tokio::test]
async fn the_only_thread_of_a_runtime_is_not_held_up() {
    let (store, batcher) = start(LONG);
    write_one_by_one(&batcher, 8).await;
    assert_eq!(store.were_here(), [false; 8]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn writes_called_together_are_not_committed_one_by_one_by_their_caller() {
    let (store, batcher) = start(LONG);
    write_one_by_one(&batcher, 2).await;
    let ana = owner("ana");
    let first = batcher.store(&ana, record(10, "tea"));
    let second = batcher.store(&ana, record(11, "milk"));
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(store.were_here(), [false, true, false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_panic_of_the_store_does_not_reach_the_caller_whose_thread_it_is_on() {
    let (store, batcher) = start(LONG);
    write_one_by_one(&batcher, 2).await;
    let outcome = batcher.store(&owner("ana"), record(2, "panic")).await;
    assert!(
        matches!(outcome, Err(BatcherError::Panicked { .. })),
        "{outcome:?}"
    );
    batcher
        .store(&owner("ana"), record(3, "tea again"))
        .await
        .unwrap();
    assert!(store.were_here()[2]);
    assert_eq!(batcher.dead_letters().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_commit_that_fails_on_its_callers_thread_is_tried_again_by_others() {
    let (store, batcher) = start(LONG);
    write_one_by_one(&batcher, 2).await;
    batcher.store(&owner("ana"), record(2, "fail")).await.unwrap();
    assert_eq!(store.were_here()[2..], [true, false]);
    write_one_by_one(&batcher, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_answers_the_caller_that_is_inside_a_commit() {
    let (store, batcher) = start(LONG);
    write_one_by_one(&batcher, 2).await;
    let writer = tokio::spawn({
        let batcher = batcher.clone();
        async move { batcher.store(&owner("ana"), record(2, "wait")).await }
    });
    while store.were_here().len() < 3 {
        tokio::task::yield_now().await;
    }
    let report = batcher.shutdown(Duration::ZERO).await.unwrap();
    assert_eq!((report.pending, report.in_doubt.len()), (1, 1));
    let closed = batcher.store(&owner("ana"), record(3, "tea")).await;
    assert!(matches!(closed, Err(BatcherError::Closed)), "{closed:?}");
    *store.goes_on.open.lock().unwrap() = true;
    store.goes_on.opened.notify_all();
    let outcome = writer.await.unwrap();
    assert!(matches!(outcome, Err(BatcherError::InDoubt)), "{outcome:?}");
}
