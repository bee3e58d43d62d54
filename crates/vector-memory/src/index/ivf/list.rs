//! One list: the 1-bit codes of its vectors, 32 side by side.
//!
//! A code holds the signs of the coordinates of the rotated residual `r` of a vector to the list's centre, and
//! the factor that makes `factor * <signs, q>` an unbiased estimate of `<r, q>` (RaBitQ; Gao and Long, SIGMOD
//! 2024). Codes are stored byte by byte across a block's vectors, for the kernel's shuffles.

use crate::kernel::{BLOCK, CodeRows, prefetch};

#[derive(Debug, Clone)]
pub(super) struct List {
    len: usize,
    /// The [`CodeRows`] of one block.
    rows: usize,
    blocks: Vec<Block>,
    /// The codes of all blocks, one after the other.
    codes: Vec<CodeRows>,
}

/// What there is to each code of a block; no more of it than the list has vectors means anything.
#[derive(Debug, Clone)]
#[repr(align(64))]
struct Block {
    factors: [f32; BLOCK],
    slots: [u32; BLOCK],
}

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
        let mut bytes = vec![0; code_rows(vector.len()) * 2];
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

/// The number of [`CodeRows`] that codes of `dim` bits take.
pub(super) fn code_rows(dim: usize) -> usize {
    dim.div_ceil(16)
}

/// One block of a list, as the kernel takes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockRef<'a> {
    pub(super) codes: &'a [CodeRows],
    pub(super) factors: &'a [f32; BLOCK],
    /// As many slots as the block has vectors, 1 to 32.
    pub(super) slots: &'a [u32],
}

impl List {
    pub(super) fn with_capacity(vectors: usize, dim: usize) -> Self {
        let (blocks, rows) = (vectors.div_ceil(BLOCK), code_rows(dim));
        Self {
            len: 0,
            rows,
            blocks: Vec::with_capacity(blocks),
            codes: Vec::with_capacity(blocks * rows),
        }
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = BlockRef<'_>> {
        let codes = self.codes.chunks_exact(self.rows);
        let blocks = codes.zip(&self.blocks).enumerate();
        blocks.map(|(at, (codes, block))| BlockRef {
            codes,
            factors: &block.factors,
            slots: &block.slots[..BLOCK.min(self.len - at * BLOCK)],
        })
    }

    /// Asks for the memory of the first block ahead of its use.
    pub(super) fn prefetch(&self) {
        prefetch(&self.codes[..self.rows.min(self.codes.len())]);
        prefetch(&self.blocks[..self.blocks.len().min(1)]);
    }

    /// Adds a vector at the end; its place.
    pub(super) fn push(&mut self, slot: u32, code: &Code) -> u32 {
        let at = self.len;
        if at.is_multiple_of(BLOCK) {
            self.blocks.push(Block {
                factors: [0.0; BLOCK],
                slots: [0; BLOCK],
            });
            self.codes
                .resize(self.blocks.len() * self.rows, CodeRows([[0; BLOCK]; 2]));
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
            self.blocks.pop();
            self.codes.truncate(self.blocks.len() * self.rows);
        }
        moved
    }

    fn write(&mut self, at: usize, slot: u32, code: &Code) {
        let (block, lane) = (at / BLOCK, at % BLOCK);
        self.blocks[block].factors[lane] = code.factor;
        self.blocks[block].slots[lane] = slot;
        for (row, bytes) in self.codes[block * self.rows..]
            .iter_mut()
            .zip(code.bytes.as_chunks::<2>().0)
        {
            (row.0[0][lane], row.0[1][lane]) = (bytes[0], bytes[1]);
        }
    }

    fn read(&self, at: usize) -> (u32, Code) {
        let (block, lane) = (at / BLOCK, at % BLOCK);
        let codes = &self.codes[block * self.rows..][..self.rows];
        let code = Code {
            bytes: codes
                .iter()
                .flat_map(|row| [row.0[0][lane], row.0[1][lane]])
                .collect(),
            factor: self.blocks[block].factors[lane],
        };
        (self.blocks[block].slots[lane], code)
    }

    pub(super) fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
            + self.codes.capacity() * size_of::<CodeRows>()
            + size_of::<Self>()
    }
}

impl BlockRef<'_> {
    /// Asks for the memory of what the codes come with; that of the codes is for the kernel to ask for.
    #[inline]
    pub(super) fn prefetch(&self) {
        prefetch(self.factors);
        prefetch(self.slots);
    }
}
