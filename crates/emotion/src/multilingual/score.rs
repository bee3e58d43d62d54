//! From features to the outputs of the model.

use super::{
    features::{Features, Sentence},
    weights::MultilingualModel,
};
use crate::model::{LANES, sum};

/// How much an n-gram counts beside a word.
pub const GRAM_STRENGTH: f32 = 0.5;

/// The outputs for one text and for each of its sentences.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outputs {
    pub(crate) text: [f32; LANES],
    /// Empty where the text is one sentence.
    pub(crate) sentences: Vec<(Sentence, [f32; LANES])>,
}

/// What the features of a stretch add up to, and their squared lengths.
#[derive(Debug, Clone, Copy)]
struct Sum {
    lanes: [f32; LANES],
    squares: f32,
}

impl MultilingualModel {
    /// Replaces `out` by the outputs for the text that `features` last read.
    pub(crate) fn score(&self, features: &Features, out: &mut Outputs) {
        out.sentences.clear();
        let mut total = Sum {
            lanes: [0.0; LANES],
            squares: 0.0,
        };
        let mut before = (0, 0);
        let sentences = features.sentences();
        for sentence in sentences {
            let sum = self.sum(
                &features.words()[before.0..sentence.words as usize],
                &features.grams()[before.1..sentence.grams as usize],
            );
            before = (sentence.words as usize, sentence.grams as usize);
            if sentences.len() > 1 {
                out.sentences.push((*sentence, self.scaled(&sum)));
            }
            for (total, lane) in total.lanes.iter_mut().zip(&sum.lanes) {
                *total += lane;
            }
            total.squares += sum.squares;
        }
        out.text = self.scaled(&total);
    }

    /// The outputs for the text that `features` last read, a value a lane.
    pub fn outputs(&self, features: &Features) -> [f32; LANES] {
        self.scaled(&self.sum(features.words(), features.grams()))
    }

    fn sum(&self, words: &[u32], grams: &[u32]) -> Sum {
        let of_words = sum(words.iter().map(|&row| &self.words[row as usize]));
        let of_grams = sum(grams.iter().map(|&row| &self.grams[row as usize]));
        Sum {
            lanes: std::array::from_fn(|lane| {
                of_words[lane] as f32 * self.word_scale[lane] + of_grams[lane] as f32 * self.gram_scale[lane]
            }),
            squares: words.len() as f32 + GRAM_STRENGTH * GRAM_STRENGTH * grams.len() as f32,
        }
    }

    fn scaled(&self, sum: &Sum) -> [f32; LANES] {
        let unit = 1.0 / sum.squares.max(1.0).sqrt();
        std::array::from_fn(|lane| self.bias[lane] + sum.lanes[lane] * unit)
    }
}
