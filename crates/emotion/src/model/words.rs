//! The learned model's view of a text: normalised words and runs of signs.
//!
//! Unlike VADER it lower-cases, straightens apostrophes, cuts letters repeated more than twice to two
//! ("soooo"), separates punctuation from words and keeps `[NAME]`-like masks whole.

use std::ops::Range;

use super::{
    item::{Item, LONGEST_RUN, ODD, PLAIN, UPPER_CASE, WORD, normalise},
    scan::{OddKeys, find_items},
    vocabulary::{NOWHERE, UNKNOWN, Vocabulary, word_key},
};
use crate::{
    classes::ByteClasses,
    vader::{
        Word,
        lexicon::{KEY_BYTES, Key, UPPER, bytes},
    },
};

/// The items of one text: together, all of it but white space.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    pub(crate) items: Vec<Item>,
    keys: Vec<Key>,
    odd: OddKeys,
    /// Whether all have a number, as they stand.
    pub(super) all_known: bool,
    /// Whether any of them negates those after it.
    pub(super) any_negates: bool,
    form: Vec<u8>,
}

impl Words {
    /// Replaces the items by those of `text`, whose byte classes are `classes` with whole words, each with the place
    /// where it is if it is known; [`look_up`](Self::look_up) and [`settle`](Self::settle) do the rest.
    pub(crate) fn scan(&mut self, text: &str, classes: &ByteClasses, vocabulary: &Vocabulary) {
        find_items(text, classes, &mut self.items, &mut self.odd);
        self.keys.clear();
        let mut odd = self.odd.keys.iter();
        self.keys.extend(self.items.iter_mut().map(|item| {
            let key = if item.is(ODD) {
                *odd.next().expect("every odd item has a key")
            } else {
                // Not a branch, for nobody could foresee it.
                let most = [LONGEST_RUN, KEY_BYTES][usize::from(item.is(WORD))];
                classes.key(item.start as usize, item.len().min(most))
            };
            item.place = vocabulary.place(key);
            key
        }));
    }

    /// Reads a little of each line that is going to be looked at, so that it is near then.
    pub(crate) fn touch(&self, vocabulary: &Vocabulary) -> u16 {
        let lines = self.items.iter().map(|item| vocabulary.line(item.place).id);
        lines.fold(0, |all, id| all ^ id)
    }

    /// Looks the items up as they stand.
    pub(crate) fn look_up(&mut self, vocabulary: &Vocabulary) {
        let (mut all_known, mut any_negates) = (true, false);
        for (item, &key) in self.items.iter_mut().zip(&self.keys) {
            let negates;
            (item.place, item.id, negates) = vocabulary.at(item.place, key);
            all_known &= item.id != UNKNOWN;
            any_negates |= negates;
        }
        (self.all_known, self.any_negates) = (all_known, any_negates);
    }

    /// Looks up the words that are not known as they stand without letters repeated more than twice.
    pub(crate) fn settle(&mut self, text: &str, vocabulary: &Vocabulary) {
        if self.all_known {
            return;
        }
        for (item, key) in self.items.iter_mut().zip(&mut self.keys) {
            if item.id == UNKNOWN && item.is(WORD) && has_triple(*key, item.len()) {
                normalise(text, item, &mut self.form);
                *key = word_key(&self.form);
                let negates;
                (item.place, item.id, negates) = vocabulary.at(vocabulary.place(*key), *key);
                self.any_negates |= negates;
                item.shorten();
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

    /// What VADER knows of the item, if it is a plain word that is known.
    #[inline]
    pub(crate) fn spoken(item: &Item, vocabulary: &Vocabulary) -> Option<Word> {
        if !item.is(PLAIN) || item.place == NOWHERE {
            return None;
        }
        let mut word = vocabulary.line(item.place).word;
        word.flags |= if item.is(UPPER_CASE) { UPPER } else { 0 };
        Some(word)
    }

    /// The item at `span`, if one stands there; it is not before the one with the number `first`.
    pub(crate) fn item_at(&self, span: &Range<usize>, first: usize) -> Option<&Item> {
        let mut items = self.items[first..].iter();
        let item = items.find(|item| item.start as usize >= span.start)?;
        (item.start as usize == span.start && item.end as usize == span.end).then_some(item)
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
    let (eights, rest) = bytes.as_chunks::<8>();
    for &eight in eights {
        hash = fold(hash ^ u64::from_le_bytes(eight), 0x9E37_79B9_7F4A_7C15 ^ seed);
    }
    // The last eight bytes, some of which were there before, or all there are.
    let last = bytes.last_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 8];
        padded[..rest.len()].copy_from_slice(rest);
        padded
    });
    fold(hash ^ u64::from_le_bytes(last), 0xC2B2_AE3D_27D4_EB4F ^ seed)
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

    use super::{
        super::item::{CAPITALS, STOP},
        *,
    };

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Kind {
        Word,
        Capitals,
        Stop,
        Sign,
    }

    fn kind(item: &Item) -> Kind {
        match (item.is(WORD), item.is(CAPITALS), item.is(STOP)) {
            (true, true, false) => Kind::Capitals,
            (true, false, false) => Kind::Word,
            (false, false, true) => Kind::Stop,
            (false, false, false) => Kind::Sign,
            marks => panic!("{marks:?}"),
        }
    }

    fn found(text: &str) -> Vec<(String, String, Kind)> {
        let (mut classes, mut words) = (ByteClasses::default(), Words::default());
        classes.read(text);
        classes.join_words(text);
        words.scan(text, &classes, &Vocabulary::empty());
        let items = words.items.clone();
        let describe = |item: &Item| {
            let form = String::from_utf8(words.form(text, item).to_vec()).unwrap();
            let span = text[item.start as usize..item.end as usize].to_owned();
            (form, span, kind(item))
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
