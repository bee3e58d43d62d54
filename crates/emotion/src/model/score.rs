//! Texts to logits: sums of int8 rows.

use whisperengine_types::VaderScores;

use super::{
    features::{Reach, grams, shapes},
    vocabulary::{NEGATED, UNKNOWN},
    weights::{EmotionModel, LANES, SQUARE_PARTS},
    words::{Item, Kind, Words},
};
use crate::classes::ByteClasses;

/// Buffers of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scorer {
    pub(crate) words: Words,
    /// What each unknown word of the last text added, in order.
    unknown: Vec<[f32; LANES]>,
    /// The pairs of the last text.
    pairs: Vec<u16>,
    /// The n-grams of one word.
    grams: Vec<u32>,
    /// What the sums of the last text were scaled by.
    unit: f32,
}

impl Scorer {
    /// The logits of `text`, whose byte classes are `classes` and whose VADER scores are `scores`.
    pub(crate) fn logits(
        &mut self,
        model: &EmotionModel,
        text: &str,
        classes: &mut ByteClasses,
        scores: &VaderScores,
    ) -> [f32; LANES] {
        let vocabulary = &model.vocabulary;
        self.words.scan(text, classes, vocabulary);
        self.unknown.clear();
        self.pairs.clear();
        let mut rest = [0.0; LANES];
        let mut squares = 0_u32;
        let mut reach = Reach::default();
        let mut before = UNKNOWN;
        for at in 0..self.words.items.len() {
            let item = self.words.items[at];
            if item.id == UNKNOWN {
                if matches!(item.kind, Kind::Word | Kind::Capitals) {
                    squares += self.add_unknown(model, text, &item, &mut rest);
                }
                reach.step(&item, false);
                before = UNKNOWN;
                continue;
            }
            let known = vocabulary.word(item.id);
            squares += u32::from(known.squares);
            let next_to = (before != UNKNOWN).then_some(before);
            let denied = reach.step(&item, known.negates).then_some(NEGATED);
            for first in [next_to, denied].into_iter().flatten() {
                if let Some(found) = vocabulary.pair(first, item.id) {
                    self.pairs.push(found);
                    squares += u32::from(vocabulary.pairs()[usize::from(found)].squares);
                }
            }
            before = item.id;
        }
        let (rows, count) = shapes(scores, &self.words.items, text);
        for &row in &rows[..count] {
            squares += u32::from(model.shape_squares[row]);
            for (lane, weight) in rest.iter_mut().zip(&model.shapes[row]) {
                *lane += weight;
            }
        }
        self.unit = 1.0 / (squares.max(1) as f32 / SQUARE_PARTS).sqrt();
        let known = self.words.items.iter().filter(|item| item.id != UNKNOWN);
        let words = sum(known.map(|item| &vocabulary.word(item.id).row));
        let pairs = sum(self
            .pairs
            .iter()
            .map(|&pair| &vocabulary.pairs()[usize::from(pair)].row));
        let mut logits = model.bias;
        for lane in 0..LANES {
            let known =
                words[lane] as f32 * model.word_scale[lane] + pairs[lane] as f32 * model.pair_scale[lane];
            logits[lane] += (known + rest[lane]) * self.unit;
        }
        logits
    }

    /// What each item of the last text added to the logit of `lane`.
    pub(crate) fn contributions(
        &self,
        model: &EmotionModel,
        lane: usize,
    ) -> impl Iterator<Item = (&Item, f32)> {
        let scale = model.word_scale[lane];
        let mut unknown = self.unknown.iter();
        self.words.items.iter().map(move |item| {
            let sum = match item.kind {
                _ if item.id != UNKNOWN => f32::from(model.vocabulary.word(item.id).row[lane]) * scale,
                Kind::Word | Kind::Capitals => unknown.next().map_or(0.0, |sum| sum[lane]),
                Kind::Stop | Kind::Sign => 0.0,
            };
            (item, sum * self.unit)
        })
    }

    /// Adds the n-grams of a word that is not known to `rest`; returns their squares.
    #[inline(never)]
    fn add_unknown(&mut self, model: &EmotionModel, text: &str, item: &Item, rest: &mut [f32; LANES]) -> u32 {
        let rows = &mut self.grams;
        rows.clear();
        grams(self.words.form(text, item), model.grams.len() as u32, |row| {
            rows.push(row);
        });
        let squares = rows
            .iter()
            .map(|&row| u32::from(model.gram_squares[row as usize]))
            .sum();
        let total = sum(rows.iter().map(|&row| &model.grams[row as usize]));
        let added = std::array::from_fn(|lane| total[lane] as f32 * model.gram_scale[lane]);
        for (rest, added) in rest.iter_mut().zip(&added) {
            *rest += added;
        }
        self.unknown.push(added);
        squares
    }
}

/// The sum of rows: gathered in 16 bits and moved to 32 before it can overflow.
#[inline]
fn sum<'a>(mut rows: impl Iterator<Item = &'a [i8; LANES]>) -> [i32; LANES] {
    let mut total = [0; LANES];
    loop {
        let mut recent = [0_i16; LANES];
        let mut count = 0;
        for row in rows.by_ref().take(RECENT_ROWS) {
            for lane in 0..LANES {
                recent[lane] += i16::from(row[lane]);
            }
            count += 1;
        }
        for lane in 0..LANES {
            total[lane] += i32::from(recent[lane]);
        }
        if count < RECENT_ROWS {
            return total;
        }
    }
}

/// So many rows of at most 128 in size stay within 2^15.
const RECENT_ROWS: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_overflow() {
        for count in [0, 1, 254, 255, 256, 510, 5_000] {
            let rows = vec![[-128; LANES]; count];
            assert_eq!(sum(rows.iter()), [-128 * count as i32; LANES], "{count}");
        }
    }
}
