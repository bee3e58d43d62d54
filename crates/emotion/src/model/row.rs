//! Rows of int8 weights, and sums of many.

use super::weights::LANES;

/// The weights of one feature, a byte each, two to a word - those of lane `n` and of lane `n + LANES / 2` - with
/// [`BIAS`] added so that none is negative.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(32))]
pub(crate) struct Row([u16; HALF]);

const HALF: usize = LANES / 2;
const BIAS: u8 = 128;

impl Row {
    pub(crate) const ZERO: Self = Self([u16::from_ne_bytes([BIAS; 2]); HALF]);

    pub(crate) fn new(weights: [i8; LANES]) -> Self {
        let biased = weights.map(|weight| u16::from(weight.cast_unsigned() ^ BIAS));
        Self(std::array::from_fn(|lane| {
            biased[lane] | biased[lane + HALF] << 8
        }))
    }

    pub(crate) fn weight(&self, lane: usize) -> i8 {
        (self.0[lane % HALF].to_le_bytes()[lane / HALF] ^ BIAS).cast_signed()
    }

    pub(crate) fn weights(&self) -> [i8; LANES] {
        std::array::from_fn(|lane| self.weight(lane))
    }
}

/// The sum of rows: gathered in 16 bits - the lower and the upper bytes apart, which needs no widening - and
/// moved to 32 before they can overflow.
#[inline]
pub(crate) fn sum<'a>(mut rows: impl Iterator<Item = &'a Row>) -> [i32; LANES] {
    let mut total = [0; LANES];
    loop {
        let (mut lower, mut upper) = ([0_u16; HALF], [0_u16; HALF]);
        let mut count = 0;
        for Row(words) in rows.by_ref().take(RECENT_ROWS) {
            for lane in 0..HALF {
                lower[lane] += words[lane] & 0xFF;
                upper[lane] += words[lane] >> 8;
            }
            count += 1;
        }
        let bias = i32::from(BIAS) * count as i32;
        let (first, second) = total.split_at_mut(HALF);
        for lane in 0..HALF {
            first[lane] += i32::from(lower[lane]) - bias;
            second[lane] += i32::from(upper[lane]) - bias;
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
