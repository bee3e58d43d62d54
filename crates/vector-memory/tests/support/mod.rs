//! What the tests share: a tiny embedder and short names for things.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file uses its own part of this"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use whisperengine_types::{
    Embedder, Embedding, EmbeddingError, EmbeddingSpace, MemoryId, MemoryOwner, MemoryRecord, Timestamp,
};
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

/// Each word adds one to a coordinate chosen by its bytes.
#[derive(Debug)]
pub struct WordEmbedder {
    space: EmbeddingSpace,
}

impl WordEmbedder {
    pub fn new(dim: usize) -> Self {
        Self {
            space: EmbeddingSpace::new("words", dim).unwrap(),
        }
    }
}

impl Embedder for WordEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        let embed = |text: &&str| {
            let mut values = vec![0.0; self.space.dim()];
            for word in text
                .split(|c: char| !c.is_alphanumeric())
                .filter(|w| !w.is_empty())
            {
                let hash = word
                    .to_lowercase()
                    .bytes()
                    .fold(17_usize, |h, b| h.wrapping_mul(31).wrapping_add(usize::from(b)));
                values[hash % self.space.dim()] += 1.0;
            }
            Embedding::new(&self.space, values)
        };
        texts.iter().map(embed).collect()
    }
}

pub fn embedder() -> Arc<dyn Embedder> {
    Arc::new(WordEmbedder::new(64))
}

pub fn in_memory() -> VectorMemory {
    VectorMemory::in_memory(embedder(), VectorMemoryConfig::default())
}

pub fn open(path: &std::path::Path) -> VectorMemory {
    VectorMemory::open(path, embedder(), VectorMemoryConfig::default()).unwrap()
}

pub fn person(user: &str) -> MemoryOwner {
    MemoryOwner::person("bot".parse().unwrap(), user.parse().unwrap())
}

pub fn id(text: &str) -> MemoryId {
    text.parse().unwrap()
}

pub fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + minutes * 60_000)
}

pub fn record(name: &str, text: &str) -> MemoryRecord {
    MemoryRecord::new(id(name), text, at(0))
}

/// Numbers that look random and are always the same (SplitMix64).
#[derive(Debug, Clone)]
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Roughly normal, mean 0.
    pub fn normal(&mut self) -> f32 {
        let sum: f32 = (0..4)
            .map(|_| (self.next() >> 40) as f32 / (1_u32 << 24) as f32)
            .sum();
        sum - 2.0
    }

    pub fn embedding(&mut self, space: &EmbeddingSpace) -> Embedding {
        let values: Vec<f32> = (0..space.dim()).map(|_| self.normal()).collect();
        Embedding::new(space, values).unwrap()
    }
}
