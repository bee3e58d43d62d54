//! The words the engine knows, one set of files for each language.
//!
//! A language is `lexicon/<code>.cues` (families of cue words and phrases), `.lemmas` (inflections) and
//! `.phrases` (what the engine says), embedded in the library and parsed once. Another language is three
//! more files and a line in [`Language`]; [`Lexicon::parse`] says what is missing in them.
//!
//! Invariants: cues match whole words by lemma, never parts of words; the longest phrase at a place wins;
//! an unknown or missing section is an error.

mod cue;
mod parse;
mod stem;
mod table;
mod theme;

use std::sync::{Arc, OnceLock};

pub(crate) use cue::Cue;
pub use parse::LexiconError;
use serde::{Deserialize, Serialize};
pub(crate) use table::{Place, Table};
pub use theme::Theme;
pub(crate) use theme::Themes;

use crate::text::{HashedMap, hash64};

/// The cues, lemmas and phrases of one language.
#[derive(Debug)]
pub struct Lexicon {
    pub(crate) exact: Table<Entry>,
    pub(crate) stems: Table<Entry>,
    stemmer: stem::Stemmer,
    phrases: HashedMap<Box<str>>,
    seed: u64,
}

/// What begins with one word: the cues of the word itself and the phrases it opens, longest first.
#[derive(Debug, Default, Clone)]
pub(crate) struct Entry {
    pub(crate) cues: Vec<(Cue, f32)>,
    pub(crate) phrases: Vec<Phrase>,
    /// Which of the families below the word itself is in.
    pub(crate) flags: u16,
    /// Of an exact form: its stem, and where that is.
    pub(crate) stem: u64,
    pub(crate) stem_place: Place,
}

impl Entry {
    pub(crate) const STOP: u16 = 1;
    pub(crate) const CONTRAST: u16 = 2;
    pub(crate) const INTENSIFIER: u16 = 4;
    pub(crate) const NEGATOR: u16 = 8;
    pub(crate) const COMMON: u16 = 16;
    pub(crate) const TRAILING: u16 = 32;
    pub(crate) const CLAUSE: u16 = 64;
    pub(crate) const LINK: u16 = 128;
    pub(crate) const QUALITY: u16 = 256;

    /// The mark of a family that is nothing but one.
    fn flag(cue: Cue) -> u16 {
        match cue {
            Cue::Stop => Self::STOP,
            Cue::Contrast => Self::CONTRAST,
            Cue::Intensifier => Self::INTENSIFIER,
            Cue::Negator => Self::NEGATOR,
            Cue::Common => Self::COMMON,
            Cue::TrailingNegator => Self::TRAILING,
            Cue::Clause => Self::CLAUSE,
            Cue::Link => Self::LINK,
            Cue::Quality => Self::QUALITY,
            _ => 0,
        }
    }
}

/// The rest of a phrase after its first word: the second word, looked at first, and those after it.
#[derive(Debug, Clone)]
pub(crate) struct Phrase {
    pub(crate) second: u64,
    pub(crate) rest: Box<[u64]>,
    pub(crate) cue: Cue,
    pub(crate) weight: f32,
}

/// A language with a lexicon of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The words of the language, parsed at first use.
    pub fn lexicon(self) -> Arc<Lexicon> {
        static PARSED: [OnceLock<Arc<Lexicon>>; Language::ALL.len()] = [const { OnceLock::new() }; 2];
        let parsed = PARSED[self as usize].get_or_init(|| {
            let [cues, lemmas, phrases] = self.files();
            let lexicon = Lexicon::parse(cues, lemmas, phrases);
            Arc::new(lexicon.expect("the embedded files are tested"))
        });
        Arc::clone(parsed)
    }

    fn files(self) -> [&'static str; 3] {
        match self {
            Self::English => [
                include_str!("../../lexicon/en.cues"),
                include_str!("../../lexicon/en.lemmas"),
                include_str!("../../lexicon/en.phrases"),
            ],
            Self::German => [
                include_str!("../../lexicon/de.cues"),
                include_str!("../../lexicon/de.lemmas"),
                include_str!("../../lexicon/de.phrases"),
            ],
        }
    }
}

impl Lexicon {
    /// English, parsed at first use.
    pub fn english() -> Arc<Self> {
        Language::English.lexicon()
    }

    /// Differs from that of any other set of files.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Hash of the stem of a lower-case word with this hash; `scratch` saves an allocation.
    pub(crate) fn stem(&self, word: &[u8], hash: u64, scratch: &mut Vec<u8>) -> u64 {
        self.stemmer.stem(word, hash, scratch)
    }

    /// Whether a lower-case word is by its ending an adverb, adjective or participle.
    pub(crate) fn is_modifier(&self, word: &[u8]) -> bool {
        self.stemmer.is_modifier(word)
    }

    /// The text of a phrase; [`Lexicon::parse`] has seen to it that every one exists.
    pub(crate) fn phrase(&self, key: &str) -> &str {
        self.phrases.get(&hash64(key.as_bytes())).map_or("", |text| text)
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
