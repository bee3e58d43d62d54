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
        self.call_batch(texts, Embedder::embed_batch, is_model_fault)
    }

    fn embed(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        self.call(|port| port.embed(text), is_model_fault)
    }
}

fn is_model_fault(error: &EmbeddingError) -> bool {
    matches!(error, EmbeddingError::Model(_))
}
