//! What the model knows: words with the sum of all that they add, and pairs of them. VADER's lexicon lies in
//! the same table, so that a word is looked up once for both.

use std::collections::HashSet;

use crate::{
    filter::Filter,
    perfect::Places,
    vader::{
        Word, contains_nt,
        lexicon::{KEY_BYTES, Key, Lexicon, NEGATION, bytes, key},
    },
};

use super::{features::negates, row::Row};

/// A word, a mask or a run of signs, with all that either half of the analysis knows of it: one cache line.
#[derive(Debug, Clone, PartialEq)]
#[repr(align(64))]
pub(crate) struct Known {
    key: Key,
    /// The word's own weights and those of all its n-grams.
    pub(crate) row: Row,
    /// Their squared feature weights, in [`SQUARE_PARTS`](super::SQUARE_PARTS).
    pub(crate) squares: u16,
    /// Its number, or [`UNKNOWN`] where only VADER's lexicon has it.
    pub(crate) id: u16,
    /// What VADER knows of it.
    pub(crate) word: Word,
    /// Whether the words after it are negated.
    pub(crate) negates: bool,
}

impl Known {
    /// What lies nowhere and at free places. No UTF-8 has its key.
    const FREE: Self = Self {
        key: (u64::MAX, 0),
        row: Row::ZERO,
        squares: 0,
        id: UNKNOWN,
        word: Word::NONE,
        negates: false,
    };
}

/// Two words next to each other, or [`NEGATED`] and a word.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) first: u16,
    pub(crate) second: u16,
    pub(crate) row: Row,
    pub(crate) squares: u8,
}

impl Pair {
    /// No pair has a word that is not known.
    const FREE: Self = Self {
        first: UNKNOWN,
        second: UNKNOWN,
        row: Row::ZERO,
        squares: 0,
    };
}

/// A row of weights and its squared feature weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighed {
    pub(crate) row: Row,
    pub(crate) squares: u16,
}

impl Weighed {
    pub(crate) const NOTHING: Self = Self {
        row: Row::ZERO,
        squares: 0,
    };
}

/// Stands before a word that a negation reaches, in place of the first of a pair.
pub(crate) const NEGATED: u16 = u16::MAX;

/// The number of a word that is not known. Tables of words are smaller than this.
pub(crate) const UNKNOWN: u16 = u16::MAX - 1;

/// The place of a word that is not known: what lies there adds nothing.
pub(crate) const NOWHERE: u16 = 0;

/// Words and pairs, each in a table without collisions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vocabulary {
    lines: Vec<Known>,
    line_places: Places,
    /// Their forms, a line each.
    forms: Vec<u8>,
    /// Where the word with a number lies among the lines.
    words: Vec<u16>,
    /// The pairs themselves, two words each, apart from their weights: so they stay in a near cache, and the
    /// weights of no more than the pairs that are there are waited for.
    pair_keys: Vec<u32>,
    pair_rows: Vec<Row>,
    pair_squares: Vec<u8>,
    pair_places: Places,
    /// Most neighbours are no pair: it spares them the search.
    pair_filter: Filter,
    /// Where the pairs lie, in their order.
    pairs: Vec<u16>,
}

impl Vocabulary {
    /// A vocabulary of these words, numbered in order, and pairs. The words of VADER's lexicon that are not
    /// among them are there as well, without a number, weighed by `unnumbered`. `None` when a word or a pair
    /// comes twice or there are too many.
    pub(crate) fn new(
        forms: &[&[u8]],
        rows: &[Weighed],
        pairs: &[Pair],
        unnumbered: impl Fn(&[u8]) -> Weighed,
    ) -> Option<Self> {
        let lexicon = Lexicon::shared();
        let mut lines: Vec<Known> = Vec::new();
        for (id, (form, weighed)) in forms.iter().zip(rows).enumerate() {
            let key = word_key(form);
            lines.push(Known {
                key,
                row: weighed.row,
                squares: weighed.squares,
                id: u16::try_from(id).ok()?,
                word: spoken(lexicon.short(key), form),
                negates: negates(form),
            });
        }
        let numbered: HashSet<Key> = lines.iter().map(|line| line.key).collect();
        for (key, word) in lexicon.words().filter(|(key, _)| !numbered.contains(key)) {
            let form = bytes(key);
            let end = form.iter().position(|&byte| byte == 0).unwrap_or(KEY_BYTES);
            let weighed = unnumbered(&form[..end]);
            lines.push(Known {
                key,
                row: weighed.row,
                squares: weighed.squares,
                id: UNKNOWN,
                word: spoken(word, &form[..end]),
                negates: false,
            });
        }
        let (lines, line_places) = arrange(lines, Known::FREE, |line| hash(line.key))?;
        let mut words = vec![NOWHERE; forms.len()];
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| line.id != UNKNOWN) {
            words[usize::from(line.id)] = place as u16;
        }
        let mut pair_filter = Filter::for_items(pairs.len());
        let hash = |pair: &Pair| pair_hash(pair.first, pair.second);
        pairs.iter().for_each(|pair| pair_filter.insert(hash(pair)));
        let (pair_lines, pair_places) = arrange(pairs.to_vec(), Pair::FREE, hash)?;
        Some(Self {
            lines,
            line_places,
            forms: forms
                .iter()
                .flat_map(|form| form.iter().chain(b"\n"))
                .copied()
                .collect(),
            words,
            pairs: pairs
                .iter()
                .map(|pair| 1 + pair_places.of(hash(pair)) as u16)
                .collect(),
            pair_keys: pair_lines
                .iter()
                .map(|pair| pair_key(pair.first, pair.second))
                .collect(),
            pair_rows: pair_lines.iter().map(|pair| pair.row).collect(),
            pair_squares: pair_lines.iter().map(|pair| pair.squares).collect(),
            pair_places,
            pair_filter,
        })
    }

    /// A vocabulary without words of its own.
    pub(crate) fn empty() -> Self {
        Self::new(&[], &[], &[], |_| Weighed::NOTHING)
            .expect("the words of the lexicon are few and different")
    }

    /// Where the word with this key is if it is known.
    #[inline]
    pub(crate) fn place(&self, key: Key) -> u16 {
        1 + self.line_places.of(hash(key)) as u16
    }

    /// The place of the word with this key, or [`NOWHERE`], its number, or [`UNKNOWN`], and whether it negates;
    /// `place` is where it is if it is known.
    #[inline]
    pub(crate) fn at(&self, place: u16, key: Key) -> (u16, u16, bool) {
        let &Known {
            key: found,
            id,
            negates,
            ..
        } = self.line(place);
        // Not a branch: that could be foreseen only by waiting for the line.
        let differs = (found.0 ^ key.0) | (found.1 ^ key.1);
        let mask = u16::from(differs == 0).wrapping_neg();
        (
            place & mask,
            (id & mask) | (UNKNOWN & !mask),
            negates && differs == 0,
        )
    }

    /// The word at a place.
    #[inline]
    pub(crate) fn line(&self, place: u16) -> &Known {
        &self.lines[usize::from(place)]
    }

    /// Whether two words, by number, may be a pair; most that are not are seen at once.
    #[inline]
    pub(crate) fn may_pair(&self, first: u16, second: u16) -> bool {
        self.pair_filter.may_hold(pair_hash(first, second))
    }

    /// The place of the pair of two words, by number; that of one that adds nothing if they are none.
    #[inline]
    pub(crate) fn find_pair(&self, first: u16, second: u16) -> u16 {
        let place = 1 + self.pair_places.of(pair_hash(first, second)) as u16;
        let is_it = self.pair_keys[usize::from(place)] == pair_key(first, second);
        place * u16::from(is_it)
    }

    /// The row of the pair at a place and its squared feature weight.
    #[inline]
    pub(crate) fn pair(&self, place: u16) -> (&Row, u8) {
        (
            &self.pair_rows[usize::from(place)],
            self.pair_squares[usize::from(place)],
        )
    }

    /// The words in the order of their numbers.
    pub(crate) fn words(&self) -> impl ExactSizeIterator<Item = &Known> {
        self.words.iter().map(|&place| self.line(place))
    }

    /// The words' forms in the order of their numbers, a line each.
    pub(crate) fn forms(&self) -> &[u8] {
        &self.forms
    }

    /// The pairs in their order.
    pub(crate) fn pairs(&self) -> impl ExactSizeIterator<Item = Pair> {
        self.pairs.iter().map(|&place| {
            let (key, (&row, squares)) = (self.pair_keys[usize::from(place)], self.pair(place));
            Pair {
                first: (key >> 16) as u16,
                second: key as u16,
                row,
                squares,
            }
        })
    }
}

/// Lays out `items` so that each is at the place of its hash, after a free one.
fn arrange<T: Clone>(items: Vec<T>, free: T, hash: impl Fn(&T) -> u64) -> Option<(Vec<T>, Places)> {
    let hashes: Vec<u64> = items.iter().map(&hash).collect();
    let places = Places::new(&hashes)?;
    if places.len() > usize::from(UNKNOWN) {
        return None;
    }
    let mut arranged = vec![free; 1 + places.len()];
    for (item, &hash) in items.into_iter().zip(&hashes) {
        arranged[1 + places.of(hash)] = item;
    }
    Some((arranged, places))
}

/// A word of the lexicon, or none, with what VADER sees in its form.
fn spoken(mut word: Word, form: &[u8]) -> Word {
    if contains_nt(form) {
        word.flags |= NEGATION;
    }
    word
}

/// The key of a normalised form: its bytes if they fit, else a hash of them.
pub(crate) fn word_key(form: &[u8]) -> Key {
    if form.len() <= KEY_BYTES {
        key(form)
    } else {
        (super::words::hash(form), u64::MAX)
    }
}

/// The halves of one full product, folded.
#[inline]
fn hash((low, high): Key) -> u64 {
    let product = u128::from(low ^ 0x9E37_79B9_7F4A_7C15) * u128::from(high ^ 0xC2B2_AE3D_27D4_EB4F);
    (product as u64) ^ (product >> 64) as u64
}

#[inline]
fn pair_key(first: u16, second: u16) -> u32 {
    u32::from(first) << 16 | u32::from(second)
}

#[inline]
fn pair_hash(first: u16, second: u16) -> u64 {
    let mixed = u64::from(pair_key(first, second)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}
