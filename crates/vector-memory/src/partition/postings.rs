//! Which rows hold a word.
//!
//! A word's rows lie side by side in one array, in a block that moves to one twice as large when it is
//! full; the row of a word that occurs once, as most do, needs no block. So a question reads only the rows
//! that hold a word like one of its own, and a memory is added in the time that its words take.

use std::collections::hash_map::Entry;

use super::session::NONE;
use crate::text::WordMap;

/// The rows of each word, by the word's hash.
#[derive(Debug, Default)]
pub(super) struct Postings {
    lists: WordMap<List>,
    blocks: Vec<u32>,
}

/// Where a word's rows are.
#[derive(Debug, Clone, Copy)]
struct List {
    /// The place of the block, or the one row itself.
    at: u32,
    /// How many; the block has room for the next power of two.
    len: u32,
}

impl Postings {
    /// Adds a row, later than all that are there, to those that hold `word`; whether it is the first.
    pub(super) fn push(&mut self, word: u32, row: u32) -> bool {
        let list = match self.lists.entry(word) {
            Entry::Vacant(entry) => {
                entry.insert(List { at: row, len: 1 });
                return true;
            }
            Entry::Occupied(entry) => entry.into_mut(),
        };
        let len = list.len as usize;
        if list.len.is_power_of_two() {
            let from = list.at as usize;
            let to = self.blocks.len();
            if len == 1 {
                self.blocks.push(list.at);
            } else {
                self.blocks.extend_from_within(from..from + len);
            }
            self.blocks.resize(to + 2 * len, NONE);
            list.at = to as u32;
        }
        self.blocks[list.at as usize + len] = row;
        list.len += 1;
        false
    }

    /// The rows that hold `word`, ascending.
    pub(super) fn rows_with(&self, word: u32) -> &[u32] {
        match self.lists.get(&word) {
            None => &[],
            Some(list) if list.len == 1 => std::slice::from_ref(&list.at),
            Some(list) => &self.blocks[list.at as usize..][..list.len as usize],
        }
    }

    /// The same for rows under new numbers, in the same order; `number` is [`NONE`] for a row that is gone.
    pub(super) fn renumbered(&self, number: &[u32]) -> Self {
        let mut fresh = Self::default();
        for &word in self.lists.keys() {
            for &row in self.rows_with(word) {
                if number[row as usize] != NONE {
                    fresh.push(word, number[row as usize]);
                }
            }
        }
        fresh
    }

    /// Gives back what was reserved in vain.
    pub(super) fn shrink_to_fit(&mut self) {
        self.lists.shrink_to_fit();
        self.blocks.shrink_to_fit();
    }

    pub(super) fn bytes(&self) -> usize {
        // A map keeps an eighth free, and a byte of control for each place.
        self.lists.capacity() * (size_of::<(u32, List)>() + 1) * 8 / 7 + self.blocks.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
