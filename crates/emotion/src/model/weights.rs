//! The weights file.
//!
//! Little-endian: magic (8 bytes), rows of words and rows of n-grams (u32 each), then f32: bias, scale
//! (32 each), thresholds (28), group thresholds (4); shape rows (64 x 32) and their squared weights (64,
//! as u8); squared weights of the rows (u8), rows (32 x i8 each); FNV-1a of all before it (u64).

use whisperengine_types::Emotion;

use super::features::{Buckets, SHAPES};
use crate::Error;

/// Outputs of the model: 28 labels, then the four groups of [`GROUPS`].
pub(crate) const LANES: usize = 32;

/// Labels that are also predicted as a whole: Ekman's joy, surprise, anger and sadness over the labels of
/// GoEmotions, as its paper groups them. Bit sets over label ids.
pub(crate) const GROUPS: [u32; 4] = [
    set(&[0, 1, 4, 5, 8, 13, 15, 17, 18, 20, 21, 23]),
    set(&[6, 7, 22, 26]),
    set(&[2, 3, 10]),
    set(&[9, 12, 16, 24, 25]),
];

/// Squared feature weights are stored in this many parts.
pub(crate) const SQUARE_PARTS: f32 = 32.0;

/// How far below its threshold a group must be for its labels to be dropped, in logits.
pub(crate) const GROUP_SLACK: f32 = 0.6;

const MAGIC: &[u8; 8] = b"WEEMOT\x01\0";

/// A trained model: 28 emotions from hashed words and character n-grams.
#[derive(Clone, PartialEq)]
pub struct EmotionModel {
    pub(crate) buckets: Buckets,
    pub(crate) bias: [f32; LANES],
    /// One unit of `rows`, by lane.
    pub(crate) scale: [f32; LANES],
    /// Logit above which a label is given.
    pub(crate) thresholds: [f32; Emotion::COUNT],
    /// Logit above which a group has a label.
    pub(crate) group_thresholds: [f32; 4],
    pub(crate) shapes: Vec<[f32; LANES]>,
    pub(crate) shape_squares: Vec<u8>,
    /// Squared weight of each row's feature, in 1/32; a text is scaled by the root of their sum.
    pub(crate) squares: Vec<u8>,
    /// Weights times the feature's own weight.
    pub(crate) rows: Vec<[i8; LANES]>,
}

impl EmotionModel {
    /// The model that comes with the crate, trained on GoEmotions (Demszky and others, ACL 2020).
    ///
    /// # Panics
    /// Never: the embedded file is checked by the tests.
    pub fn embedded() -> Self {
        Self::from_bytes(include_bytes!("../../data/emotions.bin"))
            .expect("the embedded weights are well formed")
    }

    /// Reads a weights file that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`Error::Weights`] when the bytes are cut short, damaged or of another format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |what| Error::Weights { what };
        let (content, checksum) = bytes.split_last_chunk().ok_or(damaged("length"))?;
        if fnv(content) != u64::from_le_bytes(*checksum) {
            return Err(damaged("checksum"));
        }
        let mut reader = Reader(content);
        if reader.take(8) != Some(MAGIC) {
            return Err(damaged("format"));
        }
        let model = reader.model().ok_or(damaged("length"))?;
        let floats = [model.bias, model.scale];
        let finite = floats
            .iter()
            .chain(&model.shapes)
            .flatten()
            .chain(&model.thresholds);
        if !reader.0.is_empty() {
            return Err(damaged("length"));
        }
        if !finite
            .chain(&model.group_thresholds)
            .all(|value| value.is_finite())
        {
            return Err(damaged("number"));
        }
        Ok(model)
    }

    /// The model as a weights file; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.buckets.words.to_le_bytes());
        out.extend(self.buckets.grams.to_le_bytes());
        let head = self.bias.iter().chain(&self.scale).chain(&self.thresholds);
        for value in head
            .chain(&self.group_thresholds)
            .chain(self.shapes.iter().flatten())
        {
            out.extend(value.to_le_bytes());
        }
        out.extend(&self.shape_squares);
        out.extend(&self.squares);
        out.extend(self.rows.iter().flatten().map(|&weight| weight.cast_unsigned()));
        out.extend(fnv(&out).to_le_bytes());
        out
    }
}

impl std::fmt::Debug for EmotionModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EmotionModel({} rows)", self.rows.len())
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    fn floats<const N: usize>(&mut self) -> Option<[f32; N]> {
        let mut floats = [0.0; N];
        for (float, bytes) in floats.iter_mut().zip(self.take(4 * N)?.chunks_exact(4)) {
            *float = f32::from_le_bytes(bytes.try_into().ok()?);
        }
        Some(floats)
    }

    fn model(&mut self) -> Option<EmotionModel> {
        let buckets = Buckets {
            words: self.u32().filter(|&rows| rows > 0)?,
            grams: self.u32().filter(|&rows| rows > 0)?,
        };
        let (bias, scale) = (self.floats()?, self.floats()?);
        let (thresholds, group_thresholds) = (self.floats()?, self.floats()?);
        let shapes = (0..SHAPES).map(|_| self.floats()).collect::<Option<_>>()?;
        let shape_squares = self.take(SHAPES)?.to_vec();
        let squares = self.take(buckets.total())?.to_vec();
        let rows = self
            .take(buckets.total() * LANES)?
            .chunks_exact(LANES)
            .map(|row| std::array::from_fn(|lane| row[lane].cast_signed()))
            .collect();
        Some(EmotionModel {
            buckets,
            bias,
            scale,
            thresholds,
            group_thresholds,
            shapes,
            shape_squares,
            squares,
            rows,
        })
    }
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

const fn set(ids: &[u32]) -> u32 {
    let mut set = 0;
    let mut i = 0;
    while i < ids.len() {
        set |= 1 << ids[i];
        i += 1;
    }
    set
}
