//! Sorted bytes on stable storage: what a memory store needs of one, and nothing of memories.
//!
//! Invariant: a [`Storage::commit`] that returned `Ok` survives a crash as a whole; one that returned an
//! error is not visible to any read.

mod fjall;
mod group;
mod journal_check;
mod key;
mod version_check;
mod volatile;

use std::{fmt::Debug, ops::ControlFlow};

use whisperengine_types::MemoryError;

pub(crate) use self::{fjall::FjallStorage, group::GroupCommit, key::OwnerKey, volatile::VolatileStorage};

/// A sorted map of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    /// Owner and memory id to record.
    Records,
    /// Owner to conversation state.
    States,
    /// Facts about the store itself.
    Meta,
}

/// Bytes that are shared and not copied; the storage keeps those it is given.
pub(crate) use ::fjall::Slice as Bytes;

/// One change to one key; within a batch no key occurs twice.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) table: Table,
    pub(crate) key: Bytes,
    /// `None` removes the key.
    pub(crate) value: Option<Bytes>,
}

/// Called with each key and value of a range until it breaks.
pub(crate) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, MemoryError> + 'a;

/// A durable sorted map.
pub(crate) trait Storage: Send + Sync + Debug {
    /// The value of a key.
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, MemoryError>;

    /// The pairs whose key begins with `prefix` and is greater than `after`, in the order of keys.
    fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), MemoryError>;

    /// Applies all changes at once and returns when they are durable.
    fn commit(&self, changes: Vec<Change>) -> Result<(), MemoryError>;

    /// Rewrites the files so that removed and replaced values are in none of them.
    fn compact(&self) -> Result<(), MemoryError>;

    /// Bytes on disk.
    fn disk_bytes(&self) -> u64;
}
