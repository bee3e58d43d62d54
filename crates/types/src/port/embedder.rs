use std::fmt::Debug;

use crate::{Embedding, EmbeddingError, EmbeddingSpace};

/// Turns texts into embeddings of one space.
///
/// Deterministic: equal texts give equal embeddings. Blocking: a slow model is called from a worker
/// thread.
pub trait Embedder: Send + Sync + Debug {
    /// The space of every embedding it makes.
    fn space(&self) -> &EmbeddingSpace;

    /// One embedding for each text, in order.
    ///
    /// # Errors
    /// [`EmbeddingError::Model`] when the model fails; then no text has an embedding.
    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError>;

    /// The embedding of one text.
    ///
    /// # Errors
    /// As [`embed_batch`](Self::embed_batch).
    fn embed(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        let mut embeddings = self.embed_batch(&[text])?;
        Ok(embeddings
            .pop()
            .expect("an embedder returns one embedding for each text"))
    }
}

/// The null embedder: every text is the zero embedding, which is similar to nothing.
#[derive(Debug, Clone)]
pub struct ZeroEmbedder {
    space: EmbeddingSpace,
    zero: Embedding,
}

impl ZeroEmbedder {
    /// The zero of `space`: stands in for an embedder of that space.
    pub fn of(space: EmbeddingSpace) -> Self {
        let zero =
            Embedding::new(&space, vec![0.0; space.dim()]).expect("as many finite values as dimensions");
        Self { space, zero }
    }
}

impl Default for ZeroEmbedder {
    fn default() -> Self {
        Self::of(EmbeddingSpace::new("none", 1).expect("a name and a positive dimension"))
    }
}

impl Embedder for ZeroEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        Ok(vec![self.zero.clone(); texts.len()])
    }
}
