//! The words that a message borrows from its thread to be searched by: "how did it go?" says nothing of its
//! own.

use crate::{
    lexicon::{Cue, Lexicon},
    state::UserState,
    text::{Hit, Utterance},
};

/// Words of the running thread's topics, separated by spaces, for a message that leans on what was said before;
/// `None` for one that stands on its own.
pub(crate) fn query_context(lexicon: &Lexicon, state: &UserState, message: &str) -> Option<String> {
    // A longer message has words of its own to be found by.
    if message.split_whitespace().nth(SHORT_MESSAGE_WORDS).is_some() {
        return None;
    }
    let utterance = Utterance::read(lexicon, message);
    let telling = utterance.terms.iter().filter(|term| term.is_telling()).count();
    let points_back = |hit: &Hit| hit.cue == Cue::Anaphora && hit.token < 3;
    if telling >= FEW_TERMS && !utterance.hits.iter().any(points_back) {
        return None;
    }
    let is_in_message = |word: &str| {
        utterance
            .tokens
            .iter()
            .any(|token| utterance.lower(token) == word)
    };
    let mut topics = state.threads.current_topics(TOPICS, state.session.scope);
    topics.retain(|word| !is_in_message(word));
    (!topics.is_empty()).then(|| topics.join(" "))
}

/// Messages of more words are searched by as they are.
const SHORT_MESSAGE_WORDS: usize = 5;
/// Telling words below which a message leans on its thread.
const FEW_TERMS: usize = 2;
/// Topics of the thread that words are borrowed from.
const TOPICS: usize = 3;
