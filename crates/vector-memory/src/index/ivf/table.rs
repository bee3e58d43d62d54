//! A query's table for the 1-bit codes.

use super::list::{BlockRef, code_bytes};
use crate::kernel::{BLOCK, BlockScale, CODE_GROUP, Fours, Kernel, LINE, Line, Sixes, Table};

/// The table and how its sums become dot products: `<signs, q> = slope * sum + offset`.
#[derive(Debug)]
pub(super) struct CodeTable {
    table: Table,
    slope: f32,
    offset: f32,
}

impl CodeTable {
    /// For each few bits of a code the sum of the query's coordinates whose bits are set, in steps.
    pub(super) fn new(rotated: &[f32]) -> Self {
        let kernel = Kernel::detect();
        kernel.wide(|| Self::build(rotated, kernel.prefers_sixes()))
    }

    /// Estimates the similarity of each vector of a block; a bit is set for those above `threshold`. `base` is
    /// the query's dot product with what the codes are about, `ahead` the codes that are scanned some time after.
    #[inline]
    pub(super) fn estimate(
        &self,
        block: &BlockRef<'_>,
        base: f32,
        threshold: f32,
        ahead: &[Line],
        estimates: &mut [f32; BLOCK],
    ) -> u64 {
        let kernel = Kernel::detect();
        let mut sums = [0; BLOCK];
        kernel.scan_block(block.codes, &self.table, ahead, &mut sums);
        let scale = BlockScale {
            factors: block.factors,
            base,
            slope: self.slope,
            offset: self.offset,
            threshold,
        };
        kernel.score_block(&sums, &scale, estimates) & u64::MAX >> (BLOCK - block.slots.len())
    }

    #[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
    #[inline(always)]
    fn build(rotated: &[f32], sixes: bool) -> Self {
        let bytes = code_bytes(rotated.len());
        let mut padded = vec![0.0; bytes * 8];
        padded[..rotated.len()].copy_from_slice(rotated);
        let (table, step, lowest) = if sixes {
            let groups = padded.as_chunks::<{ 8 * CODE_GROUP }>().0.iter();
            let bits = groups.flat_map(bits_of_sixes).collect::<Vec<_>>();
            let scale = Scale::new(&bits, Table::MAX_OF_SIX);
            let mut table = vec![Sixes([Line([0; LINE]); 4]); bits.len() / 4];
            for (group, bits) in table.iter_mut().zip(bits.as_chunks::<4>().0) {
                for (line, bits) in group.0.iter_mut().zip(bits) {
                    line.0 = entries(bits, scale.steps);
                }
            }
            (Table::Sixes(table), scale.step, scale.lowest)
        } else {
            let bits = padded.as_chunks::<4>().0;
            let scale = Scale::new(bits, Table::MAX_OF_FOUR);
            let mut table = vec![Fours::default(); bytes];
            for (byte, bits) in table.iter_mut().zip(bits.as_chunks::<2>().0) {
                for (half, bits) in byte.0.iter_mut().zip(bits) {
                    *half = entries(bits, scale.steps);
                }
            }
            (Table::Fours(table), scale.step, scale.lowest)
        };
        let total: f32 = rotated.iter().sum();
        Self {
            table,
            slope: 2.0 * step,
            offset: 2.0 * lowest - total,
        }
    }
}

/// The coordinates that the bits of each look-up into three bytes stand for.
#[inline]
fn bits_of_sixes(group: &[f32; 8 * CODE_GROUP]) -> [[f32; 6]; 4] {
    std::array::from_fn(|look_up| {
        std::array::from_fn(|bit| match look_up {
            3 => group[bit / 2 * 8 + 6 + bit % 2],
            byte => group[byte * 8 + bit],
        })
    })
}

/// How entries are rounded.
struct Scale {
    step: f32,
    /// In 1.
    steps: f32,
    /// The sum of the least that each look-up can stand for.
    lowest: f32,
}

impl Scale {
    #[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
    #[inline(always)]
    fn new<const BITS: usize>(look_ups: &[[f32; BITS]], max_entry: u8) -> Self {
        let (mut widest, mut lowest) = (0.0_f32, 0.0);
        for bits in look_ups {
            widest = widest.max(bits.iter().map(|v| v.abs()).sum());
            lowest += bits.iter().map(|v| v.min(0.0)).sum::<f32>();
        }
        // The sum of all fits 16 bits, too.
        let fits = usize::from(u16::MAX) / look_ups.len().max(1);
        let highest = fits.clamp(1, max_entry.into()) as f32;
        let step = if widest > 0.0 { widest / highest } else { 1.0 };
        Self {
            step,
            steps: 1.0 / step,
            lowest,
        }
    }
}

/// The sums of all subsets of some coordinates less the lowest, in steps, rounded.
#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
fn entries<const BITS: usize, const SUBSETS: usize>(bits: &[f32; BITS], steps: f32) -> [u8; SUBSETS] {
    let mut sums = [0.0; SUBSETS];
    sums[0] = -bits.iter().map(|v| v.min(0.0)).sum::<f32>();
    for (bit, value) in bits.iter().enumerate() {
        let (without, with) = sums.split_at_mut(1 << bit);
        for (with, without) in with.iter_mut().zip(without) {
            *with = *without + value;
        }
    }
    let mut entries = [0; SUBSETS];
    for (entry, sum) in entries.iter_mut().zip(sums) {
        // Added to 2^23, a number has no room for a fraction and stands in the low bits.
        *entry = (sum.max(0.0) * steps + 8_388_608.0).to_bits() as u8;
    }
    entries
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{CodeTable, code_bytes};
    use crate::kernel::{BLOCK, Kernel, Line};

    proptest! {
        #[test]
        fn sums_of_entries_are_dot_products_of_signs(
            lanes in prop::collection::vec((any::<bool>(), -0.2_f32..0.2), 1..500),
            sixes in any::<bool>(),
        ) {
            let (signs, query): (Vec<bool>, Vec<f32>) = lanes.into_iter().unzip();
            let expected: f32 = signs.iter().zip(&query).map(|(&s, q)| if s { *q } else { -q }).sum();
            let table = CodeTable::build(&query, sixes);
            let mut codes = vec![Line([0; 64]); code_bytes(query.len())];
            for (at, _) in signs.iter().enumerate().filter(|(_, sign)| **sign) {
                codes[at / 8].0[0] |= 1 << (at % 8);
            }
            let mut sums = [0; BLOCK];
            Kernel::detect().scan_block(&codes, &table.table, &[], &mut sums);
            let got = table.slope * f32::from(sums[0]) + table.offset;
            // Half a step for each look-up at most.
            let look_ups = codes.len() * 8 / if sixes { 6 } else { 4 };
            let bound = table.slope * 0.5 * look_ups as f32 + 1e-3;
            prop_assert!((got - expected).abs() <= bound, "{got} is not {expected} within {bound}");
        }
    }
}
