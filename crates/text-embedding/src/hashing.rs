//! Feature hashing: the reference embedder, which needs no table and no model.
//!
//! Words and the character n-grams inside them are hashed into `dim` signed buckets (Weinberger et al.,
//! "Feature Hashing for Large Scale Multitask Learning", ICML 2009). Two texts are near when they share
//! words or parts of words; it knows nothing of meaning.

use rayon::prelude::*;
use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};

use crate::pool::normalize;

/// Embeds a text by its words and character n-grams; unit length, zero for a blank text.
///
/// ```
/// use whisperengine_text_embedding::HashingEmbedder;
/// use whisperengine_types::Embedder;
///
/// let embedder = HashingEmbedder::default();
/// let running = embedder.embed("she was running home")?;
/// let runs = embedder.embed("she runs home")?;
/// let tax = embedder.embed("quarterly tax report")?;
/// assert!(running.similarity(&runs)? > running.similarity(&tax)?);
/// # Ok::<(), whisperengine_types::EmbeddingError>(())
/// ```
#[derive(Debug, Clone)]
pub struct HashingEmbedder {
    space: EmbeddingSpace,
    seed: u64,
}

impl Default for HashingEmbedder {
    /// 256 dimensions, seed 0.
    fn default() -> Self {
        Self::new(256, 0).expect("256 is an allowed dimension")
    }
}

impl HashingEmbedder {
    /// An embedder of `dim` dimensions; another `seed` is another space.
    ///
    /// # Errors
    /// [`EmbeddingError::InvalidSpace`] when `dim` is not in `1..=EmbeddingSpace::MAX_DIM`.
    pub fn new(dim: usize, seed: u64) -> Result<Self, EmbeddingError> {
        let space = EmbeddingSpace::new(format!("hashing-v1-seed{seed}"), dim)?;
        Ok(Self { space, seed })
    }

    fn embed_one(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        let mut values = vec![0.0; self.space.dim()];
        let mut word = String::new();
        for c in text.chars() {
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
                continue;
            }
            self.add_word(&mut word, &mut values);
            if !c.is_whitespace() && !c.is_control() {
                self.add(c.encode_utf8(&mut [0; 4]).as_bytes(), SYMBOL_WEIGHT, &mut values);
            }
        }
        self.add_word(&mut word, &mut values);
        normalize(&mut values);
        Embedding::new(&self.space, values)
    }

    /// Adds the word and its n-grams, and empties it.
    fn add_word(&self, word: &mut String, values: &mut [f32]) {
        if word.is_empty() {
            return;
        }
        self.add(word.as_bytes(), 1.0, values);
        let framed: Vec<char> = std::iter::once('<')
            .chain(word.chars())
            .chain(std::iter::once('>'))
            .collect();
        let count: usize = NGRAMS.map(|n| (framed.len() + 1).saturating_sub(n)).sum();
        let weight = 1.0 / (count.max(1) as f32).sqrt();
        let mut gram = String::new();
        for n in NGRAMS {
            for window in framed.windows(n) {
                gram.clear();
                gram.extend(window);
                self.add(gram.as_bytes(), weight, values);
            }
        }
        word.clear();
    }

    fn add(&self, feature: &[u8], weight: f32, values: &mut [f32]) {
        let hash = hash(feature, self.seed);
        let bucket = (hash % values.len() as u64) as usize;
        values[bucket] += if hash >> 63 == 0 { weight } else { -weight };
    }
}

impl Embedder for HashingEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        if texts.len() < crate::PARALLEL_BATCH {
            return texts.iter().map(|text| self.embed_one(text)).collect();
        }
        texts.par_iter().map(|text| self.embed_one(text)).collect()
    }
}

/// FNV-1a, then the finaliser of MurmurHash3, because FNV alone leaves the high bits poor.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for &byte in bytes {
        h = (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// The lengths of character n-grams, the word framed by `<` and `>`.
const NGRAMS: std::ops::RangeInclusive<usize> = 3..=5;

/// The weight of a punctuation mark or symbol: enough to give a text of emoji an embedding.
const SYMBOL_WEIGHT: f32 = 0.25;
