//! Pieces to ids: one open-addressing table over the bytes of all pieces.
//!
//! The hash of a string is a fold over its bytes, so that one pass over a word gives the hashes of all
//! its prefixes, which greedy longest-match needs.

use std::fmt;

/// A piece that continues a word is written with this before it.
const CONTINUATION: &[u8] = b"##";

/// What a vocabulary must have less than: ids are `u32` and the table is kept at most half full.
const MAX_PIECES: usize = 1 << 24;

/// The hash of the bytes read so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Hash(u32);

impl Hash {
    /// Before the first byte of a word.
    pub(super) const START: Self = Self(0x811c_9dc5);
    /// Before the first byte of a piece that continues a word.
    pub(super) const CONTINUED: Self = Self::START.push(CONTINUATION[0]).push(CONTINUATION[1]);

    /// FNV-1a.
    #[inline]
    pub(super) const fn push(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u32).wrapping_mul(0x0100_0193))
    }
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    /// The piece's id, or `EMPTY`.
    id: u32,
}

const EMPTY: u32 = u32::MAX;

/// The pieces of a tokenizer, by id and by text.
pub(super) struct Vocabulary {
    /// All pieces one after another.
    text: Box<str>,
    /// Where each piece starts in `text`, and the end of the last.
    starts: Box<[u32]>,
    slots: Box<[Slot]>,
    /// Bytes of the longest piece, without the continuation mark.
    pub(super) longest: usize,
}

impl Vocabulary {
    /// `None` when there are too many pieces; of equal pieces the first one's id is found.
    pub(super) fn new<'a>(pieces: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut text = String::new();
        let mut starts = vec![0];
        for piece in pieces {
            text.push_str(piece);
            starts.push(u32::try_from(text.len()).ok()?);
        }
        if starts.len() > MAX_PIECES {
            return None;
        }
        let mut vocabulary = Self {
            slots: vec![Slot { hash: 0, id: EMPTY }; (starts.len() * 2).next_power_of_two()].into(),
            text: text.into(),
            starts: starts.into(),
            longest: 0,
        };
        for id in 0..vocabulary.len() as u32 {
            vocabulary.insert(id);
        }
        Some(vocabulary)
    }

    fn insert(&mut self, id: u32) {
        let piece = self.piece(id).as_bytes();
        let stripped = piece.strip_prefix(CONTINUATION).unwrap_or(piece).len();
        let hash = piece.iter().fold(Hash::START, |hash, &byte| hash.push(byte));
        let mut at = self.home(hash);
        while self.slots[at].id != EMPTY {
            at = (at + 1) & (self.slots.len() - 1);
        }
        self.slots[at] = Slot { hash: hash.0, id };
        self.longest = self.longest.max(stripped);
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The text of a piece, with its continuation mark.
    pub(super) fn piece(&self, id: u32) -> &str {
        let id = id as usize;
        &self.text[self.starts[id] as usize..self.starts[id + 1] as usize]
    }

    /// The piece whose bytes are `bytes` (after the continuation mark if `continued`); `hash` is theirs.
    #[inline]
    pub(super) fn find(&self, hash: Hash, bytes: &[u8], continued: bool) -> Option<u32> {
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot.id == EMPTY {
                return None;
            }
            if slot.hash == hash.0 {
                let piece = self.piece(slot.id).as_bytes();
                let same = if continued {
                    piece.strip_prefix(CONTINUATION) == Some(bytes)
                } else {
                    piece == bytes
                };
                if same {
                    return Some(slot.id);
                }
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[inline]
    fn home(&self, hash: Hash) -> usize {
        (hash.0 ^ (hash.0 >> 15)) as usize & (self.slots.len() - 1)
    }
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vocabulary({} pieces)", self.len())
    }
}
