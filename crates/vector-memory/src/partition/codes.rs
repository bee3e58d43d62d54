//! Embeddings in 16 bits a coordinate, kept as two planes of bytes.
//!
//! A coordinate of the row, brought to unit length, is `step * (256 * high + low)`; the step belongs to
//! the row, so the largest coordinate of each row uses the whole range. The high plane alone is an int8
//! code. The error of a similarity is below [`Codes::error_bound`]; where that could change an answer,
//! the caller reads the originals.

use super::scan;

/// The rows' codes.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    dim: usize,
    high: Vec<i8>,
    low: Vec<u8>,
    step: Vec<f32>,
}

impl Codes {
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Whether rows of `dim` coordinates fit to those that are there.
    pub(super) fn accepts(&self, dim: usize) -> bool {
        self.step.is_empty() || self.dim == dim
    }

    pub(super) fn push(&mut self, embedding: &[f32]) {
        self.dim = embedding.len();
        let largest = embedding.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let norm = scan::norm(embedding);
        // In double precision, in which no coordinate of an f32 is too small or too large.
        let inverse = if largest > 0.0 { f64::from(i16::MAX) / f64::from(largest) } else { 0.0 };
        for &x in embedding {
            let code = (f64::from(x) * inverse).round_ties_even() as i16;
            let [low, high] = code.to_le_bytes();
            self.high.push(high.cast_signed());
            self.low.push(low);
        }
        let step = if norm > 0.0 { f64::from(largest) / f64::from(i16::MAX) / norm } else { 0.0 };
        self.step.push(step as f32);
    }

    pub(super) fn push_from(&mut self, other: &Self, row: usize) {
        self.dim = other.dim;
        let range = row * self.dim..(row + 1) * self.dim;
        self.high.extend_from_slice(&other.high[range.clone()]);
        self.low.extend_from_slice(&other.low[range]);
        self.step.push(other.step[row]);
    }

    /// Cosine similarity of a row and `query`, which has unit length; 0 for a row without length.
    pub(crate) fn similarity(&self, query: &[f32], row: usize) -> f32 {
        let range = row * self.dim..(row + 1) * self.dim;
        scan::dot_codes(query, &self.high[range.clone()], &self.low[range]) * self.step[row]
    }

    /// The most by which [`similarity`](Self::similarity) can be off, for a query whose coordinates'
    /// magnitudes sum to `query_l1`.
    pub(crate) fn error_bound(&self, query_l1: f32, row: usize) -> f32 {
        // Half a step for each coordinate, and the rounding of a sum of `dim` products.
        0.5 * self.step[row] * query_l1 + self.dim as f32 * f32::EPSILON
    }

    pub(super) fn bytes(&self) -> usize {
        self.high.capacity() + self.low.capacity() + self.step.capacity() * 4
    }
}
