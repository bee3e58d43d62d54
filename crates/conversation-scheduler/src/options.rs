//! What comes with a turn: its class, its deadline, and what becomes of the session's waiting turns.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use whisperengine_types::{Priority, SessionKey};

use crate::PriorityScore;

/// How one turn is to be queued.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct SubmitOptions {
    /// The class it waits in.
    pub priority: PriorityChoice,
    /// How long it may wait, from submission; `None` takes the configuration's `default_deadline`.
    pub deadline: Option<Duration>,
    /// What happens to the session's turns that wait; `None` takes the configuration's `coalesce`.
    pub coalesce: Option<Coalesce>,
}

impl SubmitOptions {
    /// The options of a turn of the given class or score.
    pub fn new(priority: impl Into<PriorityChoice>) -> Self {
        Self {
            priority: priority.into(),
            ..Self::default()
        }
    }

    /// With a deadline, counted from submission.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// With a way to treat the session's waiting turns.
    #[must_use]
    pub fn coalesce(mut self, coalesce: Coalesce) -> Self {
        self.coalesce = Some(coalesce);
        self
    }
}

impl<P: Into<PriorityChoice>> From<P> for SubmitOptions {
    fn from(priority: P) -> Self {
        Self::new(priority)
    }
}

/// A class as given, or as scored with its reasons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PriorityChoice {
    /// The caller knows the class.
    Class(Priority),
    /// The class comes from a score.
    Scored(PriorityScore),
}

impl PriorityChoice {
    /// The class.
    pub fn class(&self) -> Priority {
        match self {
            Self::Class(class) => *class,
            Self::Scored(score) => score.class(),
        }
    }

    /// The score, when the class comes from one.
    pub fn score(&self) -> Option<PriorityScore> {
        match self {
            Self::Class(_) => None,
            Self::Scored(score) => Some(*score),
        }
    }
}

impl Default for PriorityChoice {
    fn default() -> Self {
        Self::Class(Priority::default())
    }
}

impl From<Priority> for PriorityChoice {
    fn from(class: Priority) -> Self {
        Self::Class(class)
    }
}

impl From<PriorityScore> for PriorityChoice {
    fn from(score: PriorityScore) -> Self {
        Self::Scored(score)
    }
}

/// What a burst of one session becomes. Only turns that wait are touched, never the one in flight; with a
/// [`coalesce_window`](crate::Config::coalesce_window) a turn waits that long for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coalesce {
    /// Every turn is served, in order.
    #[default]
    Queue,
    /// The new turn replaces those that wait; they are answered [`Superseded`](crate::TurnError::Superseded).
    Latest,
    /// The new turn takes over the payloads of those that wait, in [`Turn::earlier`]; they are answered
    /// [`Merged`](crate::TurnError::Merged) and the new turn's ticket carries the result.
    Merge,
}

/// Names an accepted turn; never reused by the same scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TurnId {
    pub(crate) index: u32,
    pub(crate) serial: u64,
}

/// One accepted turn, as the handler gets it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Turn<T> {
    /// Its name.
    pub id: TurnId,
    /// Its session.
    pub session: SessionKey,
    /// Its position among the session's accepted turns, from 1 since the session began.
    pub sequence: u64,
    /// The class it was served in: its own, or that of a more urgent turn behind it in the session.
    pub class: Priority,
    /// The class it came with, with the score's reasons if it was scored.
    pub priority: PriorityChoice,
    /// How long it waited.
    pub waited: Duration,
    /// 1, or 2 when it is run again, alone, because another turn's batch panicked around it.
    pub attempt: u32,
    /// The payload.
    pub payload: T,
    /// The payloads of earlier turns of the burst that were merged into this one, oldest first.
    pub earlier: Vec<T>,
}
