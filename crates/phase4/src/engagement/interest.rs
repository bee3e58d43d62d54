//! What a person keeps coming back to.

use serde::{Deserialize, Serialize};

use crate::{
    lexicon::Theme,
    number::unit,
    text::{Utterance, Word},
    thread::Scope,
};

/// The words a person uses most, fading.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Interests {
    words: Vec<Interest>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Interest {
    id: u32,
    word: Word,
    score: f32,
    scope: Scope,
}

/// What the interests learn from one message; waits in the state until the reply is out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mentions {
    terms: Vec<(u32, Word)>,
    scope: Scope,
    hobby: bool,
}

const MAX_WORDS: usize = 12;
const MAX_MENTIONS: usize = 8;
/// Score from which a word is an interest.
const ENOUGH: f32 = 0.25;

impl Mentions {
    pub(crate) fn new(utterance: &Utterance<'_>, scope: Scope) -> Self {
        let subjects = utterance.terms.iter().filter(|term| term.subject);
        Self {
            terms: subjects
                .take(MAX_MENTIONS)
                .map(|term| (term.id, term.word))
                .collect(),
            scope,
            hobby: utterance.themes.contains(Theme::Hobbies) || utterance.themes.contains(Theme::Learning),
        }
    }
}

impl Interests {
    pub(crate) fn learn(&mut self, mentions: &Mentions) {
        for interest in &mut self.words {
            interest.score *= 0.99;
        }
        let gain = if mentions.hobby { 0.2 } else { 0.1 };
        for &(id, word) in mentions.terms.iter().take(MAX_MENTIONS) {
            let same = |known: &&mut Interest| known.id == id && known.scope == mentions.scope;
            if let Some(known) = self.words.iter_mut().find(same) {
                known.score = unit(known.score + gain);
                continue;
            }
            let fresh = Interest {
                id,
                word,
                score: gain,
                scope: mentions.scope,
            };
            if self.words.len() < MAX_WORDS {
                self.words.push(fresh);
                continue;
            }
            let weakest = self.words.iter_mut().min_by(|a, b| a.score.total_cmp(&b.score));
            if let Some(weakest) = weakest.filter(|weakest| weakest.score < gain + 0.01) {
                *weakest = fresh;
            }
        }
    }

    /// Interests that may be mentioned in `here`, strongest first.
    pub(crate) fn strongest(&self, here: Scope) -> Vec<(String, f32)> {
        let mut found: Vec<_> = self
            .words
            .iter()
            .filter(|known| known.score >= ENOUGH && known.scope.visible_in(here))
            .map(|known| (known.word.as_str().to_owned(), known.score))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found
    }

    /// The strongest of them, without their scores.
    pub(crate) fn words(&self, here: Scope, limit: usize) -> Vec<String> {
        let mut best: [Option<&Interest>; 3] = [None; 3];
        let limit = limit.min(best.len());
        let visible = |known: &&Interest| known.score >= ENOUGH && known.scope.visible_in(here);
        for known in self.words.iter().filter(visible) {
            let before = |other: &Interest| (other.score, known.word) < (known.score, other.word);
            let place = best[..limit].iter().position(|other| other.is_none_or(before));
            if let Some(place) = place {
                best[place..limit].rotate_right(1);
                best[place] = Some(known);
            }
        }
        best.iter()
            .flatten()
            .map(|known| known.word.as_str().to_owned())
            .collect()
    }

    pub(crate) fn repair(&mut self) {
        self.words.truncate(MAX_WORDS);
        for known in &mut self.words {
            known.score = unit(known.score);
        }
    }
}
