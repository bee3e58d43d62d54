//! Which rows hold a word.
//!
//! A word's rows lie side by side in one array, in a block that moves to one twice as large when it is
//! full; the row of a word that occurs once, as most do, needs no block. So a question reads only the rows
//! that hold a word like one of its own, and a memory is added in the time that its words take.
//!
//! Most words that are like a question's are not among an owner's, and most owners' memories are not in the
//! processor's caches when they are asked. So the table of words is small, eight bytes a place, and a word
//! that is not there is missed within a line of the cache: linear probing, the words of a run in the order
//! of their hashes (Amble and Knuth, "Ordered hash tables", 1974).

use super::session::NONE;
use crate::kernel::prefetch;

/// The rows of each word, by the word's hash.
#[derive(Debug, Default)]
pub(super) struct Postings {
    /// Ascending by key, each word at its [home](Self::home) or after it with no gap between; empty places
    /// have [`NONE`] for rows.
    words: Vec<Word>,
    /// Places that are home to some key; those behind them are for who finds the last ones taken.
    homes: usize,
    /// Words that are there.
    len: usize,
    /// Of each block the number of rows, the rows, and room up to the next power of two.
    blocks: Vec<u32>,
}

/// A word and where its rows are.
#[derive(Debug, Clone, Copy)]
struct Word {
    /// The word's hash times an odd number, so that words are spread evenly whatever the hash.
    key: u32,
    /// The one row itself, or, with the [`BLOCK`] bit, the place of the block.
    rows: u32,
}

impl Postings {
    /// Adds a row, later than all that are there, to those that hold `word`; whether it is the first.
    pub(super) fn push(&mut self, word: u32, row: u32) -> bool {
        self.push_key(key_of(word), row)
    }

    fn push_key(&mut self, key: u32, row: u32) -> bool {
        assert!(row < BLOCK, "an owner has fewer than 2^31 rows");
        // A third of the places stays free.
        if (self.len + 1) * 3 > self.homes * 2 {
            self.resize((2 * self.homes).max(FEWEST));
        }
        let at = self.place(key);
        let Some(found) = self.words.get_mut(at).filter(|word| word.is(key)) else {
            self.insert(at, Word { key, rows: row });
            self.len += 1;
            return true;
        };
        if found.rows & BLOCK == 0 {
            let first = std::mem::replace(&mut found.rows, block_at(self.blocks.len()));
            self.blocks.extend([2, first, row]);
            return false;
        }
        let from = (found.rows & !BLOCK) as usize;
        let len = self.blocks[from] as usize;
        if len.is_power_of_two() {
            let to = self.blocks.len();
            found.rows = block_at(to);
            self.blocks.extend_from_within(from..=from + len);
            self.blocks.resize(to + 1 + 2 * len, NONE);
        }
        let at = (found.rows & !BLOCK) as usize;
        self.blocks[at] += 1;
        self.blocks[at + 1 + len] = row;
        false
    }

    /// The rows that hold `word`, ascending.
    #[inline]
    pub(super) fn rows_with(&self, word: u32) -> &[u32] {
        let key = key_of(word);
        match self.words.get(self.place(key)) {
            Some(word) if word.is(key) => self.rows_of(word),
            _ => &[],
        }
    }

    /// Has what [`rows_with`](Self::rows_with) looks at first fetched from memory.
    #[inline]
    pub(super) fn prefetch(&self, word: u32) {
        if let Some(word) = self.words.get(self.home(key_of(word))) {
            prefetch(std::slice::from_ref(word));
        }
    }

    /// Has everything fetched from memory, which pays where there is little.
    pub(super) fn prefetch_all(&self) {
        prefetch(&self.words);
        prefetch(&self.blocks);
    }

    /// The same for rows under new numbers, in the same order; `number` is [`NONE`] for a row that is gone.
    pub(super) fn renumbered(&self, number: &[u32]) -> Self {
        let mut fresh = Self::default();
        for word in self.words.iter().filter(|word| word.rows != NONE) {
            for &row in self.rows_of(word) {
                if number[row as usize] != NONE {
                    fresh.push_key(word.key, number[row as usize]);
                }
            }
        }
        fresh
    }

    /// Gives back what was reserved in vain.
    pub(super) fn shrink_to_fit(&mut self) {
        self.resize(self.len * 3 / 2 + 1);
        self.words.shrink_to_fit();
        self.blocks.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        self.words.capacity() * size_of::<Word>() + self.blocks.capacity() * 4
    }

    /// Where a word is sought first. Homes ascend with the keys.
    #[inline]
    fn home(&self, key: u32) -> usize {
        ((u64::from(key) * self.homes as u64) >> 32) as usize
    }

    /// Where the word is or belongs; the number of places if that is behind the last.
    #[inline]
    fn place(&self, key: u32) -> usize {
        let home = self.home(key);
        let after = self.words[home..].iter();
        home + after
            .take_while(|word| word.rows != NONE && word.key < key)
            .count()
    }

    /// Puts a word in its place; those behind it make room.
    fn insert(&mut self, at: usize, word: Word) {
        let taken = self.words[at..].iter();
        let taken = taken.take_while(|word| word.rows != NONE).count();
        if at + taken == self.words.len() {
            self.words.push(EMPTY);
        }
        self.words.copy_within(at..at + taken, at + 1);
        self.words[at] = word;
    }

    /// Gives the words `homes` places; those behind them as need be.
    fn resize(&mut self, homes: usize) {
        let before = std::mem::replace(&mut self.words, Vec::with_capacity(homes));
        self.homes = homes;
        for word in before.into_iter().filter(|word| word.rows != NONE) {
            let at = self.home(word.key).max(self.words.len());
            self.words.resize(at, EMPTY);
            self.words.push(word);
        }
        let places = homes.max(self.words.len());
        self.words.resize(places, EMPTY);
    }

    fn rows_of<'a>(&'a self, word: &'a Word) -> &'a [u32] {
        if word.rows & BLOCK == 0 {
            return std::slice::from_ref(&word.rows);
        }
        let from = (word.rows & !BLOCK) as usize;
        &self.blocks[from + 1..][..self.blocks[from] as usize]
    }
}

impl Word {
    #[inline]
    fn is(self, key: u32) -> bool {
        self.rows != NONE && self.key == key
    }
}

fn key_of(word: u32) -> u32 {
    word.wrapping_mul(0x9e37_79b9)
}

fn block_at(place: usize) -> u32 {
    let place = u32::try_from(place).ok().filter(|&place| place < BLOCK - 1);
    BLOCK | place.expect("an owner's words are in fewer than 2^31 places")
}

/// Whether [`Word::rows`] is a block.
const BLOCK: u32 = 1 << 31;
const EMPTY: Word = Word { key: 0, rows: NONE };
/// Places of a table that has any.
const FEWEST: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_table_holds_what_a_map_holds(
            pushed in prop::collection::vec((0_u32..200, prop::sample::select(vec![1_u32, 0x9e37, 0x144c_bc89])), 0..400),
            shrunk in 0_usize..400,
        ) {
            let (mut postings, mut expected) = (Postings::default(), BTreeMap::<u32, Vec<u32>>::new());
            for (row, (word, factor)) in pushed.into_iter().enumerate() {
                if row == shrunk {
                    postings.shrink_to_fit();
                }
                // The last factor undoes the spreading: keys that follow each other crowd the first places.
                let word = word.wrapping_mul(factor);
                let rows = expected.entry(word).or_default();
                prop_assert_eq!(postings.push(word, row as u32), rows.is_empty());
                rows.push(row as u32);
            }
            for word in (0..200).flat_map(|word: u32| [word, word * 0x9e37, word.wrapping_mul(0x144c_bc89), !word]) {
                prop_assert_eq!(postings.rows_with(word), expected.get(&word).map_or(&[][..], Vec::as_slice));
            }
            prop_assert_eq!(postings.len, expected.len());
        }
    }

    #[test]
    fn each_word_has_its_rows_however_often_its_block_moved() {
        let mut postings = Postings::default();
        let holds = |word: u32, row: u32| row.is_multiple_of(word);
        for row in 0..100 {
            (1..20)
                .filter(|&word| holds(word, row))
                .for_each(|word| assert_eq!(postings.push(word, row), row == 0));
        }
        let survivors: Vec<u32> = (0..100).filter(|row| row % 3 != 0).collect();
        let number: Vec<u32> = (0..100)
            .map(|row| {
                survivors
                    .iter()
                    .position(|&kept| kept == row)
                    .map_or(NONE, |at| at as u32)
            })
            .collect();
        let fresh = postings.renumbered(&number);
        for word in 1..20 {
            let rows: Vec<u32> = (0..100).filter(|&row| holds(word, row)).collect();
            assert_eq!(postings.rows_with(word), rows);
            let kept = rows.iter().map(|&row| number[row as usize]);
            let kept: Vec<u32> = kept.filter(|&row| row != NONE).collect();
            assert_eq!(fresh.rows_with(word), kept);
        }
        assert!(postings.rows_with(20).is_empty());
    }
}
