//! The batcher in front of the embedded store promises what the store alone promises.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use whisperengine::{
    BotId, MemoryError, MemoryId, MemoryOwner, MemoryRecord, MemoryStore, Timestamp, UserId, WriteOp,
};
use whisperengine_memory_batcher::{Config, MemoryBatcher};
use whisperengine_text_embedding::HashingEmbedder;
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig, conformance};

fn batched(set: impl FnOnce(&mut Config)) -> MemoryBatcher {
    let mut config = Config::default();
    set(&mut config);
    let embedder = Arc::new(HashingEmbedder::default());
    let memory = Arc::new(VectorMemory::in_memory(embedder, VectorMemoryConfig::default()));
    MemoryBatcher::start(memory, config).unwrap()
}

fn ana() -> MemoryOwner {
    MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new("ana").unwrap())
}

fn store(n: u64, text: &str) -> WriteOp {
    let record = MemoryRecord::new(MemoryId::from_number(n), text, Timestamp::from_millis(n as i64));
    WriteOp::Store {
        owner: ana(),
        record: Arc::new(record),
    }
}

#[test]
fn the_batcher_passes_the_stores_conformance_suite() {
    conformance::memory_store(&batched(|_| {}));
    conformance::memory_store(&batched(|config| config.parallel_commits = 1));
    conformance::memory_store(&batched(|config| config.queue_items = 2));
}

#[test]
fn a_commit_larger_than_the_queue_goes_through() {
    let batcher = batched(|config| config.queue_items = 3);
    let ops: Vec<WriteOp> = (0..50).map(|n| store(n, "the river in winter")).collect();
    let results = batcher.commit(&ops);
    let ids: Vec<Option<MemoryId>> = results.into_iter().map(|result| result.unwrap().id).collect();
    let expected: Vec<Option<MemoryId>> = (0..50).map(|n| Some(MemoryId::from_number(n))).collect();
    assert_eq!(ids, expected, "equal texts are no repeats here");
    assert_eq!(batcher.scan(&ana(), None, 100).unwrap().len(), 50);
}

#[test]
fn what_the_batcher_refuses_is_told_as_the_stores_error() {
    let batcher = batched(|config| (config.queue_items, config.queue_bytes) = (4, 40_000));
    let results = batcher.commit(&[store(1, "tea"), store(2, &"x".repeat(50_000)), store(3, "")]);
    assert!(results[0].is_ok());
    for (n, result) in [(2, &results[1]), (3, &results[2])] {
        let refused =
            matches!(result, Err(MemoryError::InvalidRecord { id, .. }) if *id == MemoryId::from_number(n));
        assert!(refused, "{result:?}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let ended = batcher.shutdown(std::time::Duration::from_secs(60));
    assert!(runtime.block_on(ended).unwrap().is_complete());
    let closed = batcher.commit(&[store(4, "late")]).remove(0);
    assert!(closed.is_err_and(|error| error.is_unavailable()));
}
