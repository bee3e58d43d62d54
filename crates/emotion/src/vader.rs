//! VADER, exactly: Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
//! Social Media Text" (ICWSM 2014), as the Python package vaderSentiment 3.3.2 computes it on CPython 3.12,
//! to the last rounded decimal.
//!
//! The rules work on an array of what is known of each token, looked up once; strings are not touched
//! again. The lexicon and the emoji descriptions are the package's own data (MIT licence, see `data/`).

mod but;
mod case;
mod emoji;
pub(crate) mod lexicon;
mod round;
mod rules;
mod sum;
mod token;

use std::{fmt, ops::Range};

use whisperengine_types::VaderScores;

use self::{
    emoji::Segment,
    lexicon::Lexicon,
    sum::{FloatSum, Number, sum_mixed},
    token::{Token, Tokens},
};
pub(crate) use self::{lexicon::Word, token::contains_nt};
use crate::{
    classes::{ByteClasses, Class},
    model::{Scan, Vocabulary},
};

/// What the compound score is normalised with.
const ALPHA: f64 = 15.0;

/// Scores texts with VADER, reusing its buffers: one per thread.
///
/// ```
/// use whisperengine_emotion::Vader;
///
/// let mut vader = Vader::new();
/// assert_eq!(vader.score("The book was good.").compound, 0.4404);
/// assert_eq!(vader.score("The book was only kind of good.").compound, 0.3832);
/// ```
#[derive(Clone)]
pub struct Vader {
    lexicon: &'static Lexicon,
    classes: ByteClasses,
    tokens: Tokens,
    /// What each notable token adds.
    values: Vec<Number>,
    /// What each token adds, where a "but" weighs all of them.
    all_values: Vec<Number>,
    expanded: String,
    segments: Vec<Segment>,
    /// Whether the last text had emoji, so that tokens stand in `expanded`.
    is_expanded: bool,
}

/// A token of the last scored text, for those who explain the score.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contribution {
    pub(crate) word: Word,
    /// What the token added to the sum, after the rules.
    pub(crate) value: f64,
    index: usize,
}

impl Vader {
    /// A scorer with empty buffers. The first one in a process builds the shared lexicon (under a
    /// millisecond).
    pub fn new() -> Self {
        Self {
            lexicon: Lexicon::shared(),
            classes: ByteClasses::default(),
            tokens: Tokens::default(),
            values: Vec::new(),
            all_values: Vec::new(),
            expanded: String::new(),
            segments: Vec::new(),
            is_expanded: false,
        }
    }

    /// The scores of `text`; all zero for a text without a token. Linear in the length of the text;
    /// n log n where it holds a "but".
    pub fn score(&mut self, text: &str) -> VaderScores {
        self.is_expanded = !text.is_ascii() && emoji::expand(text, &mut self.expanded, &mut self.segments);
        let text = if self.is_expanded { &self.expanded } else { text };
        self.classes.read(text);
        self.tokens.read(text, &self.classes, self.lexicon);
        let emphasis = emphasis(text, &self.classes);
        self.weigh(emphasis)
    }

    /// As [`score`](Self::score) for a text that was scanned; the words that the model has are not looked up again.
    pub(crate) fn score_scanned(&mut self, text: &str, scan: &Scan, vocabulary: &Vocabulary) -> VaderScores {
        if !text.is_ascii() && emoji::has_any(text) {
            return self.score(text);
        }
        self.is_expanded = false;
        let (classes, words) = (&scan.classes, &scan.words);
        self.tokens
            .read_known(text, classes, self.lexicon, words, vocabulary);
        self.weigh(emphasis(text, classes))
    }

    /// Applies the rules to the tokens.
    fn weigh(&mut self, emphasis: f64) -> VaderScores {
        let (list, notable) = (&self.tokens.list, self.tokens.notable());
        let mixed_case = (1..list.len()).contains(&self.tokens.upper);
        self.values.clear();
        for &place in notable {
            self.values.push(rules::valence(list, place as usize, mixed_case));
        }
        let Some(but) = self.tokens.but else {
            return compose(&self.values, list.len(), emphasis);
        };
        self.all_values.clear();
        self.all_values.resize(list.len(), Number::Int(0));
        for (&place, &value) in notable.iter().zip(&self.values) {
            self.all_values[place as usize] = value;
        }
        but::weigh(&mut self.all_values, but);
        for (&place, value) in notable.iter().zip(&mut self.values) {
            *value = self.all_values[place as usize];
        }
        compose(&self.all_values, list.len(), emphasis)
    }

    #[cfg(test)]
    fn lexicon(&self) -> &'static Lexicon {
        self.lexicon
    }

    /// The tokens of the last scored text that are in the lexicon or name an emotion, in order.
    pub(crate) fn contributions(&self) -> impl Iterator<Item = Contribution> {
        let tokens = self.tokens.notable().iter().zip(&self.values);
        tokens.map(|(&place, value)| Contribution {
            word: self.tokens.list[place as usize].word,
            value: value.value(),
            index: place as usize,
        })
    }

    /// Where a contribution stands in the last scored text, in bytes; the whole emoji for a word of its
    /// description.
    pub(crate) fn span(&self, contribution: Contribution) -> Range<u32> {
        let Token { start, end, .. } = self.tokens.list[contribution.index];
        if self.is_expanded {
            emoji::original_span(&self.segments, start, end)
        } else {
            start..end
        }
    }

    /// Whether one of the three tokens before a contribution negates.
    pub(crate) fn is_negated(&self, contribution: Contribution) -> bool {
        let before = contribution.index.saturating_sub(3)..contribution.index;
        self.tokens.list[before]
            .iter()
            .any(|token| token.word.is(lexicon::NEGATION) || token.word.name == lexicon::Name::No)
    }
}

impl Default for Vader {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Vader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vader").finish_non_exhaustive()
    }
}

/// What exclamation and question marks add.
fn emphasis(text: &str, classes: &ByteClasses) -> f64 {
    let (mut exclamations, mut questions) = (0_u32, 0_u32);
    for (maps, bytes) in classes.blocks().iter().zip(text.as_bytes().chunks(64)) {
        let mut marks = maps[Class::Emphasis as usize];
        while marks != 0 {
            let is_question = bytes[marks.trailing_zeros() as usize] == b'?';
            questions += u32::from(is_question);
            exclamations += u32::from(!is_question);
            marks &= marks - 1;
        }
    }
    let exclamation = f64::from(exclamations.min(4)) * 0.292;
    let question = match questions {
        0 | 1 => 0.0,
        few @ 2..=3 => f64::from(few) * 0.18,
        _ => 0.96,
    };
    exclamation + question
}

/// The scores of a text of so many tokens, of which those that `values` leaves out add nothing.
fn compose(values: &[Number], tokens: usize, emphasis: f64) -> VaderScores {
    if tokens == 0 {
        return VaderScores::default();
    }
    let (mut pos, mut neg, mut neutral) = (0.0, 0.0, tokens);
    let (mut sum, mut mixed) = (FloatSum::default(), false);
    for &number in values {
        let value = match number {
            // A zero changes no sum.
            Number::Int(0) => continue,
            Number::Int(int) => {
                mixed = true;
                f64::from(int)
            }
            Number::Float(float) => float,
        };
        sum.add(value);
        if value > 0.0 {
            pos += value + 1.0;
            neutral -= 1;
        } else if value < 0.0 {
            neg += value - 1.0;
            neutral -= 1;
        }
    }
    let mut sum = if mixed {
        sum_mixed(values.iter().copied())
    } else {
        sum.total()
    };
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    let compound = (sum / (sum * sum + ALPHA).sqrt()).clamp(-1.0, 1.0);
    if pos > neg.abs() {
        pos += emphasis;
    } else if pos < neg.abs() {
        neg -= emphasis;
    }
    let neutral = neutral as f64;
    let total = pos + neg.abs() + neutral;
    let share = |part: f64| round::round((part / total).abs(), 1000);
    VaderScores {
        neg: share(neg),
        neu: share(neutral),
        pos: share(pos),
        compound: round::round(compound, 10_000),
    }
}
