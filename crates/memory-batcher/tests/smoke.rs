//! The threads and the futures, against a store in memory.

mod common;

use std::sync::Arc;

use common::{MemoryOfOps, owner, query, record};
use whisperengine_memory_batcher::{Config, MemoryBatcher};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_queries_and_drains() {
    let memory = Arc::new(MemoryOfOps::default());
    let batcher = MemoryBatcher::start(memory.clone(), memory.clone(), Config::default()).unwrap();
    let ana = owner("ana");
    let stored = batcher.store(&ana, record(1, "we met in June")).await.unwrap();
    assert!(!stored.duplicate);
    let again = batcher.store(&ana, record(1, "we met in June")).await.unwrap();
    assert!(again.duplicate);
    let recall = batcher.query(&ana, query("June")).await.unwrap();
    assert_eq!(recall.memories.len(), 1);
    let recall = batcher.query(&ana, query("June")).await.unwrap();
    assert_eq!(recall.memories.len(), 1);
    assert_eq!(batcher.stats().queries.hits, 1);
    let outcomes = batcher.store_many(&ana, (10..500).map(|n| record(n, "more")).collect()).await;
    assert!(outcomes.iter().all(Result::is_ok));
    let report = batcher.shutdown(std::time::Duration::from_secs(5)).await.unwrap();
    assert!(report.is_complete());
}
