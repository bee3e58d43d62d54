//! Embeddings in 16 bits a coordinate, kept as two planes of bytes.
//!
//! A coordinate of the row, brought to unit length, is `step * (256 * high + low)`; the step belongs to
//! the row, so the largest coordinate of each row uses the whole range. The high plane alone is an int8
//! code. The error of a similarity is below [`Codes::error_bound`]; where that could change an answer,
//! the caller reads the originals.

use super::scan;
use crate::record::Coordinates;

/// The rows' codes.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    dim: usize,
    high: Vec<i8>,
    low: Vec<u8>,
    step: Vec<f32>,
    length: Vec<f32>,
}

impl Codes {
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Whether rows of `dim` coordinates fit to those that are there.
    pub(super) fn accepts(&self, dim: usize) -> bool {
        self.step.is_empty() || self.dim == dim
    }

    pub(super) fn push(&mut self, coordinates: &Coordinates) {
        self.dim = coordinates.dim();
        match coordinates {
            Coordinates::Exact(values) => {
                let largest = values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
                let norm = scan::norm(values);
                let step = f64::from(largest) / f64::from(i16::MAX) / norm;
                if let Coordinates::Rounded { codes, .. } = Coordinates::round(values) {
                    self.push_codes(&codes, if norm > 0.0 { step } else { 0.0 });
                    self.length.push(norm as f32);
                }
            }
            Coordinates::Rounded { step: unit, codes } => {
                let squares: i64 = codes.iter().map(|&code| i64::from(code) * i64::from(code)).sum();
                let step = if squares > 0 {
                    (squares as f64).sqrt().recip()
                } else {
                    0.0
                };
                self.push_codes(codes, step);
                self.length.push(unit * (squares as f64).sqrt() as f32);
            }
        }
    }

    fn push_codes(&mut self, codes: &[i16], step: f64) {
        for code in codes {
            let [low, high] = code.to_le_bytes();
            self.high.push(high.cast_signed());
            self.low.push(low);
        }
        self.step.push(step as f32);
    }

    pub(super) fn push_from(&mut self, other: &Self, row: usize) {
        self.dim = other.dim;
        let range = row * self.dim..(row + 1) * self.dim;
        self.high.extend_from_slice(&other.high[range.clone()]);
        self.low.extend_from_slice(&other.low[range]);
        self.step.push(other.step[row]);
        self.length.push(other.length[row]);
    }

    /// Cosine similarity of a row and `query`, which has unit length; 0 for a row without length.
    pub(crate) fn similarity(&self, query: &[f32], row: usize) -> f32 {
        let range = row * self.dim..(row + 1) * self.dim;
        scan::dot_codes(query, &self.high[range.clone()], &self.low[range]) * self.step[row]
    }

    /// The length of a row's embedding.
    pub(crate) fn length(&self, row: usize) -> f32 {
        self.length[row]
    }

    /// The most by which [`similarity`](Self::similarity) can be off, for a query whose coordinates'
    /// magnitudes sum to `query_l1`.
    pub(crate) fn error_bound(&self, query_l1: f32, row: usize) -> f32 {
        // Half a step for each coordinate, and the rounding of a sum of `dim` products.
        0.5 * self.step[row] * query_l1 + self.dim as f32 * f32::EPSILON
    }

    pub(super) fn bytes(&self) -> usize {
        self.high.capacity() + self.low.capacity() + (self.step.capacity() + self.length.capacity()) * 4
    }
}
