//! Texts to logits: sums of int8 rows.

use whisperengine_types::VaderScores;

use super::{
    features::{Reach, shapes},
    row::sum,
    vocabulary::{NEGATED, NOWHERE, UNKNOWN, Vocabulary},
    weights::{EmotionModel, LANES, SQUARE_PARTS},
    words::{Item, Kind, Words},
};

/// Buffers of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scorer {
    pub(crate) words: Words,
    /// What each unknown word of the last text added, in order.
    unknown: Vec<[f32; LANES]>,
    /// Neighbours that may be pairs.
    neighbours: Vec<(u16, u16)>,
    /// The n-grams of one word.
    grams: Vec<u32>,
    /// What the words that are not known and the whole-text features of the last text add.
    rest: [f32; LANES],
    /// What the sums of the last text were scaled by.
    unit: f32,
}

impl Scorer {
    /// The logits of `text`, whose words are scanned and whose VADER scores are `scores`.
    ///
    /// What a look-up costs is waiting for memory. So they are done in loops that do nothing else, in which
    /// the processor waits for many at a time.
    pub(crate) fn logits(&mut self, model: &EmotionModel, text: &str, scores: &VaderScores) -> [f32; LANES] {
        let vocabulary = &model.vocabulary;
        self.words.settle(text, vocabulary);
        let (mut squares, mut unknown, mut negates) = (0_u32, 0, false);
        let words = sum(self.words.items.iter().map(|item| {
            let known = vocabulary.line(item.place);
            squares += u32::from(known.squares);
            negates |= known.negates;
            unknown += usize::from(item.place == NOWHERE);
            &known.row
        }));
        self.find_neighbours(vocabulary, negates);
        let pairs = sum(self.neighbours.iter().map(|&(first, second)| {
            let pair = vocabulary.pair(first, second);
            squares += u32::from(pair.squares);
            &pair.row
        }));
        self.rest = [0.0; LANES];
        self.unknown.clear();
        if unknown > 0 {
            for at in 0..self.words.items.len() {
                let item = &self.words.items[at];
                if item.place == NOWHERE && item.is_word() {
                    squares += self.add_unknown(model, text, at);
                }
            }
        }
        let (rows, count) = shapes(scores, &self.words.items, text);
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

    /// Lists the neighbours that may be pairs, and the words that a negation reaches if there is one.
    fn find_neighbours(&mut self, vocabulary: &Vocabulary, negates: bool) {
        let items = &self.words.items;
        self.neighbours.clear();
        self.neighbours.resize(items.len(), (UNKNOWN, UNKNOWN));
        let mut count = 0;
        for pair in items.windows(2) {
            let (first, second) = (pair[0].id, pair[1].id);
            // Not a branch, for nobody could foresee it.
            self.neighbours[count] = (first, second);
            count += usize::from(vocabulary.may_pair(first, second));
        }
        self.neighbours.truncate(count);
        if !negates {
            return;
        }
        let mut reach = Reach::default();
        for item in items {
            let negates = vocabulary.line(item.place).negates;
            if reach.step(item, negates) && vocabulary.may_pair(NEGATED, item.id) {
                self.neighbours.push((NEGATED, item.id));
            }
        }
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
                _ if item.place != NOWHERE => {
                    f32::from(model.vocabulary.line(item.place).row.weight(lane)) * scale
                }
                Kind::Word | Kind::Capitals => unknown.next().map_or(0.0, |sum| sum[lane]),
                Kind::Stop | Kind::Sign => 0.0,
            };
            (item, sum * self.unit)
        })
    }

    /// Adds the n-grams of the item at `at`, a word that is not known, to the rest; returns their squares.
    #[inline(never)]
    fn add_unknown(&mut self, model: &EmotionModel, text: &str, at: usize) -> u32 {
        let (table, rows) = (&model.grams, &mut self.grams);
        rows.clear();
        table.each(self.words.form_at(text, at), |row| rows.push(row));
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
