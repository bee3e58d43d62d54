use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};

use super::Fallback;

/// Both embedders must share a space, or a stand-in's embedding would be refused downstream; the zero
/// embedding of the primary's space is always possible.
#[deny(clippy::missing_trait_methods)]
impl Embedder for Fallback<dyn Embedder> {
    fn space(&self) -> &EmbeddingSpace {
        self.primary.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        self.call(
            |port| port.embed_batch(texts),
            |error| matches!(error, EmbeddingError::Model(_)),
        )
    }

    fn embed(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        self.call(
            |port| port.embed(text),
            |error| matches!(error, EmbeddingError::Model(_)),
        )
    }
}
