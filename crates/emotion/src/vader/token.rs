//! Splits a text as Python's `str.split()` does and strips punctuation from words but not from emoticons.
//!
//! Case folding can be partial: U+212A (Kelvin sign) is the only code point beyond ASCII whose lower case
//! is ASCII, and every word the rules know is ASCII.

use std::ops::Range;

use super::{
    case::{Case, case},
    lexicon::{CUE, KEY_BYTES, LEXICON, Lexicon, NEGATION, Name, UPPER, Word, key},
};
use crate::{
    classes::{ByteClasses, Class},
    model::{PUNCTUATION, Vocabulary, Words},
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

/// The tokens of one text and what they show as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    pub(crate) list: Vec<Token>,
    /// The places of [`notable`](Self::notable) tokens, and room for more.
    places: Vec<u32>,
    notable_count: usize,
    /// How many are in capitals.
    pub(crate) upper: usize,
    /// The place of the first "but".
    pub(crate) but: Option<usize>,
}

impl Tokens {
    /// Replaces the tokens by those of `text`, whose classes are `classes`.
    pub(crate) fn read(&mut self, text: &str, classes: &ByteClasses, lexicon: &Lexicon) {
        // A token and the space after it are two bytes at least.
        self.clear(text.len() / 2 + 1);
        let (mut start, mut count) = (None, 0);
        let mut space_before = 1;
        for (block, maps) in classes.blocks().iter().enumerate() {
            let spaces = maps[Class::Space as usize];
            let mut edges = spaces ^ ((spaces << 1) | space_before);
            space_before = spaces >> 63;
            while edges != 0 {
                let at = block * 64 + edges.trailing_zeros() as usize;
                edges &= edges - 1;
                let Some(first) = start.take() else {
                    start = Some(at);
                    continue;
                };
                count = self.push(token(text, classes, first..at, lexicon, |_| None), count);
            }
        }
        self.notable_count = count;
    }

    /// As [`read`](Self::read) for a text whose words were found and looked up before.
    pub(crate) fn read_known(
        &mut self,
        text: &str,
        classes: &ByteClasses,
        lexicon: &Lexicon,
        words: &Words,
        vocabulary: &Vocabulary,
    ) {
        let items = &words.items;
        self.clear(items.len());
        let (mut first, mut count) = (0, 0);
        while let Some(item) = items.get(first) {
            // Items without white space between them are one token.
            let mut next = first + 1;
            while next < items.len() && items[next].start == items[next - 1].end {
                next += 1;
            }
            let start = item.start;
            // A word that VADER does not shorten, alone or before punctuation that it strips.
            let is_bare =
                next == first + 1 || (next == first + 2 && items[next - 1].is(PUNCTUATION) && item.len() > 2);
            let word = if is_bare {
                Words::spoken(item, vocabulary)
            } else {
                None
            };
            let token = if let Some(word) = word {
                Token {
                    word,
                    start,
                    end: item.end,
                }
            } else {
                let span = start as usize..items[next - 1].end as usize;
                let known = |span| Words::spoken(words.item_at(&span, first)?, vocabulary);
                token(text, classes, span, lexicon, known)
            };
            count = self.push(token, count);
            first = next;
        }
        self.notable_count = count;
    }

    /// The tokens in the lexicon and those that name an emotion, by their places: few.
    pub(crate) fn notable(&self) -> &[u32] {
        &self.places[..self.notable_count]
    }

    /// Removes all tokens and makes room to take stock of so many.
    fn clear(&mut self, most: usize) {
        self.list.clear();
        if self.places.len() < most {
            self.places.resize(most, 0);
        }
        (self.upper, self.but) = (0, None);
    }

    /// Appends a token and takes stock of it; returns how many notable ones there are with it, `count` without.
    #[inline]
    fn push(&mut self, token: Token, count: usize) -> usize {
        let place = self.list.len();
        self.list.push(token);
        self.upper += usize::from(token.word.is(UPPER));
        if token.word.name == Name::But && self.but.is_none() {
            self.but = Some(place);
        }
        // Not a branch, for nobody could foresee it.
        self.places[count] = place as u32;
        count + usize::from(token.word.is(LEXICON | CUE))
    }
}

/// The token between two stretches of white space. `known` may know what stands at a span already.
#[inline]
fn token(
    text: &str,
    classes: &ByteClasses,
    span: Range<usize>,
    lexicon: &Lexicon,
    known: impl Fn(Range<usize>) -> Option<Word>,
) -> Token {
    if let Some(word) = known(span.clone()) {
        return Token {
            word,
            start: span.start as u32,
            end: span.end as u32,
        };
    }
    let odd = classes.among(Class::Careful, span.start, span.len());
    let (word, start, end) = if odd == 0 && span.len() <= 64 {
        let (start, end, has_punctuation) = strip(classes, span.start, span.end);
        let word = known(start..end).unwrap_or_else(|| {
            let mut word = find(text, classes, start..end, lexicon);
            word.flags |= marks(text, classes, start..end, has_punctuation);
            word
        });
        (word, start, end)
    } else {
        let (start, end) = strip_carefully(text, span.start, span.end);
        (look_up_carefully(&text[start..end], lexicon), start, end)
    };
    Token {
        word,
        start: start as u32,
        end: end as u32,
    }
}

/// Takes ASCII punctuation off both ends of an ASCII token of at most 64 bytes unless at most two would
/// remain. Says whether there is any.
#[inline]
fn strip(classes: &ByteClasses, start: usize, end: usize) -> (usize, usize, bool) {
    let len = end - start;
    let punctuation = classes.among(Class::Punctuation, start, len);
    if punctuation == 0 {
        return (start, end, false);
    }
    let kept = !punctuation & (u64::MAX >> (64 - len));
    let (first, after) = (kept.trailing_zeros() as usize, 64 - kept.leading_zeros() as usize);
    if after > first + 2 {
        (start + first, start + after, true)
    } else {
        (start, end, true)
    }
}

#[cold]
fn strip_carefully(text: &str, start: usize, end: usize) -> (usize, usize) {
    let token = &text[start..end];
    let left = token.trim_start_matches(|c: char| c.is_ascii_punctuation());
    let stripped = left.trim_end_matches(|c: char| c.is_ascii_punctuation());
    if stripped.chars().nth(2).is_none() {
        return (start, end);
    }
    let from = end - left.len();
    (from, from + stripped.len())
}

#[inline]
fn find(text: &str, classes: &ByteClasses, span: Range<usize>, lexicon: &Lexicon) -> Word {
    if span.len() <= KEY_BYTES {
        lexicon.short(classes.key(span.start, span.len()))
    } else {
        lexicon.long(&text.as_bytes()[span])
    }
}

/// The flags that come from how the token is written.
#[inline]
fn marks(text: &str, classes: &ByteClasses, span: Range<usize>, has_punctuation: bool) -> u8 {
    let mut flags = 0;
    let (start, len) = (span.start, span.len());
    if has_punctuation
        && classes.among(Class::Apostrophe, start, len) != 0
        && contains_nt(&text.as_bytes()[span])
    {
        flags |= NEGATION;
    }
    if classes.among(Class::Upper, start, len) != 0 && classes.among(Class::Lower, start, len) == 0 {
        flags |= UPPER;
    }
    flags
}

#[cold]
fn look_up_carefully(token: &str, lexicon: &Lexicon) -> Word {
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

/// Whether an ASCII token holds "n't".
pub(crate) fn contains_nt(token: &[u8]) -> bool {
    token.windows(3).any(|window| window.eq_ignore_ascii_case(b"n't"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<&str> {
        let (mut tokens, mut classes) = (Tokens::default(), ByteClasses::default());
        classes.read(text);
        tokens.read(text, &classes, Lexicon::shared());
        tokens
            .list
            .iter()
            .map(|token| &text[token.start as usize..token.end as usize])
            .collect()
    }

    /// `str.split()`, then `strip(string.punctuation)` where more than two characters remain.
    fn naive(text: &str) -> Vec<&str> {
        let is_space = |c: char| {
            matches!(c, '\t'..='\r' | '\u{1c}'..=' ' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
                | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
        };
        text.split(is_space)
            .filter(|token| !token.is_empty())
            .map(|token| {
                let stripped = token.trim_matches(|c| "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".contains(c));
                if stripped.chars().count() <= 2 {
                    token
                } else {
                    stripped
                }
            })
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

    proptest! {
        #[test]
        fn tokens_are_those_of_the_naive_rules(
            parts in prop::collection::vec(prop_oneof![
                4 => "[a-zA-Z0-9'!?.,:;()\" -]{0,9}",
                1 => "[a-z!]{50,80}",
                1 => "\\PC{0,4}",
                1 => prop::sample::select(vec![
                    " ", "\t", "\n", "\x1c", "\x1f", "\u{85}", "\u{a0}", "\u{2028}", "\u{200b}", "\u{3000}", "\0",
                    "\u{212a}", "\u{1f602}", "\u{7f}", "\x01",
                ]).prop_map(str::to_owned),
            ], 0..40),
        ) {
            let text = parts.concat();
            prop_assert_eq!(tokens(&text), naive(&text));
        }
    }
}
