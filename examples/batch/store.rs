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
    Committed, MemoryError, MemoryId, MemoryOwner, MemoryRecall, MemoryRecord, MemoryStore, Recall,
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

impl<S: MemoryStore> MemoryStore for Watched<S> {
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        let from = measure::now();
        let results = self.store.commit(ops);
        self.lock().push((ops.len(), from.elapsed()));
        results
    }

    fn get(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError> {
        self.store.get(owner, ids)
    }

    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        self.store.scan(owner, after, limit)
    }

    fn state(&self, owner: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError> {
        self.store.state(owner)
    }

    fn owners_with_state(
        &self,
        after: Option<&MemoryOwner>,
        limit: usize,
    ) -> Result<Vec<MemoryOwner>, MemoryError> {
        self.store.owners_with_state(after, limit)
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

impl MemoryStore for NoLatency {
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.written.fetch_add(ops.len() as u64, Relaxed);
        ops.iter().map(|_| Ok(Committed { id: None })).collect()
    }

    fn get(&self, _: &MemoryOwner, ids: &[MemoryId]) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError> {
        Ok(vec![None; ids.len()])
    }

    fn scan(
        &self,
        _: &MemoryOwner,
        _: Option<&MemoryId>,
        _: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        Ok(Vec::new())
    }

    fn state(&self, _: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError> {
        Ok(None)
    }

    fn owners_with_state(&self, _: Option<&MemoryOwner>, _: usize) -> Result<Vec<MemoryOwner>, MemoryError> {
        Ok(Vec::new())
    }
}

impl MemoryRecall for NoLatency {
    fn recall(&self, _: &MemoryOwner, _: &RecallQuery) -> Result<Recall, MemoryError> {
        Ok(Recall::default())
    }
}
