//! What every byte of a text is, as one bit map per class: both tokenizers find their words in them with a
//! few operations per word instead of some per byte.

use crate::vader::lexicon::{KEY_BYTES, Key, first_bytes};

/// Bit maps over the bytes of one text, 64 bytes a block, with a block of white space after the last.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByteClasses {
    blocks: Vec<[u64; CLASSES]>,
    /// The text with its ASCII letters in lower case, whole blocks of it, and then as many spaces as a key has bytes.
    lower: Vec<u8>,
    /// Whether any byte is of [`Class::Careful`].
    is_careful: bool,
}

/// One of the bit maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// White space by Python's definition.
    Space,
    /// ASCII punctuation.
    Punctuation,
    /// ASCII capitals.
    Upper,
    /// ASCII lower-case letters.
    Lower,
    /// The straight apostrophe.
    Apostrophe,
    /// `!` and `?`.
    Emphasis,
    /// Not ASCII, or NUL (which pads keys): such a token takes the careful path.
    Careful,
    /// ASCII letters and digits.
    Word,
}

const CLASSES: usize = 8;

impl ByteClasses {
    /// Replaces the bit maps by those of `text`.
    pub(crate) fn read(&mut self, text: &str) {
        self.blocks.clear();
        self.lower.clear();
        let mut careful = 0;
        let (blocks, rest) = text.as_bytes().as_chunks::<64>();
        for bytes in blocks {
            careful |= self.read_block(bytes, 64);
        }
        if !rest.is_empty() {
            let mut padded = [b' '; 64];
            padded[..rest.len()].copy_from_slice(rest);
            careful |= self.read_block(&padded, rest.len());
        }
        let mut end = [0; CLASSES];
        end[Class::Space as usize] = u64::MAX;
        self.blocks.push(end);
        self.lower.extend_from_slice(&[b' '; KEY_BYTES]);
        self.is_careful = careful != 0;
        if self.is_careful {
            self.mark_wide_spaces(text);
        }
    }

    /// Appends a block of which `len` bytes, not none, are text and the others spaces; returns its careful bytes.
    #[inline]
    fn read_block(&mut self, bytes: &[u8; 64], len: usize) -> u64 {
        let mut block = [0; CLASSES];
        let eights = len.div_ceil(8);
        for (number, eight) in bytes.as_chunks::<8>().0[..eights].iter().enumerate() {
            spread(
                &mut block,
                eight.map(|byte| TABLE[usize::from(byte)]),
                number as u32 * 8,
            );
        }
        if eights < 8 {
            block[Class::Space as usize] |= u64::MAX << (eights * 8);
        }
        self.blocks.push(block);
        self.lower
            .extend_from_slice(&bytes.map(|byte| byte.to_ascii_lowercase()));
        block[Class::Careful as usize]
    }

    /// The key of the `len` bytes at `at`, of which there are at most [`KEY_BYTES`].
    #[inline]
    pub(crate) fn key(&self, at: usize, len: usize) -> Key {
        let bytes = self.lower[at..]
            .first_chunk()
            .expect("a key's bytes follow the text");
        first_bytes(*bytes, len)
    }

    /// The bits of `class` from `at` on, the nearest byte lowest.
    #[inline]
    pub(crate) fn window(&self, class: Class, at: usize) -> u64 {
        let (block, bit) = (at / 64, at % 64);
        let here = self.blocks[block][class as usize] >> bit;
        let next = self.blocks.get(block + 1).map_or(0, |next| next[class as usize]);
        here | (next << 1 << (63 - bit))
    }

    /// As [`window`](Self::window) for the `len` bytes at `at`, of which the first 64 show.
    #[inline]
    pub(crate) fn among(&self, class: Class, at: usize, len: usize) -> u64 {
        let bits = self.window(class, at);
        if len < 64 { bits & ((1 << len) - 1) } else { bits }
    }

    pub(crate) fn blocks(&self) -> &[[u64; CLASSES]] {
        &self.blocks
    }

    /// Makes words whole: apostrophes inside them, and letters and digits beyond ASCII, belong to
    /// [`Class::Word`] from now on.
    pub(crate) fn join_words(&mut self, text: &str) {
        if self.is_careful {
            self.join_wide_words(text);
        }
        let mut before = 0;
        for block in 0..self.blocks.len() {
            let words = self.blocks[block][Class::Word as usize];
            let apostrophes = self.blocks[block][Class::Apostrophe as usize];
            let next = self
                .blocks
                .get(block + 1)
                .map_or(0, |next| next[Class::Word as usize]);
            let inside = apostrophes & ((words << 1) | before) & ((words >> 1) | (next << 63));
            before = words >> 63;
            self.blocks[block][Class::Word as usize] |= inside;
        }
    }

    #[cold]
    fn join_wide_words(&mut self, text: &str) {
        self.each_wide(text, |classes, at, c| {
            if c.is_alphanumeric() {
                classes.mark(Class::Word, at, c.len_utf8());
            }
        });
        // Neighbours of a quote that joins are no quotes, so the order does not matter.
        self.each_wide(text, |classes, at, c| {
            let is_word = |at: usize| classes.window(Class::Word, at) & 1 != 0;
            let end = at + c.len_utf8();
            if matches!(c, '\u{2018}' | '\u{2019}') && at > 0 && is_word(at - 1) && is_word(end) {
                classes.mark(Class::Word, at, c.len_utf8());
            }
        });
    }

    #[cold]
    fn mark_wide_spaces(&mut self, text: &str) {
        self.each_wide(text, |classes, at, c| {
            if is_wide_space(c) {
                classes.mark(Class::Space, at, c.len_utf8());
            }
        });
    }

    /// Calls `each` with the place of each character beyond ASCII.
    fn each_wide(&mut self, text: &str, mut each: impl FnMut(&mut Self, usize, char)) {
        for block in 0..self.blocks.len() {
            let mut careful = self.blocks[block][Class::Careful as usize];
            while careful != 0 {
                let at = block * 64 + careful.trailing_zeros() as usize;
                careful &= careful - 1;
                // The other bytes of a character are no boundary.
                if let Some(c) = text.get(at..).and_then(|rest| rest.chars().next())
                    && !c.is_ascii()
                {
                    each(self, at, c);
                }
            }
        }
    }

    fn mark(&mut self, class: Class, at: usize, len: usize) {
        for at in at..at + len {
            self.blocks[at / 64][class as usize] |= 1 << (at % 64);
        }
    }
}

/// White space beyond ASCII, by Python's definition.
fn is_wide_space(c: char) -> bool {
    matches!(
        c,
        '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Distributes the classes of eight bytes over the bit maps: the transpose of an 8 x 8 bit matrix (Warren,
/// "Hacker's Delight", section 7-3).
#[inline]
fn spread(block: &mut [u64; CLASSES], classes: [u8; 8], shift: u32) {
    let mut bits = u64::from_le_bytes(classes);
    for (mask, by) in [
        (0x00AA_00AA_00AA_00AA, 7),
        (0x0000_CCCC_0000_CCCC, 14),
        (0x0000_0000_F0F0_F0F0, 28),
    ] {
        let swapped = (bits ^ (bits >> by)) & mask;
        bits ^= swapped ^ (swapped << by);
    }
    for (map, byte) in block.iter_mut().zip(bits.to_le_bytes()) {
        *map |= u64::from(byte) << shift;
    }
}

const SPACE: u8 = 1 << Class::Space as u8;

static TABLE: [u8; 256] = table();

const fn table() -> [u8; 256] {
    const PUNCTUATION: u8 = 1 << Class::Punctuation as u8;
    const WORD: u8 = 1 << Class::Word as u8;
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'\t'..=b'\r' | 0x1C..=b' ' => SPACE,
            b'A'..=b'Z' => WORD | 1 << Class::Upper as u8,
            b'a'..=b'z' => WORD | 1 << Class::Lower as u8,
            b'0'..=b'9' => WORD,
            b'\'' => PUNCTUATION | 1 << Class::Apostrophe as u8,
            b'!' | b'?' => PUNCTUATION | 1 << Class::Emphasis as u8,
            b'!'..=b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~' => PUNCTUATION,
            0 | 0x80.. => 1 << Class::Careful as u8,
            _ => 0,
        };
        byte += 1;
    }
    table
}
