//! What not to bring up: subjects the person does not want to be asked about, and those that hurt lately.
//!
//! "I don't want to talk about my father" closes a subject, "let's drop it" the one just talked about. It is
//! open again once the person tells of it themselves. Nothing that is closed is suggested, quoted or pointed
//! out; the plan names it, so that the reply keeps away from it too.

use serde::{Deserialize, Serialize};
use whisperengine_types::Timestamp;

use crate::{
    lexicon::{Cue, Lexicon},
    number::{DAY, push_bounded},
    text::{Term, Utterance, Word, fold32},
    thread::Scope,
};

/// The subjects that somebody closed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Boundaries {
    closed: Vec<Closed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Closed {
    /// Hash of the stem of its word.
    id: u32,
    word: Word,
    scope: Scope,
    at: Timestamp,
}

const MAX_CLOSED: usize = 6;
const EXPIRY_DAYS: u32 = 365;
/// Words of one refusal that name its subject.
const NAMED: usize = 2;

impl Boundaries {
    /// Closes what the message asks to leave alone and opens what it tells of. `current` is the word of the
    /// present subject, meant by "it".
    pub(crate) fn heed(
        &mut self,
        utterance: &Utterance<'_>,
        current: Option<(u32, Word)>,
        scope: Scope,
        at: Timestamp,
    ) {
        self.closed
            .retain(|closed| at.since(closed.at) <= DAY * EXPIRY_DAYS);
        let refusals = utterance
            .hits
            .iter()
            .filter(|hit| hit.cue == Cue::Boundary && !hit.negated);
        // The words of a refusal itself name nothing.
        let own = |id: u32| {
            refusals.clone().any(|hit| {
                let words = &utterance.tokens[usize::from(hit.token)..][..usize::from(hit.len)];
                words.iter().any(|token| fold32(token.stem) == id)
            })
        };
        let mut refused = false;
        for hit in refusals.clone() {
            refused = true;
            let sentence = utterance.tokens[usize::from(hit.token)].sentence;
            let bit = 1_u64.checked_shl(u32::from(sentence)).unwrap_or(0);
            let here = |term: &&Term| term.is_telling() && term.sentences & bit != 0 && !own(term.id);
            let named: Vec<(u32, Word)> = utterance
                .terms
                .iter()
                .filter(here)
                .map(|term| (term.id, term.word))
                .collect();
            for &(id, word) in named
                .iter()
                .take(NAMED)
                .chain(current.iter().filter(|_| named.is_empty()))
            {
                self.closed
                    .retain(|closed| closed.id != id || closed.scope != scope);
                push_bounded(&mut self.closed, Closed { id, word, scope, at }, MAX_CLOSED);
            }
        }
        if !refused && !self.closed.is_empty() {
            let mask = utterance.told();
            let told = |id: u32| {
                utterance
                    .terms
                    .iter()
                    .any(|term| term.id == id && term.sentences & mask != 0)
            };
            self.closed.retain(|closed| !told(closed.id));
        }
    }

    /// Whether a text touches a closed subject.
    pub(crate) fn cover(&self, lexicon: &Lexicon, text: &str) -> bool {
        if self.closed.is_empty() {
            return false;
        }
        let utterance = Utterance::read(lexicon, text);
        self.closed
            .iter()
            .any(|closed| utterance.terms.iter().any(|term| term.id == closed.id))
    }

    /// What is closed, as far as it may be mentioned in `here`, latest first.
    pub(crate) fn names(&self, here: Scope) -> impl Iterator<Item = &str> {
        let visible = self
            .closed
            .iter()
            .rev()
            .filter(move |closed| closed.scope.visible_in(here));
        visible.map(|closed| closed.word.as_str())
    }

    pub(crate) fn repair(&mut self) {
        self.closed.truncate(MAX_CLOSED);
    }
}
