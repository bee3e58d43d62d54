//! Stores to measure with: one that watches another, and one that takes no time.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use whisperengine_examples::measure;
use whisperengine_types::{
    Committed, MemoryError, MemoryOwner, MemoryRecall, MemoryStore, MemoryStoreLayer, NoMemory, Recall,
    RecallQuery, WriteOp,
};

/// Notes the size and the duration of every commit of the store underneath.
#[derive(Debug)]
pub struct Watched<S> {
    pub store: S,
    commits: Mutex<Vec<(usize, Duration)>>,
}

impl<S> Watched<S> {
    pub fn new(store: S) -> Arc<Self> {
        Arc::new(Self {
            store,
            commits: Mutex::new(Vec::new()),
        })
    }

    /// The commits so far; starts anew.
    pub fn take_commits(&self) -> Vec<(usize, Duration)> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Duration)>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: MemoryStore> MemoryStoreLayer for Watched<S> {
    fn inner(&self) -> &dyn MemoryStore {
        &self.store
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        let from = measure::now();
        let results = self.store.commit(ops);
        self.lock().push((ops.len(), from.elapsed()));
        results
    }
}

impl<S: MemoryRecall> MemoryRecall for Watched<S> {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        self.store.recall(owner, query)
    }
}

/// Says yes to every write and finds nothing, at once: what remains is the batcher's own cost.
#[derive(Debug, Default)]
pub struct NoLatency {
    pub written: AtomicU64,
}

impl MemoryStoreLayer for NoLatency {
    fn inner(&self) -> &dyn MemoryStore {
        &NoMemory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.written.fetch_add(ops.len() as u64, Relaxed);
        ops.iter().map(|_| Ok(Committed { id: None })).collect()
    }
}

impl MemoryRecall for NoLatency {
    fn recall(&self, _: &MemoryOwner, _: &RecallQuery) -> Result<Recall, MemoryError> {
        Ok(Recall::default())
    }
}
