//! Why a store cannot be opened, moved or rebuilt. Operations on memories fail with
//! [`MemoryError`], the port's own error.

use std::path::PathBuf;

use whisperengine_types::{EmbeddingError, EmbeddingSpace, MemoryError};

/// The result of an operation on a whole store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation on a whole store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process, or another handle in this one, has the store open.
    #[error("the store at {} is open elsewhere", path.display())]
    Locked {
        /// The store's folder.
        path: PathBuf,
    },
    /// The store was written by a version with another format.
    #[error("the store has format {found}, this version reads format {supported}")]
    Format {
        /// The format found.
        found: u32,
        /// The format this version reads and writes.
        supported: u32,
    },
    /// The store holds embeddings of another model; [`reembed`](crate::VectorMemory::reembed) changes them.
    #[error("the store holds embeddings of {stored}, the embedder makes {given}")]
    Space {
        /// The space of the stored embeddings.
        stored: EmbeddingSpace,
        /// The embedder's space.
        given: EmbeddingSpace,
    },
    /// A re-embedding was interrupted; run [`reembed`](crate::VectorMemory::reembed) again to finish it.
    #[error("re-embedding into {target} was interrupted")]
    ReembeddingUnfinished {
        /// The space that the embeddings are moving to.
        target: EmbeddingSpace,
    },
    /// Stored bytes are not what was written.
    #[error("the store is corrupt: {reason}")]
    Corrupt {
        /// Where and how.
        reason: String,
    },
    /// A line of an export cannot be read.
    #[error("line {line} is not a memory")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A file cannot be read or written.
    #[error("file access failed")]
    Io(#[from] std::io::Error),
    /// A memory cannot be read or written.
    #[error("memory access failed")]
    Memory(#[from] MemoryError),
    /// An embedding cannot be made.
    #[error("embedding failed")]
    Embedding(#[from] EmbeddingError),
}
