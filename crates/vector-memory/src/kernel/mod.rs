//! The inner loops of similarity search, one implementation per instruction set, chosen once at run time.
//!
//! Three loops carry every index: the f32 dot product that decides, the int8 dot product that narrows, and
//! the table scan over 1-bit codes that picks (the codes' layout is that of "fast scan": 32 vectors side by
//! side, a byte of each in turn, so that one shuffle looks up one nibble of all of them).
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
mod portable;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

pub(crate) use self::encode::{encode_query, encode_row};

/// Bytes of a cache line; rows of int8 codes start on one and fill whole ones.
pub(crate) const LINE: usize = 64;

/// The int8 code of the coordinate 0 in a [`Line`].
pub(crate) const ZERO: u8 = 128;

/// Vectors side by side in one block of 1-bit codes.
pub(crate) const BLOCK: usize = 32;

/// One aligned cache line of codes.
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

/// A query's table of partial sums for the 1-bit codes, laid out for shuffles: each [`TableRows`] serves two
/// bytes of a code.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<TableRows>,
}

/// The sums of the low and the high nibbles of two bytes of a code: per nibble 16 for the first byte, the
/// same 16 again, then twice those of the second byte.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct TableRows {
    pub(crate) low: [u8; 64],
    pub(crate) high: [u8; 64],
}

impl Table {
    /// The highest entry: the two of each of four bytes together fit a byte.
    pub(crate) const MAX_ENTRY: u8 = 31;
}

/// Two bytes of the code of each of 32 vectors: the first byte of all, then the second of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct CodeRows(pub(crate) [[u8; BLOCK]; 2]);

type DotF32 = fn(&[f32], &[f32]) -> f32;
type DotInt8 = fn(&[Line], &[Line], &Int8Query) -> i32;
type ScanCoarse = fn(&[Line], &Int8Query, &CoarseScale<'_>) -> u16;
type DotsInt8 = fn(&[Line], &Int8Query, &mut [i32; 16]);
type ScanSigned = fn(&[i8], usize, &Int8Query, &mut [i32]);
type ScanBlock = fn(&[CodeRows], &Table, &[CodeRows], &mut [u16; BLOCK]);
type ScoreBlock = fn(&[u16; BLOCK], &BlockScale<'_>, &mut [f32; BLOCK]) -> u32;

/// How the sums of a block become similarities: `base + factor[i] * (slope * sum[i] + offset)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockScale<'a> {
    pub(crate) factors: &'a [f32; BLOCK],
    pub(crate) base: f32,
    pub(crate) slope: f32,
    pub(crate) offset: f32,
    /// Lanes above this are in the returned mask.
    pub(crate) threshold: f32,
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
    scan_block: ScanBlock,
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

    /// The dot products of a query with rows of 16-bit codes that lie one after the other, their high and low
    /// bytes apart, as `query.len()` signed and as many unsigned bytes for each row.
    pub(crate) fn scan_planes(&self, query: &[f32], high: &[i8], low: &[u8], out: &mut [f32]) {
        assert_eq!(high.len(), query.len() * out.len(), "one result for each row");
        assert_eq!(high.len(), low.len(), "each code has both its bytes");
        self.wide(|| portable::scan_planes(query, high, low, out));
    }

    /// For each vector of a block, the sum of its code's table entries; asks for the memory of the block that
    /// is scanned some time after it.
    #[inline]
    pub(crate) fn scan_block(
        &self,
        codes: &[CodeRows],
        table: &Table,
        ahead: &[CodeRows],
        sums: &mut [u16; BLOCK],
    ) {
        assert_eq!(
            codes.len(),
            table.rows.len(),
            "one table row per two bytes of a code"
        );
        (self.scan_block)(codes, table, ahead, sums);
    }

    /// Turns sums into similarities; bit `i` of the result is set when lane `i` is above the threshold.
    #[inline]
    pub(crate) fn score_block(
        &self,
        sums: &[u16; BLOCK],
        scale: &BlockScale<'_>,
        out: &mut [f32; BLOCK],
    ) -> u32 {
        (self.score_block)(sums, scale, out)
    }
}

/// Asks for the memory of `row` ahead of its use; changes nothing else.
#[inline]
pub(crate) fn prefetch<T>(row: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = row.as_ptr().cast::<i8>();
        for offset in (0..size_of_val(row)).step_by(LINE) {
            // SAFETY: a prefetch never faults, and the address lies within `row`; SSE is part of x86-64.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(offset)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
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
