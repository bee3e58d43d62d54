//! One list: the 1-bit codes of its vectors, 64 side by side.
//!
//! A code holds the signs of the coordinates of the rotated residual `r` of a vector to the list's centre, and
//! the factor that makes `factor * <signs, q>` an unbiased estimate of `<r, q>` (RaBitQ; Gao and Long, SIGMOD
//! 2024). Codes are stored byte by byte across a block's vectors, for the kernel's shuffles.

use std::slice::ChunksExact;

use crate::kernel::{BLOCK, CODE_GROUP, LINE, Line, prefetch};

#[derive(Debug, Clone)]
pub(super) struct List {
    len: usize,
    /// Of one code, and so lines of one block.
    bytes: usize,
    /// The codes of all blocks, one after the other.
    codes: Vec<Line>,
    /// Of each block what goes with its codes; no more of it than the list has vectors means anything.
    factors: Vec<Factors>,
    slots: Vec<[u32; BLOCK]>,
}

#[derive(Debug, Clone)]
#[repr(align(64))]
struct Factors([f32; BLOCK]);

/// The code of one vector.
#[derive(Debug, Clone, Default)]
pub(super) struct Code {
    pub(super) bytes: Vec<u8>,
    pub(super) factor: f32,
}

impl Code {
    /// Encodes `vector - centre`, both rotated.
    pub(super) fn new(vector: &[f32], centre: &[f32]) -> Self {
        let (mut squares, mut magnitudes) = (0.0_f32, 0.0_f32);
        let mut bytes = vec![0; code_bytes(vector.len())];
        for ((byte, vector), centre) in bytes.iter_mut().zip(vector.chunks(8)).zip(centre.chunks(8)) {
            for (bit, (x, c)) in vector.iter().zip(centre).enumerate() {
                let residual = x - c;
                squares += residual * residual;
                magnitudes += residual.abs();
                *byte |= u8::from(residual > 0.0) << bit;
            }
        }
        let factor = if magnitudes > 0.0 {
            squares / magnitudes
        } else {
            0.0
        };
        Self { bytes, factor }
    }
}

/// The bytes that a code of `dim` bits takes: whole groups.
pub(super) fn code_bytes(dim: usize) -> usize {
    dim.div_ceil(8 * CODE_GROUP) * CODE_GROUP
}

/// One block of a list, as the kernel takes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockRef<'a> {
    pub(super) codes: &'a [Line],
    pub(super) factors: &'a [f32; BLOCK],
    /// As many slots as the block has vectors, 1 to 64.
    pub(super) slots: &'a [u32],
}

impl List {
    pub(super) fn with_capacity(vectors: usize, dim: usize) -> Self {
        let (blocks, bytes) = (vectors.div_ceil(BLOCK), code_bytes(dim));
        Self {
            len: 0,
            bytes,
            codes: Vec::with_capacity(blocks * bytes),
            factors: Vec::with_capacity(blocks),
            slots: Vec::with_capacity(blocks),
        }
    }

    /// The codes of each block.
    #[inline]
    pub(super) fn codes(&self) -> ChunksExact<'_, Line> {
        self.codes.chunks_exact(self.bytes)
    }

    /// Asks for the memory of what every estimate needs beside the codes.
    #[inline]
    pub(super) fn prefetch_factors(&self) {
        prefetch(&self.factors);
    }

    #[inline]
    pub(super) fn blocks(&self) -> impl Iterator<Item = BlockRef<'_>> + Clone {
        let blocks = self.codes().zip(&self.factors).zip(&self.slots).enumerate();
        blocks.map(|(at, ((codes, factors), slots))| BlockRef {
            codes,
            factors: &factors.0,
            slots: &slots[..BLOCK.min(self.len - at * BLOCK)],
        })
    }

    /// Adds a vector at the end; its place.
    pub(super) fn push(&mut self, slot: u32, code: &Code) -> u32 {
        let at = self.len;
        if at.is_multiple_of(BLOCK) {
            self.factors.push(Factors([0.0; BLOCK]));
            self.slots.push([0; BLOCK]);
            self.codes.resize(self.slots.len() * self.bytes, Line([0; LINE]));
        }
        self.len += 1;
        self.write(at, slot, code);
        at as u32
    }

    /// Takes the vector at `at` out, moving the last one there; the slot that moved, if any.
    pub(super) fn swap_remove(&mut self, at: u32) -> Option<u32> {
        let (at, last) = (at as usize, self.len - 1);
        let moved = (at != last).then(|| {
            let (slot, code) = self.read(last);
            self.write(at, slot, &code);
            slot
        });
        self.len = last;
        if last.is_multiple_of(BLOCK) {
            self.factors.pop();
            self.slots.pop();
            self.codes.truncate(self.slots.len() * self.bytes);
        }
        moved
    }

    fn write(&mut self, at: usize, slot: u32, code: &Code) {
        let (block, lane) = (at / BLOCK, at % BLOCK);
        self.factors[block].0[lane] = code.factor;
        self.slots[block][lane] = slot;
        for (line, &byte) in self.codes[block * self.bytes..].iter_mut().zip(&code.bytes) {
            line.0[lane] = byte;
        }
    }

    fn read(&self, at: usize) -> (u32, Code) {
        let (block, lane) = (at / BLOCK, at % BLOCK);
        let codes = &self.codes[block * self.bytes..][..self.bytes];
        let code = Code {
            bytes: codes.iter().map(|line| line.0[lane]).collect(),
            factor: self.factors[block].0[lane],
        };
        (self.slots[block][lane], code)
    }

    pub(super) fn bytes(&self) -> usize {
        self.factors.capacity() * size_of::<Factors>()
            + self.slots.capacity() * size_of::<[u32; BLOCK]>()
            + self.codes.capacity() * size_of::<Line>()
            + size_of::<Self>()
    }
}
