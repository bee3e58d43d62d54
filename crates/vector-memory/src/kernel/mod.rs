//! The inner loops of similarity search, one implementation per instruction set, chosen once at run time.
//!
//! Three loops carry every index: the f32 dot product that decides, the int8 dot product that narrows, and
//! the table scan over 1-bit codes that picks (the codes' layout is that of "fast scan": 64 vectors side by
//! side, a byte of each in turn, so that one shuffle looks up a few bits of all of them: four where a shuffle
//! reaches 16 entries, six where it reaches 64).
//!
//! **Invariant.** Every implementation gives the same integers as [`portable`] and f32 sums within rounding;
//! the tests hold all that this machine can run against scalar loops.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod encode;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pages;
mod portable;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

pub(crate) use self::{
    encode::{encode_query, encode_row},
    pages::prefer_huge_pages,
};

/// Bytes of a cache line; rows of int8 codes start on one and fill whole ones.
pub(crate) const LINE: usize = 64;

/// The int8 code of the coordinate 0 in a [`Line`].
pub(crate) const ZERO: u8 = 128;

/// Vectors side by side in one block of 1-bit codes.
pub(crate) const BLOCK: usize = 64;

/// One aligned cache line of codes. Of 1-bit codes: a byte of each of the vectors of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u8; LINE]);

/// An int8 query: `values` padded with zeros to an even number of whole lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Int8Query {
    /// The coordinates, in steps of `scale`.
    pub(crate) values: Vec<i8>,
    /// 128 times the sum of `values`: what the codes' offset adds to every dot product.
    pub(crate) bias: i32,
}

/// The lines that a row or query of `dim` int8 codes takes: an even number.
pub(crate) fn padded_lines(dim: usize) -> usize {
    dim.div_ceil(2 * LINE) * 2
}

/// Bytes of a 1-bit code come in groups of so many, which both kinds of [`Table`] divide evenly.
pub(crate) const CODE_GROUP: usize = 3;

/// A query's table of partial sums for the 1-bit codes.
#[derive(Debug, Clone)]
pub(crate) enum Table {
    Fours(Vec<Fours>),
    Sixes(Vec<Sixes>),
}

/// The sums of what the low, then the high four bits of one byte of a code stand for.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(32))]
pub(crate) struct Fours(pub(crate) [[u8; 16]; 2]);

/// The sums for three bytes of a code: of what the low six bits of each stand for, then of the two high bits of
/// all three, the first byte's lowest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sixes(pub(crate) [Line; 4]);

impl Table {
    /// The highest entry of [`Fours`]: eight of them fit a byte.
    pub(crate) const MAX_OF_FOUR: u8 = 31;
    /// The highest entry of [`Sixes`]: four of them fit a byte.
    pub(crate) const MAX_OF_SIX: u8 = 63;

    /// Bytes of the codes that the table is for.
    fn code_bytes(&self) -> usize {
        match self {
            Self::Fours(bytes) => bytes.len(),
            Self::Sixes(groups) => groups.len() * CODE_GROUP,
        }
    }
}

type DotF32 = fn(&[f32], &[f32]) -> f32;
type DotInt8 = fn(&[Line], &[Line], &Int8Query) -> i32;
type ScanCoarse = fn(&[Line], &Int8Query, &CoarseScale<'_>) -> u16;
type DotsInt8 = fn(&[Line], &Int8Query, &mut [i32; 16]);
type ScanSigned = fn(&[i8], usize, &Int8Query, &mut [i32]);
type ScanFours = fn(&[Line], &[Fours], &[Line], &mut [u16; BLOCK]);
type ScanSixes = fn(&[Line], &[Sixes], &[Line], &mut [u16; BLOCK]);
type ScoreBlock = fn(&[u16; BLOCK], &BlockScale<'_>, &mut [f32; BLOCK]) -> u64;

/// How the sums of a block become similarities: `base + factor[i] * (slope * sum[i] + offset)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockScale<'a> {
    /// The upper halves of f32 (bfloat16): half as much to read, and exact to a 256th.
    pub(crate) factors: &'a [u16; BLOCK],
    pub(crate) base: f32,
    pub(crate) slope: f32,
    pub(crate) offset: f32,
    /// Lanes above this are in the returned mask.
    pub(crate) threshold: f32,
}

/// The upper half of an f32, rounded.
pub(crate) fn upper_half(value: f32) -> u16 {
    ((value.to_bits() + 0x8000) >> 16) as u16
}

/// The f32 whose upper half is given, and the lower zero.
#[inline]
pub(crate) fn from_upper_half(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// How the dot products with the upper four bits of 16 rows (as they are, without sign) become bounds of
/// similarities: `factors[i] * (slope * dot[i] + offset)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoarseScale<'a> {
    pub(crate) factors: &'a [f32; 16],
    pub(crate) slope: f32,
    pub(crate) offset: f32,
    pub(crate) threshold: f32,
}

/// What [`Kernel::wide`] compiles for.
#[derive(Debug, Clone, Copy)]
enum Width {
    Baseline,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The loops of one instruction set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernel {
    /// The instruction set's name.
    pub(crate) name: &'static str,
    width: Width,
    dot_f32: DotF32,
    dot_int8: DotInt8,
    dots_int8: DotsInt8,
    scan_coarse: ScanCoarse,
    scan_signed: ScanSigned,
    scan_fours: ScanFours,
    scan_sixes: Option<ScanSixes>,
    score_block: ScoreBlock,
}

impl Kernel {
    /// The fastest that this machine can run.
    pub(crate) fn detect() -> &'static Self {
        static CHOSEN: OnceLock<Kernel> = OnceLock::new();
        CHOSEN.get_or_init(|| {
            Self::available()
                .pop()
                .expect("the portable kernel runs anywhere")
        })
    }

    /// All that this machine can run, the fastest last.
    pub(crate) fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "other architectures add to it")]
        let mut all = vec![portable::KERNEL];
        #[cfg(target_arch = "x86_64")]
        all.extend([avx2::kernel(), avx512::kernel()].into_iter().flatten());
        #[cfg(target_arch = "aarch64")]
        all.extend(neon::kernel());
        all
    }

    /// Runs plain loops compiled for the instruction set: what is inlined into `work` becomes as wide.
    #[inline]
    pub(crate) fn wide<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.width {
            Width::Baseline => work(),
            // SAFETY: a kernel of this width is only made where the instructions were detected.
            #[cfg(target_arch = "x86_64")]
            Width::Avx2 => unsafe { avx2::run(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Width::Avx512 => unsafe { avx512::run(work) },
        }
    }

    /// The dot product of two rows of equal length.
    #[inline]
    pub(crate) fn dot_f32(&self, a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "rows of one index have one dimension");
        (self.dot_f32)(a, b)
    }

    /// The dot product of one row of int8 codes with a query, the offset taken off; the upper and the lower
    /// four bits of the codes lie apart, each byte holding those of two coordinates, 64 from one another.
    #[inline]
    pub(crate) fn dot_int8(&self, coarse: &[Line], fine: &[Line], query: &Int8Query) -> i32 {
        assert_eq!(coarse.len(), fine.len(), "each code has both its halves");
        assert_eq!(
            coarse.len() * 2 * LINE,
            query.values.len(),
            "rows and query are padded alike"
        );
        (self.dot_int8)(coarse, fine, query)
    }

    /// Which of 16 rows, one after the other, can be above the threshold, as far as the upper four bits of
    /// their codes tell; bit `i` of the result is for row `i`.
    #[inline]
    pub(crate) fn scan_coarse(&self, rows: &[Line], query: &Int8Query, scale: &CoarseScale<'_>) -> u16 {
        assert_eq!(
            rows.len() * 2 * LINE,
            16 * query.values.len(),
            "rows and query are padded alike"
        );
        (self.scan_coarse)(rows, query, scale)
    }

    /// The dot products of the upper four bits of 16 rows that lie apart, as they are, with a query.
    #[inline]
    pub(crate) fn dots_coarse(&self, rows: &[&[Line]; 16], query: &Int8Query, out: &mut [i32; 16]) {
        assert!(
            rows.iter().all(|row| row.len() * 2 * LINE == query.values.len()),
            "rows and query are padded alike"
        );
        match self.width {
            // SAFETY: a kernel of this width is only made where the instructions were detected, and the
            // lengths were just checked.
            #[cfg(target_arch = "x86_64")]
            Width::Avx512 => unsafe { avx512::dots_coarse(rows, query, out) },
            _ => self.wide(|| {
                for (row, out) in rows.iter().zip(out) {
                    *out = portable::nibbles(row, query);
                }
            }),
        }
    }

    /// The dot products of 16 rows of whole int8 codes, one after the other, with a query, the offset taken off.
    #[inline]
    pub(crate) fn dots_int8(&self, rows: &[Line], query: &Int8Query, out: &mut [i32; 16]) {
        assert_eq!(
            rows.len() * LINE,
            16 * query.values.len(),
            "rows and query are padded alike"
        );
        (self.dots_int8)(rows, query, out);
    }

    /// The dot products of a query with rows of `dim` signed codes that lie one after the other, without
    /// padding or offset; as many rows as `out` has room for.
    #[inline]
    pub(crate) fn scan_signed(&self, rows: &[i8], dim: usize, query: &Int8Query, out: &mut [i32]) {
        assert_eq!(rows.len(), dim * out.len(), "one result for each row");
        assert_eq!(
            query.values.len(),
            padded_lines(dim) * LINE,
            "the query is padded to whole lines"
        );
        (self.scan_signed)(rows, dim, query, out);
    }

    /// The same for 16 rows that lie apart.
    #[inline]
    pub(crate) fn dots_signed(&self, rows: &[&[i8]; 16], query: &Int8Query, out: &mut [i32; 16]) {
        let dim = rows[0].len();
        assert!(
            rows.iter().all(|row| row.len() == dim),
            "the rows have one dimension"
        );
        assert_eq!(
            query.values.len(),
            padded_lines(dim) * LINE,
            "the query is padded to whole lines"
        );
        match self.width {
            // SAFETY: a kernel of this width is only made where the instructions were detected, and the
            // lengths were just checked.
            #[cfg(target_arch = "x86_64")]
            Width::Avx512 => unsafe { avx512::dots_signed(rows, query, out) },
            _ => self.wide(|| {
                for (row, out) in rows.iter().zip(out) {
                    portable::scan_signed(row, dim, query, std::slice::from_mut(out));
                }
            }),
        }
    }

    /// The dot products of a query with rows of 16-bit codes that lie one after the other, their high and low
    /// bytes apart, as `query.len()` signed and as many unsigned bytes for each row.
    pub(crate) fn scan_planes(&self, query: &[f32], high: &[i8], low: &[u8], out: &mut [f32]) {
        assert_eq!(high.len(), query.len() * out.len(), "one result for each row");
        assert_eq!(high.len(), low.len(), "each code has both its bytes");
        self.wide(|| portable::scan_planes(query, high, low, out));
    }

    /// Whether [`Table::Sixes`] are looked up faster than [`Table::Fours`].
    #[inline]
    pub(crate) fn prefers_sixes(&self) -> bool {
        self.scan_sixes.is_some()
    }

    /// For each vector of a block, the sum of its code's table entries; asks for the memory of the block that
    /// is scanned some time after it. `codes` holds a line for each byte of a code.
    #[inline]
    pub(crate) fn scan_block(&self, codes: &[Line], table: &Table, ahead: &[Line], sums: &mut [u16; BLOCK]) {
        assert_eq!(
            codes.len(),
            table.code_bytes(),
            "codes and table are of one length"
        );
        match table {
            Table::Fours(bytes) => (self.scan_fours)(codes, bytes, ahead, sums),
            Table::Sixes(groups) => {
                let scan = self.scan_sixes.unwrap_or(portable::scan_sixes);
                scan(codes, groups, ahead, sums);
            }
        }
    }

    /// Turns sums into similarities; bit `i` of the result is set when lane `i` is above the threshold.
    #[inline]
    pub(crate) fn score_block(
        &self,
        sums: &[u16; BLOCK],
        scale: &BlockScale<'_>,
        out: &mut [f32; BLOCK],
    ) -> u64 {
        (self.score_block)(sums, scale, out)
    }
}

/// Asks for the memory of `row` soon before its use; changes nothing else.
#[inline]
pub(crate) fn prefetch<T>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    ask::<{ std::arch::x86_64::_MM_HINT_T0 }, T>(row);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Asks for the memory of `row` long before its use, as far as into the second cache: the first can wait for few lines
/// at once, the second for more, which is what counts where much is read from all over memory.
#[inline]
pub(crate) fn prefetch_early<T>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    ask::<{ std::arch::x86_64::_MM_HINT_T1 }, T>(row);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn ask<const HINT: i32, T>(row: &[T]) {
    let start = row.as_ptr().cast::<i8>();
    // A row need not begin where a line does; the last line that it touches is asked for too.
    let before = if align_of::<T>() >= LINE {
        0
    } else {
        start.addr() % LINE
    };
    for offset in (0..before + size_of_val(row)).step_by(LINE) {
        // SAFETY: a prefetch never faults, and the address lies within `row`; SSE is part of x86-64.
        unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(start.add(offset.saturating_sub(before))) };
    }
}

/// Asks for what lies some way after `row`, which is of use where rows are read one after the other: the
/// machine's own prefetching ends with each page.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn prefetch_after<T>(row: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    let start = row.as_ptr().cast::<i8>();
    for offset in (0..size_of_val(row)).step_by(LINE) {
        // SAFETY: a prefetch never faults, whatever the address; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset + SCAN_AHEAD)) };
    }
}

/// Bytes between what a scan reads and what it asks for.
#[cfg(target_arch = "x86_64")]
const SCAN_AHEAD: usize = 8_192;
