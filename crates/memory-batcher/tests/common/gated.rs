//! A store whose commits wait until they are let through.

use std::sync::{Condvar, Mutex};

use whisperengine_types::{Committed, MemoryError, MemoryStore, MemoryStoreLayer, WriteOp};

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
    /// Commits that wait.
    commits: usize,
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

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.commits += 1;
        while state.shut {
            state = self.changed.wait(state).unwrap();
        }
        state.commits -= 1;
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
        self.pass();
        self.inner().commit(ops)
    }
}

/// Lets other tasks run until `done`.
pub(crate) async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}
