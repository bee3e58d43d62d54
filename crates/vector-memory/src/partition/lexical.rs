//! BM25 over one owner's rows.
//!
//! Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with their
//! letters. The rows' terms lie in one array and are read through: an owner's few thousand rows take
//! microseconds, and nothing has to be kept up to date when a memory comes or goes.

use super::Partition;
use crate::text::QueryTerm;

/// BM25 scores of rows, and which terms of the question each holds.
#[derive(Debug, Default)]
pub(crate) struct LexicalScores {
    /// One score for each row; 0 where no term matches.
    pub(crate) scores: Vec<f32>,
    /// One bit for each row and each of the question's first 64 terms.
    pub(crate) matched: Vec<u64>,
}

impl Partition {
    /// Scores the rows of living records against `terms`, of which the first 64 count.
    pub(crate) fn lexical_scores(&self, terms: &[QueryTerm], k1: f32, b: f32) -> LexicalScores {
        let terms = &terms[..terms.len().min(64)];
        let rows = self.row_count();
        let mut found = LexicalScores {
            scores: vec![0.0; rows],
            matched: vec![0; rows],
        };
        if terms.is_empty() || rows == 0 {
            return found;
        }
        // A bit for each low byte of a query term's hash turns away nearly all other terms at once.
        let mut possible = [false; 256];
        for term in terms {
            possible[usize::from(term.term as u8)] = true;
        }
        let mut hits: Vec<(u32, u8, u8)> = Vec::new();
        let mut rows_with_term = [0_u32; 64];
        let (mut living_rows, mut total_length) = (0_u32, 0_u64);
        let mut lengths = vec![0_u32; rows];
        let mut from = 0;
        for (row, row_length) in lengths.iter_mut().enumerate() {
            let to = self.term_end[row] as usize;
            if self.alive[self.row_record[row] as usize] {
                let length: u32 = self.counts[from..to].iter().map(|&count| u32::from(count)).sum();
                *row_length = length;
                living_rows += 1;
                total_length += u64::from(length);
                for at in from..to {
                    let hash = self.terms[at];
                    if possible[usize::from(hash as u8)]
                        && let Some(term) = terms.iter().position(|term| term.term == hash)
                    {
                        hits.push((row as u32, term as u8, self.counts[at]));
                        rows_with_term[term] += 1;
                        found.matched[row] |= 1 << term;
                    }
                }
            }
            from = to;
        }
        let n = living_rows as f32;
        let average_length = (total_length as f32 / n).max(1.0);
        let idf = rows_with_term.map(|df| ((n - df as f32 + 0.5) / (df as f32 + 0.5)).ln_1p());
        for (row, term, tf) in hits {
            let (row, tf) = (row as usize, f32::from(tf));
            let length = lengths[row] as f32 / average_length;
            found.scores[row] +=
                idf[usize::from(term)] * tf * (k1 + 1.0) / (tf + k1 * (1.0 - b + b * length));
        }
        found
    }
}
