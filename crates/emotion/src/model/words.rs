//! The learned model's view of a text: normalised words and runs of signs.
//!
//! Unlike VADER it lower-cases, straightens apostrophes, cuts letters repeated more than twice to two
//! ("soooo"), separates punctuation from words and keeps `[NAME]`-like masks whole.

use std::ops::Range;

use super::vocabulary::{NOWHERE, UNKNOWN, Vocabulary, word_key};
use crate::{
    classes::{ByteClasses, Class},
    vader::{
        Word,
        lexicon::{KEY_BYTES, Key, UPPER, bytes, key_at},
    },
};

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
    pub(crate) kind: Kind,
    /// Whether it is a word of at most [`KEY_BYTES`] bytes, all of them ASCII, that stands as it is in its key.
    is_plain: bool,
    /// Whether a plain word has capitals, of which one is enough, and no lower-case letter.
    is_upper: bool,
}

impl Item {
    pub(crate) fn span(&self) -> Range<u32> {
        self.start..self.end
    }
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

impl Item {
    /// Whether it is a word, not a sign.
    pub(crate) fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Capitals)
    }
}

/// The items of one text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    pub(crate) items: Vec<Item>,
    keys: Vec<Key>,
    form: Vec<u8>,
}

impl Words {
    /// Replaces the items by those of `text`, whose byte classes are `classes`, looked up as they stand;
    /// [`settle`](Self::settle) does the rest.
    pub(crate) fn scan(&mut self, text: &str, classes: &mut ByteClasses, vocabulary: &Vocabulary) {
        self.items.clear();
        self.keys.clear();
        classes.join_words(text);
        let mut scanner = Scanner {
            text,
            classes,
            form: &mut self.form,
        };
        scan(&mut scanner, &mut self.items, &mut self.keys);
        // In a loop of their own, so that the table is waited for once and not once a word.
        for (item, &key) in self.items.iter_mut().zip(&self.keys) {
            (item.place, item.id) = vocabulary.find(key);
        }
    }

    /// Looks up the words that are not known as they stand without letters repeated more than twice.
    pub(crate) fn settle(&mut self, text: &str, vocabulary: &Vocabulary) {
        for (item, key) in self.items.iter_mut().zip(&mut self.keys) {
            if item.id == UNKNOWN && has_triple(*key, (item.end - item.start) as usize) && item.is_word() {
                normalise(text, item, &mut self.form);
                *key = word_key(&self.form);
                (item.place, item.id) = vocabulary.find(*key);
            }
        }
    }

    /// The normalised form of the item at `at`, where that is a word.
    pub(crate) fn form_at(&mut self, text: &str, at: usize) -> &[u8] {
        self.form.clear();
        match self.keys[at] {
            // A hash.
            (_, u64::MAX) => normalise(text, &self.items[at], &mut self.form),
            key => self
                .form
                .extend(bytes(key).into_iter().take_while(|&byte| byte != 0)),
        }
        &self.form
    }

    /// The normalised form of an item of `text`.
    pub(crate) fn form(&mut self, text: &str, item: &Item) -> &[u8] {
        normalise(text, item, &mut self.form);
        &self.form
    }

    /// What VADER knows of the bytes at `span` of the scanned text, if they are a plain word that is known.
    /// `next` is the item to look at first; it moves on. To be asked before [`settle`](Self::settle) takes words
    /// for others.
    #[inline]
    pub(crate) fn spoken(
        &self,
        span: &Range<usize>,
        next: &mut usize,
        vocabulary: &Vocabulary,
    ) -> Option<Word> {
        let mut item = self.items.get(*next)?;
        while (item.start as usize) < span.start {
            *next += 1;
            item = self.items.get(*next)?;
        }
        let is_it = item.start as usize == span.start && item.end as usize == span.end;
        if !is_it || !item.is_plain || item.place == NOWHERE {
            return None;
        }
        let mut word = vocabulary.line(item.place).word;
        word.flags |= if item.is_upper { UPPER } else { 0 };
        Some(word)
    }
}

fn scan(scanner: &mut Scanner<'_>, items: &mut Vec<Item>, keys: &mut Vec<Key>) {
    let mut next = 0;
    let mut word_before = 0;
    for (block, maps) in scanner.classes.blocks().iter().enumerate() {
        let words = maps[Class::Word as usize];
        let signs = !maps[Class::Space as usize] & !words;
        let mut starts = (words & !((words << 1) | word_before)) | signs;
        word_before = words >> 63;
        while starts != 0 {
            let bit = starts.trailing_zeros() as usize;
            starts &= starts - 1;
            let at = block * 64 + bit;
            if at < next {
                continue;
            }
            let run = (words >> bit).trailing_ones() as usize;
            let is_plain = (1..=KEY_BYTES).contains(&run) && bit + run < 64;
            let its = ((1_u64 << (run % 64)) - 1) << bit;
            let (item, key) = if is_plain && maps[Class::Careful as usize] & its == 0 {
                let upper = maps[Class::Upper as usize] & its;
                let lower = maps[Class::Lower as usize] & its;
                scanner.plain_word(at, run, upper, lower)
            } else {
                scanner.item(at)
            };
            next = item.end as usize;
            items.push(item);
            keys.push(key);
        }
    }
}

/// Writes the normalised form of `item` of `text` to `form`.
fn normalise(text: &str, item: &Item, form: &mut Vec<u8>) {
    form.clear();
    let text = &text[item.start as usize..item.end as usize];
    let mut utf8 = [0; 4];
    if matches!(item.kind, Kind::Stop | Kind::Sign) {
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

/// Of a run of equal signs this many count.
const LONGEST_RUN: usize = 3;

struct Scanner<'a> {
    text: &'a str,
    classes: &'a ByteClasses,
    form: &'a mut Vec<u8>,
}

impl Scanner<'_> {
    /// A word of `run` bytes of ASCII with these capitals and lower-case letters.
    #[inline]
    fn plain_word(&self, at: usize, run: usize, upper: u64, lower: u64) -> (Item, Key) {
        let kind = if upper & upper.wrapping_sub(1) != 0 && lower == 0 {
            Kind::Capitals
        } else {
            Kind::Word
        };
        let mut item = item(at, at + run, kind);
        item.is_plain = true;
        item.is_upper = upper != 0 && lower == 0;
        (item, key_at(self.text.as_bytes(), at, run))
    }

    /// Any item.
    fn item(&mut self, at: usize) -> (Item, Key) {
        let run = self.classes.window(Class::Word, at).trailing_ones() as usize;
        if run == 0 {
            return self.sign(at);
        }
        let (is_plain, end) = if run < 64 {
            (self.classes.among(Class::Careful, at, run) == 0, at + run)
        } else {
            (false, self.word_end(at))
        };
        if !is_plain || run > KEY_BYTES {
            return self.careful_word(at, end);
        }
        let upper = self.classes.among(Class::Upper, at, run);
        let lower = self.classes.among(Class::Lower, at, run);
        self.plain_word(at, run, upper, lower)
    }

    fn word_end(&self, at: usize) -> usize {
        let mut end = at;
        loop {
            let run = self.classes.window(Class::Word, end).trailing_ones() as usize;
            end += run;
            if run < 64 {
                return end;
            }
        }
    }

    /// A long word or one that is not ASCII.
    #[cold]
    fn careful_word(&mut self, start: usize, end: usize) -> (Item, Key) {
        let word = &self.text[start..end];
        let upper = word.chars().filter(|c| c.is_uppercase()).count();
        let kind = if upper >= 2 && !word.chars().any(char::is_lowercase) {
            Kind::Capitals
        } else {
            Kind::Word
        };
        self.normalised(start, end, kind)
    }

    #[cold]
    fn normalised(&mut self, start: usize, end: usize, kind: Kind) -> (Item, Key) {
        let item = item(start, end, kind);
        normalise(self.text, &item, self.form);
        (item, word_key(self.form))
    }

    /// A run of equal signs, or a mask.
    fn sign(&mut self, at: usize) -> (Item, Key) {
        let bytes = self.text.as_bytes();
        let first = bytes[at];
        if first == b'[' && bytes.get(at + 1).is_some_and(u8::is_ascii_uppercase) {
            let end = self.word_end(at + 1);
            let end = end + usize::from(bytes.get(end) == Some(&b']'));
            return self.normalised(at, end, Kind::Word);
        }
        if !first.is_ascii() {
            return self.wide_sign(at);
        }
        let len = bytes[at..].iter().take_while(|&&byte| byte == first).count();
        let kind = if matches!(first, b',' | b'.' | b';' | b':' | b'!' | b'?') {
            Kind::Stop
        } else {
            Kind::Sign
        };
        (item(at, at + len, kind), key_at(bytes, at, len.min(LONGEST_RUN)))
    }

    #[cold]
    fn wide_sign(&mut self, at: usize) -> (Item, Key) {
        let mut rest = self.text[at..].chars();
        let sign = rest.next().expect("a character starts here");
        let count = 1 + rest.take_while(|&c| c == sign).count();
        self.normalised(at, at + count * sign.len_utf8(), Kind::Sign)
    }
}

/// An item that has not been looked up.
#[inline]
fn item(start: usize, end: usize, kind: Kind) -> Item {
    Item {
        start: start as u32,
        end: end as u32,
        place: NOWHERE,
        id: UNKNOWN,
        kind,
        is_plain: false,
        is_upper: false,
    }
}

/// Whether one of the `len` bytes of a key occurs three times in a row.
#[inline]
fn has_triple((low, high): Key, len: usize) -> bool {
    const LOW_BITS: u128 = u128::from_le_bytes([0x01; 16]);
    if !(3..=KEY_BYTES).contains(&len) {
        return false;
    }
    let bytes = u128::from(low) | u128::from(high) << 64;
    let differs = (bytes ^ (bytes >> 8)) | (bytes ^ (bytes >> 16)) | (u128::MAX << (8 * (len - 2)));
    // Some byte is zero.
    differs.wrapping_sub(LOW_BITS) & !differs & (LOW_BITS << 7) != 0
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

/// A hash of `bytes` that nobody can foresee who does not know the seed: the halves of full products, folded.
pub(crate) fn seeded_hash(bytes: &[u8], seed: u64) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b | 1);
        (product as u64) ^ (product >> 64) as u64
    };
    let mut hash = seed ^ bytes.len() as u64;
    let mut eights = bytes.chunks_exact(8);
    for eight in &mut eights {
        let eight = u64::from_le_bytes(eight.try_into().expect("eight bytes"));
        hash = fold(hash ^ eight, 0x9E37_79B9_7F4A_7C15 ^ seed);
    }
    let mut padded = [0; 8];
    padded[..eights.remainder().len()].copy_from_slice(eights.remainder());
    fold(hash ^ u64::from_le_bytes(padded), 0xC2B2_AE3D_27D4_EB4F ^ seed)
}

/// Folds `b` into the hash `a`; not commutative.
#[inline]
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let mixed = (a.rotate_left(23) ^ b).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<(String, String, Kind)> {
        let (mut classes, mut words) = (ByteClasses::default(), Words::default());
        classes.read(text);
        words.scan(text, &mut classes, &Vocabulary::empty());
        let items = words.items.clone();
        let describe = |item: &Item| {
            let form = String::from_utf8(words.form(text, item).to_vec()).unwrap();
            let span = text[item.start as usize..item.end as usize].to_owned();
            (form, span, item.kind)
        };
        items.iter().map(describe).collect()
    }

    /// The same, character by character.
    fn naive(text: &str) -> Vec<(String, Kind)> {
        let chars: Vec<char> = text.chars().collect();
        let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
        let is_space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
        let is_quote = |c: char| "'\u{2018}\u{2019}".contains(c);
        let (mut found, mut i) = (Vec::new(), 0);
        while i < chars.len() {
            let from = i;
            let is_mask = chars[i] == '[' && at(i + 1).is_ascii_uppercase();
            if is_space(chars[i]) {
                i += 1;
            } else if chars[i].is_alphanumeric() || is_mask {
                i += usize::from(is_mask);
                let continues =
                    |i: usize| at(i).is_alphanumeric() || (is_quote(at(i)) && at(i + 1).is_alphanumeric());
                while continues(i) {
                    i += 1;
                }
                i += usize::from(is_mask && at(i) == ']');
                let mut form = String::new();
                for &c in &chars[from..i] {
                    let c = if is_quote(c) { '\'' } else { c };
                    let folded: String = c.to_lowercase().collect();
                    if !(c.is_ascii() && form.ends_with(&format!("{folded}{folded}"))) {
                        form += &folded;
                    }
                }
                let capitals = chars[from..i].iter().filter(|c| c.is_uppercase()).count() >= 2;
                let lower = chars[from..i].iter().any(|c| c.is_lowercase());
                found.push((
                    form,
                    if capitals && !lower && !is_mask {
                        Kind::Capitals
                    } else {
                        Kind::Word
                    },
                ));
            } else {
                while i < chars.len() && chars[i] == chars[from] {
                    i += 1;
                }
                let form = chars[from..i].iter().take(3).collect();
                found.push((
                    form,
                    if ",.;:!?".contains(chars[from]) {
                        Kind::Stop
                    } else {
                        Kind::Sign
                    },
                ));
            }
        }
        found
    }

    #[test]
    fn words_are_normalised_and_located() {
        let text = "I\u{2019}m sooooo HAPPY, [NAME]!!!! 'yes' \u{1f602}\u{1f602} \u{c9}T\u{c9}";
        let expected = [
            ("i'm", "I\u{2019}m", Kind::Word),
            ("soo", "sooooo", Kind::Word),
            ("happy", "HAPPY", Kind::Capitals),
            (",", ",", Kind::Stop),
            ("[name]", "[NAME]", Kind::Word),
            ("!!!", "!!!!", Kind::Stop),
            ("'", "'", Kind::Sign),
            ("yes", "yes", Kind::Word),
            ("'", "'", Kind::Sign),
            ("\u{1f602}\u{1f602}", "\u{1f602}\u{1f602}", Kind::Sign),
            ("\u{e9}t\u{e9}", "\u{c9}T\u{c9}", Kind::Capitals),
        ];
        let expected = expected.map(|(form, text, kind)| (form.to_owned(), text.to_owned(), kind));
        assert_eq!(found(text), expected);
    }

    #[test]
    fn triples_are_seen_within_the_word_alone() {
        for (word, expected) in [
            ("aaa", true),
            ("aab", false),
            ("", false),
            ("aa", false),
            ("xxyyzzz", true),
        ] {
            assert_eq!(
                has_triple(word_key(word.as_bytes()), word.len()),
                expected,
                "{word}"
            );
        }
        assert!(has_triple(word_key(b"abcdefghijklmooo"), 16));
        assert!(!has_triple(word_key(b"abcdefghijklmnoo"), 16));
    }

    proptest! {
        #[test]
        fn items_are_those_of_the_naive_rules(
            parts in prop::collection::vec(prop_oneof![
                4 => "[a-zA-Z0-9'!?.,:;()\\[\\] -]{0,9}",
                1 => "[a-cA-C']{50,90}",
                1 => "\\PC{0,4}",
                1 => prop::sample::select(vec![
                    " ", "\n", "\x1c", "\u{85}", "\u{2028}", "\u{200b}", "\0", "\0\0", "\x01", "\u{2019}", "\u{212a}",
                    "\u{1f602}", "\u{1f602}\u{1f602}", "\u{130}", "[NAME]", "[NAME", "\u{c9}",
                ]).prop_map(str::to_owned),
            ], 0..40),
        ) {
            let text = parts.concat();
            let found: Vec<_> = found(&text).into_iter().map(|(form, _, kind)| (form, kind)).collect();
            prop_assert_eq!(found, naive(&text));
        }
    }
}
