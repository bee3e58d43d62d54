//! What words mean, whoever said them: their stems, and their embeddings one by one.
//!
//! A memory that says "poodle" answers a question about a "dog". Comparing word by word finds that where
//! comparing whole texts does not (MaxSim; Khattab and Zaharia, "ColBERT", 2020). What is kept here is a
//! function of words alone: nothing of an owner is in it but that somebody used the word.

mod alike;
mod form;
mod vocabulary;

use std::{
    hash::BuildHasherDefault,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use whisperengine_types::Embedder;

use self::alike::Asked;
pub(crate) use self::vocabulary::Vocabulary;
use crate::{
    kernel::encode_query,
    record::WordCount,
    text::{HashOfHash, WordMap, analyze, content_words, stem_hash, word_hash},
};

/// All words met since the store was opened.
#[derive(Debug)]
pub(crate) struct Lexicon {
    embedder: Option<Arc<dyn Embedder>>,
    /// The cosine from which on two words count as somewhat alike.
    threshold: f32,
    words: RwLock<Words>,
    /// The words that were asked for, by number.
    asked: DashMap<u32, Asked, BuildHasherDefault<HashOfHash>>,
    /// How many words their lists hold together, about.
    kept_words: AtomicUsize,
}

/// The words by number.
#[derive(Debug, Default)]
pub(crate) struct Words {
    numbers: WordMap<u32>,
    hashes: Vec<u32>,
    stems: Vec<u32>,
    /// The words one after the other, where each ends, and the letters that each has.
    texts: String,
    text_ends: Vec<u32>,
    letters: Vec<u32>,
    dim: usize,
    /// `dim` for each word; zeros for a word without embedding.
    codes: Vec<i8>,
    /// What a code's unit is worth in an embedding of length 1.
    steps: Vec<f32>,
}

impl Lexicon {
    /// Without an embedder words are alike only when they share a stem.
    pub(crate) fn new(embedder: Option<Arc<dyn Embedder>>, threshold: f32) -> Self {
        let dim = embedder.as_ref().map_or(0, |embedder| embedder.space().dim());
        Self {
            embedder,
            threshold,
            words: RwLock::new(Words {
                dim,
                ..Words::default()
            }),
            asked: DashMap::default(),
            kept_words: AtomicUsize::new(0),
        }
    }

    /// The words of `text`, all of them known from now on.
    pub(crate) fn analyze(&self, text: &str) -> Vec<WordCount> {
        let counts = analyze(text);
        self.learn(text, counts.iter().map(|count| count.word));
        counts
    }

    /// Makes the words of `text`, whose hashes are `hashes`, known.
    pub(crate) fn learn(&self, text: &str, mut hashes: impl Iterator<Item = u32>) {
        let known = {
            let words = self.read();
            hashes.all(|hash| words.numbers.contains_key(&hash))
        };
        if known {
            return;
        }
        let new: Vec<(u32, String)> = {
            let words = self.read();
            content_words(text)
                .into_iter()
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
            let values = embeddings
                .as_ref()
                .and_then(|all| all.get(at))
                .map(whisperengine_types::Embedding::values);
            words.add(*hash, word, values);
        }
    }

    /// The hashes of the stems of words, by number, each with a weight of 1.
    pub(crate) fn stems_of(&self, words: &[u32]) -> Vec<(u32, f32)> {
        let known = self.read();
        words.iter().map(|&word| (known.stem(word), 1.0)).collect()
    }

    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> usize {
        self.read().bytes() + self.kept_words.load(Ordering::Relaxed) * size_of::<(u32, f32)>()
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

    /// The hash of a word's stem.
    pub(crate) fn stem(&self, word: u32) -> u32 {
        self.stems[word as usize]
    }

    fn len(&self) -> usize {
        self.hashes.len()
    }

    fn bytes(&self) -> usize {
        let forms = self.text_ends.capacity() + self.letters.capacity();
        let numbers = self.hashes.capacity() + self.stems.capacity() + self.steps.capacity() + forms;
        // A map keeps an eighth free, and a byte of control for each place.
        let map = self.numbers.capacity() * (size_of::<(u32, u32)>() + 1) * 8 / 7;
        map + numbers * 4 + self.texts.capacity() + self.codes.capacity()
    }

    fn add(&mut self, hash: u32, word: &str, values: Option<&[f32]>) {
        if self.numbers.contains_key(&hash) {
            return;
        }
        self.numbers.insert(hash, self.hashes.len() as u32);
        self.hashes.push(hash);
        self.stems.push(stem_hash(word));
        self.texts.push_str(word);
        self.text_ends.push(self.texts.len() as u32);
        self.letters.push(form::letters_of(word));
        if self.dim == 0 || self.steps.len() >= MOST_EMBEDDED {
            return;
        }
        // A number or a code is that to the letter or another one, and pairs of characters mean nothing.
        let is_literal = word.bytes().any(|byte| byte.is_ascii_digit()) || !crate::text::is_latin(word);
        let Some(values) = values.filter(|values| values.len() == self.dim && !is_literal) else {
            self.steps.push(0.0);
            self.codes.resize(self.codes.len() + self.dim, 0);
            return;
        };
        let (codes, _) = encode_query(values);
        let codes = &codes.values[..self.dim];
        let squares: i32 = codes.iter().map(|&code| i32::from(code) * i32::from(code)).sum();
        self.steps.push(if squares > 0 {
            (squares as f32).sqrt().recip()
        } else {
            0.0
        });
        self.codes.extend_from_slice(codes);
    }
}

/// Words beyond this many (32 MiB at 256 dimensions) match by stem only.
const MOST_EMBEDDED: usize = 1 << 17;

#[cfg(test)]
mod tests;
