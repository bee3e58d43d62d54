//! A decorator that remembers embeddings: of a slow model for long, of the static table for the moment that
//! a message's several uses lie apart.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync::Cache, sync::DefaultLifecycle};
use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Asks `inner` only for texts that it has not embedded lately; equal texts of a batch are embedded once.
///
/// Embeddings are kept under a seeded 128-bit hash of their text, never the text itself. Errors are not
/// remembered. A hit costs about 0.1 us, so that it pays even before [`StaticEmbedder`](crate::StaticEmbedder), whose table a busy program
/// keeps pushing out of the processor's caches.
///
/// ```
/// use std::sync::Arc;
/// use whisperengine_text_embedding::{CachedEmbedder, HashingEmbedder};
/// use whisperengine_types::Embedder;
///
/// let cached = CachedEmbedder::new(Arc::new(HashingEmbedder::default()), CachedEmbedder::DEFAULT_BYTES);
/// assert_eq!(cached.embed("hello")?, cached.embed("hello")?);
/// # Ok::<(), whisperengine_types::EmbeddingError>(())
/// ```
#[derive(Debug)]
pub struct CachedEmbedder {
    inner: Arc<dyn Embedder>,
    cache: Cache<u128, Embedding, Bytes>,
    /// Differs from process to process: nobody can prepare two texts of one hash.
    seed: u64,
}

/// Weighs an entry by the bytes that it takes, about.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<u128, Embedding> for Bytes {
    fn weight(&self, _: &u128, embedding: &Embedding) -> u64 {
        (size_of_val(embedding.values()) + ENTRY_BYTES) as u64
    }
}

impl CachedEmbedder {
    /// As much as a slow model is worth: 64 MiB, some 50,000 texts in 256 dimensions.
    pub const DEFAULT_BYTES: u64 = 64 << 20;

    /// Decorates `inner` and keeps at most about `max_bytes` of embeddings: those that are asked for again, and
    /// the latest.
    pub fn new(inner: Arc<dyn Embedder>, max_bytes: u64) -> Self {
        let entry = size_of::<f32>() * inner.space().dim() + ENTRY_BYTES;
        let options = OptionsBuilder::new()
            .weight_capacity(max_bytes)
            .estimated_items_capacity((max_bytes as usize / entry).max(1))
            .hot_allocation(HOT)
            .build()
            .expect("both capacities are given");
        let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self {
            inner,
            seed: RandomState::new().hash_one(0_u8),
            cache: Cache::with_options(options, Bytes, hasher, lifecycle),
        }
    }

    /// Drops every embedding.
    pub fn clear(&self) {
        self.cache.clear();
    }

    fn key(&self, text: &str) -> u128 {
        xxh3_128_with_seed(text.as_bytes(), self.seed)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Embedder for CachedEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        self.inner.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        let mut found: Vec<Option<Embedding>> =
            texts.iter().map(|text| self.cache.get(&self.key(text))).collect();
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
                self.cache.insert(self.key(text), embedding.clone());
            }
            for (slot, text) in found.iter_mut().zip(texts) {
                slot.get_or_insert_with(|| made[position[text]].clone());
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    fn embed(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        if let Some(embedding) = self.cache.get(&self.key(text)) {
            return Ok(embedding);
        }
        let embedding = self.inner.embed(text)?;
        self.cache.insert(self.key(text), embedding.clone());
        Ok(embedding)
    }
}

/// What an entry costs beside its values.
const ENTRY_BYTES: usize = 128;
/// The part of the place that is kept for texts that were asked for again. The rest is the latest's: what a
/// message is embedded for a second time comes soon or never.
const HOT: f64 = 0.5;
