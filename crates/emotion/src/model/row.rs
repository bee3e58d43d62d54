//! Rows of int8 weights, and sums of many.

use super::weights::LANES;

/// The weights of one feature, a byte each, eight to a word, with [`BIAS`] added so that none is negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row([u64; LANES / 8]);

const BIAS: u8 = 128;

impl Row {
    pub(crate) const ZERO: Self = Self([0x8080_8080_8080_8080; LANES / 8]);

    pub(crate) fn new(weights: [i8; LANES]) -> Self {
        let biased = weights.map(|weight| weight.cast_unsigned() ^ BIAS);
        let (eights, _) = biased.as_chunks::<8>();
        Self(std::array::from_fn(|word| u64::from_le_bytes(eights[word])))
    }

    pub(crate) fn weight(&self, lane: usize) -> i8 {
        (self.0[lane / 8].to_le_bytes()[lane % 8] ^ BIAS).cast_signed()
    }

    pub(crate) fn weights(&self) -> [i8; LANES] {
        std::array::from_fn(|lane| self.weight(lane))
    }
}

/// The sum of rows: gathered in 16 bits - lanes with even and with odd numbers apart, which needs no widening -
/// and moved to 32 before they can overflow.
#[inline]
pub(crate) fn sum<'a>(mut rows: impl Iterator<Item = &'a Row>) -> [i32; LANES] {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    let mut total = [0; LANES];
    loop {
        let (mut even, mut odd) = ([0_u64; LANES / 8], [0_u64; LANES / 8]);
        let mut count = 0;
        for Row(words) in rows.by_ref().take(RECENT_ROWS) {
            for (word, &eight) in words.iter().enumerate() {
                even[word] += eight & EVEN;
                odd[word] += (eight >> 8) & EVEN;
            }
            count += 1;
        }
        let bias = i32::from(BIAS) * count as i32;
        for (eight, (even, odd)) in total
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .zip(even.into_iter().zip(odd))
        {
            for (lane, weight) in eight.iter_mut().enumerate() {
                let words = if lane % 2 == 0 { even } else { odd };
                *weight += i32::from((words >> (lane / 2 * 16)) as u16) - bias;
            }
        }
        if count < RECENT_ROWS {
            return total;
        }
    }
}

/// So many rows of at most 255 in size stay within 2^16.
const RECENT_ROWS: usize = 257;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_overflow() {
        for count in [0, 1, 256, 257, 258, 514, 5_000] {
            for weight in [-128, -1, 0, 127] {
                let rows = vec![Row::new([weight; LANES]); count];
                let expected = [i32::from(weight) * count as i32; LANES];
                assert_eq!(sum(rows.iter()), expected, "{count} times {weight}");
            }
        }
    }

    #[test]
    fn every_lane_keeps_its_weight() {
        let weights: [i8; LANES] = std::array::from_fn(|lane| lane as i8 * 3 - 50);
        let row = Row::new(weights);
        assert_eq!(row.weights(), weights);
        assert_eq!(sum([row, Row::ZERO].iter()), weights.map(i32::from));
    }
}
