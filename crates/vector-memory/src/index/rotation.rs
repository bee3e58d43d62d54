//! A random rotation, applied in `O(dim log dim)`.
//!
//! Codes of one bit or one byte per coordinate need coordinates that are alike: a model with a few large
//! dimensions would otherwise lose the rest. A rotation makes them alike and changes no similarity. Four
//! rounds of random sign flips and Walsh-Hadamard transforms (Ailon and Chazelle's fast Johnson-Lindenstrauss
//! transform) stand in for a dense matrix; where the dimension is no power of two, the rounds take turns
//! between the first and the last `2^i` coordinates, which overlap.

use std::sync::Arc;

use super::random::SplitMix;
use crate::kernel::Kernel;

/// Rounds of flips and transforms; two per end.
const ROUNDS: usize = 4;

/// The rotation of one dimension; the same for the same dimension, in every process and version of the format.
#[derive(Debug, Clone)]
pub(super) struct Rotation {
    dim: usize,
    window: usize,
    signs: Arc<[i8]>,
}

impl Rotation {
    pub(super) fn new(dim: usize) -> Self {
        let mut random = SplitMix::new(dim as u64);
        let signs = (0..ROUNDS * dim)
            .map(|_| if random.next() & 1 == 0 { 1 } else { -1 })
            .collect();
        let window = 1 << dim.ilog2();
        Self { dim, window, signs }
    }

    /// Rotates `vector` in place.
    pub(super) fn apply(&self, vector: &mut [f32]) {
        Kernel::detect().wide(|| self.apply_inlined(vector));
    }

    #[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
    #[inline(always)]
    fn apply_inlined(&self, vector: &mut [f32]) {
        let scale = 1.0 / (self.window as f32).sqrt();
        for (round, signs) in self.signs.chunks_exact(self.dim).enumerate() {
            let start = if round % 2 == 0 { 0 } else { self.dim - self.window };
            for (value, &sign) in vector.iter_mut().zip(signs) {
                *value *= f32::from(sign);
            }
            let window = &mut vector[start..start + self.window];
            walsh_hadamard(window);
            for value in window.iter_mut() {
                *value *= scale;
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.signs.len()
    }
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
fn walsh_hadamard(values: &mut [f32]) {
    let mut half = values.len() / 2;
    while half >= 16 {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half /= 2;
    }
    // The narrow steps on arrays of known size, which stay in registers.
    let (blocks, rest) = values.as_chunks_mut::<16>();
    for block in blocks {
        for half in [8, 4, 2, 1] {
            let before = *block;
            for (at, value) in block.iter_mut().enumerate() {
                let other = before[at ^ half];
                *value = if at & half == 0 {
                    before[at] + other
                } else {
                    other - before[at]
                };
            }
        }
    }
    let mut half = rest.len() / 2;
    while half >= 1 {
        for pair in rest.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half /= 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Rotation;

    proptest! {
        #[test]
        fn rotation_keeps_dot_products(
            pairs in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..400),
        ) {
            let (mut a, mut b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let dot = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let before = dot(&a, &b);
            let rotation = Rotation::new(a.len());
            rotation.apply(&mut a);
            rotation.apply(&mut b);
            prop_assert!((dot(&a, &b) - before).abs() < 1e-3);
        }
    }

    #[test]
    fn rotation_spreads_a_single_large_coordinate() {
        let mut vector = vec![0.0; 384];
        vector[7] = 1.0;
        Rotation::new(384).apply(&mut vector);
        let largest = vector.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        assert!(largest < 0.25, "the largest coordinate is {largest}");
    }
}
