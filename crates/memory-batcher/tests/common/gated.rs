//! A store whose commits and searches wait until they are let through.

use std::sync::{Condvar, Mutex};

use whisperengine_types::{
    Committed, MemoryError, MemoryOwner, MemoryRecall, MemoryStore, MemoryStoreLayer, Recall, RecallQuery,
    WriteOp,
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

impl MemoryStoreLayer for Gated {
    fn inner(&self) -> &dyn MemoryStore {
        &self.memory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.pass(|state| &mut state.commits);
        self.inner().commit(ops)
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
