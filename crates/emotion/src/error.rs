/// What can go wrong in this crate. Reading a text cannot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A weights file is not one, or not intact.
    #[error("emotion weights have a wrong {what}")]
    Weights {
        /// `length`, `format`, `checksum` or `number`.
        what: &'static str,
    },
    /// A data set for training has a row that cannot be used.
    #[error("training data line {line}: {what}")]
    TrainingData {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// There is nothing to train on.
    #[error("training needs at least one text in each of train and dev")]
    NoExamples,
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
