//! Who was forgotten, and which turns were accepted before that.
//!
//! Invariant: whatever is read of a person and written back is done under one [`Remembering`], and
//! [`Forgetting::forget`] waits for all of them. So nothing that was read before a person was forgotten
//! is written after it.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use whisperengine_types::{MemoryId, MemoryOwner};

use crate::turn::Mark;

/// Keeps turns and replies that were under way when a person was forgotten from bringing them back.
#[derive(Debug, Default)]
pub(crate) struct Forgetting {
    /// When each person was forgotten; one entry a person.
    marks: RwLock<HashMap<MemoryOwner, Mark>>,
}

/// Nobody is forgotten while this is held.
#[derive(Debug)]
pub(crate) struct Remembering<'a> {
    marks: RwLockReadGuard<'a, HashMap<MemoryOwner, Mark>>,
}

impl Forgetting {
    /// Waits while somebody is being forgotten.
    pub(crate) fn remember(&self) -> Remembering<'_> {
        Remembering {
            marks: self.marks.read().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Runs `erase` alone, and from then on knows turns of `owner` that came before `mark` as forgotten.
    pub(crate) fn forget<T>(&self, owner: &MemoryOwner, mark: Mark, erase: impl FnOnce() -> T) -> T {
        let mut marks = self.marks.write().unwrap_or_else(PoisonError::into_inner);
        marks.insert(owner.clone(), mark);
        erase()
    }
}

impl Remembering<'_> {
    /// Whether `owner` was forgotten after this turn was accepted.
    pub(crate) fn is_forgotten(&self, owner: &MemoryOwner, turn: &MemoryId) -> bool {
        self.marks.get(owner).is_some_and(|mark| mark.is_after(turn))
    }
}
