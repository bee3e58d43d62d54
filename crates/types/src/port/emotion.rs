use std::fmt::Debug;

use crate::EmotionReading;

/// Reads emotions from texts.
///
/// Deterministic and free of state between calls: a reading depends on its text alone.
pub trait EmotionAnalyzer: Send + Sync + Debug {
    /// One reading for each text, in order. An empty text reads as neutral.
    ///
    /// # Errors
    /// [`EmotionError::Unavailable`] when no text could be read.
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError>;
}

/// Why emotions could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmotionError {
    /// The analyzer does not answer at present.
    #[error("emotion analyzer is unavailable: {reason}")]
    Unavailable {
        /// What is known of the cause.
        reason: String,
    },
}

/// The null analyzer: everything is neutral with confidence 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEmotion;

impl EmotionAnalyzer for NoEmotion {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        Ok(vec![EmotionReading::neutral(); texts.len()])
    }
}
