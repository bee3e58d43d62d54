//! How many tokens a text costs.

use std::{fmt::Debug, sync::Arc};

/// Counts the tokens of a text, as the language model does.
///
/// A function of the text: the same text always costs the same. A line costs no more within a text than
/// by itself.
pub trait TokenCounter: Send + Sync + Debug {
    /// The number of tokens of `text`; 0 only for the empty text.
    fn count(&self, text: &str) -> u32;
}

impl<T: TokenCounter + ?Sized> TokenCounter for Arc<T> {
    fn count(&self, text: &str) -> u32 {
        (**self).count(text)
    }
}

impl<T: TokenCounter + ?Sized> TokenCounter for Box<T> {
    fn count(&self, text: &str) -> u32 {
        (**self).count(text)
    }
}

/// Estimates by script, without a vocabulary or tables.
///
/// Calibrated on cl100k, the costlier of the common vocabularies; o200k and later ones need fewer tokens,
/// above all outside the Latin script. Over a text of some length it is a few hundredths above; for a single
/// sentence it can be a seventh below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScriptEstimate;

impl TokenCounter for ScriptEstimate {
    fn count(&self, text: &str) -> u32 {
        let mut parts: u64 = 0;
        let mut line = Line::default();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let start = at;
            let class = CLASS[usize::from(bytes[at])];
            if matches!(class, Class::Letter | Class::Wide) {
                at = line.word(text, at);
                continue;
            }
            while at < bytes.len() && CLASS[usize::from(bytes[at])] == class {
                at += 1;
            }
            line.parts += run(class, (at - start) as u64);
            // A number does not take the blank before it into its token.
            if class == Class::Digit && start > 0 && bytes[start - 1] == b' ' {
                line.parts += UNIT;
            }
            if class == Class::Break {
                parts += std::mem::take(&mut line).cost();
            }
        }
        parts += line.cost();
        u32::try_from(parts.div_ceil(UNIT)).unwrap_or(u32::MAX)
    }
}

/// One line: English words are in the vocabularies, those of other languages in pieces, and a line is
/// mostly in one language.
#[derive(Default)]
struct Line {
    /// The cost of all but the letters of Latin words.
    parts: u64,
    /// What these add if the line is English, and if it is not.
    english: u64,
    other: u64,
    words: u64,
    english_words: u64,
}

impl Line {
    fn cost(self) -> u64 {
        let is_english = self.english_words * ENGLISH_SHARE >= self.words;
        self.parts + if is_english { self.english } else { self.other }
    }

    /// Adds the word at `from`; returns its end.
    fn word(&mut self, text: &str, from: usize) -> usize {
        let bytes = text.as_bytes();
        let (mut latin, mut accents) = (0_u64, 0_u64);
        let mut at = from;
        while at < bytes.len() {
            match CLASS[usize::from(bytes[at])] {
                Class::Letter => {
                    latin += 1;
                    at += 1;
                }
                Class::Wide => {
                    let Some(c) = text[at..].chars().next() else { break };
                    match cost(c) {
                        Cost::Accented(parts) => {
                            latin += 1;
                            accents += parts;
                        }
                        Cost::Parts(parts) => self.parts += parts,
                    }
                    at += c.len_utf8();
                }
                _ => break,
            }
        }
        if latin > 0 {
            self.words += 1;
            self.english_words += u64::from(is_english(&bytes[from..at]));
            self.parts += UNIT + accents;
            self.english += latin.saturating_sub(6) * ENGLISH_LETTER;
            self.other += latin.saturating_sub(3) * LETTER;
        }
        at
    }
}

/// Words that are English and no common word of another language, `I` among them.
fn is_english(word: &[u8]) -> bool {
    if word == b"I" {
        return true;
    }
    let lower = |at: usize| word[at] | 0x20;
    match word.len() {
        2 => matches!(
            [lower(0), lower(1)],
            [b'o', b'f'] | [b't', b'o'] | [b'i', b's' | b't'] | [b'b', b'y'] | [b'h', b'e']
        ),
        3 => matches!(
            &[lower(0), lower(1), lower(2)],
            b"the"
                | b"and"
                | b"you"
                | b"for"
                | b"are"
                | b"was"
                | b"not"
                | b"but"
                | b"had"
                | b"her"
                | b"she"
                | b"who"
                | b"how"
                | b"why"
                | b"our"
                | b"out"
                | b"one"
                | b"all"
                | b"has"
                | b"its"
                | b"new"
                | b"day"
                | b"too"
        ),
        4 => matches!(
            &[lower(0), lower(1), lower(2), lower(3)],
            b"that"
                | b"this"
                | b"with"
                | b"have"
                | b"what"
                | b"when"
                | b"your"
                | b"they"
                | b"from"
                | b"just"
                | b"like"
                | b"been"
                | b"were"
                | b"will"
                | b"some"
                | b"time"
                | b"know"
                | b"them"
                | b"then"
                | b"good"
        ),
        5 => matches!(
            &[lower(0), lower(1), lower(2), lower(3), lower(4)],
            b"about" | b"there" | b"would" | b"could" | b"their" | b"which" | b"after" | b"never" | b"where"
        ),
        _ => false,
    }
}

/// Costs are summed up in parts of a token, so that rounding happens once.
const UNIT: u64 = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// An ASCII letter.
    Letter,
    /// The first byte of a character beyond ASCII, or a byte within one.
    Wide,
    Digit,
    Blank,
    Break,
    Mark,
}

const CLASS: [Class; 256] = {
    let mut table = [Class::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b' ' => Class::Blank,
            b'\n' | b'\r' | b'\t' => Class::Break,
            0x80.. => Class::Wide,
            _ => Class::Mark,
        };
        byte += 1;
    }
    table
};

/// The cost of `len` bytes of one class.
fn run(class: Class, len: u64) -> u64 {
    match class {
        // A blank belongs to the word after it.
        Class::Blank => (len - 1).min(1) * UNIT + len / 16 * UNIT,
        Class::Digit => len.div_ceil(3) * UNIT,
        Class::Break => (1 + len / 4) * UNIT,
        _ => UNIT + (len - 1) * (UNIT * 3 / 4),
    }
}

/// One word in so many makes a line English.
const ENGLISH_SHARE: u64 = 7;
/// What a letter beyond the sixth of an English word adds.
const ENGLISH_LETTER: u64 = 10;
/// What a letter beyond the third of any other Latin word adds.
const LETTER: u64 = 20;

enum Cost {
    /// A letter of the Latin script, and what its accent adds.
    Accented(u64),
    /// Parts of a token.
    Parts(u64),
}

fn cost(c: char) -> Cost {
    let parts = match u32::from(c) {
        0xc0..=0xff => return Cost::Accented(24),
        0x100..=0x24f => return Cost::Accented(84),
        0x300..=0x36f | 0x1e00..=0x1eff => return Cost::Accented(60),
        // Greek, Cyrillic, Armenian and Georgian, Hebrew, Arabic.
        0x370..=0x3ff | 0x1f00..=0x1fff => 60,
        0x400..=0x52f => 37,
        0x590..=0x5ff => 66,
        0x600..=0x77f | 0xfb50..=0xfdff | 0xfe70..=0xfeff => 58,
        // Devanagari; Thai, Lao and kana.
        0x900..=0x97f => 84,
        0xe00..=0xeff | 0x3040..=0x30ff => 68,
        // Hangul, ideographs.
        0xac00..=0xd7af => 97,
        0x4e00..=0x9fff => 90,
        0x3000..=0x303f | 0xff00..=0xffef | 0x2010..=0x203f | 0xa1..=0xbf => 64,
        _ => c.len_utf8() as u64 * 52,
    };
    Cost::Parts(parts)
}
