use whisperengine_types::{EmbeddingError, MemoryError};

/// The result of an operation on collections.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on collections failed, in the cases that Chroma distinguishes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An argument is not acceptable (Chroma's `ValueError`).
    #[error("{reason}")]
    InvalidArgument {
        /// What is wrong with it.
        reason: String,
    },
    /// An id occurs twice in one call (`DuplicateIDError`).
    #[error("expected ids to be unique, found duplicates of: {}", ids.join(", "))]
    DuplicateId {
        /// The ids that do.
        ids: Vec<String>,
    },
    /// An embedding has another dimension than the collection's (`InvalidDimensionException`).
    #[error("collection expecting embedding with dimension of {expected}, got {got}")]
    InvalidDimension {
        /// The collection's dimension.
        expected: usize,
        /// The embedding's.
        got: usize,
    },
    /// A collection of this name is there already (`UniqueConstraintError`).
    #[error("collection [{name}] already exists")]
    AlreadyExists {
        /// The name.
        name: String,
    },
    /// There is no such collection (`NotFoundError`).
    #[error("collection [{name}] does not exist")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The store failed.
    #[error("collection access failed")]
    Memory(#[from] MemoryError),
    /// An embedding could not be made.
    #[error("embedding failed")]
    Embedding(#[from] EmbeddingError),
    /// The store could not be opened.
    #[error("the store cannot be opened")]
    Store(#[from] crate::Error),
}

pub(super) fn invalid<T>(reason: impl Into<String>) -> Result<T> {
    Err(Error::InvalidArgument {
        reason: reason.into(),
    })
}
