//! BERT's uncased tokenizer: clean up, split at spaces and punctuation, cut words into known pieces.
//!
//! Equal to the reference implementation in every id; what that one keeps in regular expressions and
//! intermediate strings is one pass over the bytes here, and a word that the vocabulary knows is found
//! with one probe of a hash table.

mod unicode;
mod vocabulary;

use self::vocabulary::{Hash, Vocabulary};
use crate::{Error, Result};

/// Longer words become the unknown token.
const MAX_WORD_CHARS: usize = 100;
const MAX_WORD_BYTES: usize = MAX_WORD_CHARS * 4;

/// An uncased WordPiece tokenizer (Devlin et al., "BERT", 2019) over a vocabulary in `vocab.txt` order.
///
/// Special tokens written in a text (`[SEP]`) are plain text: a message cannot inject them.
#[derive(Debug)]
pub struct WordPiece {
    vocabulary: Vocabulary,
    unknown: u32,
    class: u32,
    separator: u32,
}

impl WordPiece {
    /// A tokenizer over `pieces`, whose position is their id; pieces that continue a word begin with `##`.
    ///
    /// # Errors
    /// [`Error::MissingToken`] without `[UNK]`, `[CLS]` or `[SEP]`; [`Error::VocabularyTooLarge`].
    pub fn new<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let vocabulary = Vocabulary::new(pieces.into_iter()).ok_or(Error::VocabularyTooLarge)?;
        let special = |token: &'static str| {
            let hash = token.bytes().fold(Hash::START, Hash::push);
            let found = vocabulary.find(hash, token.as_bytes(), false);
            found.ok_or(Error::MissingToken { token })
        };
        Ok(Self {
            unknown: special("[UNK]")?,
            class: special("[CLS]")?,
            separator: special("[SEP]")?,
            vocabulary,
        })
    }

    /// The number of pieces.
    pub fn len(&self) -> usize {
        self.vocabulary.len()
    }

    /// Never: a tokenizer has at least its special tokens.
    pub fn is_empty(&self) -> bool {
        self.vocabulary.len() == 0
    }

    /// The piece with the given id, `##` included.
    pub fn piece(&self, id: u32) -> Option<&str> {
        ((id as usize) < self.len()).then(|| self.vocabulary.piece(id))
    }

    /// The id of `[UNK]`, which stands for a word that no pieces make up.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// The ids of `[CLS]` and `[SEP]`, with which a model's input begins and ends.
    pub fn frame(&self) -> (u32, u32) {
        (self.class, self.separator)
    }

    /// The ids of the text's pieces, without `[CLS]` and `[SEP]`.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4 + 1);
        self.for_each(text, |id| ids.push(id));
        ids
    }

    /// Calls `emit` with the id of each piece in order; allocates only for text that is not ASCII.
    pub fn for_each(&self, text: &str, mut emit: impl FnMut(u32)) {
        let bytes = text.as_bytes();
        let mut word = Word::new();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match CLASS[byte as usize] {
                Class::Word => word.push_byte(byte.to_ascii_lowercase()),
                Class::Space => self.end_word(&mut word, &mut emit),
                Class::Punctuation => {
                    self.end_word(&mut word, &mut emit);
                    word.push_byte(byte);
                    self.end_word(&mut word, &mut emit);
                }
                Class::Other => {
                    let run = run_length(&bytes[at..]);
                    for c in unicode::clean(&text[at..at + run]) {
                        self.push_char(c, &mut word, &mut emit);
                    }
                    at += run;
                    continue;
                }
            }
            at += 1;
        }
        self.end_word(&mut word, &mut emit);
    }

    fn push_char(&self, c: char, word: &mut Word, emit: &mut impl FnMut(u32)) {
        if c.is_whitespace() {
            self.end_word(word, emit);
        } else if unicode::is_punctuation(c) {
            self.end_word(word, emit);
            word.push_char(c);
            self.end_word(word, emit);
        } else {
            word.push_char(c);
        }
    }

    #[inline]
    fn end_word(&self, word: &mut Word, emit: &mut impl FnMut(u32)) {
        if word.chars == 0 {
            return;
        }
        if word.chars > MAX_WORD_CHARS {
            emit(self.unknown);
        } else if let Some(id) = self.vocabulary.find(word.hash, word.bytes(), false) {
            emit(id);
        } else {
            self.cut(word.bytes(), emit);
        }
        word.clear();
    }

    /// Greedy longest match first; a word with a rest that no piece fits is unknown as a whole.
    #[cold]
    fn cut(&self, word: &[u8], emit: &mut impl FnMut(u32)) {
        let mut pieces = [0; MAX_WORD_BYTES];
        let mut count = 0;
        let mut start = 0;
        while start < word.len() {
            let Some((id, len)) = self.longest_piece(&word[start..], start > 0) else {
                emit(self.unknown);
                return;
            };
            pieces[count] = id;
            count += 1;
            start += len;
        }
        pieces[..count].iter().for_each(|&id| emit(id));
    }

    /// The longest piece that `rest` begins with, and its length in bytes.
    fn longest_piece(&self, rest: &[u8], continued: bool) -> Option<(u32, usize)> {
        let longest = rest.len().min(self.vocabulary.longest);
        let mut hashes = [Hash::START; MAX_WORD_BYTES];
        let mut hash = if continued { Hash::CONTINUED } else { Hash::START };
        for (slot, &byte) in hashes.iter_mut().zip(&rest[..longest]) {
            hash = hash.push(byte);
            *slot = hash;
        }
        (1..=longest).rev().find_map(|len| {
            let id = self.vocabulary.find(hashes[len - 1], &rest[..len], continued)?;
            Some((id, len))
        })
    }
}

/// The word being read.
struct Word {
    buffer: [u8; MAX_WORD_BYTES],
    len: usize,
    /// Counts on when the word is too long to be kept.
    chars: usize,
    hash: Hash,
}

impl Word {
    fn new() -> Self {
        Self {
            buffer: [0; MAX_WORD_BYTES],
            len: 0,
            chars: 0,
            hash: Hash::START,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    #[inline]
    fn clear(&mut self) {
        self.len = 0;
        self.chars = 0;
        self.hash = Hash::START;
    }

    #[inline]
    fn push_byte(&mut self, byte: u8) {
        self.chars += 1;
        if self.chars <= MAX_WORD_CHARS {
            self.append(byte);
        }
    }

    fn push_char(&mut self, c: char) {
        self.chars += 1;
        if self.chars <= MAX_WORD_CHARS {
            for &byte in c.encode_utf8(&mut [0; 4]).as_bytes() {
                self.append(byte);
            }
        }
    }

    #[inline]
    fn append(&mut self, byte: u8) {
        self.buffer[self.len] = byte;
        self.len += 1;
        self.hash = self.hash.push(byte);
    }
}

/// How many of the first bytes need Unicode's rules: those that are not ASCII, and the controls among
/// them, which vanish before characters combine.
fn run_length(bytes: &[u8]) -> usize {
    let needs_rules = |byte: u8| CLASS[byte as usize] == Class::Other;
    bytes
        .iter()
        .position(|&byte| !needs_rules(byte))
        .unwrap_or(bytes.len())
}

/// What a byte of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Space,
    Punctuation,
    /// A control, or part of a character that is not ASCII.
    Other,
}

static CLASS: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0_u8;
    while byte < 0x7f {
        table[byte as usize] = match byte {
            b'\t' | b'\n' | b'\r' | b' ' => Class::Space,
            _ if byte.is_ascii_punctuation() => Class::Punctuation,
            _ if byte.is_ascii_graphic() => Class::Word,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
};
