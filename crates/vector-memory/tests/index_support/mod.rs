//! Vectors to search among and the naive search to compare with.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

pub mod foreign;

use whisperengine_vector_memory::index::{SlotSet, VectorIndex};

/// A linear congruential generator (Knuth's MMIX constants).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }

    /// About normally distributed.
    pub fn normal(&mut self) -> f32 {
        let sum: u64 = (0..12).map(|_| self.next() & 0xFFFF).sum();
        sum as f32 / 65_536.0 - 6.0
    }
}

pub fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    for value in &mut vector {
        *value /= norm;
    }
    vector
}

/// Unit vectors around some topics, with as much noise as topic: neither random nor easy.
pub fn topical(count: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random(seed);
    let mut topics = Random(7);
    let centres: Vec<Vec<f32>> = (0..40)
        .map(|_| unit((0..dim).map(|_| topics.normal()).collect()))
        .collect();
    let spread = 1.0 / (dim as f32).sqrt();
    (0..count)
        .map(|_| {
            let centre = &centres[random.below(centres.len())];
            unit(centre.iter().map(|c| c + spread * random.normal()).collect())
        })
        .collect()
}

/// The slots of the `k` nearest by a plain loop.
pub fn naive(index: &dyn VectorIndex, query: &[f32], k: usize, allowed: Option<&SlotSet>) -> Vec<u32> {
    let mut all: Vec<(f64, u32)> = (0..index.slots())
        .filter(|&slot| allowed.is_none_or(|allowed| allowed.contains(slot)))
        .filter_map(|slot| Some((dot(index.vector(slot)?, query), slot)))
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.iter().take(k).map(|&(_, slot)| slot).collect()
}

pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The share of the true 10 nearest that searches find.
pub fn recall(index: &dyn VectorIndex, queries: &[Vec<f32>], allowed: Option<&SlotSet>) -> f64 {
    let params = whisperengine_vector_memory::index::SearchParams::new(10);
    let (mut found, mut wanted) = (0, 0);
    for query in queries {
        let truth = naive(index, query, 10, allowed);
        let hits = index.search(query, &params, allowed).unwrap();
        assert!(
            hits.windows(2)
                .all(|pair| pair[0].similarity >= pair[1].similarity),
            "best first"
        );
        found += hits.iter().filter(|hit| truth.contains(&hit.slot)).count();
        wanted += truth.len();
    }
    found as f64 / wanted as f64
}
