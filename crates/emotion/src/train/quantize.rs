//! From f32 weights to the int8 rows of the model.

use whisperengine_types::Emotion;

use super::{
    data::Squares,
    descent::Weights,
    lexis::{Lexis, is_word},
};
use crate::{
    EmotionModel,
    model::{Grams, LANES, Pair, Row, Vocabulary, Weighed, grams},
};

/// Weights beyond this share of a lane's are clipped, so that the rest are told apart finely.
const KEPT: f64 = 1.0;

/// A word's n-grams depend on nothing but the word, so that what they add is summed here, once.
pub(super) fn quantize(lexis: &Lexis, squares: &Squares, weights: &Weights) -> EmotionModel {
    let layout = &lexis.layout;
    let gram_rows = &weights.rows[layout.grams()];
    let gram_squares = &squares.0[layout.grams()];
    let mut words = weights.rows[layout.words()].to_vec();
    let mut word_squares: Vec<u16> = squares.0[layout.words()].iter().map(|&s| u16::from(s)).collect();
    let forms: Vec<&[u8]> = lexis.vocabulary.forms().split(|&byte| byte == b'\n').collect();
    let mut found = Vec::new();
    for ((form, row), squares) in forms.iter().zip(&mut words).zip(&mut word_squares) {
        if !is_word(form) {
            continue;
        }
        grams(form, gram_rows.len() as u32, &mut found);
        for &gram in &found {
            *squares += u16::from(gram_squares[gram as usize]);
            for (sum, weight) in row.iter_mut().zip(&gram_rows[gram as usize]) {
                *sum += weight;
            }
        }
    }
    let pairs = &weights.rows[layout.pairs()];
    let (word_scale, words) = int8(&words);
    let (pair_scale, pairs) = int8(pairs);
    let (gram_scale, grams) = int8(gram_rows);
    let grams = Grams {
        rows: grams,
        squares: gram_squares.to_vec(),
        scale: gram_scale,
    };
    let weighed = words.iter().zip(&word_squares);
    let weighed: Vec<Weighed> = weighed.map(|(&row, &squares)| Weighed { row, squares }).collect();
    let pair_squares = &squares.0[layout.pairs()];
    let pairs = lexis.pairs.iter().zip(&pairs).zip(pair_squares);
    let pair = |((&(first, second), &row), &squares)| Pair {
        first,
        second,
        row,
        squares,
    };
    let pairs: Vec<Pair> = pairs.map(pair).collect();
    let unnumbered = |form: &[u8]| grams.weigh(form, &word_scale);
    let vocabulary = Vocabulary::new(&forms[..words.len()], &weighed, &pairs, unnumbered)
        .expect("the words and pairs of a lexis are different and not too many");
    EmotionModel {
        vocabulary,
        grams,
        word_scale,
        pair_scale,
        bias: weights.bias,
        thresholds: [0.0; Emotion::COUNT],
        group_thresholds: [0.0; 4],
        shapes: weights.rows[layout.shapes()].to_vec(),
        shape_squares: squares.0[layout.shapes()].to_vec(),
    }
}

/// One scale per lane, and the rows in units of it.
fn int8(rows: &[[f32; LANES]]) -> ([f32; LANES], Vec<Row>) {
    let scale = std::array::from_fn(|lane| {
        let mut sizes: Vec<f32> = rows.iter().map(|row| row[lane].abs()).collect();
        if sizes.is_empty() {
            return 1.0;
        }
        let kept = ((sizes.len() - 1) as f64 * KEPT) as usize;
        let (_, largest, _) = sizes.select_nth_unstable_by(kept, f32::total_cmp);
        largest.max(1e-6) / 127.0
    });
    let rounded = |row: &[f32; LANES]| {
        let weight = |lane: usize| (row[lane] / scale[lane]).round().clamp(-127.0, 127.0) as i8;
        Row::new(std::array::from_fn(weight))
    };
    (scale, rows.iter().map(rounded).collect())
}
