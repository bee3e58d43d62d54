//! Which words and pairs the model shall know.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use whisperengine_types::Emotion;

use super::{
    TrainConfig,
    data::{Example, Front},
};
use crate::model::{NEGATED, Reach, SHAPES, UNKNOWN, Vocabulary, Weighed};

/// Where each kind of feature has its rows: words, pairs, n-grams, shapes.
pub(super) struct Layout {
    words: usize,
    pairs: usize,
    pub(super) gram_rows: usize,
}

impl Layout {
    pub(super) fn words(&self) -> Range<usize> {
        0..self.words
    }

    pub(super) fn pairs(&self) -> Range<usize> {
        self.words..self.words + self.pairs
    }

    pub(super) fn grams(&self) -> Range<usize> {
        let start = self.pairs().end;
        start..start + self.gram_rows
    }

    pub(super) fn shapes(&self) -> Range<usize> {
        let start = self.grams().end;
        start..start + SHAPES
    }

    pub(super) fn rows(&self) -> usize {
        self.shapes().end
    }
}

/// The words and pairs of the training texts that occur often enough.
pub(super) struct Lexis {
    /// The words, without weights yet.
    pub(super) vocabulary: Vocabulary,
    /// In the order of their rows.
    pub(super) pairs: Vec<(u16, u16)>,
    pair_rows: HashMap<(u16, u16), u32>,
    pub(super) layout: Layout,
}

/// The most words there can be ids for.
const MOST_WORDS: usize = 40_000;
/// The most pairs, negated words included.
const MOST_PAIRS: usize = 50_000;

impl Lexis {
    pub(super) fn new(examples: &[Example], config: &TrainConfig) -> Self {
        let vocabulary = vocabulary(examples, config.texts_with);
        let mut pairs = pairs(examples, &vocabulary, config);
        pairs.truncate(MOST_PAIRS);
        let first = vocabulary.words().len();
        let rows = (first as u32..).take(pairs.len());
        Self {
            pair_rows: pairs.iter().copied().zip(rows).collect(),
            layout: Layout {
                words: first,
                pairs: pairs.len(),
                gram_rows: config.gram_rows.max(1) as usize,
            },
            vocabulary,
            pairs,
        }
    }

    /// The row of a pair, if it is known.
    pub(super) fn pair(&self, first: u16, second: u16) -> Option<u32> {
        self.pair_rows.get(&(first, second)).copied()
    }
}

/// Whether a form is that of a word, not of signs.
pub(super) fn is_word(form: &[u8]) -> bool {
    String::from_utf8_lossy(form).chars().any(char::is_alphanumeric)
}

/// The forms that `texts_with` texts have, the most frequent first.
fn vocabulary(examples: &[Example], texts_with: u32) -> Vocabulary {
    let mut front = Front::default();
    let nothing = Vocabulary::empty();
    let mut texts: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for example in examples {
        front.scan(&example.text, &nothing);
        forms.clear();
        for item in front.words().items.clone() {
            forms.push(front.words().form(&example.text, &item).to_vec());
        }
        forms.sort_unstable();
        forms.dedup();
        for form in forms.drain(..) {
            *texts.entry(form).or_default() += 1;
        }
    }
    let mut kept: Vec<(Vec<u8>, u32)> = texts
        .into_iter()
        .filter(|&(_, texts)| texts >= texts_with)
        .collect();
    kept.sort_by_key(|&(_, texts)| std::cmp::Reverse(texts));
    kept.truncate(MOST_WORDS);
    let forms: Vec<&[u8]> = kept.iter().map(|(form, _)| form.as_slice()).collect();
    let rows = vec![Weighed::NOTHING; forms.len()];
    Vocabulary::new(&forms, &rows, &[], |_| Weighed::NOTHING)
        .expect("the forms are different and not too many")
}

/// In how many texts a pair occurs, and how often with each label.
#[derive(Default)]
struct Seen {
    texts: u32,
    labels: [u32; Emotion::COUNT],
}

/// The pairs that enough texts have, those with the most unusual labels first, then all negated words.
fn pairs(examples: &[Example], vocabulary: &Vocabulary, config: &TrainConfig) -> Vec<(u16, u16)> {
    let mut front = Front::default();
    let mut seen: BTreeMap<(u16, u16), Seen> = BTreeMap::new();
    let mut usual = [0_u32; Emotion::COUNT];
    let mut found = Vec::new();
    for example in examples {
        front.scan(&example.text, vocabulary);
        found.clear();
        let mut before = UNKNOWN;
        let mut reach = Reach::default();
        for item in &front.words().items {
            let is_known = item.id != UNKNOWN;
            if is_known && before != UNKNOWN {
                found.push((before, item.id));
            }
            let negates = is_known && vocabulary.line(item.place).negates;
            if reach.step(item, negates) && is_known {
                found.push((NEGATED, item.id));
            }
            before = item.id;
        }
        found.sort_unstable();
        found.dedup();
        for label in example.labels.iter() {
            usual[label as usize] += 1;
        }
        for pair in &found {
            let seen = seen.entry(*pair).or_default();
            seen.texts += 1;
            for label in example.labels.iter() {
                seen.labels[label as usize] += 1;
            }
        }
    }
    seen.retain(|_, seen| seen.texts >= config.texts_with);
    let mut ranked: Vec<((u16, u16), f64)> = seen
        .iter()
        .filter(|(pair, _)| pair.0 != NEGATED)
        .map(|(&pair, seen)| (pair, surprise(seen, &usual, examples.len())))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked.truncate(config.pairs as usize);
    let negated = seen.keys().copied().filter(|pair| pair.0 == NEGATED);
    ranked.into_iter().map(|(pair, _)| pair).chain(negated).collect()
}

/// Pearson's chi-squared of a pair's labels against what its frequency lets expect.
fn surprise(seen: &Seen, usual: &[u32; Emotion::COUNT], texts: usize) -> f64 {
    let share = f64::from(seen.texts) / texts as f64;
    let term = |(&seen, &usual): (&u32, &u32)| {
        let expected = share * f64::from(usual);
        (f64::from(seen) - expected).powi(2) / expected.max(0.05)
    };
    seen.labels.iter().zip(usual).map(term).sum()
}
