use whisperengine_types::{Component, Embedder, Embedding, EmbeddingError, EmbeddingSpace};

use super::{Answered, Fallback, isolate};

impl Fallback<dyn Embedder> {
    /// One embedding for each text; a text that cannot be embedded has none and says so.
    pub(crate) fn embed_each(&self, texts: &[&str]) -> Vec<Answered<Option<Embedding>>> {
        let embedded = self.call_each(texts, Embedder::embed_batch, is_model_fault);
        let missing = |error: EmbeddingError| Answered {
            value: None,
            degraded: isolate::<(), _>(Component::Embedding, || Err(error)).err(),
        };
        let present = |Answered { value, degraded }| Answered {
            // The fallback's embedding has no meaning.
            value: degraded.is_none().then_some(value),
            degraded,
        };
        embedded
            .into_iter()
            .map(|answer| answer.map_or_else(missing, present))
            .collect()
    }
}

/// Both embedders must share a space, or a fallback's embedding would be refused downstream; the zero
/// embedding of the primary's space is always possible.
#[deny(clippy::missing_trait_methods)]
impl Embedder for Fallback<dyn Embedder> {
    fn space(&self) -> &EmbeddingSpace {
        self.primary.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        self.call_each(texts, Embedder::embed_batch, is_model_fault)
            .into_iter()
            .map(|answer| answer.map(|answer| answer.value))
            .collect()
    }

    fn embed(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        self.call(|port| port.embed(text), is_model_fault)
            .map(|answer| answer.value)
    }
}

fn is_model_fault(error: &EmbeddingError) -> bool {
    matches!(error, EmbeddingError::Model(_))
}
