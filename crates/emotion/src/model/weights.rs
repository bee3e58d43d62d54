//! The weights file.
//!
//! Little-endian: magic (8 bytes); words, pairs, n-gram rows, bytes of forms (u32 each); f32: bias, scale of
//! words, of pairs and of n-grams (32 each), thresholds (28), group thresholds (4), shape rows (44 x 32);
//! squared weights of shapes (44 x u8); the words' forms, a line each; by word: squares (u16), row (32 x i8);
//! by pair: first, second (u16 each), squares (u8), row; by n-gram: squares (u8), row; FNV-1a of all before
//! it (u64).

use whisperengine_types::Emotion;

use super::{
    features::SHAPES,
    grams::Grams,
    row::Row,
    vocabulary::{NEGATED, Pair, UNKNOWN, Vocabulary, Weighed},
};
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
pub(crate) const SQUARE_PARTS: f32 = 64.0;

/// How far below its threshold a group must be for its labels to be dropped, in logits.
pub(crate) const GROUP_SLACK: f32 = 0.4;

const MAGIC: &[u8; 8] = b"WEEMOT\x03\0";

/// A trained model: 28 emotions from words, pairs of words and character n-grams.
#[derive(Clone, PartialEq)]
pub struct EmotionModel {
    pub(crate) vocabulary: Vocabulary,
    /// Rows of character n-grams, for words that are not known.
    pub(crate) grams: Grams,
    /// One unit of a word's row, by lane.
    pub(crate) word_scale: [f32; LANES],
    pub(crate) pair_scale: [f32; LANES],
    pub(crate) bias: [f32; LANES],
    /// Logit above which a label is given.
    pub(crate) thresholds: [f32; Emotion::COUNT],
    /// Logit above which a group has a label.
    pub(crate) group_thresholds: [f32; 4],
    pub(crate) shapes: Vec<[f32; LANES]>,
    /// Squared weight of each shape's feature, in 1/64; a text is scaled by the root of the sum of all.
    pub(crate) shape_squares: Vec<u8>,
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
        if !reader.0.is_empty() {
            return Err(damaged("length"));
        }
        let lanes = [model.bias, model.word_scale, model.pair_scale, model.grams.scale];
        let numbers = lanes.iter().chain(&model.shapes).flatten();
        let mut numbers = numbers.chain(&model.thresholds).chain(&model.group_thresholds);
        if !numbers.all(|value| value.is_finite()) {
            return Err(damaged("number"));
        }
        Ok(model)
    }

    /// The model as a weights file; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let (words, pairs) = (self.vocabulary.words(), self.vocabulary.pairs());
        let forms = self.vocabulary.forms();
        for count in [words.len(), pairs.len(), self.grams.rows.len(), forms.len()] {
            out.extend((count as u32).to_le_bytes());
        }
        let lanes = [self.bias, self.word_scale, self.pair_scale, self.grams.scale];
        let head = lanes.iter().flatten().chain(&self.thresholds);
        for value in head
            .chain(&self.group_thresholds)
            .chain(self.shapes.iter().flatten())
        {
            out.extend(value.to_le_bytes());
        }
        out.extend(&self.shape_squares);
        out.extend(forms);
        for word in words {
            out.extend(word.squares.to_le_bytes());
            out.extend(word.row.weights().map(i8::cast_unsigned));
        }
        for pair in pairs {
            out.extend(pair.first.to_le_bytes());
            out.extend(pair.second.to_le_bytes());
            out.push(pair.squares);
            out.extend(pair.row.weights().map(i8::cast_unsigned));
        }
        for (row, &squares) in self.grams.rows.iter().zip(&self.grams.squares) {
            out.push(squares);
            out.extend(row.weights().map(i8::cast_unsigned));
        }
        out.extend(fnv(&out).to_le_bytes());
        out
    }
}

impl std::fmt::Debug for EmotionModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = self.vocabulary.words().len();
        write!(
            f,
            "EmotionModel({words} words, {} pairs)",
            self.vocabulary.pairs().len()
        )
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn count(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.array()?) as usize)
    }

    fn row(&mut self) -> Option<Row> {
        Some(Row::new(self.array()?.map(u8::cast_signed)))
    }

    fn floats<const N: usize>(&mut self) -> Option<[f32; N]> {
        let mut floats = [0.0; N];
        for float in &mut floats {
            *float = f32::from_le_bytes(self.array()?);
        }
        Some(floats)
    }

    fn model(&mut self) -> Option<EmotionModel> {
        let (words, pairs) = (self.count()?, self.count()?);
        let (grams, form_bytes) = (self.count()?, self.count()?);
        if words > usize::from(UNKNOWN) || pairs > usize::from(u16::MAX) || grams == 0 {
            return None;
        }
        let (bias, word_scale, pair_scale) = (self.floats()?, self.floats()?, self.floats()?);
        let (gram_scale, thresholds, group_thresholds) = (self.floats()?, self.floats()?, self.floats()?);
        let shapes = (0..SHAPES).map(|_| self.floats()).collect::<Option<_>>()?;
        let shape_squares = self.take(SHAPES)?.to_vec();
        let forms: Vec<&[u8]> = self.take(form_bytes)?.split(|&byte| byte == b'\n').collect();
        if forms.len() != words + 1 {
            return None;
        }
        let mut weighed = Vec::new();
        for _ in 0..words {
            let squares = u16::from_le_bytes(self.array()?);
            weighed.push(Weighed {
                row: self.row()?,
                squares,
            });
        }
        let mut known_pairs = Vec::new();
        for _ in 0..pairs {
            let (first, second) = (
                u16::from_le_bytes(self.array()?),
                u16::from_le_bytes(self.array()?),
            );
            let [squares] = self.array()?;
            if (usize::from(first) >= words && first != NEGATED) || usize::from(second) >= words {
                return None;
            }
            known_pairs.push(Pair {
                first,
                second,
                row: self.row()?,
                squares,
            });
        }
        let (mut gram_squares, mut gram_rows) = (Vec::new(), Vec::new());
        for _ in 0..grams {
            let [squares] = self.array()?;
            gram_squares.push(squares);
            gram_rows.push(self.row()?);
        }
        let grams = Grams {
            rows: gram_rows,
            squares: gram_squares,
            scale: gram_scale,
        };
        let in_words = |form: &[u8]| grams.weigh(form, &word_scale);
        let vocabulary = Vocabulary::new(&forms[..words], &weighed, &known_pairs, in_words)?;
        Some(EmotionModel {
            vocabulary,
            grams,
            word_scale,
            pair_scale,
            bias,
            thresholds,
            group_thresholds,
            shapes,
            shape_squares,
        })
    }
}

pub(crate) fn fnv(bytes: &[u8]) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_weights_are_written_as_they_were_read() {
        let written = EmotionModel::embedded().to_bytes();
        assert!(written == include_bytes!("../../data/emotions.bin"));
        assert_eq!(
            EmotionModel::from_bytes(&written).unwrap(),
            EmotionModel::embedded()
        );
    }
}
