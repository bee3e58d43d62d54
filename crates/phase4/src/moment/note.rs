use serde::{Deserialize, Serialize};
use whisperengine_types::{EmotionalState, MemoryId, Timestamp};

use super::{MAX_NOTES, Moments};
use crate::{
    lexicon::{Cue, Theme, Themes},
    number::{Byte, DAY, decay},
    text::{Utterance, Word, keep},
    thread::Scope,
};

/// What a message is, as far as bringing it up later goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Marks(u8);

impl Marks {
    pub(crate) const ACHIEVEMENT: u8 = 1;
    pub(crate) const PROBLEM: u8 = 2;
    pub(crate) const GOAL: u8 = 4;
    pub(crate) const HOBBY: u8 = 8;
    pub(crate) const SOLVED: u8 = 16;
    pub(crate) const CAUSE: u8 = 32;

    pub(crate) fn of(utterance: &Utterance<'_>) -> Self {
        let question = utterance.is_question() || !utterance.has(Cue::Own);
        let mark = |holds: bool, bit: u8| if holds { bit } else { 0 };
        let hobby = utterance.themes.contains(Theme::Hobbies) || utterance.themes.contains(Theme::Learning);
        // A question about success or trouble, or somebody else's, is not one's own.
        Self(
            mark(utterance.has(Cue::Achievement) && !question, Self::ACHIEVEMENT)
                | mark(
                    utterance.weight(Cue::Problem) >= 0.8
                        && !utterance.has(Cue::Solved)
                        && utterance.has(Cue::Own),
                    Self::PROBLEM,
                )
                | mark(utterance.has(Cue::Goal) && !question, Self::GOAL)
                | mark(hobby, Self::HOBBY)
                | mark(utterance.has(Cue::Solved) && !question, Self::SOLVED)
                | mark(utterance.has(Cue::Cause), Self::CAUSE),
        )
    }

    pub(crate) fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    fn count(self) -> u32 {
        (self.0 & !Self::HOBBY & !Self::CAUSE).count_ones()
    }
}

/// A message on its way to becoming a note; waits in the state until the reply is out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(super) note: Note,
    /// Its most telling words, for the name of a pattern.
    pub(super) words: Vec<Word>,
    /// Whether there is something in it worth quoting.
    quotable: bool,
}

/// A notable message of the person's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(super) at: Timestamp,
    pub(super) session: u32,
    pub(super) memory: Option<MemoryId>,
    pub(super) quote: String,
    pub(super) marks: Marks,
    pub(super) state: EmotionalState,
    pub(super) intensity: Byte,
    pub(super) themes: Themes,
    pub(super) terms: Vec<u32>,
    pub(super) scope: Scope,
    pub(super) depth: Byte,
    pub(super) trust: Byte,
}

/// Bytes kept of a message; it is found again in the store when more is wanted.
const QUOTE_BYTES: usize = 110;
/// Longer ids are not kept; the moment then has no memory id.
const ID_BYTES: usize = 48;
/// Content words kept of a note, and of a memory while it is compared.
const MAX_TERMS: usize = 6;
const MAX_COMPARED: usize = 12;

/// What a draft needs besides the words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoteFacts<'a> {
    pub(crate) memory: &'a MemoryId,
    pub(crate) session: u32,
    pub(crate) scope: Scope,
    pub(crate) emotion: &'a crate::emotional::EmotionalContext,
    pub(crate) at: Timestamp,
}

impl Draft {
    pub(crate) fn new(utterance: &Utterance<'_>, facts: NoteFacts<'_>) -> Self {
        let telling = || utterance.terms.iter().filter(|term| term.weight >= 0.9);
        let marks = Marks::of(utterance);
        let statement = !utterance.is_question() && utterance.words() >= 4 && utterance.has(Cue::Own);
        Self {
            words: telling().take(3).map(|term| term.word).collect(),
            quotable: statement
                && (marks.count() > 0 || facts.emotion.intensity >= 0.5 || telling().count() >= 3),
            note: Note {
                at: facts.at,
                session: facts.session,
                memory: Some(facts.memory)
                    .filter(|id| id.as_str().len() <= ID_BYTES)
                    .cloned(),
                quote: keep(utterance.text, QUOTE_BYTES),
                marks,
                state: facts.emotion.state,
                intensity: Byte::new(facts.emotion.intensity),
                themes: utterance.themes,
                terms: telling().take(MAX_COMPARED).map(|term| term.id).collect(),
                scope: facts.scope,
                depth: Byte::new(facts.emotion.depth),
                trust: Byte::new(facts.emotion.trust),
            },
        }
    }
}

impl Draft {
    pub(super) fn into_note(self) -> Note {
        self.note
    }
}

impl Note {
    /// How much the note is worth keeping, fading with a half-life of thirty days.
    fn worth(&self, now: Timestamp) -> f32 {
        let worth = 0.3 + 0.35 * self.marks.count() as f32 + 0.5 * self.intensity.value();
        worth * decay(now.since(self.at), DAY * 30)
    }

    pub(super) fn repair(&mut self) {
        self.quote = keep(&self.quote, QUOTE_BYTES);
        self.terms.truncate(MAX_TERMS);
        if self
            .memory
            .as_ref()
            .is_some_and(|id| id.as_str().len() > ID_BYTES)
        {
            self.memory = None;
        }
    }
}

impl Moments {
    /// Keeps a quotable message; the least worthy note makes room.
    pub(super) fn keep_note(&mut self, draft: Draft) {
        let mut note = draft.note;
        note.terms.truncate(MAX_TERMS);
        let known = self.notes.iter().any(|old| old.quote == note.quote);
        if !draft.quotable || known {
            return;
        }
        if self.notes.len() < MAX_NOTES {
            self.notes.push(note);
            return;
        }
        let now = note.at;
        let weakest = self
            .notes
            .iter_mut()
            .min_by(|a, b| a.worth(now).total_cmp(&b.worth(now)));
        if let Some(weakest) = weakest
            && weakest.worth(now) <= note.worth(now)
        {
            *weakest = note;
        }
    }
}
