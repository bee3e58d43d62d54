//! Texts to logits: sums of int8 rows, with a memory of the words met before.

use whisperengine_types::VaderScores;

use super::{
    features::{Reach, negates, shapes},
    weights::{EmotionModel, LANES, SQUARE_PARTS},
    words::Words,
};

/// What one word adds, character n-grams included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WordSum {
    pub(crate) lanes: [i16; LANES],
    squares: u32,
    negates: bool,
}

/// Buffers of one thread, among them a direct-mapped memory of word sums: a word's sum depends on nothing
/// but the word, which is compared in full.
#[derive(Debug, Clone)]
pub(crate) struct Scorer {
    pub(crate) words: Words,
    /// The sum of each word of the last text.
    pub(crate) sums: Vec<WordSum>,
    /// What one unit of a lane's sum adds to its logit in the last text, before the lane's scale.
    pub(crate) unit: f32,
    memory: Vec<Remembered>,
}

#[derive(Debug, Clone, Copy)]
struct Remembered {
    /// Form, zero-padded; a form holds no NUL.
    form: [u8; FORM_BYTES],
    sum: WordSum,
}

const FORM_BYTES: usize = 24;
const MEMORY_WORDS: usize = 1 << 14;

impl Scorer {
    pub(crate) fn new() -> Self {
        let empty = Remembered {
            form: [0; FORM_BYTES],
            sum: WordSum {
                lanes: [0; LANES],
                squares: 0,
                negates: false,
            },
        };
        Self {
            words: Words::default(),
            sums: Vec::new(),
            unit: 0.0,
            memory: vec![empty; MEMORY_WORDS],
        }
    }

    /// The logits of `text`, whose VADER scores are `scores`.
    pub(crate) fn logits(&mut self, model: &EmotionModel, text: &str, scores: &VaderScores) -> [f32; LANES] {
        self.words.scan(text);
        self.sums.clear();
        let mut total = Total::default();
        let mut reach = Reach::default();
        let items = &self.words.items;
        for (at, item) in items.iter().enumerate() {
            let sum = recall(&mut self.memory, model, self.words.form(item), item.hash, || {
                model.buckets.word(item)
            });
            total.add(&sum.lanes, sum.squares);
            if let Some(next) = items.get(at + 1) {
                total.add_row(model, model.buckets.pair(item, next));
            }
            if reach.step(item, sum.negates) {
                total.add_row(model, model.buckets.negated(item));
            }
            self.sums.push(sum);
        }
        total.settle();
        let mut shape = [0.0; LANES];
        for row in shapes(scores, &self.words, text) {
            total.squares += u32::from(model.shape_squares[row]);
            for (lane, weight) in shape.iter_mut().zip(&model.shapes[row]) {
                *lane += weight;
            }
        }
        self.unit = 1.0 / (total.squares.max(1) as f32 / SQUARE_PARTS).sqrt();
        std::array::from_fn(|lane| {
            let hashed = total.lanes[lane] as f32 * model.scale[lane];
            model.bias[lane] + (hashed + shape[lane]) * self.unit
        })
    }
}

/// Sums of rows, gathered in 16 bits and moved to 32 before they can overflow.
#[derive(Default)]
struct Total {
    lanes: [i32; LANES],
    recent: [i16; LANES],
    recent_rows: u32,
    squares: u32,
}

/// 256 rows of at most 127 stay below 2^15.
const RECENT_ROWS: u32 = 256;

impl Total {
    #[inline]
    fn add(&mut self, lanes: &[i16; LANES], squares: u32) {
        for (total, &lane) in self.lanes.iter_mut().zip(lanes) {
            *total += i32::from(lane);
        }
        self.squares += squares;
    }

    #[inline]
    fn add_row(&mut self, model: &EmotionModel, row: u32) {
        let row = row as usize;
        for (total, &weight) in self.recent.iter_mut().zip(&model.rows[row]) {
            *total += i16::from(weight);
        }
        self.squares += u32::from(model.squares[row]);
        self.recent_rows += 1;
        if self.recent_rows == RECENT_ROWS {
            self.settle();
        }
    }

    fn settle(&mut self) {
        for (total, recent) in self.lanes.iter_mut().zip(&mut self.recent) {
            *total += i32::from(std::mem::take(recent));
        }
        self.recent_rows = 0;
    }
}

#[inline]
fn recall(
    memory: &mut [Remembered],
    model: &EmotionModel,
    form: &[u8],
    hash: u64,
    word_row: impl Fn() -> u32,
) -> WordSum {
    if form.len() > FORM_BYTES {
        return sum_word(model, form, hash, word_row());
    }
    let mut padded = [0; FORM_BYTES];
    padded[..form.len()].copy_from_slice(form);
    let slot = &mut memory[(hash >> 50) as usize % MEMORY_WORDS];
    if slot.form != padded {
        *slot = Remembered {
            form: padded,
            sum: sum_word(model, form, hash, word_row()),
        };
    }
    slot.sum
}

/// At most 32 bytes of a word have n-grams, so that no lane exceeds (4 * 32 + 1) * 127 < 2^15.
fn sum_word(model: &EmotionModel, form: &[u8], hash: u64, word_row: u32) -> WordSum {
    let mut sum = WordSum {
        lanes: [0; LANES],
        squares: 0,
        negates: negates(form, hash),
    };
    let mut add = |row: u32| {
        let row = row as usize;
        for (lane, &weight) in sum.lanes.iter_mut().zip(&model.rows[row]) {
            *lane += i16::from(weight);
        }
        sum.squares += u32::from(model.squares[row]);
    };
    add(word_row);
    model.buckets.grams(form, add);
    sum
}
