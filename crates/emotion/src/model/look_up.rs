//! Finds the words of texts and their pairs in the vocabulary.
//!
//! What that costs is waiting for memory. So it is done for some texts at a time, in steps that do little else, in
//! which the processor waits for many lines of the tables at once.

use std::hint::black_box;

use super::{
    features::Reach,
    row::sum,
    vocabulary::{NEGATED, NOWHERE, UNKNOWN, Vocabulary},
    weights::LANES,
    words::Words,
};
use crate::classes::ByteClasses;

/// One text, taken apart and looked up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scan {
    pub(crate) classes: ByteClasses,
    pub(crate) words: Words,
    /// What the rows of its pairs add up to, and their squared feature weights.
    pub(super) pair_sums: [i32; LANES],
    pub(super) pair_squares: u32,
    /// Neighbours that may be pairs.
    neighbours: Vec<(u16, u16)>,
    /// The places of the pairs among them, and room for more.
    pairs: Vec<u16>,
    pair_count: usize,
}

/// Replaces each scan by that of the text with its number.
pub(crate) fn look_up(scans: &mut [Scan], texts: &[&str], vocabulary: &Vocabulary) {
    for (scan, text) in scans.iter_mut().zip(texts) {
        scan.classes.read(text);
        scan.classes.join_words(text);
        scan.words.scan(text, &scan.classes, vocabulary);
    }
    black_box(
        scans
            .iter()
            .fold(0, |all, scan| all ^ scan.words.touch(vocabulary)),
    );
    for (scan, text) in scans.iter_mut().zip(texts) {
        scan.words.look_up(vocabulary);
        scan.words.settle(text, vocabulary);
        scan.list_neighbours(vocabulary);
        scan.find_pairs(vocabulary);
    }
    black_box(
        scans
            .iter()
            .fold(0, |all, scan| all ^ scan.touch_pairs(vocabulary)),
    );
    for scan in scans {
        scan.add_pairs(vocabulary);
    }
}

impl Scan {
    /// Lists the neighbours that may be pairs, a negation and the words that it reaches among them.
    fn list_neighbours(&mut self, vocabulary: &Vocabulary) {
        let items = &self.words.items;
        self.neighbours.clear();
        self.neighbours.resize(items.len(), (UNKNOWN, UNKNOWN));
        let mut count = 0;
        for pair in items.windows(2) {
            let (first, second) = (pair[0].id, pair[1].id);
            // Not a branch, for nobody could foresee it.
            self.neighbours[count] = (first, second);
            count += usize::from(vocabulary.may_pair(first, second));
        }
        self.neighbours.truncate(count);
        if !self.words.any_negates {
            return;
        }
        let mut reach = Reach::default();
        for item in items {
            let negates = vocabulary.line(item.place).negates;
            if reach.step(item, negates) && vocabulary.may_pair(NEGATED, item.id) {
                self.neighbours.push((NEGATED, item.id));
            }
        }
    }

    fn find_pairs(&mut self, vocabulary: &Vocabulary) {
        if self.pairs.len() < self.neighbours.len() {
            self.pairs.resize(self.neighbours.len(), NOWHERE);
        }
        let mut count = 0;
        for &(first, second) in &self.neighbours {
            let place = vocabulary.find_pair(first, second);
            self.pairs[count] = place;
            count += usize::from(place != NOWHERE);
        }
        self.pair_count = count;
    }

    /// Reads a little of each pair's row, so that it is near when it is needed.
    fn touch_pairs(&self, vocabulary: &Vocabulary) -> u8 {
        let pairs = self.pairs[..self.pair_count].iter();
        pairs.fold(0, |all, &place| {
            all ^ vocabulary.pair(place).0.weight(0).cast_unsigned()
        })
    }

    fn add_pairs(&mut self, vocabulary: &Vocabulary) {
        let mut squares = 0;
        self.pair_sums = sum(self.pairs[..self.pair_count].iter().map(|&place| {
            let (row, its) = vocabulary.pair(place);
            squares += u32::from(its);
            row
        }));
        self.pair_squares = squares;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EmotionModel;

    #[test]
    fn texts_looked_up_together_are_as_if_they_were_alone() {
        let model = EmotionModel::embedded();
        let texts = [
            "I am not happy at all, thank you so much!",
            "",
            "soooo good \u{1f602}\u{1f602} [NAME] isn't even close",
            "  ",
            "WHAT THE hell",
            "not a very good day. I love it",
        ];
        let together = |texts: &[&str], times: usize| {
            let mut scans = vec![Scan::default(); texts.len()];
            // What was there before must not show.
            (0..times).for_each(|_| look_up(&mut scans, texts, &model.vocabulary));
            let seen = |scan: &Scan| (scan.words.items.clone(), scan.pair_sums, scan.pair_squares);
            scans.iter().map(seen).collect::<Vec<_>>()
        };
        let alone: Vec<_> = texts.iter().flat_map(|&text| together(&[text], 1)).collect();
        assert_eq!(together(&texts, 1), alone);
        assert_eq!(together(&texts, 2), alone);
        let reversed: Vec<&str> = texts.iter().rev().copied().collect();
        let mut scans = vec![Scan::default(); texts.len()];
        look_up(&mut scans, &reversed, &model.vocabulary);
        look_up(&mut scans, &texts, &model.vocabulary);
        for (scan, (items, sums, squares)) in scans.iter().zip(&alone) {
            assert_eq!(
                (&scan.words.items, &scan.pair_sums, &scan.pair_squares),
                (items, sums, squares)
            );
        }
        assert!(
            alone.iter().any(|(_, sums, _)| sums.iter().any(|&sum| sum != 0)),
            "some pair is known"
        );
    }

    /// Every pair in every text, one look at a time.
    #[test]
    fn pairs_are_those_of_all_neighbours_and_of_all_negated_words() {
        let model = EmotionModel::embedded();
        let vocabulary = &model.vocabulary;
        let text = "I do not like this at all, you are not very nice. thank you so much, never been happier";
        let mut scan = [Scan::default()];
        look_up(&mut scan, &[text], vocabulary);
        let items = &scan[0].words.items;
        let mut expected: Vec<(u16, u16)> = items.windows(2).map(|pair| (pair[0].id, pair[1].id)).collect();
        let mut reach = Reach::default();
        for item in items {
            if reach.step(item, vocabulary.line(item.place).negates) {
                expected.push((NEGATED, item.id));
            }
        }
        let known: Vec<_> = vocabulary.pairs().collect();
        let mut sums = [0_i32; LANES];
        for (first, second) in expected {
            for pair in known
                .iter()
                .filter(|pair| (pair.first, pair.second) == (first, second))
            {
                for (sum, weight) in sums.iter_mut().zip(pair.row.weights()) {
                    *sum += i32::from(weight);
                }
            }
        }
        assert_ne!(sums, [0; LANES]);
        assert_eq!(scan[0].pair_sums, sums);
    }
}
