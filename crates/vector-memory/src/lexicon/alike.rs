//! Which words are like a word that is asked for.
//!
//! Of a language's words only some dozens are like any one of them, so they are looked up among all once,
//! kept, and later only compared with the words that have come since.

use super::{Lexicon, Words};
use crate::kernel::{Kernel, encode_query};

/// The words like one word.
#[derive(Debug, Default)]
pub(super) struct Alike {
    /// Words below this number have been compared.
    compared: usize,
    /// Each with how much it means the same, above 0; 1 for one stem.
    words: Vec<(u32, f32)>,
}

impl Lexicon {
    /// Calls `visit` with the hash of each known word that is like word number `asked`, and how much they
    /// mean the same: 1 for one stem, else what of the cosine lies above the threshold.
    pub(crate) fn visit_alike(&self, asked: u32, mut visit: impl FnMut(u32, f32)) {
        let words = self.read();
        let mut give = |alike: &Alike| {
            alike
                .words
                .iter()
                .for_each(|&(hash, likeness)| visit(hash, likeness));
        };
        if let Some(alike) = self.alike.get(&asked)
            && alike.compared == words.len()
        {
            give(&alike);
            return;
        }
        if self.alike.len() >= MOST_KEPT {
            self.alike.clear();
        }
        let mut alike = self.alike.entry(asked).or_default();
        alike.compare(asked, &words, self.threshold);
        give(&alike);
    }
}

impl Alike {
    /// Compares with the words that have come since the last time.
    fn compare(&mut self, asked: u32, words: &Words, threshold: f32) {
        let asked_stem = words.stem(asked);
        let from = self.compared;
        self.compared = words.len();
        let mut by_meaning = vec![0.0; words.len() - from];
        words.cosines(asked as usize, from, &mut by_meaning);
        for ((&stem, &hash), cosine) in words.stems[from..]
            .iter()
            .zip(&words.hashes[from..])
            .zip(by_meaning)
        {
            let likeness = if stem == asked_stem {
                1.0
            } else {
                ((cosine - threshold) / (1.0 - threshold)).min(1.0)
            };
            if likeness > 0.0 {
                self.words.push((hash, likeness));
            }
        }
    }
}

impl Words {
    /// The cosines of a word and those from number `from` on; 0 for words without embedding.
    fn cosines(&self, asked: usize, from: usize, cosines: &mut [f32]) {
        let embedded = self.steps.len();
        if from >= embedded || asked >= embedded {
            return;
        }
        let code = &self.codes[asked * self.dim..(asked + 1) * self.dim];
        let code: Vec<f32> = code.iter().map(|&code| f32::from(code)).collect();
        let (query, encoded) = encode_query(&code);
        let mut dots = vec![0; embedded - from];
        Kernel::detect().scan_signed(&self.codes[from * self.dim..], self.dim, &query, &mut dots);
        let steps = &self.steps[from..];
        for ((cosine, dot), step) in cosines.iter_mut().zip(dots).zip(steps) {
            *cosine = dot as f32 * encoded.scale * self.steps[asked] * step;
        }
    }
}

/// Words that the words like them are kept of; at some fifty each, 8 MiB.
const MOST_KEPT: usize = 1 << 14;
