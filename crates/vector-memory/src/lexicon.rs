//! What words mean, whoever said them: their stems, and their embeddings one by one.
//!
//! A memory that says "poodle" answers a question about a "dog". Comparing word by word finds that where
//! comparing whole texts does not (MaxSim; Khattab and Zaharia, "ColBERT", 2020). What is kept here is a
//! function of the word alone: nothing of an owner is in it but that somebody used the word.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use whisperengine_types::Embedder;

use crate::{
    partition::norm,
    record::WordCount,
    text::{analyze, content_words, stem_hash, word_hash},
};

/// All words met since the store was opened.
#[derive(Debug)]
pub(crate) struct Lexicon {
    embedder: Option<Arc<dyn Embedder>>,
    words: RwLock<Words>,
}

/// The words by number.
#[derive(Debug, Default)]
pub(crate) struct Words {
    numbers: HashMap<u32, u32>,
    stems: Vec<u32>,
    dim: usize,
    /// `dim` for each word, of length about [`UNIT`]; zero for a word without embedding.
    codes: Vec<i16>,
}

impl Lexicon {
    /// Without an embedder words are alike only when they share a stem.
    pub(crate) fn new(embedder: Option<Arc<dyn Embedder>>) -> Self {
        let dim = embedder.as_ref().map_or(0, |embedder| embedder.space().dim());
        Self {
            embedder,
            words: RwLock::new(Words {
                dim,
                ..Words::default()
            }),
        }
    }

    /// The words of `text`, all of them known from now on.
    pub(crate) fn analyze(&self, text: &str) -> Vec<WordCount> {
        let counts = analyze(text);
        self.learn(text, &counts);
        counts
    }

    /// Makes the words `counts` of `text` known.
    pub(crate) fn learn(&self, text: &str, counts: &[WordCount]) {
        let known = {
            let words = self.read();
            counts.iter().all(|count| words.numbers.contains_key(&count.word))
        };
        if known {
            return;
        }
        let new: Vec<(u32, String)> = {
            let words = self.read();
            content_words(text)
                .map(|(_, word)| (word_hash(&word), word.into_owned()))
                .filter(|(hash, _)| !words.numbers.contains_key(hash))
                .collect()
        };
        let texts: Vec<&str> = new.iter().map(|(_, word)| word.as_str()).collect();
        // A word without embedding still matches its own stem, so a failing model costs quality only.
        let embeddings = self
            .embedder
            .as_ref()
            .and_then(|embedder| embedder.embed_batch(&texts).ok());
        let mut words = self.words.write().unwrap_or_else(PoisonError::into_inner);
        for (at, (hash, word)) in new.iter().enumerate() {
            if words.numbers.contains_key(hash) {
                continue;
            }
            let number = words.stems.len() as u32;
            words.numbers.insert(*hash, number);
            words.stems.push(stem_hash(word));
            let values = embeddings
                .as_ref()
                .and_then(|all| all.get(at))
                .map(whisperengine_types::Embedding::values);
            words.push_codes(values);
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Words> {
        self.words.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Words {
    /// A word's number, by hash.
    pub(crate) fn number(&self, hash: u32) -> Option<u32> {
        self.numbers.get(&hash).copied()
    }

    pub(crate) fn stem(&self, word: u32) -> u32 {
        self.stems[word as usize]
    }

    /// How much two words mean the same: 1 for one stem, else what of the cosine lies above `threshold`.
    pub(crate) fn likeness(&self, a: u32, b: u32, threshold: f32) -> f32 {
        if self.stem(a) == self.stem(b) {
            return 1.0;
        }
        let cosine = dot(self.code(a), self.code(b)) as f32 / (UNIT * UNIT);
        ((cosine - threshold) / (1.0 - threshold)).clamp(0.0, 1.0)
    }

    fn push_codes(&mut self, values: Option<&[f32]>) {
        if self.dim == 0 || self.codes.len() >= MOST_EMBEDDED * self.dim {
            return;
        }
        match values {
            Some(values) if values.len() == self.dim => {
                let norm = norm(values) as f32;
                let scale = if norm > 0.0 { UNIT / norm } else { 0.0 };
                self.codes
                    .extend(values.iter().map(|x| (x * scale).round_ties_even() as i16));
            }
            _ => self.codes.extend(std::iter::repeat_n(0, self.dim)),
        }
    }

    fn code(&self, word: u32) -> &[i16] {
        let from = word as usize * self.dim;
        self.codes.get(from..from + self.dim).unwrap_or_default()
    }
}

/// The sum stays within 32 bits: both vectors have length about [`UNIT`], so it is at most its square.
fn dot(a: &[i16], b: &[i16]) -> i32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0_i32; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += i32::from(a[lane]) * i32::from(b[lane]);
        }
    }
    let rest: i32 = a_rest
        .iter()
        .zip(b_rest)
        .map(|(&a, &b)| i32::from(a) * i32::from(b))
        .sum();
    sums.iter().sum::<i32>() + rest
}

const LANES: usize = 16;
/// Code units in a length of 1.
const UNIT: f32 = 4096.0;
/// Words beyond this many (64 MiB at 256 dimensions) match by stem only.
const MOST_EMBEDDED: usize = 1 << 17;
