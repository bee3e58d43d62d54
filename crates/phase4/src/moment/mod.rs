//! Old memories worth bringing up now.
//!
//! Candidates are the memories that were recalled for this message and a few notable messages of the
//! person's own that the state keeps. Each is connected with the message - by subject, feeling, goal,
//! problem, cause - and becomes at most one moment for each pattern; a moment is offered when its timing
//! is that of the present turn, its gates are open and it has rested. What is quoted is always the old
//! memory and always the person's own words; of the current session only what is old enough.
//!
//! A subject in common is not enough when it is a mood or a commonplace: the words in common have to be
//! telling ones, to stand in one sentence of the old message, and in a sentence of the new one in which the
//! person tells of themselves. That sentence is what is quoted.

mod connect;
mod glance;
mod note;
mod pattern;
mod pick;
mod prefilter;
mod timing;
mod usage;

use serde::{Deserialize, Serialize};

pub(crate) use glance::Glances;
use note::Note;
pub(crate) use note::{Draft, Marks, NoteFacts};
pub use pattern::ConnectionReport;
use pattern::Pattern;
pub(crate) use pick::{Occasion, tone};
pub(crate) use prefilter::Beginnings;
pub(crate) use timing::Timings;
pub use usage::MomentRecord;
use usage::Usage;

/// Everything known of a person's moments.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Moments {
    notes: Vec<Note>,
    patterns: Vec<Pattern>,
    usage: Usage,
}

/// Notable messages kept, at most.
const MAX_NOTES: usize = 10;
/// Patterns kept, at most.
const MAX_PATTERNS: usize = 12;

impl Moments {
    /// Keeps what the latest message leaves behind.
    pub(crate) fn learn(&mut self, draft: Draft) {
        self.learn_patterns(&draft);
        self.keep_note(draft);
    }

    pub(crate) fn repair(&mut self) {
        self.notes.truncate(MAX_NOTES);
        self.notes.iter_mut().for_each(Note::repair);
        self.patterns.truncate(MAX_PATTERNS);
        self.usage.repair();
    }
}
