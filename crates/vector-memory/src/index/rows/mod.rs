//! The vectors of an index: f32 originals for the final ranking and int8 codes to narrow with.
//!
//! **Codes.** A row is rotated, scaled so that its largest coordinate is 127, and rounded; the rotation makes
//! that largest coordinate about as large in every row. Each code is stored with an offset of 128, as the
//! vector instructions want one factor unsigned.
//!
//! **Invariant.** `|x - scale * code| <= max_error` for every row `x` that is present, which bounds how far a
//! similarity of codes can be off, so that ranking by codes first loses nothing. An absent row has the scale
//! NaN: its similarity is above no threshold. `max_coarse_error` bounds what the codes' upper four bits leave out.
//!
//! Rows lie in shared chunks that are copied when changed, so a clone is cheap and stays as it was.

mod codes;
mod scan;

use std::sync::Arc;

pub(in crate::index) use self::codes::Codes;
pub(in crate::index) use self::scan::Query;
use super::{
    error::{IndexError, Result},
    rotation::Rotation,
    slot_set::SlotSet,
};
use crate::kernel::{Kernel, prefer_huge_pages};

/// Rows in one chunk, as a power of two: few to copy when one is changed.
const CHUNK_BITS: u32 = 10;

/// The same where rows are very many: the codes and the originals fill whole huge pages.
const LARGE_CHUNK_BITS: u32 = 15;

#[derive(Debug, Clone)]
pub(in crate::index) struct Rows {
    dim: usize,
    rotation: Rotation,
    chunks: Vec<Arc<Chunk>>,
    chunk_bits: u32,
    present: SlotSet,
    slots: u32,
    max_error: f32,
    max_coarse_error: f32,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    originals: Vec<f32>,
    codes: Codes,
}

impl Rows {
    pub(in crate::index) fn new(dim: usize) -> Self {
        Self {
            dim,
            rotation: Rotation::new(dim),
            chunks: Vec::new(),
            chunk_bits: CHUNK_BITS,
            present: SlotSet::new(),
            slots: 0,
            max_error: 0.0,
            max_coarse_error: 0.0,
        }
    }

    /// The same rows in large chunks, and these in huge pages: what is read at random from all over them takes half the time.
    pub(in crate::index) fn in_large_chunks(mut self) -> Self {
        if self.chunk_bits == LARGE_CHUNK_BITS {
            return self;
        }
        let small = std::mem::take(&mut self.chunks);
        let each = 1 << (LARGE_CHUNK_BITS - self.chunk_bits);
        self.chunk_bits = LARGE_CHUNK_BITS;
        let mut small = small.into_iter().peekable();
        while small.peek().is_some() {
            let mut large = Chunk::with_room(1 << LARGE_CHUNK_BITS, self.dim);
            for chunk in small.by_ref().take(each) {
                large.originals.extend_from_slice(&chunk.originals);
                large.codes.append(&chunk.codes);
            }
            self.chunks.push(Arc::new(large));
        }
        self
    }

    pub(in crate::index) fn dim(&self) -> usize {
        self.dim
    }

    /// Slots ever used: all present ones are below.
    pub(in crate::index) fn slots(&self) -> u32 {
        self.slots
    }

    pub(in crate::index) fn len(&self) -> usize {
        self.present.len()
    }

    pub(in crate::index) fn present(&self) -> &SlotSet {
        &self.present
    }

    pub(in crate::index) fn contains(&self, slot: u32) -> bool {
        self.present.contains(slot)
    }

    pub(in crate::index) fn original(&self, slot: u32) -> Option<&[f32]> {
        self.contains(slot).then(|| self.original_unchecked(slot))
    }

    /// The original of a slot below [`Rows::slots`]; a stale one when it is absent.
    #[inline]
    pub(in crate::index) fn original_unchecked(&self, slot: u32) -> &[f32] {
        let (chunk, row) = self.place(slot);
        &self.chunks[chunk].originals[row * self.dim..][..self.dim]
    }

    /// Checks what every vector must be: `dim` finite numbers of norm 1 or 0.
    pub(in crate::index) fn check(&self, vector: &[f32]) -> Result<()> {
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

    pub(in crate::index) fn insert(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
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

    pub(in crate::index) fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.check(vector)?;
        if !self.contains(slot) {
            return Err(IndexError::SlotEmpty { slot });
        }
        self.write(slot, vector);
        Ok(())
    }

    pub(in crate::index) fn delete(&mut self, slot: u32) -> bool {
        let was = self.present.remove(slot);
        if was {
            let (chunk, row) = self.place(slot);
            let dim = self.dim;
            let chunk = Arc::make_mut(&mut self.chunks[chunk]);
            chunk.originals[row * dim..][..dim].fill(0.0);
            chunk.codes.wipe(row);
        }
        was
    }

    /// Adds an absent slot at the end, as a loaded index has them.
    pub(in crate::index) fn push_absent(&mut self) {
        let zeros = vec![0.0; self.dim];
        self.write(self.slots, &zeros);
        self.delete(self.slots - 1);
    }

    fn write(&mut self, slot: u32, vector: &[f32]) {
        let (chunk, row) = self.place(slot);
        if chunk == self.chunks.len() {
            self.chunks.push(Arc::new(if self.chunk_bits == LARGE_CHUNK_BITS {
                Chunk::with_room(1 << LARGE_CHUNK_BITS, self.dim)
            } else {
                Chunk::default()
            }));
        }
        let chunk = Arc::make_mut(&mut self.chunks[chunk]);
        if row * self.dim == chunk.originals.len() {
            chunk.originals.extend_from_slice(vector);
        } else {
            chunk.originals[row * self.dim..][..self.dim].copy_from_slice(vector);
        }
        let mut rotated = vector.to_vec();
        self.rotation.apply(&mut rotated);
        let error = chunk.codes.write(row, &rotated);
        self.max_error = self.max_error.max(error.whole);
        self.max_coarse_error = self.max_coarse_error.max(error.coarse);
        self.present.insert(slot);
        self.slots = self.slots.max(slot + 1);
    }

    /// In which chunk a slot's row is, and where there.
    #[inline]
    fn place(&self, slot: u32) -> (usize, usize) {
        let (chunk, row) = (slot >> self.chunk_bits, slot & ((1 << self.chunk_bits) - 1));
        (chunk as usize, row as usize)
    }

    /// Heap bytes of the originals.
    pub(in crate::index) fn original_bytes(&self) -> usize {
        self.chunks
            .iter()
            .map(|chunk| chunk.originals.capacity() * size_of::<f32>())
            .sum()
    }

    /// Heap bytes of all else.
    pub(in crate::index) fn code_bytes(&self) -> usize {
        let chunks: usize = self
            .chunks
            .iter()
            .map(|chunk| chunk.codes.bytes() + size_of::<Chunk>())
            .sum();
        chunks + self.present.bytes() + self.rotation.bytes()
    }
}

impl Chunk {
    /// An empty one with room, in huge pages.
    fn with_room(rows: usize, dim: usize) -> Self {
        let originals = Vec::with_capacity(rows * dim);
        prefer_huge_pages(&originals);
        Self {
            originals,
            codes: Codes::with_room(rows, dim),
        }
    }
}

/// How far from 1 a squared norm may be.
const NORM_TOLERANCE: f32 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_in_large_chunks_are_the_same_and_can_be_changed_alike() {
        let vector = |slot: u32| {
            let angle = slot as f32 / 100.0;
            [angle.cos(), angle.sin(), 0.0]
        };
        // Not a whole number of chunks of either kind, and not of groups.
        let count = (1 << LARGE_CHUNK_BITS) + (3 << CHUNK_BITS) + 5;
        let mut small = Rows::new(3);
        for slot in 0..count {
            small
                .insert(slot, &vector(slot))
                .expect("a unit vector in the next slot");
        }
        small.delete(7);
        let mut large = small.clone().in_large_chunks();
        assert_eq!(large.chunks.len(), 2);
        for rows in [&mut small, &mut large] {
            rows.delete(count - 2);
            rows.insert(7, &vector(1)).expect("the slot is free");
            for slot in count..count + 40 {
                rows.insert(slot, &vector(slot))
                    .expect("a unit vector in the next slot");
            }
        }
        assert_eq!(large.len(), small.len());
        let scanned = |rows: &Rows| {
            let query = rows.query(&[0.6, 0.8, 0.0]).expect("a unit vector");
            let mut seen = Vec::new();
            rows.scan(&query, None, &mut |similarity, slot| {
                seen.push((similarity, slot));
                f32::NEG_INFINITY
            });
            seen
        };
        assert_eq!(scanned(&large), scanned(&small));
        for slot in 0..count + 40 {
            assert_eq!(large.original(slot), small.original(slot));
        }
    }
}
