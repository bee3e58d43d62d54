//! The words of a question against the words of each row.
//!
//! A row's score is the sum over the question's words of `idf(w) * max over the row's words v of
//! likeness(w, v)`. With `likeness` 1 for equal stems only, it is BM25 without saturation; with word
//! embeddings it also finds what was said in other words.

use super::Partition;
use crate::{lexicon::Lexicon, recall::Column};

/// Scores of rows, and which words of the question each holds.
#[derive(Debug)]
pub(crate) struct LexicalScores {
    /// One score for each row; 0 where no word is like any of the question's.
    pub(crate) scores: Column<f32>,
    /// One bit for each row and each of the question's first 64 words: the row has its stem.
    pub(crate) matched: Column<u64>,
    /// What each word of the question is worth: its rarity.
    pub(crate) worth: Vec<f32>,
    /// One bit for each word of the question whose stem some row has.
    pub(crate) known: u64,
}

impl Partition {
    /// Scores the rows of living records against the question's words, of which the first 64 count.
    pub(crate) fn lexical_scores(&self, question: &[u32], lexicon: &Lexicon) -> LexicalScores {
        let rows = self.row_count();
        let mut found = LexicalScores {
            scores: Column::of(0.0, rows),
            matched: Column::of(0, rows),
            worth: Vec::new(),
            known: 0,
        };
        let living = self.living_rows as f32;
        let all_live = self.living_rows == rows;
        // For a word of the question, how like it the most similar of each row's words is, and the rows that have
        // one; all zeros, and empty, between two.
        let mut best = Column::of(0.0_f32, rows);
        let mut touched = Column::with_room_for(0);
        let question = &question[..question.len().min(64)];
        let alike = lexicon.alike(question, &self.vocabulary);
        for place in 0..question.len() {
            alike.of(place).for_each(|(word, _)| self.postings.prefetch(word));
        }
        let mut sought = 0;
        for (place, &asked) in question.iter().enumerate() {
            let mut touch = |word: u32, likeness: f32, best: &mut Column<f32>| {
                for &row in self.postings.rows_with(word) {
                    if !all_live && !self.alive[self.row_record[row as usize] as usize] {
                        continue;
                    }
                    let best = &mut best[row as usize];
                    if *best == 0.0 {
                        touched.push(row);
                    }
                    *best = best.max(likeness);
                }
            };
            let (mut is_known, mut is_formed) = (false, false);
            for (word, likeness) in alike.of(place) {
                touch(word, likeness, &mut best);
                is_known |= likeness == 1.0 && !self.postings.rows_with(word).is_empty();
            }
            if !is_known && sought < MOST_SOUGHT {
                sought += 1;
                for (word, likeness) in lexicon.formed_like(asked, &self.vocabulary) {
                    touch(word, likeness, &mut best);
                    (is_known, is_formed) = (true, true);
                }
            }
            let least = if is_formed { KNOWN } else { 1.0 };
            let with_stem = touched.iter().filter(|&&row| best[row as usize] >= least).count() as f32;
            let mut idf = ((living - with_stem + 0.5) / (with_stem + 0.5)).ln_1p();
            if !is_known && lexicon.nearly_stops(asked) {
                idf = 0.0;
            }
            found.worth.push(idf);
            found.known |= u64::from(is_known) << place;
            for row in touched.drain(..) {
                let row = row as usize;
                let likeness = std::mem::take(&mut best[row]);
                found.scores[row] += idf * likeness;
                found.matched[row] |= u64::from(likeness >= least) << place;
            }
        }
        found
    }
}

/// From this likeness on a word counts as the one asked for: one stem, one misspelling or one ending away.
const KNOWN: f32 = 0.89;
/// So many words of a question are looked for by their form at most.
const MOST_SOUGHT: usize = 6;
