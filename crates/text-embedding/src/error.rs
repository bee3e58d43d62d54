//! What can go wrong when a table or a model is loaded or run.

use std::{io, path::PathBuf, sync::Arc};

use whisperengine_types::EmbeddingError;

/// Why an embedder cannot be made, or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a static table, or damaged.
    #[error("not a static embedding table: {reason}")]
    InvalidTable {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A vocabulary lacks a token that the tokenizer cannot do without.
    #[error("the vocabulary has no token {token}")]
    MissingToken {
        /// The token.
        token: &'static str,
    },
    /// A vocabulary has more pieces than ids or bytes can be counted.
    #[error("the vocabulary has too many pieces")]
    VocabularyTooLarge,
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A model's files are not what they should be.
    #[cfg(feature = "candle")]
    #[error("{} is not usable: {reason}", path.display())]
    InvalidModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model's weights do not fit together, or a computation failed.
    #[cfg(feature = "candle")]
    #[error("the model failed")]
    Candle(#[from] candle_core::Error),
    /// The embedding space cannot be named, or values are not an embedding.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Error> for EmbeddingError {
    fn from(error: Error) -> Self {
        match error {
            Error::Embedding(error) => error,
            error => Self::Model(Arc::new(error)),
        }
    }
}
