//! Finds the words and signs of a text in the bit maps of its bytes.

use super::{
    item::{CAPITALS, Item, ODD, PLAIN, PUNCTUATION, STOP, UPPER_CASE, WORD, normalise},
    vocabulary::word_key,
};
use crate::{
    classes::{ByteClasses, Class},
    vader::lexicon::{KEY_BYTES, Key},
};

/// Replaces `items` by those of `text`.
pub(super) fn find_items(text: &str, classes: &ByteClasses, items: &mut Vec<Item>, odd: &mut OddKeys) {
    items.clear();
    odd.keys.clear();
    let mut scanner = Scanner { text, classes, odd };
    let mut next = 0;
    let mut word_before = 0;
    for (block, maps) in classes.blocks().iter().enumerate() {
        let words = maps[Class::Word as usize];
        let signs = !maps[Class::Space as usize] & !words;
        let mut starts = (words & !((words << 1) | word_before)) | signs;
        word_before = words >> 63;
        starts &= from_bit(next, block);
        // There are seldom more, so that the loop seldom waits for memory.
        items.reserve(64);
        while starts != 0 {
            let bit = starts.trailing_zeros();
            starts &= starts - 1;
            let run = (words >> bit).trailing_ones();
            let its = ((1_u64 << (run % 64)) - 1) << bit;
            let is_short = run.wrapping_sub(1) < KEY_BYTES as u32 && bit + run < 64;
            let at = block * 64 + bit as usize;
            if is_short && maps[Class::Careful as usize] & its == 0 {
                let upper = maps[Class::Upper as usize] & its;
                let lower = maps[Class::Lower as usize] & its;
                items.push(plain_word(at, run as usize, upper, lower));
            } else {
                let item = scanner.item(at);
                next = item.end as usize;
                starts &= from_bit(next, block);
                items.push(item);
            }
        }
    }
}

/// The bits of the bytes of a block from `at` on.
#[inline]
fn from_bit(at: usize, block: usize) -> u64 {
    match at.saturating_sub(block * 64) {
        bit @ 0..64 => u64::MAX << bit,
        _ => 0,
    }
}

/// A word of `len` bytes of ASCII with these capitals and lower-case letters.
#[inline]
fn plain_word(at: usize, len: usize, upper: u64, lower: u64) -> Item {
    // Not branches, for nobody could foresee them.
    let mark = |mark: u8, upper: u64| mark * (u8::from(upper != 0) & u8::from(lower == 0));
    let capitals = mark(CAPITALS, upper & upper.wrapping_sub(1)) | mark(UPPER_CASE, upper);
    Item::new(at, at + len, WORD | PLAIN | capitals)
}

/// The keys of items whose key is not that of their bytes, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct OddKeys {
    pub(super) keys: Vec<Key>,
    form: Vec<u8>,
}

struct Scanner<'a> {
    text: &'a str,
    classes: &'a ByteClasses,
    odd: &'a mut OddKeys,
}

impl Scanner<'_> {
    /// Any item.
    #[inline(never)]
    fn item(&mut self, at: usize) -> Item {
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
        plain_word(at, run, upper, lower)
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
    fn careful_word(&mut self, start: usize, end: usize) -> Item {
        let word = &self.text[start..end];
        let upper = word.chars().filter(|c| c.is_uppercase()).count();
        let capitals = if upper >= 2 && !word.chars().any(char::is_lowercase) {
            CAPITALS
        } else {
            0
        };
        self.normalised(start, end, WORD | capitals)
    }

    #[cold]
    fn normalised(&mut self, start: usize, end: usize, marks: u8) -> Item {
        let item = Item::new(start, end, marks | ODD);
        let OddKeys { keys, form } = &mut *self.odd;
        normalise(self.text, &item, form);
        keys.push(word_key(form));
        item
    }

    /// A run of equal signs, or a mask.
    fn sign(&mut self, at: usize) -> Item {
        let bytes = self.text.as_bytes();
        let first = bytes[at];
        if first == b'[' && bytes.get(at + 1).is_some_and(u8::is_ascii_uppercase) {
            let end = self.word_end(at + 1);
            let end = end + usize::from(bytes.get(end) == Some(&b']'));
            return self.normalised(at, end, WORD);
        }
        if !first.is_ascii() {
            return self.wide_sign(at);
        }
        let len = bytes[at..].iter().take_while(|&&byte| byte == first).count();
        let marks = match first {
            b',' | b'.' | b';' | b':' | b'!' | b'?' => STOP | PUNCTUATION,
            _ if first.is_ascii_punctuation() => PUNCTUATION,
            _ => 0,
        };
        Item::new(at, at + len, marks)
    }

    #[cold]
    fn wide_sign(&mut self, at: usize) -> Item {
        let mut rest = self.text[at..].chars();
        let sign = rest.next().expect("a character starts here");
        let count = 1 + rest.take_while(|&c| c == sign).count();
        self.normalised(at, at + count * sign.len_utf8(), 0)
    }
}
