/// The logistic function within 1e-6, without a call into the maths library so that a row of them is
/// computed in lanes.
#[inline]
pub(super) fn sigmoids<const N: usize>(x: &[f32]) -> [f32; N] {
    let mut out = [0.0; N];
    for (out, &x) in out.iter_mut().zip(x) {
        *out = sigmoid(x);
    }
    out
}

#[inline]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x for |x| <= 40 (clamped): 2^n by exponent bits times a polynomial for 2^f, |f| <= 1/2.
#[inline]
fn exp(x: f32) -> f32 {
    /// Adding and taking away 1.5 * 2^23 rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    const LARGEST: f32 = 40.0;
    // Not `clamp` and `as i32`: those have rules for NaN that cannot be computed in lanes.
    let x = if x > LARGEST { LARGEST } else { x };
    let x = if x < -LARGEST { -LARGEST } else { x };
    let power = x * std::f32::consts::LOG2_E;
    // Ends in the bits of the integer.
    let rounded = power + ROUND;
    let whole = rounded - ROUND;
    let f = (power - whole) * std::f32::consts::LN_2;
    let series = 1.0 / 120.0 + f * (1.0 / 720.0);
    let fraction = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * series))));
    fraction * f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    #[test]
    fn sigmoid_is_near_the_exact_one() {
        for step in -4000..=4000 {
            let x = step as f32 / 100.0;
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(super::sigmoid(x)) - exact).abs() < 1e-6, "{x}");
        }
        assert!(super::sigmoid(f32::MAX) <= 1.0 && super::sigmoid(f32::MIN) >= 0.0);
    }
}
