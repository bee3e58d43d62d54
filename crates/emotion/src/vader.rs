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
    token::{Marks, Token, tokenize},
};
pub(crate) use self::{lexicon::Word, token::contains_nt};
use crate::{
    classes::{ByteClasses, Class},
    model::{Vocabulary, Words},
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
    tokens: Vec<Token>,
    values: Vec<Number>,
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
            tokens: Vec::new(),
            values: Vec::new(),
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
        let marks = tokenize(text, &self.classes, self.lexicon, |_| None, &mut self.tokens);
        let emphasis = emphasis(text, &self.classes);
        self.weigh(marks, emphasis)
    }

    /// As [`score`](Self::score), and scans the model's words; those that are words to both are looked up once.
    pub(crate) fn score_and_scan(
        &mut self,
        text: &str,
        words: &mut Words,
        vocabulary: &Vocabulary,
    ) -> VaderScores {
        self.is_expanded = !text.is_ascii() && emoji::expand(text, &mut self.expanded, &mut self.segments);
        self.classes.read(text);
        words.scan(text, &mut self.classes, vocabulary);
        if self.is_expanded {
            return self.score(text);
        }
        let mut next = 0;
        let known = |span| words.spoken(&span, &mut next, vocabulary);
        let marks = tokenize(text, &self.classes, self.lexicon, known, &mut self.tokens);
        self.weigh(marks, emphasis(text, &self.classes))
    }

    /// Applies the rules to the tokens.
    fn weigh(&mut self, marks: Marks, emphasis: f64) -> VaderScores {
        evaluate(&self.tokens, marks, &mut self.values);
        compose(&self.values, emphasis)
    }

    #[cfg(test)]
    fn lexicon(&self) -> &'static Lexicon {
        self.lexicon
    }

    /// The tokens of the last scored text, in order.
    pub(crate) fn contributions(&self) -> impl Iterator<Item = Contribution> {
        let tokens = self.tokens.iter().zip(&self.values).enumerate();
        tokens.map(|(index, (token, value))| Contribution {
            word: token.word,
            value: value.value(),
            index,
        })
    }

    /// Where a contribution stands in the last scored text, in bytes; the whole emoji for a word of its
    /// description.
    pub(crate) fn span(&self, contribution: Contribution) -> Range<u32> {
        let Token { start, end, .. } = self.tokens[contribution.index];
        if self.is_expanded {
            emoji::original_span(&self.segments, start, end)
        } else {
            start..end
        }
    }

    /// Whether one of the three tokens before a contribution negates.
    pub(crate) fn is_negated(&self, contribution: Contribution) -> bool {
        let before = contribution.index.saturating_sub(3)..contribution.index;
        self.tokens[before]
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

/// Writes each token's contribution to `values`.
fn evaluate(tokens: &[Token], marks: Marks, values: &mut Vec<Number>) {
    let mixed_case = (1..tokens.len()).contains(&marks.upper_tokens);
    values.clear();
    values.extend((0..tokens.len()).map(|i| rules::valence(tokens, i, mixed_case)));
    if let Some(but) = marks.but {
        but::weigh(values, but);
    }
}

/// What exclamation and question marks add.
fn emphasis(text: &str, classes: &ByteClasses) -> f64 {
    if !classes.any(Class::Emphasis) {
        return 0.0;
    }
    let count = |mark: u8| text.bytes().filter(|&byte| byte == mark).count();
    let exclamation = count(b'!').min(4) as f64 * 0.292;
    let question = match count(b'?') {
        0 | 1 => 0.0,
        few @ 2..=3 => few as f64 * 0.18,
        _ => 0.96,
    };
    exclamation + question
}

fn compose(values: &[Number], emphasis: f64) -> VaderScores {
    if values.is_empty() {
        return VaderScores::default();
    }
    let (mut pos, mut neg, mut neutral) = (0.0, 0.0, 0_u32);
    let (mut sum, mut mixed) = (FloatSum::default(), false);
    for &number in values {
        let value = match number {
            // Most are; a zero changes no sum.
            Number::Int(0) => {
                neutral += 1;
                continue;
            }
            Number::Int(int) => {
                mixed = true;
                f64::from(int)
            }
            Number::Float(float) => float,
        };
        sum.add(value);
        if value > 0.0 {
            pos += value + 1.0;
        } else if value < 0.0 {
            neg += value - 1.0;
        } else {
            neutral += 1;
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
    let neutral = f64::from(neutral);
    let total = pos + neg.abs() + neutral;
    let share = |part: f64| round::round((part / total).abs(), 1000);
    VaderScores {
        neg: share(neg),
        neu: share(neutral),
        pos: share(pos),
        compound: round::round(compound, 10_000),
    }
}
