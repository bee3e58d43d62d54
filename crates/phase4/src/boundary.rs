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
    text::{Term, Utterance, Word, fold32, is_unspaced},
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

impl Closed {
    /// Whether one of these sentences of a text speaks of the subject. Where no blanks part words, and where a
    /// word is inflected in ways that are not known, its letters are enough.
    fn is_in(&self, utterance: &Utterance<'_>, sentences: u64) -> bool {
        let word = self.word.as_str();
        let unspaced = word.chars().next().is_some_and(is_unspaced);
        utterance.terms.iter().any(|term| {
            let same = term.id == self.id
                || (unspaced && term.word.as_str().contains(word))
                || (!word.is_ascii() && begins_alike(word, term.word.as_str()));
            same && (sentences == u64::MAX || term.sentences & sentences != 0)
        })
    }
}

/// Whether two words differ in their last two letters at most.
fn begins_alike(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longest = a.chars().count().max(b.chars().count());
    common >= 4 && common + 2 >= longest
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
            self.closed.retain(|closed| !closed.is_in(utterance, mask));
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
            .any(|closed| closed.is_in(&utterance, u64::MAX))
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
