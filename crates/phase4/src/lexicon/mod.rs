//! The words the engine knows, one set of files for each language.
//!
//! A language is `lexicon/<code>.cues` (families of cue words and phrases), `.lemmas` (inflections) and
//! `.phrases` (what the engine says), embedded in the library and parsed once. Another language is three
//! more files given to [`Lexicon::parse`].
//!
//! Invariants: cues match whole words by lemma, never parts of words; the longest phrase at a place wins;
//! an unknown or missing section is an error.

mod cue;
mod parse;
mod stem;
mod theme;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

pub(crate) use cue::Cue;
pub use parse::LexiconError;
pub use theme::Theme;
pub(crate) use theme::Themes;

use crate::text::{HashedMap, hash64};

/// The cues, lemmas and phrases of one language.
#[derive(Debug)]
pub struct Lexicon {
    pub(crate) exact: HashedMap<Entry>,
    pub(crate) stems: HashedMap<Entry>,
    stemmer: stem::Stemmer,
    phrases: HashMap<Box<str>, Box<str>>,
}

/// What begins with one word: the cues of the word itself and the phrases it opens, longest first.
#[derive(Debug, Default, Clone)]
pub(crate) struct Entry {
    pub(crate) cues: Vec<(Cue, f32)>,
    pub(crate) phrases: Vec<Phrase>,
}

/// The rest of a phrase after its first word.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    pub(crate) rest: Vec<u64>,
    pub(crate) cue: Cue,
    pub(crate) weight: f32,
}

impl Lexicon {
    /// English, parsed at first use.
    pub fn english() -> Arc<Self> {
        static ENGLISH: OnceLock<Arc<Lexicon>> = OnceLock::new();
        ENGLISH
            .get_or_init(|| {
                let lexicon = Self::parse(
                    include_str!("../../lexicon/en.cues"),
                    include_str!("../../lexicon/en.lemmas"),
                    include_str!("../../lexicon/en.phrases"),
                );
                Arc::new(lexicon.expect("the embedded files are tested"))
            })
            .clone()
    }

    /// Hash of the stem of a lower-case word; `scratch` saves an allocation.
    pub(crate) fn stem(&self, word: &str, hash: u64, scratch: &mut String) -> u64 {
        let stem = self.stemmer.stem(word, hash, scratch);
        hash64(stem.as_bytes())
    }

    /// The text of a phrase; [`Lexicon::parse`] has seen to it that every one exists.
    pub(crate) fn phrase(&self, key: &str) -> &str {
        self.phrases.get(key).map_or("", |text| text)
    }

    /// The text of a phrase with its places filled in.
    pub(crate) fn fill(&self, key: &str, places: &[(&str, &str)]) -> String {
        let mut text = self.phrase(key).to_owned();
        for (place, value) in places {
            text = text.replace(&format!("{{{place}}}"), value);
        }
        text
    }
}
