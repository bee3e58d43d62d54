//! A store whose commits and searches wait until they are let through.

use std::sync::{Arc, Condvar, Mutex};

use whisperengine_types::{
    Committed, MemoryError, MemoryId, MemoryOwner, MemoryRecall, MemoryRecord, MemoryStore, Recall,
    RecallQuery, WriteOp,
};

use super::MemoryOfOps;

#[derive(Debug, Default)]
pub(crate) struct Gated {
    pub(crate) memory: MemoryOfOps,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    shut: bool,
    panics: bool,
    /// Commits and searches that wait, and searches made so far.
    commits: usize,
    searching: usize,
    searches: usize,
}

impl Gated {
    pub(crate) fn shut(&self) {
        self.state.lock().unwrap().shut = true;
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().shut = false;
        self.changed.notify_all();
    }

    pub(crate) fn panic_from_now_on(&self, panics: bool) {
        self.state.lock().unwrap().panics = panics;
    }

    /// Commits that wait at the gate.
    pub(crate) fn commits(&self) -> usize {
        self.state.lock().unwrap().commits
    }

    /// Searches that wait at the gate.
    pub(crate) fn searching(&self) -> usize {
        self.state.lock().unwrap().searching
    }

    pub(crate) fn searches(&self) -> usize {
        self.state.lock().unwrap().searches
    }

    fn pass(&self, place: impl Fn(&mut State) -> &mut usize) {
        let mut state = self.state.lock().unwrap();
        *place(&mut state) += 1;
        while state.shut {
            state = self.changed.wait(state).unwrap();
        }
        *place(&mut state) -= 1;
        let panics = state.panics;
        drop(state);
        assert!(!panics, "on demand");
    }
}

impl MemoryStore for Gated {
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.pass(|state| &mut state.commits);
        self.memory.commit(ops)
    }

    fn get(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError> {
        self.memory.get(owner, ids)
    }

    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        self.memory.scan(owner, after, limit)
    }

    fn state(&self, owner: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError> {
        self.memory.state(owner)
    }

    fn owners_with_state(
        &self,
        after: Option<&MemoryOwner>,
        limit: usize,
    ) -> Result<Vec<MemoryOwner>, MemoryError> {
        self.memory.owners_with_state(after, limit)
    }
}

impl MemoryRecall for Gated {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        // The answer is that of the moment the search begins, as from a snapshot.
        let answer = self.memory.recall(owner, query);
        self.state.lock().unwrap().searches += 1;
        self.pass(|state| &mut state.searching);
        answer
    }
}

/// Lets other tasks run until `done`.
pub(crate) async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}
