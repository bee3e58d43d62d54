//! The words the engine knows, one set of files for each language.
//!
//! A language is `lexicon/<code>.cues` (families of cue words and phrases), `.lemmas` (inflections) and
//! `.phrases` (what the engine says), embedded in the library and parsed once. Some languages have function
//! words, goodbyes and refusals only; feelings are then those of the reading, and the engine says nothing.
//!
//! Invariants: cues match whole words by lemma, never parts of words; the longest phrase at a place wins;
//! an unknown section is an error; the words of one language are never looked for in another.

mod cue;
mod parse;
mod stem;
mod table;
mod theme;

use std::sync::{Arc, OnceLock};

pub(crate) use cue::Cue;
pub use parse::LexiconError;
pub(crate) use table::{Place, Table};
pub use theme::Theme;
pub(crate) use theme::Themes;
use whisperengine_types::Language;

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

/// The languages with files, by code: cues, lemmas, phrases. Those without phrases have a few cues only.
const LANGUAGES: [(&str, [&str; 3]); 18] = [
    (
        "en",
        [
            include_str!("../../lexicon/en.cues"),
            include_str!("../../lexicon/en.lemmas"),
            include_str!("../../lexicon/en.phrases"),
        ],
    ),
    (
        "de",
        [
            include_str!("../../lexicon/de.cues"),
            include_str!("../../lexicon/de.lemmas"),
            include_str!("../../lexicon/de.phrases"),
        ],
    ),
    (
        "es",
        [
            include_str!("../../lexicon/es.cues"),
            include_str!("../../lexicon/es.lemmas"),
            include_str!("../../lexicon/es.phrases"),
        ],
    ),
    (
        "fr",
        [
            include_str!("../../lexicon/fr.cues"),
            include_str!("../../lexicon/fr.lemmas"),
            include_str!("../../lexicon/fr.phrases"),
        ],
    ),
    (
        "pt",
        [
            include_str!("../../lexicon/pt.cues"),
            include_str!("../../lexicon/pt.lemmas"),
            include_str!("../../lexicon/pt.phrases"),
        ],
    ),
    ("ar", [include_str!("../../lexicon/ar.cues"), SELF, ""]),
    ("hi", [include_str!("../../lexicon/hi.cues"), SELF, ""]),
    ("id", [include_str!("../../lexicon/id.cues"), SELF, ""]),
    ("it", [include_str!("../../lexicon/it.cues"), ELIDING, ""]),
    ("ja", [include_str!("../../lexicon/ja.cues"), SELF, ""]),
    ("ko", [include_str!("../../lexicon/ko.cues"), SELF, ""]),
    ("nl", [include_str!("../../lexicon/nl.cues"), SELF, ""]),
    ("pl", [include_str!("../../lexicon/pl.cues"), SELF, ""]),
    ("ru", [include_str!("../../lexicon/ru.cues"), SELF, ""]),
    ("th", [include_str!("../../lexicon/th.cues"), SELF, ""]),
    ("tr", [include_str!("../../lexicon/tr.cues"), SELF, ""]),
    ("vi", [include_str!("../../lexicon/vi.cues"), SELF, ""]),
    ("zh", [include_str!("../../lexicon/zh.cues"), SELF, ""]),
];

/// The lemma rules of a language with a few cues: what addresses nobody is about the writer.
const SELF: &str = "@self";
const ELIDING: &str = "@self\n@elide l d un all dell nell sull dall c m t s n quest quell";

impl Lexicon {
    /// The words of a language, parsed at first use; none of a language without files.
    pub fn of(language: Language) -> Arc<Self> {
        static PARSED: [OnceLock<Arc<Lexicon>>; LANGUAGES.len() + 1] =
            [const { OnceLock::new() }; LANGUAGES.len() + 1];
        let known = LANGUAGES.iter().position(|(code, _)| *code == language.code());
        let index = known.unwrap_or(LANGUAGES.len());
        let parsed = PARSED[index].get_or_init(|| {
            let [cues, lemmas, phrases] = known.map_or(["", SELF, ""], |known| LANGUAGES[known].1);
            let lexicon = Self::parse(cues, lemmas, phrases);
            Arc::new(lexicon.expect("the embedded files are tested"))
        });
        Arc::clone(parsed)
    }

    /// English, parsed at first use.
    pub fn english() -> Arc<Self> {
        Self::of(Language::ENGLISH)
    }

    /// Whether the engine has words of its own in this language.
    pub(crate) fn speaks(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// Whether a sentence that addresses nobody is about the writer, for the language needs no pronoun.
    pub(crate) fn implies_self(&self) -> bool {
        self.stemmer.implies_self()
    }

    /// Whether letters before an apostrophe are a word of their own.
    pub(crate) fn elides(&self, letters: &str) -> bool {
        self.stemmer.elides(letters)
    }

    /// Whether some cue is exactly this word, or begins with it.
    pub(crate) fn knows(&self, word: &str) -> bool {
        let hash = hash64(word.as_bytes());
        self.exact.place(hash).is_some() || self.stems.place(hash).is_some()
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
