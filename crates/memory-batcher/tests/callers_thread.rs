//! A write that finds the batcher idle is committed on its caller's thread, where nobody is kept waiting by it.
//!
//! No commit counts as longer than 200 us however slow this machine is, nor is a batcher's first one taken for
//! shorter; so the first eight commits never bring the usual one below 50 us, from where on every thread will do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
    time::Duration,
};

use common::{MemoryOfOps, owner, record};
use whisperengine_memory_batcher::{BatcherError, Config, MemoryBatcher};
use whisperengine_types::{Committed, MemoryError, MemoryStore, MemoryStoreLayer, WriteOp};

/// Notes which thread makes each commit; panics at the text "panic".
#[derive(Debug, Default)]
struct Noted {
    memory: MemoryOfOps,
    threads: Mutex<Vec<ThreadId>>,
}

impl MemoryStoreLayer for Noted {
    fn inner(&self) -> &dyn MemoryStore {
        &self.memory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.threads.lock().unwrap().push(thread::current().id());
        let panics = |op: &WriteOp| matches!(op, WriteOp::Store { record, .. } if record.text == "panic");
        assert!(!ops.iter().any(panics), "on demand");
        self.inner().commit(ops)
    }
}

fn start(inline_commit: Duration) -> (Arc<Noted>, MemoryBatcher) {
    let mut config = Config::default();
    config.inline_commit = inline_commit;
    config.retry.max_attempts = 1;
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
