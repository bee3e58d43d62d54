//! Python's `round`: the decimal nearest to the exact binary value, ties to even.
//!
//! Multiplying by 1000 and rounding is not the same: the product itself is rounded, and 0.0625 is a tie
//! that must go down. Here the product is exact, in 128-bit integers.

/// `x` rounded to `1 / scale`, for `|x| <= 1` and `scale` a power of ten up to 10,000.
pub(super) fn round(x: f64, scale: u16) -> f64 {
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7FF) as u32;
    // x = mantissa * 2^-shift
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    let shift = 1075 - exponent;
    let units = if exponent == 0 || shift > 70 {
        // Below 2^-17, which is less than half of any unit.
        0
    } else {
        let product = u128::from(mantissa) * u128::from(scale);
        let whole = (product >> shift) as u64;
        let rest = product & ((1 << shift) - 1);
        let half = 1_u128 << (shift - 1);
        whole + u64::from(rest > half || (rest == half && whole % 2 == 1))
    };
    (units as f64 / f64::from(scale)).copysign(x)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::round;

    fn naive(x: f64, digits: usize) -> f64 {
        format!("{x:.digits$}").parse().unwrap()
    }

    #[test]
    fn ties_go_to_even() {
        for (x, expected) in [
            (0.0625, 0.062),
            (0.1875, 0.188),
            (-0.0625, -0.062),
            (1.0, 1.0),
            (0.0, 0.0),
        ] {
            assert_eq!(round(x, 1000).to_bits(), f64::to_bits(expected), "{x}");
        }
        assert_eq!(round(-0.00001, 10_000).to_bits(), (-0.0_f64).to_bits());
    }

    proptest! {
        #[test]
        fn agrees_with_decimal_formatting(x in -1.0..=1.0_f64, k in 0..20_000_i32, e in 1..40_i32) {
            for x in [x, x * 2f64.powi(-e), f64::from(k) / 20_000.0, f64::from(k) / 16_384.0 - 0.3] {
                prop_assert_eq!(round(x, 1000).to_bits(), naive(x, 3).to_bits());
                prop_assert_eq!(round(x, 10_000).to_bits(), naive(x, 4).to_bits());
            }
        }
    }
}
