//! What the model knows: words with the sum of all that they add, and pairs of them.

use crate::{
    filter::Filter,
    vader::lexicon::{KEY_BYTES, Key, key},
};

use super::weights::LANES;

/// A word, a mask or a run of signs: one cache line.
#[derive(Debug, Clone, PartialEq)]
#[repr(align(64))]
pub(crate) struct Known {
    key: Key,
    /// The word's own weights and those of all its n-grams.
    pub(crate) row: [i8; LANES],
    /// Their squared feature weights, in [`SQUARE_PARTS`](super::SQUARE_PARTS).
    pub(crate) squares: u16,
    /// Whether the words after it are negated.
    pub(crate) negates: bool,
}

/// Two words next to each other, or [`NEGATED`] and a word: one cache line.
#[derive(Debug, Clone, PartialEq)]
#[repr(align(64))]
pub(crate) struct Pair {
    pub(crate) first: u16,
    pub(crate) second: u16,
    pub(crate) row: [i8; LANES],
    pub(crate) squares: u8,
}

/// Stands before a word that a negation reaches, in place of the first of a pair.
pub(crate) const NEGATED: u16 = u16::MAX;

/// A word that is not known. Vocabularies are smaller than this.
pub(crate) const UNKNOWN: u16 = u16::MAX - 1;

/// Words and pairs, each in an open-addressing table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vocabulary {
    words: Vec<Known>,
    /// Their forms, a line each.
    forms: Vec<u8>,
    word_slots: Slots,
    pairs: Vec<Pair>,
    pair_slots: Slots,
    /// Most neighbours are no pair: it spares them the search.
    pair_filter: Filter,
}

impl Vocabulary {
    pub(crate) fn new(capacity: (usize, usize)) -> Self {
        Self {
            words: Vec::with_capacity(capacity.0),
            forms: Vec::new(),
            word_slots: Slots::for_items(capacity.0),
            pairs: Vec::with_capacity(capacity.1),
            pair_slots: Slots::for_items(capacity.1),
            pair_filter: Filter::for_items(capacity.1),
        }
    }

    /// Adds a word; its id is the number of words before it.
    pub(crate) fn insert(&mut self, form: &[u8], row: [i8; LANES], squares: u16, negates: bool) {
        let key = word_key(form);
        self.word_slots.insert(hash(key), self.words.len());
        self.forms.extend_from_slice(form);
        self.forms.push(b'\n');
        self.words.push(Known {
            key,
            row,
            squares,
            negates,
        });
    }

    pub(crate) fn insert_pair(&mut self, pair: Pair) {
        let hash = pair_hash(pair.first, pair.second);
        self.pair_slots.insert(hash, self.pairs.len());
        self.pair_filter.insert(hash);
        self.pairs.push(pair);
    }

    /// The id of a word, or [`UNKNOWN`].
    #[inline]
    pub(crate) fn find(&self, key: Key) -> u16 {
        let found = self
            .word_slots
            .find(hash(key), |index| self.words[index].key == key);
        found.map_or(UNKNOWN, |index| index as u16)
    }

    #[inline]
    pub(crate) fn word(&self, id: u16) -> &Known {
        &self.words[usize::from(id)]
    }

    /// The place of a pair among the [`pairs`](Self::pairs).
    #[inline]
    pub(crate) fn pair(&self, first: u16, second: u16) -> Option<u16> {
        let hash = pair_hash(first, second);
        if !self.pair_filter.may_hold(hash) {
            return None;
        }
        let is_it = |index: usize| (self.pairs[index].first, self.pairs[index].second) == (first, second);
        let found = self.pair_slots.find(hash, is_it);
        found.map(|index| index as u16)
    }

    pub(crate) fn words(&self) -> &[Known] {
        &self.words
    }

    /// The words' forms in the order of their ids, a line each.
    pub(crate) fn forms(&self) -> &[u8] {
        &self.forms
    }

    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}

/// The key of a normalised form: its bytes if they fit, else a hash of them.
pub(crate) fn word_key(form: &[u8]) -> Key {
    if form.len() <= KEY_BYTES {
        key(form)
    } else {
        (super::words::hash(form), u64::MAX)
    }
}

/// Open addressing: upper 16 bits of a slot are of the hash, the lower are the index + 1; 0 when free.
#[derive(Debug, Clone, PartialEq)]
struct Slots {
    slots: Vec<u32>,
    shift: u32,
}

impl Slots {
    /// Room for `items` at a load of at most a half: few searches go on, and the table stays near.
    fn for_items(items: usize) -> Self {
        let bits = (2 * items.max(1)).next_power_of_two().ilog2();
        Self {
            slots: vec![0; 1 << bits],
            shift: 64 - bits,
        }
    }

    fn insert(&mut self, hash: u64, index: usize) {
        let mut slot = (hash >> self.shift) as usize;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        self.slots[slot] = (tag(hash) << 16) | (index as u32 + 1);
    }

    #[inline]
    fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = (hash >> self.shift) as usize;
        loop {
            let entry = self.slots[slot & mask];
            if entry == 0 {
                return None;
            }
            let index = (entry & 0xFFFF) as usize - 1;
            if entry >> 16 == tag(hash) && is_it(index) {
                return Some(index);
            }
            slot += 1;
        }
    }
}

#[inline]
fn tag(hash: u64) -> u32 {
    (hash as u32) & 0xFFFF
}

#[inline]
fn hash((low, high): Key) -> u64 {
    let mixed = low.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ high.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

#[inline]
fn pair_hash(first: u16, second: u16) -> u64 {
    let both = (u64::from(first) << 16) | u64::from(second);
    let mixed = both.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}
