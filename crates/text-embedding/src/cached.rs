//! A decorator that remembers embeddings: worth it for a slow model, not for the static table, whose
//! embedding of a short text costs about as much as a look-up.

use std::{collections::HashMap, sync::Arc, time::Duration};

use moka::sync::Cache;
use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};

/// How much a [`CachedEmbedder`] keeps and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// The bytes of texts and embeddings that are kept, about; default 64 MiB. Raising it saves work on
    /// texts that come back after many others.
    pub max_bytes: u64,
    /// How long an embedding is kept after it was made; default one hour. Embeddings do not age, so this
    /// only bounds how long a text stays in memory.
    pub time_to_live: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            time_to_live: Duration::from_secs(60 * 60),
        }
    }
}

/// Asks `inner` only for texts that it has not embedded lately; equal texts of a batch are embedded once.
///
/// A hit is a hit on the full text, never on its hash alone. Errors are not remembered.
///
/// ```
/// use std::sync::Arc;
/// use whisperengine_text_embedding::{CacheLimits, CachedEmbedder, HashingEmbedder};
/// use whisperengine_types::Embedder;
///
/// let cached = CachedEmbedder::new(Arc::new(HashingEmbedder::default()), CacheLimits::default());
/// assert_eq!(cached.embed("hello")?, cached.embed("hello")?);
/// # Ok::<(), whisperengine_types::EmbeddingError>(())
/// ```
#[derive(Debug)]
pub struct CachedEmbedder {
    inner: Arc<dyn Embedder>,
    cache: Cache<Arc<str>, Embedding>,
}

impl CachedEmbedder {
    /// Decorates `inner`.
    pub fn new(inner: Arc<dyn Embedder>, limits: CacheLimits) -> Self {
        let cache = Cache::builder()
            .max_capacity(limits.max_bytes)
            .weigher(|text: &Arc<str>, embedding: &Embedding| {
                u32::try_from(text.len() + size_of_val(embedding.values()) + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .time_to_live(limits.time_to_live)
            .build();
        Self { inner, cache }
    }

    /// Forgets all texts.
    pub fn clear(&self) {
        self.cache.invalidate_all();
    }
}

#[deny(clippy::missing_trait_methods)]
impl Embedder for CachedEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        self.inner.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        let mut found: Vec<Option<Embedding>> = texts.iter().map(|&text| self.cache.get(text)).collect();
        let mut missing: Vec<&str> = Vec::new();
        let mut position: HashMap<&str, usize> = HashMap::new();
        for (&text, _) in texts.iter().zip(&found).filter(|(_, found)| found.is_none()) {
            position.entry(text).or_insert_with(|| {
                missing.push(text);
                missing.len() - 1
            });
        }
        if !missing.is_empty() {
            let made = self.inner.embed_batch(&missing)?;
            for (&text, embedding) in missing.iter().zip(&made) {
                self.cache.insert(text.into(), embedding.clone());
            }
            for (slot, text) in found.iter_mut().zip(texts) {
                slot.get_or_insert_with(|| made[position[text]].clone());
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn embed(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        if let Some(embedding) = self.cache.get(text) {
            return Ok(embedding);
        }
        let embedding = self.inner.embed(text)?;
        self.cache.insert(text.into(), embedding.clone());
        Ok(embedding)
    }
}

/// What an entry costs beside its text and its values.
const ENTRY_BYTES: usize = 128;
