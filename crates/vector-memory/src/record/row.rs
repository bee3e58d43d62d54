//! What is searched of a memory.

use std::sync::Arc;

use whisperengine_types::MemoryError;

use super::{Reader, Writer, corrupt};
use crate::kernel::Kernel;

/// How often a word occurs in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WordCount {
    /// The word's hash; see [`crate::text::word_hash`].
    pub(crate) word: u32,
    /// Occurrences, at most 255.
    pub(crate) count: u8,
}

/// The embedding and the words of a text or of one part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) coordinates: Coordinates,
    /// Ascending by word.
    pub(crate) words: Vec<WordCount>,
}

/// An embedding as stored: what was given is kept to the bit, what the store makes itself is rounded
/// to 16 bits a coordinate.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Coordinates {
    Exact(Arc<Vec<f32>>),
    /// Each coordinate is `step * code`.
    Rounded {
        step: f32,
        codes: Vec<i16>,
    },
    /// Not made yet: the embedder failed when the memory was stored.
    Missing {
        dim: usize,
    },
}

impl Coordinates {
    /// The coordinates in 16 bits; the largest uses the whole range.
    pub(crate) fn round(values: &[f32]) -> Self {
        let largest = values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        // In double precision, in which no coordinate of an f32 is too small or too large.
        let inverse = if largest > 0.0 {
            f64::from(i16::MAX) / f64::from(largest)
        } else {
            0.0
        };
        // A number added to 1.5 * 2^52 has no room for a fraction: its low bits are the integer nearest.
        let code = |&x: &f32| (f64::from(x) * inverse + 6_755_399_441_055_744.0).to_bits() as i16;
        Self::Rounded {
            step: largest / f32::from(i16::MAX),
            codes: Kernel::detect().wide(|| values.iter().map(code).collect()),
        }
    }

    pub(crate) fn dim(&self) -> usize {
        match self {
            Self::Exact(values) => values.len(),
            Self::Rounded { codes, .. } => codes.len(),
            Self::Missing { dim } => *dim,
        }
    }

    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Zeros where it is missing, which are similar to nothing.
    pub(crate) fn to_f32(&self) -> Vec<f32> {
        match self {
            Self::Exact(values) => values.to_vec(),
            Self::Rounded { step, codes } => codes.iter().map(|&code| step * f32::from(code)).collect(),
            Self::Missing { dim } => vec![0.0; *dim],
        }
    }
}

impl Row {
    pub(super) fn encode(&self, out: &mut Writer) {
        match &self.coordinates {
            Coordinates::Exact(values) => {
                out.u8(EXACT);
                out.raw_all(values, |value| value.to_le_bytes());
            }
            Coordinates::Rounded { step, codes } => {
                out.u8(ROUNDED);
                out.raw(&step.to_le_bytes());
                out.raw_all(codes, |code| code.to_le_bytes());
            }
            Coordinates::Missing { .. } => out.u8(MISSING),
        }
        out.varint(self.words.len() as u64);
        out.raw_all(&self.words, |&WordCount { word, count }| {
            let [a, b, c, d] = word.to_le_bytes();
            [a, b, c, d, count]
        });
    }

    pub(super) fn decode(input: &mut Reader<'_>, dim: usize) -> Result<Self, MemoryError> {
        let coordinates = match input.u8()? {
            EXACT => {
                let (values, _) = input.take(dim.saturating_mul(4))?.as_chunks::<4>();
                Coordinates::Exact(Arc::new(
                    values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
                ))
            }
            ROUNDED => {
                let step = input.f32()?;
                let (codes, _) = input.take(dim.saturating_mul(2))?.as_chunks::<2>();
                let codes = codes.iter().map(|&bytes| i16::from_le_bytes(bytes)).collect();
                Coordinates::Rounded { step, codes }
            }
            MISSING => Coordinates::Missing { dim },
            _ => return Err(corrupt("has an embedding of an unknown form")),
        };
        let count = usize::try_from(input.varint()?).map_err(|_| corrupt("is cut off"))?;
        let (words, _) = input.take(count.saturating_mul(5))?.as_chunks::<5>();
        let words = words.iter().map(|&[a, b, c, d, count]| WordCount {
            word: u32::from_le_bytes([a, b, c, d]),
            count,
        });
        Ok(Self {
            coordinates,
            words: words.collect(),
        })
    }
}

const EXACT: u8 = 0;
const ROUNDED: u8 = 1;
const MISSING: u8 = 2;
