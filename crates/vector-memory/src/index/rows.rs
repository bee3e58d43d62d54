//! The vectors of an index: f32 originals for the final ranking and int8 codes to narrow with.
//!
//! **Codes.** A row is rotated, scaled so that its largest coordinate is 127, and rounded; the rotation makes
//! that largest coordinate about as large in every row. Each code is stored with an offset of 128, as the
//! vector instructions want one factor unsigned.
//!
//! **Invariant.** `|x - scale * code| <= max_error` for every row `x` that is present, which bounds how far a
//! similarity of codes can be off, so that ranking by codes first loses nothing. An absent row has the scale
//! NaN: its similarity is above no threshold.
//!
//! Rows lie in shared chunks that are copied when changed, so a clone is cheap and stays as it was.

use std::sync::Arc;

use super::{
    error::{IndexError, Result},
    rotation::Rotation,
    slot_set::SlotSet,
};
use crate::kernel::{Int8Query, Kernel, LINE, Line, prefetch};

/// Rows in one chunk.
pub(super) const CHUNK: usize = 256;

/// Rows scored by one call of the kernel.
const GROUP: usize = 16;

#[derive(Debug, Clone)]
pub(super) struct Rows {
    dim: usize,
    rotation: Rotation,
    chunks: Vec<Arc<Chunk>>,
    present: SlotSet,
    slots: u32,
    max_error: f32,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    originals: Vec<f32>,
    codes: Vec<Line>,
    scales: Vec<f32>,
}

/// A query in the forms that the stages of a search want.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) original: &'a [f32],
    pub(super) rotated: Vec<f32>,
    pub(super) int8: Int8Query,
    pub(super) scale: f32,
    /// How far any similarity of codes may be from the true one.
    pub(super) bound: f32,
}

/// What is left of one row after encoding: its step and how far the codes are off, by Euclid.
pub(super) struct Encoded {
    pub(super) scale: f32,
    pub(super) error: f32,
}

impl Rows {
    pub(super) fn new(dim: usize) -> Self {
        Self {
            dim,
            rotation: Rotation::new(dim),
            chunks: Vec::new(),
            present: SlotSet::new(),
            slots: 0,
            max_error: 0.0,
        }
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Slots ever used: all present ones are below.
    pub(super) fn slots(&self) -> u32 {
        self.slots
    }

    pub(super) fn len(&self) -> usize {
        self.present.len()
    }

    pub(super) fn present(&self) -> &SlotSet {
        &self.present
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        self.present.contains(slot)
    }

    pub(super) fn original(&self, slot: u32) -> Option<&[f32]> {
        self.contains(slot).then(|| self.original_unchecked(slot))
    }

    /// The original of a slot below [`Rows::slots`]; a stale one when it is absent.
    #[inline]
    pub(super) fn original_unchecked(&self, slot: u32) -> &[f32] {
        let (chunk, row) = place(slot);
        &self.chunks[chunk].originals[row * self.dim..][..self.dim]
    }

    /// Checks what every vector must be: `dim` finite numbers of norm 1 or 0.
    pub(super) fn check(&self, vector: &[f32]) -> Result<()> {
        if vector.len() != self.dim {
            return Err(IndexError::DimensionMismatch {
                expected: self.dim,
                got: vector.len(),
            });
        }
        let norm_squared = Kernel::detect().dot_f32(vector, vector);
        if norm_squared == 0.0 || (norm_squared - 1.0).abs() < NORM_TOLERANCE {
            return Ok(());
        }
        Err(IndexError::NotUnit { norm_squared })
    }

    pub(super) fn insert(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.check(vector)?;
        if self.contains(slot) {
            return Err(IndexError::SlotTaken { slot });
        }
        if slot > self.slots || slot == u32::MAX {
            return Err(IndexError::SlotGap {
                slot,
                next: self.slots,
            });
        }
        self.write(slot, vector);
        Ok(())
    }

    pub(super) fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.check(vector)?;
        if !self.contains(slot) {
            return Err(IndexError::SlotEmpty { slot });
        }
        self.write(slot, vector);
        Ok(())
    }

    pub(super) fn delete(&mut self, slot: u32) -> bool {
        let was = self.present.remove(slot);
        if was {
            let (chunk, row) = place(slot);
            let dim = self.dim;
            let chunk = Arc::make_mut(&mut self.chunks[chunk]);
            chunk.scales[row] = f32::NAN;
            chunk.originals[row * dim..][..dim].fill(0.0);
            let lines = dim.div_ceil(LINE);
            chunk.codes[row * lines..][..lines].fill(Line([ZERO; LINE]));
        }
        was
    }

    /// Adds an absent slot at the end, as a loaded index has them.
    pub(super) fn push_absent(&mut self) {
        let zeros = vec![0.0; self.dim];
        self.write(self.slots, &zeros);
        self.delete(self.slots - 1);
    }

    fn write(&mut self, slot: u32, vector: &[f32]) {
        let (chunk, row) = place(slot);
        if chunk == self.chunks.len() {
            self.chunks.push(Arc::default());
        }
        let lines = self.dim.div_ceil(LINE);
        let chunk = Arc::make_mut(&mut self.chunks[chunk]);
        if row == chunk.scales.len() {
            chunk.originals.extend_from_slice(vector);
            chunk.codes.resize((row + 1) * lines, Line([ZERO; LINE]));
            chunk.scales.push(f32::NAN);
        } else {
            chunk.originals[row * self.dim..][..self.dim].copy_from_slice(vector);
        }
        let mut rotated = vector.to_vec();
        self.rotation.apply(&mut rotated);
        let encoded = encode_row(&rotated, &mut chunk.codes[row * lines..][..lines]);
        chunk.scales[row] = encoded.scale;
        self.max_error = self.max_error.max(encoded.error);
        self.present.insert(slot);
        self.slots = self.slots.max(slot + 1);
    }

    /// Prepares a query.
    pub(super) fn query<'a>(&self, original: &'a [f32]) -> Result<Query<'a>> {
        self.check(original)?;
        let mut rotated = original.to_vec();
        self.rotation.apply(&mut rotated);
        let (int8, encoded) = encode_query(&rotated);
        let bound = self.max_error + encoded.error * (1.0 + self.max_error) + ROUNDING;
        Ok(Query {
            original,
            rotated,
            int8,
            scale: encoded.scale,
            bound,
        })
    }

    /// Similarity of codes of every present row, to `visit` in order of slots; rows not above the threshold
    /// that `visit` returned last are left out.
    pub(super) fn scan(&self, query: &Query<'_>, visit: &mut impl FnMut(f32, u32) -> f32) {
        let kernel = Kernel::detect();
        let mut threshold = f32::NEG_INFINITY;
        for group in 0..(self.slots as usize).div_ceil(GROUP) {
            if (group + GROUPS_AHEAD) * GROUP < self.slots as usize {
                prefetch(self.group(group + GROUPS_AHEAD).0);
            }
            let (codes, scales) = self.group(group);
            let mut dots = [0; GROUP];
            if scales.len() == GROUP {
                kernel.dots_int8(codes, &query.int8, &mut dots);
            } else {
                for (dot, row) in dots.iter_mut().zip(codes.chunks_exact(self.dim.div_ceil(LINE))) {
                    *dot = kernel.dot_int8(row, &query.int8);
                }
            }
            let mut similarities = [f32::NAN; GROUP];
            let mut above = 0;
            for ((similarity, &dot), &scale) in similarities.iter_mut().zip(&dots).zip(scales) {
                *similarity = dot as f32 * scale * query.scale;
                above |= i32::from(*similarity > threshold);
            }
            if above == 0 {
                continue;
            }
            for (slot, &similarity) in ((group * GROUP) as u32..).zip(&similarities) {
                if similarity > threshold {
                    threshold = visit(similarity, slot);
                }
            }
        }
    }

    /// The codes and steps of 16 rows, or of the fewer that the last group has.
    #[inline]
    fn group(&self, group: usize) -> (&[Line], &[f32]) {
        let chunk = &self.chunks[group * GROUP / CHUNK];
        let lines = self.dim.div_ceil(LINE);
        let rows = group * GROUP % CHUNK..(group * GROUP % CHUNK + GROUP).min(chunk.scales.len());
        (
            &chunk.codes[rows.start * lines..rows.end * lines],
            &chunk.scales[rows],
        )
    }

    /// Similarity of codes of the given slots, all below [`Rows::slots`]; NaN for absent ones.
    pub(super) fn narrow(&self, query: &Query<'_>, slots: &[u32], visit: &mut impl FnMut(f32, u32)) {
        let kernel = Kernel::detect();
        for (at, &slot) in slots.iter().enumerate() {
            if let Some(&ahead) = slots.get(at + AHEAD) {
                prefetch(self.codes(ahead).0);
            }
            let (codes, scale) = self.codes(slot);
            visit(
                kernel.dot_int8(codes, &query.int8) as f32 * scale * query.scale,
                slot,
            );
        }
    }

    #[inline]
    fn codes(&self, slot: u32) -> (&[Line], f32) {
        let (chunk, row) = place(slot);
        let lines = self.dim.div_ceil(LINE);
        let chunk = &self.chunks[chunk];
        (&chunk.codes[row * lines..][..lines], chunk.scales[row])
    }

    /// A row's codes as a query, with their step: what lets rows be compared with other rows' codes.
    pub(super) fn as_query(&self, slot: u32) -> (Int8Query, f32) {
        let (codes, scale) = self.codes(slot);
        let values: Vec<i8> = codes
            .iter()
            .flat_map(|line| line.0)
            .map(|code| (code ^ ZERO) as i8)
            .collect();
        let bias = i32::from(ZERO) * values.iter().map(|&v| i32::from(v)).sum::<i32>();
        (Int8Query { values, bias }, scale)
    }

    /// A row's codes as the rotated coordinates that they stand for.
    pub(super) fn decode(&self, slot: u32, out: &mut [f32]) {
        let (codes, scale) = self.codes(slot);
        for (line, out) in codes.iter().zip(out.chunks_mut(LINE)) {
            for (&code, out) in line.0.iter().zip(out) {
                *out = (f32::from(code) - f32::from(ZERO)) * scale;
            }
        }
    }

    /// Heap bytes of the originals.
    pub(super) fn original_bytes(&self) -> usize {
        self.chunks
            .iter()
            .map(|chunk| chunk.originals.capacity() * size_of::<f32>())
            .sum()
    }

    /// Heap bytes of all else.
    pub(super) fn code_bytes(&self) -> usize {
        let chunks: usize = self
            .chunks
            .iter()
            .map(|chunk| {
                chunk.codes.capacity() * LINE
                    + chunk.scales.capacity() * size_of::<f32>()
                    + size_of::<Chunk>()
            })
            .sum();
        chunks + self.present.bytes() + self.rotation.bytes()
    }
}

/// Rounds rotated coordinates to int8 with the offset.
pub(super) fn encode_row(rotated: &[f32], codes: &mut [Line]) -> Encoded {
    Kernel::detect().wide(|| {
        let scale = step(rotated);
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let mut error = [0.0; LINE];
        codes.fill(Line([ZERO; LINE]));
        for (line, values) in codes.iter_mut().zip(rotated.chunks(LINE)) {
            for ((code, &value), error) in line.0.iter_mut().zip(values).zip(&mut error) {
                let (rounded, bits) = round(value * inverse);
                *code = bits as u8 ^ ZERO;
                *error += (value - rounded * scale) * (value - rounded * scale);
            }
        }
        Encoded {
            scale,
            error: error.iter().sum::<f32>().sqrt(),
        }
    })
}

/// Rounds rotated coordinates to int8.
pub(super) fn encode_query(rotated: &[f32]) -> (Int8Query, Encoded) {
    let mut values = vec![0_i8; rotated.len().next_multiple_of(LINE)];
    Kernel::detect().wide(|| {
        let scale = step(rotated);
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let (mut error, mut sum) = ([0.0; LINE], 0);
        for (codes, rotated) in values.chunks_mut(LINE).zip(rotated.chunks(LINE)) {
            for ((code, &value), error) in codes.iter_mut().zip(rotated).zip(&mut error) {
                let (rounded, bits) = round(value * inverse);
                *code = bits as i8;
                *error += (value - rounded * scale) * (value - rounded * scale);
            }
            sum += codes.iter().map(|&code| i32::from(code)).sum::<i32>();
        }
        let bias = i32::from(ZERO) * sum;
        (
            Int8Query { values, bias },
            Encoded {
                scale,
                error: error.iter().sum::<f32>().sqrt(),
            },
        )
    })
}

/// Rounds to the nearest integer, ties to even, as f32 and as two's complement in the low bits: a number
/// added to 1.5 x 2^23 has no room for a fraction.
#[inline(always)]
fn round(value: f32) -> (f32, u32) {
    const SHIFT: f32 = 12_582_912.0;
    let shifted = value + SHIFT;
    (shifted - SHIFT, shifted.to_bits())
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
fn step(rotated: &[f32]) -> f32 {
    let mut largest = [0.0_f32; 16];
    for values in rotated.chunks(16) {
        for (largest, value) in largest.iter_mut().zip(values) {
            *largest = if value.abs() > *largest {
                value.abs()
            } else {
                *largest
            };
        }
    }
    largest.iter().fold(0.0, |a: f32, &b| a.max(b)) / 127.0
}

fn place(slot: u32) -> (usize, usize) {
    (slot as usize / CHUNK, slot as usize % CHUNK)
}

/// The code of the coordinate 0.
const ZERO: u8 = 128;

/// How far from 1 a squared norm may be.
const NORM_TOLERANCE: f32 = 1e-3;

/// Rounding of the f32 sums, on top of the codes' error; far above what 65,536 dimensions can add.
const ROUNDING: f32 = 1e-5;

/// Groups fetched ahead of the one being scored.
const GROUPS_AHEAD: usize = 2;

/// Rows fetched ahead of the one being scored: enough to hide the way to memory.
const AHEAD: usize = 8;
