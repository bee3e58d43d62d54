//! The learned model's view of a text: normalised words and runs of signs.
//!
//! Unlike VADER it lower-cases, straightens apostrophes, cuts letters repeated more than twice to two
//! ("soooo"), separates punctuation from words and keeps `[NAME]`-like masks whole.

use std::ops::Range;

/// One word or run of equal signs.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Its normalised form in [`Words::bytes`], between `<` and `>` for a word.
    pub(crate) form: Range<usize>,
    /// Hash of the form.
    pub(crate) hash: u64,
    /// Its bytes in the text.
    pub(crate) span: Range<u32>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    /// A word in capitals, of two letters at least.
    Capitals,
    /// A sign that ends what a negation reaches.
    Stop,
    Sign,
}

/// The items of one text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    pub(crate) items: Vec<Item>,
    bytes: Vec<u8>,
}

impl Words {
    /// Replaces the items by those of `text`.
    pub(crate) fn scan(&mut self, text: &str) {
        self.items.clear();
        self.bytes.clear();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let first = bytes[at];
            let is_mask = first == b'[' && bytes.get(at + 1).is_some_and(u8::is_ascii_uppercase);
            if first.is_ascii_alphanumeric() || is_mask {
                at = self.word(text, at);
            } else if first <= b' ' {
                at += 1;
            } else {
                let c = char_at(text, at);
                at = if c.is_alphanumeric() {
                    self.word(text, at)
                } else if c.is_whitespace() {
                    at + c.len_utf8()
                } else {
                    self.signs(text, at, c)
                };
            }
        }
    }

    /// The normalised form of `item`.
    pub(crate) fn form(&self, item: &Item) -> &[u8] {
        &self.bytes[item.form.clone()]
    }

    fn word(&mut self, text: &str, start: usize) -> usize {
        let bytes = text.as_bytes();
        let from = self.bytes.len();
        self.bytes.push(b'<');
        let mut at = start;
        let masked = bytes[start] == b'[';
        if masked {
            self.bytes.push(b'[');
            at += 1;
        }
        let (mut upper, mut lower) = (0, 0);
        while at < bytes.len() {
            let byte = bytes[at];
            if byte.is_ascii_alphanumeric() {
                upper += u32::from(byte.is_ascii_uppercase());
                lower += u32::from(byte.is_ascii_lowercase());
                self.push(byte.to_ascii_lowercase());
                at += 1;
                continue;
            }
            if byte.is_ascii() && byte != b'\'' {
                break;
            }
            let c = char_at(text, at);
            let after = at + c.len_utf8();
            if matches!(c, '\'' | '\u{2019}' | '\u{2018}') {
                if after >= bytes.len() || !char_at(text, after).is_alphanumeric() {
                    break;
                }
                self.push(b'\'');
            } else if c.is_alphanumeric() {
                upper += u32::from(c.is_uppercase());
                lower += u32::from(c.is_lowercase());
                let mut utf8 = [0; 4];
                for folded in c.to_lowercase() {
                    self.bytes
                        .extend_from_slice(folded.encode_utf8(&mut utf8).as_bytes());
                }
            } else {
                break;
            }
            at = after;
        }
        if masked && bytes.get(at) == Some(&b']') {
            self.bytes.push(b']');
            at += 1;
        }
        self.bytes.push(b'>');
        let kind = if upper >= 2 && lower == 0 && !masked {
            Kind::Capitals
        } else {
            Kind::Word
        };
        self.finish(from, start, at, kind);
        at
    }

    /// Appends a byte of a word unless it would be the third equal one in a row.
    fn push(&mut self, byte: u8) {
        if !self.bytes.ends_with(&[byte, byte]) {
            self.bytes.push(byte);
        }
    }

    fn signs(&mut self, text: &str, start: usize, sign: char) -> usize {
        let from = self.bytes.len();
        let mut at = start;
        let mut utf8 = [0; 4];
        let encoded = sign.encode_utf8(&mut utf8).as_bytes();
        let mut count = 0;
        while text.as_bytes()[at..].starts_with(encoded) {
            at += encoded.len();
            count += 1;
            if count <= 3 {
                self.bytes.extend_from_slice(encoded);
            }
        }
        let stops = matches!(sign, ',' | '.' | ';' | ':' | '!' | '?');
        self.finish(from, start, at, if stops { Kind::Stop } else { Kind::Sign });
        at
    }

    fn finish(&mut self, from: usize, start: usize, end: usize, kind: Kind) {
        let form = from..self.bytes.len();
        self.items.push(Item {
            hash: hash(&self.bytes[form.clone()]),
            form,
            span: start as u32..end as u32,
            kind,
        });
    }
}

fn char_at(text: &str, at: usize) -> char {
    text[at..].chars().next().expect("a character starts here")
}

/// A 64-bit hash of `bytes`, eight at a time. Part of the weights' format: it must never change.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0x51_7C_C1_B7_27_22_0A_95 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut padded = [0; 8];
        padded[..chunk.len()].copy_from_slice(chunk);
        hash = mix(hash, u64::from_le_bytes(padded));
    }
    hash
}

/// Folds `b` into the hash `a`; not commutative.
#[inline]
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mixed = (a.rotate_left(23) ^ b).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_normalised_and_located() {
        let text = "I\u{2019}m sooooo HAPPY, [NAME]!!!! 'yes' \u{1f602}\u{1f602} \u{c9}T\u{c9}";
        let mut words = Words::default();
        words.scan(text);
        let found: Vec<(String, &str, Kind)> = words
            .items
            .iter()
            .map(|item| {
                let form = String::from_utf8(words.form(item).to_vec()).unwrap();
                (
                    form,
                    &text[item.span.start as usize..item.span.end as usize],
                    item.kind,
                )
            })
            .collect();
        let expected = [
            ("<i'm>", "I\u{2019}m", Kind::Word),
            ("<soo>", "sooooo", Kind::Word),
            ("<happy>", "HAPPY", Kind::Capitals),
            (",", ",", Kind::Stop),
            ("<[name]>", "[NAME]", Kind::Word),
            ("!!!", "!!!!", Kind::Stop),
            ("'", "'", Kind::Sign),
            ("<yes>", "yes", Kind::Word),
            ("'", "'", Kind::Sign),
            ("\u{1f602}\u{1f602}", "\u{1f602}\u{1f602}", Kind::Sign),
            ("<\u{e9}t\u{e9}>", "\u{c9}T\u{c9}", Kind::Capitals),
        ];
        let expected: Vec<_> = expected
            .map(|(form, text, kind)| (form.to_owned(), text, kind))
            .into();
        assert_eq!(found, expected);
    }
}
