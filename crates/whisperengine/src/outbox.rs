//! Writes that the store would not take: kept in memory, in order, until it takes them again.
//!
//! An outcome that rests on the outbox says [`Durability::Volatile`](whisperengine_types::Durability),
//! never durable.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use whisperengine_types::{MemoryOwner, WriteOp};

/// A bounded queue of writes waiting for the store to come back.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<VecDeque<WriteOp>>,
    limit: usize,
}

impl Outbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            limit,
        }
    }

    /// Keeps `op`, unless the outbox is full.
    pub(crate) fn keep(&self, op: WriteOp) -> Result<(), WriteOp> {
        let mut waiting = self.lock();
        if waiting.len() >= self.limit {
            return Err(op);
        }
        waiting.push_back(op);
        Ok(())
    }

    /// The oldest writes, at most `limit`, for another try; those that fail again go to
    /// [`put_back`](Self::put_back).
    pub(crate) fn take(&self, limit: usize) -> Vec<WriteOp> {
        let mut waiting = self.lock();
        let len = waiting.len().min(limit);
        waiting.drain(..len).collect()
    }

    /// Returns writes taken before, ahead of all that came since.
    pub(crate) fn put_back(&self, ops: Vec<WriteOp>) {
        let mut waiting = self.lock();
        ops.into_iter().rev().for_each(|op| waiting.push_front(op));
    }

    /// Drops everything kept for `owner`.
    pub(crate) fn forget(&self, owner: &MemoryOwner) {
        self.lock().retain(|op| op.owner() != owner);
    }

    /// How many writes wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<WriteOp>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
