use std::{error::Error, fmt::Debug, sync::Arc};

use crate::{Committed, EmbeddingError, MemoryId, MemoryOwner, MemoryRecord, Recall, RecallQuery, WriteOp};

/// Durable records of owners.
///
/// Blocking: called from a worker thread. Readers never wait for writers of other owners.
pub trait MemoryStore: Send + Sync + Debug {
    /// Applies `ops` in order and returns once they are durable, together in as few syncs as possible.
    ///
    /// One result for each operation: `Ok` means it survives a crash. A failed operation changed
    /// nothing and does not keep the others from being applied. Applying the same operation again
    /// leaves the same state, so a caller may retry after any error.
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>>;

    /// The records with these ids, `None` where there is none.
    ///
    /// # Errors
    /// [`MemoryError::Unavailable`] or [`MemoryError::Corrupt`].
    fn get(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError>;

    /// Up to `limit` records in the order of their ids' text, those after `after` only.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError>;

    /// The owner's conversation state as last put.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn state(&self, owner: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError>;

    /// Up to `limit` owners who have a conversation state, those after `after` only, in an order of the
    /// store's own that stays the same. For upkeep; no memory is read.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    fn owners_with_state(
        &self,
        after: Option<&MemoryOwner>,
        limit: usize,
    ) -> Result<Vec<MemoryOwner>, MemoryError>;
}

/// A [`MemoryStore`] in front of another: measuring, encrypting, refusing.
///
/// Every call goes to [`inner`](Self::inner) unless the layer overrides it; whoever implements this is a
/// [`MemoryStore`]. A layer keeps that trait's promises: one result for each operation of a commit, and
/// `Ok` only for what survives a crash.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// use whisperengine_types::{Committed, MemoryError, MemoryStore, MemoryStoreLayer, NoMemory, WriteOp};
///
/// /// Counts what is written.
/// #[derive(Debug)]
/// struct Counted<S> {
///     store: S,
///     written: AtomicUsize,
/// }
///
/// impl<S: MemoryStore> MemoryStoreLayer for Counted<S> {
///     fn inner(&self) -> &dyn MemoryStore {
///         &self.store
///     }
///
///     fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
///         let results = self.store.commit(ops);
///         let written = results.iter().filter(|result| result.is_ok()).count();
///         self.written.fetch_add(written, Relaxed);
///         results
///     }
/// }
///
/// let written = AtomicUsize::new(0);
/// let store: Box<dyn MemoryStore> = Box::new(Counted { store: NoMemory, written });
/// assert!(store.owners_with_state(None, 10).is_ok_and(|owners| owners.is_empty()));
/// ```
pub trait MemoryStoreLayer: Send + Sync + Debug {
    /// The store underneath.
    fn inner(&self) -> &dyn MemoryStore;

    /// As [`MemoryStore::commit`].
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.inner().commit(ops)
    }

    /// As [`MemoryStore::get`].
    ///
    /// # Errors
    /// As there.
    fn get(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError> {
        self.inner().get(owner, ids)
    }

    /// As [`MemoryStore::scan`].
    ///
    /// # Errors
    /// As there.
    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        self.inner().scan(owner, after, limit)
    }

    /// As [`MemoryStore::state`].
    ///
    /// # Errors
    /// As there.
    fn state(&self, owner: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError> {
        self.inner().state(owner)
    }

    /// As [`MemoryStore::owners_with_state`].
    ///
    /// # Errors
    /// As there.
    fn owners_with_state(
        &self,
        after: Option<&MemoryOwner>,
        limit: usize,
    ) -> Result<Vec<MemoryOwner>, MemoryError> {
        self.inner().owners_with_state(after, limit)
    }
}

impl<L: MemoryStoreLayer> MemoryStore for L {
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        MemoryStoreLayer::commit(self, ops)
    }

    fn get(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError> {
        MemoryStoreLayer::get(self, owner, ids)
    }

    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        MemoryStoreLayer::scan(self, owner, after, limit)
    }

    fn state(&self, owner: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError> {
        MemoryStoreLayer::state(self, owner)
    }

    fn owners_with_state(
        &self,
        after: Option<&MemoryOwner>,
        limit: usize,
    ) -> Result<Vec<MemoryOwner>, MemoryError> {
        MemoryStoreLayer::owners_with_state(self, after, limit)
    }
}

/// Search among one owner's memories.
pub trait MemoryRecall: Send + Sync + Debug {
    /// The memories that answer `query` best. Sees every write that `commit` has acknowledged.
    ///
    /// # Errors
    /// [`MemoryError::InvalidQuery`], [`MemoryError::Embedding`], [`MemoryError::Unavailable`] or
    /// [`MemoryError::Corrupt`].
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError>;
}

/// Why an operation on memories failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// No memory of the owner has this id.
    #[error("no memory has the id {id:?}")]
    NotFound {
        /// The id asked for.
        id: MemoryId,
    },
    /// The record or patch has a value out of range.
    #[error("memory {id:?} is invalid: {reason}")]
    InvalidRecord {
        /// The record's id.
        id: MemoryId,
        /// What is wrong with it.
        reason: String,
    },
    /// The query cannot be answered as it stands.
    #[error("query is invalid: {reason}")]
    InvalidQuery {
        /// What is wrong with it.
        reason: String,
    },
    /// An embedding has the wrong dimension or space, or could not be made.
    #[error("embedding is not usable")]
    Embedding(#[from] EmbeddingError),
    /// The store answers nothing at present; the same call may succeed later.
    #[error("memory store is unavailable: {reason}")]
    Unavailable {
        /// What is known of the cause.
        reason: String,
        /// The error underneath.
        #[source]
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
    /// The store takes no writes until it is reopened (full disk, failed sync); reading goes on.
    #[error("memory store is read-only: {reason}")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// Stored bytes are not what was written.
    #[error("memory store is corrupt: {reason}")]
    Corrupt {
        /// Where and how.
        reason: String,
    },
}

impl MemoryError {
    /// Whether the store, not the request, is at fault, so that a stand-in may answer.
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::ReadOnly { .. } | Self::Corrupt { .. }
        )
    }

    /// Whether the same request may succeed if it is made again.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// The null memory: refuses writes, holds nothing, finds nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMemory;

impl MemoryStore for NoMemory {
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        let refused = || {
            Err(MemoryError::ReadOnly {
                reason: "memory is disabled".to_owned(),
            })
        };
        ops.iter().map(|_| refused()).collect()
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

impl MemoryRecall for NoMemory {
    fn recall(&self, _: &MemoryOwner, _: &RecallQuery) -> Result<Recall, MemoryError> {
        Ok(Recall {
            memories: Vec::new(),
            asked_time: None,
            degraded: Some("memory is disabled".to_owned()),
        })
    }
}
