//! Arithmetic of scores: bounded, and the same on every machine.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Brings `x` into `0..=1`; NaN becomes 0.
pub(crate) fn unit(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(0.0, 1.0) }
}

/// Brings `x` into `-1..=1`; NaN becomes 0.
pub(crate) fn signed(x: f32) -> f32 {
    if x.is_nan() { 0.0 } else { x.clamp(-1.0, 1.0) }
}

/// Maps a sum of weights to `0..1`: 0 to 0, 1 to 0.5, then ever slower.
pub(crate) fn squash(x: f32) -> f32 {
    let x = x.max(0.0);
    x / (1.0 + x)
}

/// What is left of 1 after `age` with the given half-life: `2^(-age / half_life)`.
///
/// Linear between whole half-lives: the library function differs between platforms, and a state is to
/// come out the same everywhere.
pub(crate) fn decay(age: Duration, half_life: Duration) -> f32 {
    let lives = age.as_secs_f64() / half_life.as_secs_f64().max(1e-9);
    if lives >= 60.0 {
        return 0.0;
    }
    let whole = lives as u32;
    let rest = (lives - f64::from(whole)) as f32;
    (1.0 - 0.5 * rest) / (1_u64 << whole) as f32
}

/// Base-2 logarithm, linear between powers of two, for the same reason as [`decay`]; `x` above 0.
pub(crate) fn log2(x: f32) -> f32 {
    let x = x.clamp(1e-6, 1e6);
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let mantissa = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    exponent as f32 + mantissa - 1.0
}

/// A score in `0..=1` in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub(crate) struct Byte(u8);

impl Byte {
    pub(crate) fn new(score: f32) -> Self {
        Self((unit(score) * 255.0).round() as u8)
    }

    pub(crate) fn value(self) -> f32 {
        f32::from(self.0) / 255.0
    }
}

/// A score in `-1..=1` in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct SignedByte(i8);

impl SignedByte {
    pub(crate) fn new(score: f32) -> Self {
        Self((signed(score) * 127.0).round() as i8)
    }

    pub(crate) fn value(self) -> f32 {
        f32::from(self.0) / 127.0
    }
}

/// Keeps the newest `limit` entries.
pub(crate) fn push_bounded<T>(ring: &mut Vec<T>, entry: T, limit: usize) {
    if ring.len() >= limit {
        ring.drain(..=ring.len() - limit);
    }
    if limit > 0 {
        ring.push(entry);
    }
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
