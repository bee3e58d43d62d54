//! The words of a question against the words of each row.
//!
//! A row's score is the sum over the question's words of `idf(w) * max over the row's words v of
//! likeness(w, v)`. With `likeness` 1 for equal stems only, it is BM25 without saturation; with word
//! embeddings it also finds what was said in other words. Rows are read through from first to last: an
//! owner's few thousand take microseconds, and nothing has to be kept up to date when one comes or goes.

use super::Partition;
use crate::lexicon::Words;

/// Scores of rows, and which words of the question each holds.
#[derive(Debug, Default)]
pub(crate) struct LexicalScores {
    /// One score for each row; 0 where no word is like any of the question's.
    pub(crate) scores: Vec<f32>,
    /// One bit for each row and each of the question's first 64 words: the row has its stem.
    pub(crate) matched: Vec<u64>,
}

impl Partition {
    /// Scores the rows of living records against the question's words, of which the first 64 count.
    pub(crate) fn lexical_scores(&self, question: &[u32], words: &Words, threshold: f32) -> LexicalScores {
        let rows = self.row_count();
        let mut found = LexicalScores {
            scores: vec![0.0; rows],
            matched: vec![0; rows],
        };
        let living = self
            .row_record
            .iter()
            .filter(|&&record| self.alive[record as usize])
            .count();
        let question = &question[..question.len().min(64)];
        for (block, question) in question.chunks(LANES).enumerate() {
            self.score_block(question, block * LANES, living, words, threshold, &mut found);
        }
        found
    }

    /// Up to [`LANES`] words of the question at once, one in each lane.
    fn score_block(
        &self,
        question: &[u32],
        first: usize,
        living: usize,
        words: &Words,
        threshold: f32,
        found: &mut LexicalScores,
    ) {
        let likeness: Vec<[f32; LANES]> = self
            .vocabulary
            .iter()
            .map(|&word| {
                let mut lanes = [0.0; LANES];
                for (lane, &asked) in lanes.iter_mut().zip(question) {
                    *lane = words.likeness(asked, word, threshold);
                }
                lanes
            })
            .collect();
        let mut best = vec![[0.0_f32; LANES]; self.row_count()];
        let mut rows_with_stem = [0_u32; LANES];
        let mut from = 0;
        for (row, best) in best.iter_mut().enumerate() {
            let to = self.word_end[row] as usize;
            if self.alive[self.row_record[row] as usize] {
                for &word in &self.words[from..to] {
                    let likeness = &likeness[word as usize];
                    for lane in 0..LANES {
                        best[lane] = best[lane].max(likeness[lane]);
                    }
                }
                for (lane, best) in best.iter().enumerate().take(question.len()) {
                    if *best == 1.0 {
                        rows_with_stem[lane] += 1;
                        found.matched[row] |= 1 << (first + lane);
                    }
                }
            }
            from = to;
        }
        let n = living as f32;
        let idf = rows_with_stem.map(|df| ((n - df as f32 + 0.5) / (df as f32 + 0.5)).ln_1p());
        for (score, best) in found.scores.iter_mut().zip(&best) {
            *score += idf.iter().zip(best).map(|(idf, best)| idf * best).sum::<f32>();
        }
    }
}

const LANES: usize = 8;
