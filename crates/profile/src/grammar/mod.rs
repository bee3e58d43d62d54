//! The rules of one language, read from `rules/LANG.txt`.
//!
//! ```text
//! # a comment
//! @animal = dog|cat|guinea pig           a class of words
//! month.3 = march|mar                    words of the calendar, numbers, signs of a correction
//! residence + : i live in <place>        a fact, when a sentence matches
//! pet - detail=died : my <d:@animal> died
//! block : if|i wish                      a clause with these words states nothing
//! ask residence : where do i live        what a question asks for
//! each sibling child > {K} + : ...       a rule for each of the words
//! ```

mod load;
mod matching;
mod pattern;
mod quantity;
mod value;

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use whisperengine_types::{Language, Slot};

pub(crate) use self::{
    matching::{Captured, Match, find},
    pattern::{Capture, Node, Role},
    quantity::calendar_at,
};
use crate::text::{Apostrophe, Tokens};

/// A line of a rule file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {text:?}")]
pub(crate) struct GrammarError {
    text: String,
}

impl GrammarError {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
        }
    }
}

/// A word of the calendar, a number or a sign of a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calendar {
    /// January is 1.
    Month(i8),
    /// Monday is 1.
    Weekday(i8),
    /// Today is 0, tomorrow 1.
    Day(i8),
    /// This week is 0, last week -1.
    Week(i8),
    /// The same of months.
    MonthFrom(i8),
    /// The same of years.
    Year(i8),
    Number(u8),
}

/// What a rule does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Affirm,
    Deny,
    /// States nothing by itself: its clause is not about the person, or not real.
    Block,
    Ask,
}

/// What a question wants to know of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asked {
    /// The value that holds.
    #[default]
    Value,
    /// Since when it holds.
    When,
    /// What held before.
    Before,
}

#[derive(Debug)]
pub(crate) struct Rule {
    /// Empty for a block that concerns every slot.
    pub slots: Vec<Slot>,
    pub act: Act,
    pub pattern: Vec<Node>,
    pub value: Option<Box<str>>,
    pub detail: Option<Box<str>>,
    pub asked: Asked,
    pub confidence: f32,
    pub flags: Vec<Flag>,
}

impl Rule {
    pub(crate) fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    /// Ends what stands in the slot, without being worth a line of its own.
    Silent,
    /// Says something only of what is known already.
    KnownOnly,
    /// Holds whatever blocks stand beside it.
    Real,
    /// Tells how a plan went.
    Outcome,
    /// Needs a date in the sentence.
    Dated,
    /// Takes the sentence also when it is a question.
    InQuestion,
}

#[derive(Debug, Default)]
struct Class {
    words: Vec<u32>,
    phrases: Vec<Vec<u32>>,
    prefixes: Vec<Box<str>>,
    suffixes: Vec<Box<str>>,
}

/// The rules of a language.
#[derive(Debug)]
pub(crate) struct Grammar {
    pub rules: Vec<Rule>,
    pub apostrophe: Apostrophe,
    /// Nouns are capitalised: a capital does not make a name.
    pub noun_capitals: bool,
    pub wide: bool,
    vocabulary: HashMap<Box<str>, u32>,
    classes: Vec<Class>,
    class_names: HashMap<Box<str>, usize>,
    /// Rules by the word that must stand in the sentence.
    by_word: HashMap<u32, Vec<u16>>,
    by_prefix: HashMap<char, Vec<(Box<str>, u16)>>,
    /// Rules without such a word.
    always: Vec<u16>,
    calendar: Vec<(Vec<u32>, Calendar)>,
    stop: Option<usize>,
    determiner: Option<usize>,
    job: Option<usize>,
    and: Option<usize>,
    correction: Option<usize>,
    instead: Option<usize>,
    not: Option<usize>,
    question: Option<usize>,
    common: Option<usize>,
    state: Option<usize>,
    asking: Option<usize>,
}

impl Grammar {
    /// The rules of `language`, if there are any.
    pub(crate) fn of(language: Language) -> Option<&'static Self> {
        static GRAMMARS: [OnceLock<Grammar>; FILES.len()] = [const { OnceLock::new() }; FILES.len()];
        let at = FILES.iter().position(|(code, _)| *code == language.code())?;
        Some(GRAMMARS[at].get_or_init(|| {
            Self::parse(FILES[at].0, FILES[at].1).expect("the embedded rules are tested to be readable")
        }))
    }

    /// The languages that have rules.
    pub(crate) fn languages() -> &'static [Language] {
        static ALL: LazyLock<Vec<Language>> = LazyLock::new(|| {
            FILES
                .iter()
                .filter_map(|(code, _)| Language::new(code).ok())
                .collect()
        });
        &ALL
    }

    pub(crate) fn tokens(&self, text: &str) -> Tokens {
        Tokens::new(text, self.apostrophe, |word| {
            self.vocabulary.get(word).copied().unwrap_or(0)
        })
    }

    /// The rules whose rarest word stands among the tokens, in the order of the file.
    pub(crate) fn candidates(&self, tokens: &Tokens, range: std::ops::Range<usize>, out: &mut Vec<u16>) {
        out.clear();
        out.extend_from_slice(&self.always);
        for token in &tokens.all[range] {
            if let Some(rules) = self.by_word.get(&token.word).filter(|_| token.word != 0) {
                out.extend_from_slice(rules);
            }
            let folded = tokens.folded(token);
            let first = folded.chars().next();
            if let Some(stems) = first.and_then(|c| self.by_prefix.get(&c)) {
                out.extend(
                    stems
                        .iter()
                        .filter(|(s, _)| folded.starts_with(&**s))
                        .map(|&(_, rule)| rule),
                );
            }
        }
        out.sort_unstable();
        out.dedup();
    }

    /// The tokens that a word or phrase of the class takes at `at`; 0 when none stands there.
    pub(crate) fn class_at(&self, class: Option<usize>, tokens: &Tokens, at: usize, end: usize) -> usize {
        let Some(class) = class.map(|class| &self.classes[class]) else {
            return 0;
        };
        if at >= end {
            return 0;
        }
        let token = &tokens.all[at];
        if token.word != 0 {
            // Phrases are sorted by their first word, the longest first.
            let from = class.phrases.partition_point(|phrase| phrase[0] < token.word);
            let phrases = class.phrases[from..]
                .iter()
                .take_while(|phrase| phrase[0] == token.word);
            for phrase in phrases.filter(|phrase| at + phrase.len() <= end) {
                if phrase
                    .iter()
                    .zip(&tokens.all[at..])
                    .all(|(word, t)| *word == t.word)
                {
                    return phrase.len();
                }
            }
            if class.words.binary_search(&token.word).is_ok() {
                return 1;
            }
        }
        if class.prefixes.is_empty() && class.suffixes.is_empty() {
            return 0;
        }
        let folded = tokens.folded(token);
        let stem = class.prefixes.iter().any(|stem| folded.starts_with(&**stem))
            || class
                .suffixes
                .iter()
                .any(|stem| folded.len() > stem.len() && folded.ends_with(&**stem));
        usize::from(stem)
    }

    /// Whether a class of synonyms (`syn.*`) holds both words.
    pub(crate) fn same_sort(&self, a: &str, b: &str) -> bool {
        let word = |text: &str| self.vocabulary.get(crate::text::folded(text).as_str()).copied();
        let (Some(a), Some(b)) = (word(a), word(b)) else {
            return false;
        };
        let synonyms = self
            .class_names
            .iter()
            .filter(|(name, _)| name.starts_with("syn."));
        synonyms
            .map(|(_, class)| &self.classes[*class].words)
            .any(|words| words.contains(&a) && words.contains(&b))
    }

    /// The phrases of the calendar that begin with `word`, the longest first.
    pub(crate) fn calendar(&self, word: u32) -> impl Iterator<Item = &(Vec<u32>, Calendar)> {
        let from = self.calendar.partition_point(|(words, _)| words[0] < word);
        self.calendar[from..]
            .iter()
            .take_while(move |(words, _)| words[0] == word)
    }

    pub(crate) fn role(&self, role: Special) -> Option<usize> {
        match role {
            Special::Stop => self.stop,
            Special::Determiner => self.determiner,
            Special::Job => self.job,
            Special::And => self.and,
            Special::Correction => self.correction,
            Special::Instead => self.instead,
            Special::Not => self.not,
            Special::Question => self.question,
            Special::Common => self.common,
            Special::State => self.state,
            Special::Asking => self.asking,
        }
    }
}

/// Classes that the code asks for by name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Special {
    /// Words that no noun phrase contains.
    Stop,
    Determiner,
    Job,
    And,
    /// Words that open a correction: `sorry`, `no wait`.
    Correction,
    /// Words before the right value: `i meant`, `it's`.
    Instead,
    Not,
    /// Words that open a question.
    Question,
    /// Words that make a sentence a question wherever they stand.
    Asking,
    /// Lower-case words that are no names.
    Common,
    /// What begins a lasting statement about somebody: `is a`, `lives in`.
    State,
}

const FILES: &[(&str, &str)] = &[
    (
        "en",
        concat!(
            include_str!("../../rules/en.txt"),
            include_str!("../../rules/en-ask.txt")
        ),
    ),
    ("de", include_str!("../../rules/de.txt")),
    ("es", include_str!("../../rules/es.txt")),
    ("fr", include_str!("../../rules/fr.txt")),
    ("pt", include_str!("../../rules/pt.txt")),
    ("ru", include_str!("../../rules/ru.txt")),
    ("zh", include_str!("../../rules/zh.txt")),
    ("ja", include_str!("../../rules/ja.txt")),
    ("ko", include_str!("../../rules/ko.txt")),
    ("it", include_str!("../../rules/it.txt")),
    ("nl", include_str!("../../rules/nl.txt")),
    ("pl", include_str!("../../rules/pl.txt")),
    ("tr", include_str!("../../rules/tr.txt")),
    ("ar", include_str!("../../rules/ar.txt")),
    ("hi", include_str!("../../rules/hi.txt")),
    ("id", include_str!("../../rules/id.txt")),
    ("vi", include_str!("../../rules/vi.txt")),
    ("th", include_str!("../../rules/th.txt")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_file_is_readable() {
        for (code, text) in FILES {
            assert_eq!(Grammar::parse(code, text).err(), None, "{code}");
        }
    }
}
