//! Why an operation came to nothing.

use whisperengine_types::MemoryError;

use crate::{ConfigError, DeadLetterId};

/// Why a write or a query came to nothing. Cloned to every caller who waited for the same operation.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BatcherError {
    /// The memory refused the request; nothing was changed, and asking again will not help.
    #[error("memory refused the operation")]
    Memory(#[from] MemoryError),
    /// The store kept failing. Nothing was changed; the write can be [replayed](crate::MemoryBatcher::replay_dead_letters).
    #[error("write failed after {attempts} attempts, kept as {letter}")]
    Failed {
        /// How often it was tried.
        attempts: u32,
        /// Where it is kept.
        letter: DeadLetterId,
        /// The last failure.
        #[source]
        source: MemoryError,
    },
    /// The store panicked while it worked on this operation alone; whether it was applied is unknown.
    #[error("memory store panicked: {reason}")]
    Panicked {
        /// The panic's message.
        reason: String,
        /// Where the write is kept; `None` for a query.
        letter: Option<DeadLetterId>,
    },
    /// The write was not written in the time given, and will not be, unless a duplicate of it with more
    /// time is still waiting.
    #[error("write was not written in time")]
    DeadlineExceeded,
    /// A queue is full and the batcher is set to refuse; nothing was accepted.
    #[error("{what} queue is full, {limit} slots")]
    Full {
        /// Which queue.
        what: &'static str,
        /// Its size in slots.
        limit: usize,
    },
    /// The write is larger than the whole queue.
    #[error("write has {bytes} bytes, more than the queue's {limit}")]
    TooLarge {
        /// Its estimated size in bytes.
        bytes: usize,
        /// The queue's size in bytes.
        limit: usize,
    },
    /// The batcher is shut down; nothing was accepted.
    #[error("memory batcher is closed")]
    Closed,
    /// The drain's deadline passed before the accepted write was written; nothing was changed.
    #[error("write was still waiting when the drain ended")]
    Unwritten,
    /// The write may or may not be stored: the drain's deadline passed while the store was working on it,
    /// or it was (or may have been) applied, had to be applied again, and that failed.
    #[error("write may or may not be stored")]
    InDoubt,
    /// An idempotency key has no character or more than 256 bytes.
    #[error("idempotency key has {bytes} bytes, not 1 to 256")]
    InvalidKey {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The settings cannot be.
    #[error("configuration is invalid")]
    Config(#[from] ConfigError),
    /// The operating system refused a thread.
    #[error("no thread could be started: {reason}")]
    NoThread {
        /// What it said.
        reason: String,
    },
}

/// The result of an operation of this crate.
pub type Result<T, E = BatcherError> = std::result::Result<T, E>;
