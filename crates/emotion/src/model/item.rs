//! One word or sign of a text, and how it is normalised.

use std::ops::Range;

use super::vocabulary::{NOWHERE, UNKNOWN};

/// One word or run of equal signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its bytes in the text.
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Its place in the vocabulary, or [`NOWHERE`].
    pub(crate) place: u16,
    /// Its number in the vocabulary, or [`UNKNOWN`].
    pub(crate) id: u16,
    /// [`WORD`] and its siblings.
    marks: u8,
}

/// A word, not a sign.
pub(crate) const WORD: u8 = 1;
/// A word of two capitals at least and no lower-case letter.
pub(crate) const CAPITALS: u8 = 1 << 1;
/// A sign that ends what a negation reaches.
pub(crate) const STOP: u8 = 1 << 2;
/// A word that stands as it is, ASCII and lower-cased, in its key.
pub(crate) const PLAIN: u8 = 1 << 3;
/// A plain word with capitals, of which one is enough, and no lower-case letter.
pub(crate) const UPPER_CASE: u8 = 1 << 4;
/// A sign that is ASCII punctuation.
pub(crate) const PUNCTUATION: u8 = 1 << 5;
/// Its key is not that of its bytes.
pub(crate) const ODD: u8 = 1 << 6;

impl Item {
    /// An item that has not been looked up.
    #[inline]
    pub(super) fn new(start: usize, end: usize, marks: u8) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
            place: NOWHERE,
            id: UNKNOWN,
            marks,
        }
    }

    pub(crate) fn span(&self) -> Range<u32> {
        self.start..self.end
    }

    /// How many bytes it has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// It is taken for a shorter word and does not stand as it is in its key.
    pub(super) fn shorten(&mut self) {
        self.marks &= !(PLAIN | UPPER_CASE);
    }

    /// Whether it has one of these marks.
    #[inline]
    pub(crate) fn is(&self, marks: u8) -> bool {
        self.marks & marks != 0
    }
}

/// Of a run of equal signs this many count.
pub(super) const LONGEST_RUN: usize = 3;

/// Writes the normalised form of `item` of `text` to `form`.
pub(super) fn normalise(text: &str, item: &Item, form: &mut Vec<u8>) {
    form.clear();
    let text = &text[item.start as usize..item.end as usize];
    let mut utf8 = [0; 4];
    if !item.is(WORD) {
        for c in text.chars().take(LONGEST_RUN) {
            form.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
        }
        return;
    }
    for c in text.chars() {
        match c {
            '\u{2018}' | '\u{2019}' => form.push(b'\''),
            _ if c.is_ascii() => {
                let byte = c.to_ascii_lowercase() as u8;
                // A third equal letter in a row adds nothing.
                if !form.ends_with(&[byte, byte]) {
                    form.push(byte);
                }
            }
            _ => {
                for folded in c.to_lowercase() {
                    form.extend_from_slice(folded.encode_utf8(&mut utf8).as_bytes());
                }
            }
        }
    }
}
