//! The parts of a message that queries are made from.

use super::{QueryKind, RecallQuery, stance::FELT};
use crate::{
    lexicon::{Cue, Theme},
    state::UserState,
    text::{Hit, Term, Token, Utterance, fold32},
};

const MAX_ENTITIES: usize = 8;
const MAX_QUERIES: usize = 5;
const ENTITIES_ASKED: usize = 4;
const MAX_TOPIC_TERMS: usize = 6;
const MAX_PAIRS: usize = 3;
/// Memories of one query.
const LIMIT: usize = 15;
/// Telling words below which a message leans on its thread.
const FEW: usize = 2;
/// Topics of the thread that words are borrowed from.
const TOPICS: usize = 3;

/// The parts of a message that queries are made from.
pub(super) struct Asked<'u> {
    /// Words that are no stop words and longer than two letters.
    pub(super) words: Vec<&'u str>,
    telling: usize,
}

impl<'u> Asked<'u> {
    pub(super) fn of(utterance: &'u Utterance<'_>) -> Self {
        let content = |token: &&Token| !token.stop && !token.symbol && !token.aside;
        let mut words = Vec::new();
        for token in utterance.tokens.iter().filter(content) {
            let word = utterance.lower(token);
            if word.chars().count() > 2 && !words.contains(&word) {
                words.push(word);
            }
        }
        Self {
            words,
            telling: utterance.terms.iter().filter(|term| term.is_telling()).count(),
        }
    }

    /// The words of its thread's topics that a message needs which says little without them.
    pub(super) fn borrowed(&self, utterance: &Utterance<'_>, state: &UserState) -> Vec<String> {
        let points_back = |hit: &Hit| hit.cue == Cue::Anaphora && hit.token < 3;
        if self.telling >= FEW && !utterance.hits.iter().any(points_back) {
            return Vec::new();
        }
        let topics = state.threads.current_topics(TOPICS, state.session.scope);
        let is_new = |word: &String| !self.words.contains(&word.as_str());
        topics.into_iter().filter(is_new).collect()
    }
}

/// The queries, most telling first.
pub(super) fn queries(
    utterance: &Utterance<'_>,
    entities: &[String],
    borrowed: &[String],
) -> Vec<RecallQuery> {
    let names = || entities.iter().map(String::as_str);
    let with = |word: &str| -> String {
        std::iter::once(word)
            .chain(names().take(2))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut queries = Vec::new();
    if !entities.is_empty() {
        let text = first(&names().collect::<Vec<_>>(), ENTITIES_ASKED);
        queries.push(query(QueryKind::Entities, text, 1.0, 0.9));
    }
    if !borrowed.is_empty() {
        queries.push(query(QueryKind::Thread, borrowed.join(" "), 0.9, 0.7));
    }
    let topics = topic_words(utterance);
    if !topics.is_empty() {
        queries.push(query(QueryKind::Topics, topics.join(" "), 0.8, 0.8));
    }
    let wanted = cue_word(utterance, &[Cue::Support, Cue::Problem, Cue::Goal]);
    if let Some(word) = wanted.filter(|_| !entities.is_empty()) {
        queries.push(query(QueryKind::Intent, with(&word), 0.7, 0.7));
    }
    let felt = cue_word(utterance, &FELT);
    if let Some(word) = felt.filter(|_| !entities.is_empty()) {
        queries.push(query(QueryKind::Emotion, with(&word), 0.6, 0.6));
    }
    if entities.len() >= 2 {
        let pairs: Vec<String> = entities
            .windows(2)
            .take(MAX_PAIRS)
            .map(|pair| pair.join(" "))
            .collect();
        queries.push(query(QueryKind::Pairs, pairs.join(" "), 0.5, 0.5));
    }
    queries.truncate(MAX_QUERIES);
    queries
}

pub(super) fn query(kind: QueryKind, text: String, weight: f32, confidence: f32) -> RecallQuery {
    RecallQuery {
        text,
        kind,
        weight,
        confidence,
        limit: LIMIT,
    }
}

pub(super) fn first(words: &[&str], limit: usize) -> String {
    words[..words.len().min(limit)].join(" ")
}

/// Telling words, neighbours joined.
pub(super) fn entities(utterance: &Utterance<'_>) -> Vec<String> {
    let telling = |id: u32| {
        let known = |term: &&Term| term.id == id && term.is_telling();
        utterance.terms.iter().any(|term| known(&term))
    };
    let mut found: Vec<String> = Vec::new();
    let mut before = None;
    for (index, token) in utterance.tokens.iter().enumerate() {
        let word = utterance.lower(token);
        // What is wanted or felt is asked for on its own.
        let stance = |hit: &Hit| {
            usize::from(hit.token) == index && (FELT.contains(&hit.cue) || hit.cue == Cue::Support)
        };
        if utterance.hits.iter().any(stance) {
            continue;
        }
        if token.symbol || token.aside || word.len() < 3 || !telling(fold32(token.stem)) {
            continue;
        }
        let joins = before == index.checked_sub(1) && before.is_some() && !token.clause_start;
        if let Some(last) = found.last_mut().filter(|last| joins && !last.contains(' ')) {
            last.push(' ');
            last.push_str(word);
        } else if found.len() < MAX_ENTITIES {
            found.push(word.to_owned());
        } else {
            break;
        }
        before = Some(index);
    }
    let mut seen = Vec::with_capacity(found.len());
    for entity in found {
        if !seen.contains(&entity) {
            seen.push(entity);
        }
    }
    seen
}

/// The words that stand for the message's subjects.
fn topic_words(utterance: &Utterance<'_>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for hit in &utterance.hits {
        if !Theme::from_cue(hit.cue).is_some_and(Theme::is_subject) {
            continue;
        }
        let from = usize::from(hit.token);
        let tokens = &utterance.tokens[from..from + usize::from(hit.len)];
        let word = tokens
            .iter()
            .map(|token| utterance.lower(token))
            .collect::<Vec<_>>()
            .join(" ");
        if !words.contains(&word) {
            words.push(word);
        }
        if words.len() == MAX_TOPIC_TERMS {
            break;
        }
    }
    words
}

fn cue_word(utterance: &Utterance<'_>, families: &[Cue]) -> Option<String> {
    Some(utterance.cue_words(families, 1)).filter(|word| !word.is_empty())
}
