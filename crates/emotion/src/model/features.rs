//! From words to rows of the model's tables. Part of the weights' format: it must never change without
//! the format version.

use std::sync::LazyLock;

use whisperengine_types::VaderScores;

use super::words::{Item, Kind, Words, hash, mix};

/// How many rows each hashed table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// Rows of words, pairs of words and negated words.
    pub(crate) words: u32,
    /// Rows of character n-grams; they follow the words.
    pub(crate) grams: u32,
}

impl Buckets {
    pub(crate) fn total(self) -> usize {
        self.words as usize + self.grams as usize
    }

    pub(crate) fn word(self, item: &Item) -> u32 {
        reduce(mix(item.hash, 1), self.words)
    }

    pub(crate) fn pair(self, first: &Item, second: &Item) -> u32 {
        reduce(mix(first.hash, second.hash), self.words)
    }

    pub(crate) fn negated(self, item: &Item) -> u32 {
        reduce(mix(item.hash, 2), self.words)
    }

    /// Calls `row` for each n-gram of 2 to 5 bytes inside the word `form`, the whole of it excepted. Signs
    /// have none.
    pub(crate) fn grams(self, form: &[u8], mut row: impl FnMut(u32)) {
        if !(form.starts_with(b"<") && form.ends_with(b">")) {
            return;
        }
        let form = &form[..form.len().min(GRAM_BYTES)];
        for start in 0..form.len() {
            let longest = (form.len() - start).min(5);
            let mut gram = mix(0x5851_F42D_4C95_7F2D, u64::from(form[start]));
            for (len, &byte) in (2..=longest).zip(&form[start + 1..]) {
                gram = mix(gram, u64::from(byte));
                if len < form.len() {
                    row(self.words + reduce(gram, self.grams));
                }
            }
        }
    }
}

/// How far into a word n-grams are looked for.
const GRAM_BYTES: usize = 32;

/// How many words after a negation are negated, at most.
pub(crate) const NEGATION_REACH: usize = 4;

/// Whether the words after this one are negated.
pub(crate) fn negates(form: &[u8], form_hash: u64) -> bool {
    form.ends_with(b"n't>") || NEGATIONS.contains(&form_hash)
}

static NEGATIONS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    "not no never dont cannot cant wont isnt arent wasnt werent didnt doesnt wouldnt shouldnt couldnt \
     hasnt havent without nor neither nothing aint hardly nobody none"
        .split_ascii_whitespace()
        .map(|word| hash(format!("<{word}>").as_bytes()))
        .collect()
});

/// Keeps track of what a negation reaches.
#[derive(Debug, Default)]
pub(crate) struct Reach(usize);

impl Reach {
    /// Whether `item` is negated by one before it; `negates` says whether it starts a negation itself.
    pub(crate) fn step(&mut self, item: &Item, negates: bool) -> bool {
        match item.kind {
            Kind::Stop => {
                self.0 = 0;
                false
            }
            Kind::Sign => false,
            Kind::Word | Kind::Capitals => {
                let is_reached = self.0 > 0;
                self.0 = if negates {
                    NEGATION_REACH
                } else {
                    self.0.saturating_sub(1)
                };
                is_reached
            }
        }
    }
}

/// How many rows the table of whole-text features has.
pub(crate) const SHAPES: usize = 64;

/// The rows of the whole-text features of a text: sentiment, length, capitals, a question at the end.
pub(crate) fn shapes(scores: &VaderScores, words: &Words, text: &str) -> impl Iterator<Item = usize> {
    let capitals = words
        .items
        .iter()
        .filter(|item| item.kind == Kind::Capitals)
        .count();
    let length = (words.items.len() + 1).ilog2() as usize;
    let question = text.trim_end().ends_with('?');
    [
        Some(((scores.compound + 1.0) * 5.0).round() as usize),
        Some(11 + (scores.pos * 5.0).round() as usize),
        Some(17 + (scores.neg * 5.0).round() as usize),
        Some(23 + length.min(15)),
        (capitals > 0).then(|| 39 + capitals.min(3)),
        question.then_some(43),
    ]
    .into_iter()
    .flatten()
}

/// Brings the upper half of `hash` into `0..rows`.
#[inline]
fn reduce(hash: u64, rows: u32) -> u32 {
    (((hash >> 32) * u64::from(rows)) >> 32) as u32
}
