//! Text to terms: lower case, no stop words, English stems (Porter 2).

use std::{borrow::Cow, cell::RefCell, collections::HashMap};

use rust_stemmers::{Algorithm, Stemmer};

use super::{stop_words::is_stop_word, term_hash};
use crate::record::TermCount;

/// A word of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryTerm {
    pub(crate) term: u32,
    /// As written in the question.
    pub(crate) word: String,
}

/// The terms of `text` and how often each occurs, ascending by term.
pub(crate) fn analyze(text: &str) -> Vec<TermCount> {
    let mut terms: Vec<u32> = words(text).filter_map(term).collect();
    terms.sort_unstable();
    terms
        .chunk_by(|a, b| a == b)
        .map(|run| TermCount {
            term: run[0],
            count: u8::try_from(run.len()).unwrap_or(u8::MAX),
        })
        .collect()
}

/// The distinct terms of a question in the order of its words.
pub(crate) fn query_terms(text: &str) -> Vec<QueryTerm> {
    let mut terms: Vec<QueryTerm> = Vec::new();
    for word in words(text) {
        if let Some(term) = term(word)
            && terms.iter().all(|known| known.term != term)
        {
            terms.push(QueryTerm {
                term,
                word: word.to_owned(),
            });
        }
    }
    terms
}

/// The words of `text` as written: runs of letters, digits and inner apostrophes.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '\u{2019}'))
        .map(|word| word.trim_matches(['\'', '\u{2019}']))
        .filter(|word| !word.is_empty())
}

/// The hash of a word's stem; `None` for stop words.
fn term(word: &str) -> Option<u32> {
    let lower: Cow<'_, str> = if word.bytes().all(|b| b.is_ascii_lowercase()) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(word.to_lowercase())
    };
    let word = ["'s", "\u{2019}s"]
        .into_iter()
        .find_map(|suffix| lower.strip_suffix(suffix))
        .unwrap_or(&lower);
    if word.is_empty() || is_stop_word(word) {
        return None;
    }
    Some(STEMS.with_borrow_mut(|stems| stems.term(word)))
}

/// Stemming costs a hundred times a look-up, and people use the same few thousand words.
struct Stems {
    stemmer: Stemmer,
    known: HashMap<Box<str>, u32>,
}

impl Stems {
    fn term(&mut self, word: &str) -> u32 {
        if let Some(&term) = self.known.get(word) {
            return term;
        }
        let term = term_hash(&self.stemmer.stem(word));
        if self.known.len() >= KNOWN_WORDS {
            self.known.clear();
        }
        if word.len() <= KNOWN_WORD_BYTES {
            self.known.insert(word.into(), term);
        }
        term
    }
}

thread_local! {
    static STEMS: RefCell<Stems> = RefCell::new(Stems {
        stemmer: Stemmer::create(Algorithm::English),
        known: HashMap::new(),
    });
}

const KNOWN_WORDS: usize = 8192;
const KNOWN_WORD_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let expected: Vec<u32> = {
            let mut terms: Vec<u32> = expected.split_whitespace().map(term_hash).collect();
            terms.sort_unstable();
            terms
        };
        let terms: Vec<u32> = analyze(text).iter().map(|t| t.term).collect();
        assert_eq!(terms, expected, "{text:?}");
    }

    #[test]
    fn words_lose_case_inflection_and_possession() {
        check("Painting sunsets, painted SUNSET", "paint sunset");
        check("Caroline's dogs", "carolin dog");
        check("the and of it was", "");
        check("it\u{2019}s Ana\u{2019}s", "ana");
        check("caf\u{e9} 2023 'quoted'", "caf\u{e9} 2023 quot");
        check("", "");
    }

    #[test]
    fn occurrences_are_counted_and_capped() {
        assert_eq!(analyze(&"dog ".repeat(3))[0].count, 3);
        assert_eq!(analyze(&"dog ".repeat(300))[0].count, 255);
    }

    #[test]
    fn a_questions_terms_keep_its_spelling_and_order() {
        let words: Vec<String> = query_terms("Which Dogs did the dog paint?")
            .into_iter()
            .map(|t| t.word)
            .collect();
        assert_eq!(words, ["Dogs", "paint"]);
    }
}
