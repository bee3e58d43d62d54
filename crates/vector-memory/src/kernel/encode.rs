//! Rounding of coordinates to int8.
//!
//! Coordinates are scaled so that the largest is 127 and rounded; how far that leaves the codes from the
//! coordinates, by Euclid, bounds the error of every dot product with them (Cauchy-Schwarz).

use super::{Int8Query, Kernel, LINE, Line, ZERO, padded_lines};

/// What is left of one row after encoding: its step and how far the codes are off, by Euclid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Encoded {
    pub(crate) scale: f32,
    pub(crate) error: f32,
}

/// Rounds rotated coordinates to int8 with the offset.
pub(crate) fn encode_row(rotated: &[f32], codes: &mut [Line]) -> Encoded {
    Kernel::detect().wide(|| {
        let scale = step(rotated);
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let mut error = [0.0; LINE];
        codes.fill(Line([ZERO; LINE]));
        for (line, values) in codes.iter_mut().zip(rotated.chunks(LINE)) {
            for ((code, &value), error) in line.0.iter_mut().zip(values).zip(&mut error) {
                let (rounded, bits) = round(value * inverse);
                *code = bits as u8 ^ ZERO;
                *error += (value - rounded * scale) * (value - rounded * scale);
            }
        }
        Encoded {
            scale,
            error: error.iter().sum::<f32>().sqrt(),
        }
    })
}

/// Rounds rotated coordinates to int8.
pub(crate) fn encode_query(rotated: &[f32]) -> (Int8Query, Encoded) {
    let mut values = vec![0_i8; padded_lines(rotated.len()) * LINE];
    Kernel::detect().wide(|| {
        let scale = step(rotated);
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        let (mut error, mut sum) = ([0.0; LINE], 0);
        for (codes, rotated) in values.chunks_mut(LINE).zip(rotated.chunks(LINE)) {
            for ((code, &value), error) in codes.iter_mut().zip(rotated).zip(&mut error) {
                let (rounded, bits) = round(value * inverse);
                *code = bits as i8;
                *error += (value - rounded * scale) * (value - rounded * scale);
            }
            sum += codes.iter().map(|&code| i32::from(code)).sum::<i32>();
        }
        let bias = i32::from(ZERO) * sum;
        (
            Int8Query { values, bias },
            Encoded {
                scale,
                error: error.iter().sum::<f32>().sqrt(),
            },
        )
    })
}

/// Rounds to the nearest integer, ties to even, as f32 and as two's complement in the low bits: a number
/// added to 1.5 x 2^23 has no room for a fraction.
#[inline(always)]
fn round(value: f32) -> (f32, u32) {
    const SHIFT: f32 = 12_582_912.0;
    let shifted = value + SHIFT;
    (shifted - SHIFT, shifted.to_bits())
}

#[expect(clippy::inline_always, reason = "it is to become as wide as its caller")]
#[inline(always)]
fn step(rotated: &[f32]) -> f32 {
    let mut largest = [0.0_f32; 16];
    for values in rotated.chunks(16) {
        for (largest, value) in largest.iter_mut().zip(values) {
            *largest = if value.abs() > *largest {
                value.abs()
            } else {
                *largest
            };
        }
    }
    largest.iter().fold(0.0, |a: f32, &b| a.max(b)) / 127.0
}
