//! Why an operation came to nothing.

use whisperengine_types::MemoryError;

use crate::{ConfigError, DeadLetterId};

/// Why a write came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BatcherError {
    /// The memory refused the operation, or could not forget an owner; nothing was changed.
    #[error("memory refused the operation")]
    Memory(#[from] MemoryError),
    /// The store kept failing. Nothing was changed; the write can be
    /// [replayed](crate::MemoryBatcher::replay_dead_letters).
    #[error("write failed after {attempts} attempts, kept as {letter}")]
    Failed {
        /// How often it was tried; 0 when the store was known to be away.
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
        /// Where the write is kept; `None` for one that must not be made later.
        letter: Option<DeadLetterId>,
    },
    /// The queue is full and the batcher is set to refuse, or the store is failing and there is no room for
    /// another dead letter; nothing was accepted.
    #[error("{what} queue is full, {limit} slots")]
    Full {
        /// Which queue: `"write"` or `"dead letter"`.
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
