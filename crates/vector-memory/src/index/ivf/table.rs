//! A query's table for the 1-bit codes.

use super::list::{BlockRef, code_rows};
use crate::kernel::{BLOCK, BlockScale, CodeRows, Kernel, Table, TableRows};

/// The table and how its sums become dot products: `<signs, q> = slope * sum + offset`.
#[derive(Debug)]
pub(super) struct CodeTable {
    table: Table,
    slope: f32,
    offset: f32,
}

impl CodeTable {
    /// For each nibble of a code the sum of the query's coordinates whose bits are set, in 5 bits.
    pub(super) fn new(rotated: &[f32]) -> Self {
        Kernel::detect().wide(|| Self::build(rotated))
    }

    /// Estimates the similarity of each vector of a block; a bit is set for those above `threshold`. `base` is
    /// the query's dot product with what the codes are about, `ahead` the codes that are scanned some time after.
    #[inline]
    pub(super) fn estimate(
        &self,
        block: &BlockRef<'_>,
        base: f32,
        threshold: f32,
        ahead: &[CodeRows],
        estimates: &mut [f32; BLOCK],
    ) -> u32 {
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
        kernel.score_block(&sums, &scale, estimates) & u32::MAX >> (BLOCK - block.slots.len())
    }

    #[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
    #[inline(always)]
    fn build(rotated: &[f32]) -> Self {
        let rows = code_rows(rotated.len());
        let mut padded = vec![0.0; rows * 16];
        padded[..rotated.len()].copy_from_slice(rotated);
        let fours = padded.as_chunks::<4>().0;
        let (mut widest, mut lowest_total) = (0.0_f32, 0.0);
        for four in fours {
            widest = widest.max(four.iter().map(|v| v.abs()).sum());
            lowest_total += four.iter().map(|v| v.min(0.0)).sum::<f32>();
        }
        let step = if widest > 0.0 {
            widest / f32::from(max_entry(rows))
        } else {
            1.0
        };
        let mut table = vec![
            TableRows {
                low: [0; 64],
                high: [0; 64]
            };
            rows
        ];
        for (row, nibbles) in table.iter_mut().zip(fours.as_chunks::<4>().0) {
            let [first_low, first_high, second_low, second_high] =
                nibbles.map(|four| entries(four, 1.0 / step));
            for (half, first, second) in [
                (&mut row.low, first_low, second_low),
                (&mut row.high, first_high, second_high),
            ] {
                for (quarter, entries) in half
                    .as_chunks_mut::<16>()
                    .0
                    .iter_mut()
                    .zip([first, first, second, second])
                {
                    *quarter = entries;
                }
            }
        }
        let total: f32 = rotated.iter().sum();
        Self {
            table: Table { rows: table },
            slope: 2.0 * step,
            offset: 2.0 * lowest_total - total,
        }
    }
}

/// The sums of all subsets of four coordinates less the lowest, in steps, rounded.
#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
fn entries(four: [f32; 4], steps: f32) -> [u8; 16] {
    let lowest: f32 = four.iter().map(|v| v.min(0.0)).sum();
    std::array::from_fn(|bits| {
        let chosen = |at: usize| if bits >> at & 1 == 1 { four[at] } else { 0.0 };
        let sum = (chosen(0) + chosen(1)) + (chosen(2) + chosen(3)) - lowest;
        // Added to 2^23, a number has no room for a fraction and stands in the low bits.
        (sum.max(0.0) * steps + 8_388_608.0).to_bits() as u8
    })
}

/// The highest entry with which the sum over all nibbles fits 16 bits.
fn max_entry(rows: usize) -> u8 {
    let fits = usize::from(u16::MAX) / (rows * 4);
    fits.clamp(1, Table::MAX_ENTRY.into()) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::CodeTable;

    proptest! {
        #[test]
        fn sums_of_entries_are_dot_products_of_signs(
            lanes in prop::collection::vec((any::<bool>(), -0.2_f32..0.2), 1..500),
        ) {
            let (signs, query): (Vec<bool>, Vec<f32>) = lanes.into_iter().unzip();
            let expected: f32 = signs.iter().zip(&query).map(|(&s, q)| if s { *q } else { -q }).sum();
            let table = CodeTable::new(&query);
            let mut sum = 0_u32;
            for (nibble, bits) in signs.chunks(4).enumerate() {
                let code = bits.iter().enumerate().fold(0, |code, (at, &bit)| code | usize::from(bit) << at);
                let row = &table.table.rows[nibble / 4];
                let half = if nibble % 2 == 0 { &row.low } else { &row.high };
                sum += u32::from(half[nibble / 2 % 2 * 32 + code]);
            }
            let got = table.slope * sum as f32 + table.offset;
            // Half a step for each nibble at most.
            let bound = table.slope * 0.5 * signs.len().div_ceil(4) as f32 + 1e-3;
            prop_assert!((got - expected).abs() <= bound, "{got} is not {expected} within {bound}");
        }
    }
}
