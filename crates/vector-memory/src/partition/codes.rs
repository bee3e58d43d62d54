//! Embeddings in 16 bits a coordinate, kept as two planes of bytes.
//!
//! A coordinate of the row, brought to unit length, is `step * (256 * high + low)`; the step belongs to
//! the row, so the largest coordinate of each row uses the whole range. The high plane alone is an int8
//! code, which is read first where rows are many. No similarity is off by more than the bound that comes
//! with it; where that could change an answer, the caller goes on to both planes, and then to the originals.

use std::ops::Range;

use super::scan;
use crate::{
    kernel::{Int8Query, Kernel, ZERO, encode_query, prefetch},
    record::Coordinates,
};

/// The rows' codes.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    dim: usize,
    high: Vec<i8>,
    low: Vec<u8>,
    step: Vec<f32>,
    /// By how much a coordinate's code can be off what is stored: half a step, or nothing.
    rounding: Vec<f32>,
    /// How far the row is from what the high bytes say, the low ones being taken for their middle.
    residual: Vec<f32>,
    length: Vec<f32>,
}

/// A query in int8, for the high plane alone.
#[derive(Debug)]
pub(crate) struct CoarseQuery {
    query: Int8Query,
    scale: f32,
    error: f32,
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
                    let step = if norm > 0.0 { step as f32 } else { 0.0 };
                    self.push_codes(&codes, step, 0.5 * step, norm as f32);
                }
            }
            Coordinates::Rounded { step: unit, codes } => {
                let square = |&code: &i16| i64::from(i32::from(code) * i32::from(code));
                let squares: i64 = Kernel::detect().wide(|| codes.iter().map(square).sum());
                let step = if squares > 0 {
                    (squares as f64).sqrt().recip()
                } else {
                    0.0
                };
                self.push_codes(codes, step as f32, 0.0, unit * (squares as f64).sqrt() as f32);
            }
        }
    }

    fn push_codes(&mut self, codes: &[i16], step: f32, rounding: f32, length: f32) {
        let bytes = |code: &i16| code.to_le_bytes();
        self.high
            .extend(codes.iter().map(|code| bytes(code)[1].cast_signed()));
        self.low.extend(codes.iter().map(|code| bytes(code)[0]));
        let square = |code: &i16| {
            let twice = 2 * i64::from(bytes(code)[0]) - 255;
            twice * twice
        };
        let squares: i64 = Kernel::detect().wide(|| codes.iter().map(square).sum());
        self.residual.push(0.5 * (squares as f32).sqrt() * step);
        self.step.push(step);
        self.rounding.push(rounding);
        self.length.push(length);
    }

    pub(super) fn push_from(&mut self, other: &Self, row: usize) {
        self.dim = other.dim;
        let range = row * self.dim..(row + 1) * self.dim;
        self.high.extend_from_slice(&other.high[range.clone()]);
        self.low.extend_from_slice(&other.low[range]);
        self.step.push(other.step[row]);
        self.rounding.push(other.rounding[row]);
        self.residual.push(other.residual[row]);
        self.length.push(other.length[row]);
    }

    /// Cosine similarities of `rows` and `query`, which has unit length; 0 for a row without length.
    pub(crate) fn similarities(&self, query: &[f32], rows: Range<usize>, out: &mut [f32]) {
        let bytes = rows.start * self.dim..rows.end * self.dim;
        Kernel::detect().scan_planes(query, &self.high[bytes.clone()], &self.low[bytes], out);
        for (similarity, step) in out.iter_mut().zip(&self.step[rows]) {
            *similarity *= step;
        }
    }

    /// Cosine similarity of one row and `query`, which has unit length.
    pub(crate) fn similarity(&self, query: &[f32], row: usize) -> f32 {
        let mut similarity = [0.0];
        self.similarities(query, row..row + 1, &mut similarity);
        similarity[0]
    }

    /// The same for all rows from the high plane alone; usually off by less than 0.002.
    pub(crate) fn coarse_similarities(&self, query: &CoarseQuery) -> Vec<f32> {
        if self.step.is_empty() {
            return Vec::new();
        }
        let mut dots = vec![0; self.step.len()];
        Kernel::detect().scan_signed(&self.high, self.dim, &query.query, &mut dots);
        // The low byte is taken for its middle.
        let sum = (query.query.bias / i32::from(ZERO)) as f32;
        let cosine = |(&dot, step): (&i32, &f32)| step * query.scale * (256.0 * dot as f32 + 127.5 * sum);
        dots.iter().zip(&self.step).map(cosine).collect()
    }

    /// The length of a row's embedding.
    pub(crate) fn length(&self, row: usize) -> f32 {
        self.length[row]
    }

    /// The most by which [`similarity`](Self::similarity) can be off what the stored embedding gives, for a
    /// query whose coordinates' magnitudes sum to `query_l1`.
    pub(crate) fn error_bound(&self, query_l1: f32, row: usize) -> f32 {
        // A sum of `dim` products in at least 16 lanes, which are then added up.
        let rounding_of_sum = (self.dim as f32 / 16.0 + 48.0) * f32::EPSILON;
        self.rounding[row] * query_l1 + rounding_of_sum
    }

    /// The most by which a coarse similarity can be off [`similarity`](Self::similarity).
    pub(crate) fn coarse_error_bound(&self, query: &CoarseQuery, row: usize) -> f32 {
        // Cauchy-Schwarz, for what the row and the query are rounded by.
        let residual = self.residual[row];
        1.001 * (residual * (1.0 + query.error) + query.error) + f32::EPSILON * self.dim as f32
    }

    /// Has the row fetched from memory ahead of its use.
    pub(crate) fn prefetch(&self, row: usize) {
        let bytes = row * self.dim..(row + 1) * self.dim;
        prefetch(&self.high[bytes.clone()]);
        prefetch(&self.low[bytes]);
    }

    /// Gives back what was reserved in vain.
    pub(super) fn shrink_to_fit(&mut self) {
        self.high.shrink_to_fit();
        self.low.shrink_to_fit();
        for numbers in [
            &mut self.step,
            &mut self.rounding,
            &mut self.residual,
            &mut self.length,
        ] {
            numbers.shrink_to_fit();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let numbers = 4 * self.step.capacity();
        self.high.capacity() + self.low.capacity() + numbers * 4
    }
}

impl CoarseQuery {
    /// Of a query of unit length.
    pub(crate) fn new(query: &[f32]) -> Self {
        let (query, encoded) = encode_query(query);
        Self {
            query,
            scale: encoded.scale,
            error: encoded.error,
        }
    }
}
