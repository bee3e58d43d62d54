use serde::{Deserialize, Serialize};
use whisperengine_types::{EmotionalState, MemoryId, Timestamp};

use super::{
    MAX_NOTES, Moments,
    glance::{CLEAR, sayings},
};
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
    /// Says that the person trusts the other, or thanks them for being there.
    pub(crate) const CONFIDED: u8 = 64;

    pub(crate) fn of(utterance: &Utterance<'_>) -> Self {
        let mark = |holds: bool, bit: u8| if holds { bit } else { 0 };
        let hobby = utterance.themes.contains(Theme::Hobbies) || utterance.themes.contains(Theme::Learning);
        // A question about success or trouble, or somebody else's, is not one's own.
        let told = |cue| {
            utterance.has(cue)
                && utterance.hits.iter().any(|hit| {
                    hit.cue == cue
                        && !hit.negated
                        && (cue != Cue::Achievement || hit.weight >= CLEAR)
                        && utterance.is_told_at(hit.token)
                })
        };
        let trouble = utterance.weight(Cue::Problem) >= 0.8 && !utterance.has(Cue::Solved);
        Self(
            mark(told(Cue::Achievement), Self::ACHIEVEMENT)
                | mark(trouble && utterance.told() != 0, Self::PROBLEM)
                | mark(told(Cue::Goal), Self::GOAL)
                | mark(hobby, Self::HOBBY)
                | mark(told(Cue::Solved), Self::SOLVED)
                | mark(utterance.has(Cue::Cause), Self::CAUSE)
                | mark(utterance.has(Cue::Confiding), Self::CONFIDED),
        )
    }

    pub(crate) fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    fn count(self) -> u32 {
        (self.0 & !Self::HOBBY & !Self::CAUSE & !Self::CONFIDED).count_ones()
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
/// Content words kept of a note.
const MAX_TERMS: usize = 6;

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
        let telling = || utterance.terms.iter().filter(|term| term.is_telling());
        let mut marks = Marks::of(utterance);
        let notable = marks.count() > 0 || facts.emotion.intensity >= 0.5 || telling().count() >= 3;
        // The sentence that tells an achievement, then the one that tells most, and of those the first.
        let told = if notable { sayings(utterance) } else { Vec::new() };
        let told = told.into_iter().filter(|saying| saying.told);
        let best = told.reduce(|first, next| {
            if (next.achieved, next.terms.len()) > (first.achieved, first.terms.len()) {
                next
            } else {
                first
            }
        });
        if best.as_ref().is_some_and(|saying| !saying.achieved) {
            marks.0 &= !Marks::ACHIEVEMENT;
        }
        let terms = match &best {
            Some(saying) => saying.terms.iter().take(MAX_TERMS).copied().collect(),
            None => telling().take(MAX_TERMS).map(|term| term.id).collect(),
        };
        let range = best
            .as_ref()
            .map_or(0..0, |saying| saying.range.0..saying.range.1);
        Self {
            words: telling()
                .filter(|term| term.subject)
                .take(3)
                .map(|term| term.word)
                .collect(),
            quotable: best.is_some(),
            note: Note {
                at: facts.at,
                session: facts.session,
                memory: Some(facts.memory)
                    .filter(|id| id.as_str().len() <= ID_BYTES)
                    .cloned(),
                quote: keep(utterance.text.get(range).unwrap_or(""), QUOTE_BYTES),
                marks,
                state: facts.emotion.state,
                intensity: Byte::new(facts.emotion.intensity),
                themes: utterance.themes,
                terms,
                scope: facts.scope,
                depth: Byte::new(facts.emotion.depth),
                trust: Byte::new(facts.emotion.trust),
            },
        }
    }
}

impl Note {
    /// How much the note is worth keeping, fading with a half-life of thirty days.
    pub(super) fn worth(&self, now: Timestamp) -> f32 {
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
        let note = draft.note;
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
