//! Embeddings in 16 bits a coordinate, kept as three planes.
//!
//! A coordinate of the row, brought to unit length, is `step * (4096 * upper + 256 * middle + low - 32768)`,
//! where `upper` and `middle` have four bits and `low` has eight; the step belongs to the row, so the largest
//! coordinate of each row uses the whole range. The upper and the middle plane together are an int8 code, laid
//! out as the kernel for single rows reads it: of many rows, which come from far memory, reading one after the
//! other is nearly twice as fast as reading sixteen side by side.
//!
//! No similarity is off by more than the bound that comes with it; where that could change an answer, the
//! caller goes on to all planes, and then to the originals.

use std::ops::Range;

use super::scan;
use crate::{
    kernel::{Int8Query, Kernel, LINE, Line, ZERO, encode_query, padded_lines, prefetch},
    record::Coordinates,
};

/// The rows' codes.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    dim: usize,
    /// Two coordinates, 64 apart, share a byte of these.
    upper: Vec<Line>,
    middle: Vec<Line>,
    low: Vec<u8>,
    step: Vec<f32>,
    /// By how much a coordinate's code can be off what is stored: half a step, or nothing.
    rounding: Vec<f32>,
    /// How far the row is from what the upper two planes say, the low one being taken for its middle.
    residual: Vec<f32>,
    length: Vec<f32>,
    /// No residual, and no rounding, is greater.
    widest_residual: f32,
    widest_rounding: f32,
}

/// A query in int8, for the upper planes.
#[derive(Debug)]
pub(crate) struct CoarseQuery {
    query: Int8Query,
    /// Of the query's codes.
    sum: f32,
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
            // Similar to nothing, as a vector without length is.
            Coordinates::Missing { dim } => self.push_codes(&vec![0; *dim], 0.0, 0.0, 0.0),
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
        let lines = self.upper.len()..self.upper.len() + self.lines();
        self.upper.resize(lines.end, Line([0; LINE]));
        self.middle.resize(lines.end, Line([0; LINE]));
        self.low.extend(codes.iter().map(|code| code.to_le_bytes()[0]));
        let planes = self.upper[lines.clone()].iter_mut().zip(&mut self.middle[lines]);
        let square = |code: &i16| {
            let twice = 2 * i64::from(code.to_le_bytes()[0]) - 255;
            twice * twice
        };
        let squares: i64 = Kernel::detect().wide(|| {
            split(codes, planes);
            codes.iter().map(square).sum()
        });
        self.push_numbers(step, rounding, 0.5 * (squares as f32).sqrt() * step, length);
    }

    pub(super) fn push_from(&mut self, other: &Self, row: usize) {
        self.dim = other.dim;
        let lines = other.lines_of(row);
        self.upper.extend_from_slice(&other.upper[lines.clone()]);
        self.middle.extend_from_slice(&other.middle[lines]);
        self.low.extend_from_slice(other.low_of(row));
        let (rounding, residual) = (other.rounding[row], other.residual[row]);
        self.push_numbers(other.step[row], rounding, residual, other.length[row]);
    }

    fn push_numbers(&mut self, step: f32, rounding: f32, residual: f32, length: f32) {
        self.step.push(step);
        self.rounding.push(rounding);
        self.residual.push(residual);
        self.length.push(length);
        self.widest_rounding = self.widest_rounding.max(rounding);
        self.widest_residual = self.widest_residual.max(residual);
    }

    /// Cosine similarity of one row and `query`, which has unit length; 0 for a row without length.
    pub(crate) fn similarity(&self, query: &[f32], row: usize) -> f32 {
        let lines = self.lines_of(row);
        let (upper, middle) = (&self.upper[lines.clone()], &self.middle[lines]);
        let planes = upper.chunks(LINES_AT_ONCE).zip(middle.chunks(LINES_AT_ONCE));
        let coordinates = LINES_AT_ONCE * 2 * LINE;
        let parts = query
            .chunks(coordinates)
            .zip(self.low_of(row).chunks(coordinates));
        let mut sum = 0.0;
        for ((upper, middle), (query, low)) in planes.zip(parts) {
            let mut high = [0; LINES_AT_ONCE * 2 * LINE];
            let mut part = [0.0];
            let kernel = Kernel::detect();
            kernel.wide(|| join(upper, middle, &mut high));
            kernel.scan_planes(query, &high[..query.len()], low, &mut part);
            sum += part[0];
        }
        sum * self.step[row]
    }

    /// The same for the `wanted` rows, ascending, from the upper two planes; usually off by less than 0.002.
    #[inline]
    pub(crate) fn coarse_similarities(
        &self,
        query: &CoarseQuery,
        wanted: impl Fn(usize) -> bool,
        mut visit: impl FnMut(usize, f32),
    ) {
        let kernel = Kernel::detect();
        let lines = self.lines().max(1);
        let planes = self
            .upper
            .chunks_exact(lines)
            .zip(self.middle.chunks_exact(lines));
        // The low byte is taken for its middle.
        let middle_of_low = 127.5 * query.sum;
        for (row, ((upper, middle), step)) in planes.zip(&self.step).enumerate() {
            if wanted(row) {
                let dot = kernel.dot_int8(upper, middle, &query.query);
                visit(row, step * query.scale * (256.0 * dot as f32 + middle_of_low));
            }
        }
    }

    /// The length of a row's embedding.
    pub(crate) fn length(&self, row: usize) -> f32 {
        self.length[row]
    }

    /// The most by which [`similarity`](Self::similarity) can be off what the stored embedding gives, for a
    /// query whose coordinates' magnitudes sum to `query_l1`.
    pub(crate) fn error_bound(&self, query_l1: f32, row: usize) -> f32 {
        self.rounding[row] * query_l1 + self.rounding_of_sum()
    }

    /// The most by which a [coarse similarity](Self::coarse_similarities) can be off what the stored embedding
    /// gives.
    pub(crate) fn coarse_error_bound(&self, query: &CoarseQuery, query_l1: f32, row: usize) -> f32 {
        self.coarse_error(query, self.residual[row]) + self.error_bound(query_l1, row)
    }

    /// The greatest of these bounds.
    pub(crate) fn widest_coarse_error_bound(&self, query: &CoarseQuery, query_l1: f32) -> f32 {
        let error = self.widest_rounding * query_l1 + self.rounding_of_sum();
        self.coarse_error(query, self.widest_residual) + error
    }

    /// How far off [`similarity`](Self::similarity) a coarse similarity can be.
    fn coarse_error(&self, query: &CoarseQuery, residual: f32) -> f32 {
        // Cauchy-Schwarz, for what the row and the query are rounded by.
        1.001 * (residual * (1.0 + query.error) + query.error) + f32::EPSILON * self.dim as f32
    }

    /// A sum of `dim` products in at least 16 lanes, which are then added up.
    fn rounding_of_sum(&self) -> f32 {
        (self.dim as f32 / 16.0 + 48.0) * f32::EPSILON
    }

    /// Has the row fetched from memory ahead of its use.
    pub(crate) fn prefetch(&self, row: usize) {
        prefetch(&self.upper[self.lines_of(row)]);
        prefetch(&self.middle[self.lines_of(row)]);
        prefetch(self.low_of(row));
    }

    /// Gives back what was reserved in vain.
    pub(super) fn shrink_to_fit(&mut self) {
        self.upper.shrink_to_fit();
        self.middle.shrink_to_fit();
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
        let lines = self.upper.capacity() + self.middle.capacity();
        let numbers = 4 * self.step.capacity();
        lines * LINE + self.low.capacity() + numbers * 4
    }

    fn low_of(&self, row: usize) -> &[u8] {
        &self.low[row * self.dim..][..self.dim]
    }

    #[inline]
    fn lines_of(&self, row: usize) -> Range<usize> {
        let lines = self.lines();
        row * lines..(row + 1) * lines
    }

    /// Of the upper plane, and of the middle one, that a row takes.
    #[inline]
    fn lines(&self) -> usize {
        padded_lines(self.dim) / 2
    }
}

impl CoarseQuery {
    /// Of a query of unit length.
    pub(crate) fn new(query: &[f32]) -> Self {
        let (query, encoded) = encode_query(query);
        Self {
            sum: (query.bias / i32::from(ZERO)) as f32,
            query,
            scale: encoded.scale,
            error: encoded.error,
        }
    }
}

/// Takes the high bytes of `codes` apart.
#[inline]
fn split<'a>(codes: &[i16], planes: impl Iterator<Item = (&'a mut Line, &'a mut Line)>) {
    let high = |code: i16| code.to_le_bytes()[1] ^ ZERO;
    for ((upper, middle), codes) in planes.zip(codes.chunks(2 * LINE)) {
        let (first, second) = codes.split_at(LINE.min(codes.len()));
        for ((upper, middle), &code) in upper.0.iter_mut().zip(&mut middle.0).zip(first) {
            *upper = high(code) >> 4;
            *middle = high(code) & 15;
        }
        for ((upper, middle), &code) in upper.0.iter_mut().zip(&mut middle.0).zip(second) {
            *upper |= high(code) & 0xf0;
            *middle |= high(code) << 4;
        }
    }
}

/// Puts the high bytes together again.
#[inline]
fn join(upper: &[Line], middle: &[Line], high: &mut [i8]) {
    let blocks = high.as_chunks_mut::<{ 2 * LINE }>().0;
    for ((upper, middle), high) in upper.iter().zip(middle).zip(blocks) {
        let (first, second) = high.split_at_mut(LINE);
        for (((&upper, &middle), first), second) in upper.0.iter().zip(&middle.0).zip(first).zip(second) {
            *first = ((upper << 4 | middle & 15) ^ ZERO).cast_signed();
            *second = ((upper & 0xf0 | middle >> 4) ^ ZERO).cast_signed();
        }
    }
}

/// Lines of a plane that are put together at a time.
const LINES_AT_ONCE: usize = 4;
