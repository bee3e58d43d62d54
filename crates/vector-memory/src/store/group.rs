//! Group commit: writers that arrive while a sync is under way share the next one.
//!
//! The first writer leads: it takes everything that is waiting, commits it as one, hands out the result
//! and passes the lead on. A failed commit closes the store for writing, because after a failed sync
//! nobody knows what is on the disk (Rebello et al., "Can Applications Recover from fsync Failures?",
//! USENIX ATC 2020).

use std::{
    fmt,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
};

use whisperengine_types::MemoryError;

use super::{Change, Storage};

/// What one round of writers waits for.
type Outcome = Arc<OnceLock<Result<(), MemoryError>>>;

/// Commits changes of many threads with few syncs.
pub(crate) struct GroupCommit {
    storage: Arc<dyn Storage>,
    state: Mutex<State>,
    round_over: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Change>,
    outcome: Outcome,
    leading: bool,
    /// Threads that wait for the round to be over.
    following: usize,
    closed: Option<String>,
}

impl GroupCommit {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self {
            storage,
            state: Mutex::default(),
            round_over: Condvar::new(),
        }
    }

    /// Why the store takes no writes, if it does not.
    pub(crate) fn closed(&self) -> Option<MemoryError> {
        self.lock()
            .closed
            .clone()
            .map(|reason| MemoryError::ReadOnly { reason })
    }

    /// Changes that wait for the next round.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Commits `changes`, whose keys nobody else is writing, and returns when they are durable.
    pub(crate) fn commit(&self, changes: Vec<Change>) -> Result<(), MemoryError> {
        let mut state = self.lock();
        if let Some(reason) = &state.closed {
            return Err(MemoryError::ReadOnly {
                reason: reason.clone(),
            });
        }
        state.waiting.extend(changes);
        let mine = Arc::clone(&state.outcome);
        loop {
            if let Some(outcome) = mine.get() {
                return outcome.clone();
            }
            if !state.leading {
                break;
            }
            state.following += 1;
            state = self
                .round_over
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.following -= 1;
        }
        state.leading = true;
        let round = std::mem::take(&mut state.waiting);
        let outcome = std::mem::take(&mut state.outcome);
        let result = if let Some(reason) = state.closed.clone() {
            Err(MemoryError::ReadOnly { reason })
        } else {
            drop(state);
            let result = self.storage.commit(round);
            state = self.lock();
            result
        };
        let result = result.map_err(|error| {
            let reason = match error {
                MemoryError::ReadOnly { reason } => reason,
                error => with_sources(&error),
            };
            state.closed = Some(reason.clone());
            MemoryError::ReadOnly { reason }
        });
        let _ = outcome.set(result.clone());
        state.leading = false;
        let has_followers = state.following > 0;
        drop(state);
        if has_followers {
            self.round_over.notify_all();
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for GroupCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupCommit({:?})", self.storage)
    }
}

fn with_sources(error: &MemoryError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
