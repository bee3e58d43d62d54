//! What a thread still owes: questions without an answer, things the person said they would do.

use serde::{Deserialize, Serialize};
use whisperengine_types::Timestamp;

use super::{MAX_ITEMS, Scope, Threads};
use crate::{
    lexicon::Cue,
    number::{DAY, push_bounded},
    text::{Hit, Utterance, keep},
};

/// An open question or commitment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) thread: u64,
    pub(crate) kind: ItemKind,
    pub(crate) text: String,
    pub(crate) scope: Scope,
    pub(crate) at: Timestamp,
    /// Its content words, at most [`KEYS`].
    keys: Vec<u32>,
    /// Asked in the latest turn: the next reply may answer it.
    fresh: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ItemKind {
    Question,
    Commitment,
}

const KEYS: usize = 4;
/// Bytes kept of a question or commitment.
const TEXT_BYTES: usize = 80;
const EXPIRY_DAYS: u32 = 30;

impl Threads {
    /// Open items that may be mentioned in `here`, oldest first.
    pub(crate) fn items(&self, here: Scope) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.scope.visible_in(here))
    }

    /// Notes the questions and commitments of a message in thread `number`.
    pub(super) fn note_items(&mut self, number: u64, utterance: &Utterance<'_>, scope: Scope, at: Timestamp) {
        for item in &mut self.items {
            item.fresh = false;
        }
        self.settle_items(number, utterance, at);
        for (index, sentence) in utterance.sentences.iter().enumerate() {
            let text = utterance.sentence(sentence);
            let in_sentence = |hit: &&Hit| {
                usize::from(utterance.tokens[usize::from(hit.token)].sentence) == index && !hit.negated
            };
            let has = |cue| {
                utterance
                    .hits
                    .iter()
                    .filter(in_sentence)
                    .any(|hit| hit.cue == cue)
            };
            if sentence.question && (has(Cue::Smalltalk) || has(Cue::Exclaim)) {
                continue;
            }
            let kind = if sentence.question {
                ItemKind::Question
            } else {
                ItemKind::Commitment
            };
            let from = match kind {
                ItemKind::Question => 0,
                ItemKind::Commitment => {
                    let mut hits = utterance.hits.iter().filter(in_sentence);
                    let Some(hit) = hits.find(|hit| hit.cue == Cue::Commitment) else {
                        continue;
                    };
                    if !is_deed(utterance, hit) {
                        continue;
                    }
                    (utterance.tokens[usize::from(hit.token)].start - sentence.start) as usize
                }
            };
            let keys = keys(utterance, index as u16);
            if keys.is_empty()
                || self
                    .items
                    .iter()
                    .any(|item| item.kind == kind && item.keys == keys)
            {
                continue;
            }
            let text = keep(text.get(from..).unwrap_or(text), TEXT_BYTES);
            let item = Item {
                thread: number,
                kind,
                text,
                scope,
                at,
                keys,
                fresh: true,
            };
            push_bounded(&mut self.items, item, MAX_ITEMS);
        }
    }

    /// Drops what the person has done, dropped or waited for too long.
    fn settle_items(&mut self, number: u64, utterance: &Utterance<'_>, at: Timestamp) {
        let dropped = utterance.has(Cue::Closing);
        let done = utterance.has(Cue::Done) || utterance.has(Cue::Achievement) || utterance.has(Cue::Solved);
        self.items.retain(|item| {
            let shared = item
                .keys
                .iter()
                .filter(|key| utterance.terms.iter().any(|t| t.id == **key))
                .count();
            let finished = item.kind == ItemKind::Commitment && done && shared > 0;
            let given_up = dropped && item.thread == number && item.kind == ItemKind::Question;
            !finished && !given_up && at.since(item.at) <= DAY * EXPIRY_DAYS
        });
    }

    /// A reply answers the questions of the turn before it, unless it puts them off.
    pub(super) fn answer_items(&mut self, reply: &Utterance<'_>) {
        let puts_off = reply.has(Cue::Deferral);
        let says_something = reply.words() >= 3;
        self.items.retain(|item| {
            let shared = item
                .keys
                .iter()
                .any(|key| reply.terms.iter().any(|term| term.id == *key));
            let statement = reply.sentences.iter().any(|sentence| !sentence.question);
            let answered = says_something && statement && !puts_off && (item.fresh || shared);
            item.kind != ItemKind::Question || !answered
        });
        for item in &mut self.items {
            item.fresh = false;
        }
    }

    pub(super) fn repair_items(&mut self) {
        self.items.truncate(MAX_ITEMS);
        for item in &mut self.items {
            item.keys.truncate(KEYS);
            item.text = keep(&item.text, TEXT_BYTES);
        }
    }
}

impl Item {
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }
}

/// Whether the words after "I will" name something to do rather than a manner of speaking.
fn is_deed(utterance: &Utterance<'_>, hit: &Hit) -> bool {
    let next = usize::from(hit.token) + usize::from(hit.len);
    let Some(token) = utterance.tokens.get(next) else {
        return false;
    };
    let manner = utterance
        .hits
        .iter()
        .any(|hit| hit.cue == Cue::Manner && usize::from(hit.token) == next)
        || token.negated;
    !manner && utterance.tokens[next..].iter().any(|token| !token.stop)
}

/// The most telling content words of a sentence.
fn keys(utterance: &Utterance<'_>, sentence: u16) -> Vec<u32> {
    let in_sentence = |id: u32| {
        utterance
            .tokens
            .iter()
            .any(|token| token.sentence == sentence && crate::text::fold32(token.stem) == id)
    };
    let mut terms: Vec<_> = utterance
        .terms
        .iter()
        .filter(|term| in_sentence(term.id))
        .collect();
    terms.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let telling = terms.iter().filter(|term| term.weight >= 0.4).count();
    terms
        .iter()
        .take(telling.clamp(1, KEYS))
        .map(|term| term.id)
        .collect()
}
