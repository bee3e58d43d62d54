//! The weights of the multilingual model and their file.
//!
//! Little-endian: magic (8 bytes); rows of words and of n-grams (u32 each); bias, scale of words, scale of n-grams
//! (f32, one a lane); the rows of words, then those of n-grams (i8, one a lane); FNV-1a of all before it (u64).

use super::{features::Rows, lanes::USED};
use crate::{
    Error,
    model::{LANES, Row, fnv},
};

const MAGIC: &[u8; 8] = b"WEMULTI\x01";

/// A linear model over hashed words and n-grams: emotions, valence, arousal, danger and language of a text.
#[derive(Clone, PartialEq)]
pub struct MultilingualModel {
    pub(super) rows: Rows,
    pub(super) words: Vec<Row>,
    pub(super) grams: Vec<Row>,
    pub(super) bias: [f32; LANES],
    pub(super) word_scale: [f32; LANES],
    pub(super) gram_scale: [f32; LANES],
}

/// Trained weights: one row a feature, one value a lane.
pub type WeightRow = [f32; LANES];

impl MultilingualModel {
    /// The model that comes with the crate.
    ///
    /// # Panics
    /// Never: the embedded file is checked by the tests.
    pub fn embedded() -> Self {
        Self::from_bytes(include_bytes!("../../data/multilingual.bin"))
            .expect("the embedded weights are well formed")
    }

    /// A model of these weights, each rounded to one of 255 steps of its lane.
    pub fn from_weights(words: &[WeightRow], grams: &[WeightRow], bias: WeightRow) -> Self {
        let (words, word_scale) = quantise(words);
        let (grams, gram_scale) = quantise(grams);
        Self {
            rows: Rows {
                words: words.len() as u32,
                grams: grams.len() as u32,
            },
            words,
            grams,
            bias,
            word_scale,
            gram_scale,
        }
    }

    /// How many rows the model has for each kind of feature.
    pub fn rows(&self) -> Rows {
        self.rows
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
        if content.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(damaged("format"));
        }
        let model = read(&content[MAGIC.len()..]).ok_or(damaged("length"))?;
        let mut numbers = model
            .bias
            .iter()
            .chain(&model.word_scale)
            .chain(&model.gram_scale);
        if !numbers.all(|number| number.is_finite()) {
            return Err(damaged("number"));
        }
        Ok(model)
    }

    /// The model as a weights file; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.rows.words.to_le_bytes());
        out.extend(self.rows.grams.to_le_bytes());
        for value in [&self.bias, &self.word_scale, &self.gram_scale]
            .into_iter()
            .flatten()
        {
            out.extend(value.to_le_bytes());
        }
        for row in self.words.iter().chain(&self.grams) {
            out.extend((0..USED).map(|lane| row.weight(lane).cast_unsigned()));
        }
        out.extend(fnv(&out).to_le_bytes());
        out
    }
}

impl std::fmt::Debug for MultilingualModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rows { words, grams } = self.rows;
        write!(f, "MultilingualModel({words} rows of words, {grams} of n-grams)")
    }
}

fn read(content: &[u8]) -> Option<MultilingualModel> {
    let (words, content) = content.split_first_chunk()?;
    let (grams, content) = content.split_first_chunk()?;
    let rows = Rows {
        words: u32::from_le_bytes(*words),
        grams: u32::from_le_bytes(*grams),
    };
    let (floats, content) = content.split_at_checked(3 * LANES * size_of::<f32>())?;
    let mut floats = floats
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes));
    let mut lanes = || -> [f32; LANES] { std::array::from_fn(|_| floats.next().unwrap_or(f32::NAN)) };
    let (bias, word_scale, gram_scale) = (lanes(), lanes(), lanes());
    let count = rows.words as usize + rows.grams as usize;
    if rows.words == 0 || rows.grams == 0 || content.len() != count * USED {
        return None;
    }
    let row = |bytes: &[u8; USED]| {
        Row::new(std::array::from_fn(|lane| {
            bytes.get(lane).map_or(0, |byte| byte.cast_signed())
        }))
    };
    let mut all: Vec<Row> = content.as_chunks().0.iter().map(row).collect();
    let grams = all.split_off(rows.words as usize);
    Some(MultilingualModel {
        rows,
        words: all,
        grams,
        bias,
        word_scale,
        gram_scale,
    })
}

/// Rounds each lane to int8; one weight in ten thousand, the largest, may be cut.
fn quantise(rows: &[WeightRow]) -> (Vec<Row>, [f32; LANES]) {
    let scale: [f32; LANES] = std::array::from_fn(|lane| {
        let mut sizes: Vec<f32> = rows.iter().map(|row| row[lane].abs()).collect();
        sizes.sort_by(f32::total_cmp);
        let kept = sizes.len() - 1 - sizes.len() / 10_000;
        sizes.get(kept).map_or(1.0, |&largest| largest.max(1e-6) / 127.0)
    });
    let row = |row: &WeightRow| {
        Row::new(std::array::from_fn(|lane| {
            (row[lane] / scale[lane]).round().clamp(-127.0, 127.0) as i8
        }))
    };
    (rows.iter().map(row).collect(), scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> MultilingualModel {
        let row = |n: usize| -> WeightRow {
            std::array::from_fn(|lane| {
                if lane < USED {
                    (n * lane) as f32 / 100.0 - 1.0
                } else {
                    0.0
                }
            })
        };
        let words: Vec<WeightRow> = (0..7).map(row).collect();
        let grams: Vec<WeightRow> = (3..8).map(row).collect();
        MultilingualModel::from_weights(&words, &grams, row(1))
    }

    #[test]
    fn a_model_is_read_as_it_was_written() {
        let model = small();
        assert_eq!(MultilingualModel::from_bytes(&model.to_bytes()), Ok(model));
    }

    #[test]
    fn damaged_weights_are_refused() {
        let bytes = small().to_bytes();
        for cut in [0, 8, 100, bytes.len() - 1] {
            assert!(MultilingualModel::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        let mut flipped = bytes;
        flipped[50] ^= 1;
        assert_eq!(
            MultilingualModel::from_bytes(&flipped),
            Err(Error::Weights { what: "checksum" })
        );
    }

    #[test]
    fn weights_are_rounded_by_less_than_a_step() {
        let model = small();
        for lane in 0..USED {
            for (n, row) in model.words.iter().enumerate() {
                let exact = (n * lane) as f32 / 100.0 - 1.0;
                let kept = f32::from(row.weight(lane)) * model.word_scale[lane];
                assert!((exact - kept).abs() <= model.word_scale[lane], "{lane} {n}");
            }
        }
    }
}
