//! Texts to logits: sums of int8 rows.

use whisperengine_types::VaderScores;

use super::{
    features::shapes,
    item::{Item, WORD},
    look_up::Scan,
    row::sum,
    vocabulary::NOWHERE,
    weights::{EmotionModel, LANES, SQUARE_PARTS},
};

/// Buffers of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scorer {
    /// What each unknown word of the last text added, in order.
    unknown: Vec<[f32; LANES]>,
    /// The n-grams of one word.
    grams: Vec<u32>,
    /// What the words that are not known and the whole-text features of the last text add.
    rest: [f32; LANES],
    /// What the sums of the last text were scaled by.
    unit: f32,
}

impl Scorer {
    /// The logits of `text`, which was scanned and whose VADER scores are `scores`.
    pub(crate) fn logits(
        &mut self,
        model: &EmotionModel,
        text: &str,
        scan: &mut Scan,
        scores: &VaderScores,
    ) -> [f32; LANES] {
        let vocabulary = &model.vocabulary;
        let mut squares = scan.pair_squares;
        let words = sum(scan.words.items.iter().map(|item| {
            let known = vocabulary.line(item.place);
            squares += u32::from(known.squares);
            &known.row
        }));
        let pairs = &scan.pair_sums;
        self.rest = [0.0; LANES];
        self.unknown.clear();
        if !scan.words.all_known {
            for at in 0..scan.words.items.len() {
                let item = &scan.words.items[at];
                if item.place == NOWHERE && item.is(WORD) {
                    squares += self.add_unknown(model, scan.words.form_at(text, at));
                }
            }
        }
        let (rows, count) = shapes(scores, &scan.words.items, text);
        for &row in &rows[..count] {
            squares += u32::from(model.shape_squares[row]);
            add(&mut self.rest, &model.shapes[row]);
        }
        self.unit = 1.0 / (squares.max(1) as f32 / SQUARE_PARTS).sqrt();
        let mut logits = model.bias;
        for lane in 0..LANES {
            let known =
                words[lane] as f32 * model.word_scale[lane] + pairs[lane] as f32 * model.pair_scale[lane];
            logits[lane] += (known + self.rest[lane]) * self.unit;
        }
        logits
    }

    /// What each item of the last text added to the logit of `lane`.
    pub(crate) fn contributions<'a>(
        &'a self,
        model: &'a EmotionModel,
        scan: &'a Scan,
        lane: usize,
    ) -> impl Iterator<Item = (&'a Item, f32)> {
        let scale = model.word_scale[lane];
        let mut unknown = self.unknown.iter();
        scan.words.items.iter().map(move |item| {
            let sum = if item.place != NOWHERE {
                f32::from(model.vocabulary.line(item.place).row.weight(lane)) * scale
            } else if item.is(WORD) {
                unknown.next().map_or(0.0, |sum| sum[lane])
            } else {
                0.0
            };
            (item, sum * self.unit)
        })
    }

    /// Adds the n-grams of a word that is not known to the rest; returns their squares.
    #[inline(never)]
    fn add_unknown(&mut self, model: &EmotionModel, form: &[u8]) -> u32 {
        let (table, rows) = (&model.grams, &mut self.grams);
        table.list(form, rows);
        let squares = rows.iter().map(|&row| u32::from(table.squares[row as usize]));
        let squares = squares.sum();
        let total = sum(rows.iter().map(|&row| &table.rows[row as usize]));
        let added = std::array::from_fn(|lane| total[lane] as f32 * table.scale[lane]);
        add(&mut self.rest, &added);
        self.unknown.push(added);
        squares
    }
}

/// In a function of its own, so that the sums stay in memory in lanes and are not taken apart.
#[inline(never)]
fn add(sums: &mut [f32; LANES], row: &[f32; LANES]) {
    for (sum, weight) in sums.iter_mut().zip(row) {
        *sum += weight;
    }
}
