//! What can go wrong, in terms of what the caller did or can do.

use std::{fmt, time::Duration};

use whisperengine_types::{ConversationError, EmbeddingError, MemoryError, MessageError, ResponderError};

/// The result of an engine call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call on the engine failed. Nothing was stored and no state was changed, except where a variant
/// says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The message is not acceptable as it stands.
    #[error("message refused")]
    InvalidMessage(#[from] MessageError),
    /// The engine has more work than it can do in time.
    #[error("engine is busy ({reason}), try again in {} ms", retry_after.as_millis())]
    Busy {
        /// What is full.
        reason: String,
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// The turn was accepted and then given up: shed, timed out, or its handler failed. It may have been
    /// stored.
    #[error("turn was given up: {reason}")]
    TurnFailed {
        /// What became of it.
        reason: String,
    },
    /// The message was part of a burst and is answered with a later one; see the scheduler's `coalesce`.
    #[error("message is answered with a later one of its burst")]
    Merged,
    /// The store refused.
    #[error("memory operation failed")]
    Memory(#[from] MemoryError),
    /// The write queue gave the write up.
    #[error("write was not stored: {reason}")]
    NotStored {
        /// Why.
        reason: String,
    },
    /// The responder gave no reply; the turn itself is done and stored.
    #[error("there is no reply")]
    NoReply(#[from] ResponderError),
    /// The conversation engine did not take what it was told.
    #[error("conversation engine refused")]
    Conversation(#[from] ConversationError),
    /// The person was forgotten after the turn; nothing of it is kept.
    #[error("the person was forgotten in the meantime")]
    Forgotten,
    /// The engine is shutting down.
    #[error("engine is shutting down")]
    ShuttingDown,
    /// Exporting or importing failed on the caller's side.
    #[error("reading or writing the export failed")]
    Io(#[from] std::io::Error),
}

/// Why an engine could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A configuration file, variable or builder call has a value that does not fit.
    #[error("configuration is invalid")]
    Config(#[from] ConfigError),
    /// The data folder cannot be used.
    #[error("cannot open the data folder {}", path.display())]
    Store {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A part does not start.
    #[error("cannot start the {part}")]
    Part {
        /// Which one.
        part: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The embedder cannot be loaded.
    #[error("cannot load the embedder")]
    Embedder(#[from] EmbeddingError),
    /// There is no asynchronous runtime to run in.
    #[error("build() must be called within a tokio runtime")]
    NoRuntime,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file or variable names an unknown field or holds a value of the wrong type.
    #[error("configuration cannot be read")]
    Unreadable(#[source] Box<figment::Error>),
    /// A variable under our prefix is not one we know.
    #[error("unknown environment variable {name}")]
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// A value of a section is out of its range.
    #[error("{section}: {reason}")]
    Section {
        /// The section.
        section: &'static str,
        /// The field, its value, and what is accepted.
        reason: String,
    },
    /// A value is out of its range, or contradicts another.
    #[error("{field} is {value}: {expected}")]
    OutOfRange {
        /// The field with its section, or the variable.
        field: String,
        /// The value given.
        value: String,
        /// What is accepted.
        expected: String,
    },
}

impl ConfigError {
    pub(crate) fn out_of_range(
        field: impl Into<String>,
        value: impl fmt::Display,
        expected: impl Into<String>,
    ) -> Self {
        Self::OutOfRange {
            field: field.into(),
            value: value.to_string(),
            expected: expected.into(),
        }
    }
}
