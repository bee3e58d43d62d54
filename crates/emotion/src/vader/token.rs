//! Splits a text as Python's `str.split()` does and strips punctuation from words but not from emoticons.
//!
//! Case folding can be partial: U+212A (Kelvin sign) is the only code point beyond ASCII whose lower case
//! is ASCII, and every word the rules know is ASCII.

use super::{
    case::{Case, case},
    lexicon::{KEY_BYTES, Lexicon, NEGATION, UPPER, Word, key, key_at},
};

/// One token: what is known of it and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) word: Word,
    /// First byte.
    pub(crate) start: u32,
    /// The byte after the last.
    pub(crate) end: u32,
}

/// What the whole text shows beside its tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// Tokens in capitals.
    pub(crate) upper_tokens: usize,
    /// There may be `!` or `?`.
    pub(crate) emphasis: bool,
    /// The first "but".
    pub(crate) but: Option<usize>,
}

/// Replaces the content of `tokens` by the tokens of `text`.
pub(crate) fn tokenize(text: &str, lexicon: &Lexicon, tokens: &mut Vec<Token>) -> Marks {
    tokens.clear();
    let bytes = text.as_bytes();
    let mut marks = Marks::default();
    let mut at = 0;
    while at < bytes.len() {
        let class = CLASS[usize::from(bytes[at])];
        if class & (SPACE | BEYOND_ASCII) != 0 {
            let width = space_width(&bytes[at..]);
            if width > 0 {
                at += width;
                continue;
            }
        }
        let start = at;
        let mut seen = 0;
        while at < bytes.len() {
            let class = CLASS[usize::from(bytes[at])];
            if class & (SPACE | BEYOND_ASCII) != 0 && space_width(&bytes[at..]) > 0 {
                break;
            }
            seen |= class;
            at += 1;
        }
        marks.emphasis |= seen & EMPHASIS != 0;
        let (start, end) = strip(text, start, at, seen);
        let word = look_up(text, start, end, seen, lexicon);
        marks.upper_tokens += usize::from(word.is(UPPER));
        if word.name == super::lexicon::Name::But && marks.but.is_none() {
            marks.but = Some(tokens.len());
        }
        tokens.push(Token {
            word,
            start: start as u32,
            end: end as u32,
        });
    }
    marks
}

/// Takes ASCII punctuation off both ends unless at most two code points would remain.
fn strip(text: &str, start: usize, end: usize, seen: u8) -> (usize, usize) {
    if seen & PUNCTUATION == 0 {
        return (start, end);
    }
    let token = &text.as_bytes()[start..end];
    let is_kept = |&byte: &u8| CLASS[usize::from(byte)] & PUNCTUATION == 0;
    let (Some(first), Some(last)) = (token.iter().position(is_kept), token.iter().rposition(is_kept)) else {
        return (start, end);
    };
    let (from, to) = (start + first, start + last + 1);
    let few = if seen & BEYOND_ASCII == 0 {
        to - from <= 2
    } else {
        text[from..to].chars().nth(2).is_none()
    };
    if few { (start, end) } else { (from, to) }
}

fn look_up(text: &str, start: usize, end: usize, seen: u8, lexicon: &Lexicon) -> Word {
    let bytes = text.as_bytes();
    if seen & BEYOND_ASCII != 0 {
        return look_up_unicode(&text[start..end], lexicon);
    }
    let mut word = if end - start <= KEY_BYTES {
        lexicon.short(key_at(bytes, start, end - start))
    } else {
        lexicon.long(&bytes[start..end])
    };
    if seen & APOSTROPHE != 0 && contains_nt(&bytes[start..end]) {
        word.flags |= NEGATION;
    }
    if seen & (UPPER_CASE | LOWER_CASE) == UPPER_CASE {
        word.flags |= UPPER;
    }
    word
}

#[cold]
fn look_up_unicode(token: &str, lexicon: &Lexicon) -> Word {
    const KELVIN: char = '\u{212A}';
    let is_plain = |c: char| c == KELVIN || (c.is_ascii() && c != '\0');
    let mut word = if token.chars().all(is_plain) {
        let folded = token.replace(KELVIN, "k");
        if folded.len() <= KEY_BYTES {
            lexicon.short(key(folded.as_bytes()))
        } else {
            lexicon.long(folded.as_bytes())
        }
    } else {
        Word::default()
    };
    if contains_nt(token.as_bytes()) {
        word.flags |= NEGATION;
    }
    let (mut upper, mut other) = (false, false);
    for c in token.chars() {
        match case(c) {
            Case::Upper => upper = true,
            Case::Other => other = true,
            Case::None => {}
        }
    }
    if upper && !other {
        word.flags |= UPPER;
    }
    word
}

fn contains_nt(token: &[u8]) -> bool {
    token.windows(3).any(|window| window.eq_ignore_ascii_case(b"n't"))
}

/// Bytes of the white space that `bytes` begins with, by Python's definition; 0 when it begins otherwise.
#[inline]
pub(crate) fn space_width(bytes: &[u8]) -> usize {
    match bytes {
        [b'\t'..=b'\r' | 0x1C..=b' ', ..] => 1,
        [0xC2, 0x85 | 0xA0, ..] => 2,
        [0xE1, 0x9A, 0x80, ..]
        | [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, ..]
        | [0xE2, 0x81, 0x9F, ..]
        | [0xE3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}

const SPACE: u8 = 1;
const PUNCTUATION: u8 = 1 << 1;
const UPPER_CASE: u8 = 1 << 2;
const LOWER_CASE: u8 = 1 << 3;
const APOSTROPHE: u8 = 1 << 4;
const EMPHASIS: u8 = 1 << 5;
const BEYOND_ASCII: u8 = 1 << 6;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'\t'..=b'\r' | 0x1C..=b' ' => SPACE,
            b'A'..=b'Z' => UPPER_CASE,
            b'a'..=b'z' => LOWER_CASE,
            b'\'' => PUNCTUATION | APOSTROPHE,
            b'!' | b'?' => PUNCTUATION | EMPHASIS,
            b'!'..=b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~' => PUNCTUATION,
            // NUL pads keys, so a token that holds one takes the careful path.
            0 | 0x80.. => BEYOND_ASCII,
            _ => 0,
        };
        byte += 1;
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        tokenize(text, Lexicon::shared(), &mut tokens);
        tokens
            .iter()
            .map(|token| &text[token.start as usize..token.end as usize])
            .collect()
    }

    #[test]
    fn words_lose_punctuation_and_emoticons_keep_it() {
        for (text, expected) in [
            ("", &[][..]),
            (" \u{1c}\u{a0}\u{3000}", &[]),
            (
                "(great!) :-) :D no. yes...",
                &["great", ":-)", ":D", "no.", "yes"],
            ),
            ("... 'ab' 'abc'", &["...", "'ab'", "abc"]),
            (
                "\"\u{e9}\u{e9}\" \"\u{e9}\u{e9}\u{e9}\"",
                &["\"\u{e9}\u{e9}\"", "\u{e9}\u{e9}\u{e9}"],
            ),
            ("good\0 \0!!", &["good\0", "\0!!"]),
            ("a\u{1d}b\u{2028}c\u{200b}d", &["a", "b", "c\u{200b}d"]),
        ] {
            assert_eq!(tokens(text), expected, "{text:?}");
        }
    }
}
