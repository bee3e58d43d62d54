//! Threads of a conversation: which one a message belongs to, what is open in it, how it ends.
//!
//! A thread is known by decayed term weights, themes and the centroid of its embeddings, all of bounded
//! size, so that a long thread does not blur. A message goes to the thread that fits it best: an explicit
//! reference first, then an explicit change of subject, then the best match, else the current thread -
//! unless the message has a subject of its own that the current thread knows nothing of.
//!
//! Invariants: at most one thread is active; at most [`MAX_OPEN`] are active or paused; `Merged` is
//! terminal and `Archived` is left only by a strong reference; in a public channel only threads of that
//! channel exist.

mod bridge;
mod cue;
mod item;
mod lifecycle;
mod report;
mod route;
mod topic;
mod update;

use serde::{Deserialize, Serialize};
use whisperengine_types::{ThreadPhase, ThreadPriority, ThreadState, Timestamp, TransitionType};

pub use cue::transition_strength;
pub(crate) use item::{Item, ItemKind};
pub use report::{SwitchingHabit, ThreadReport, TransitionReport};
pub(crate) use route::{Routed, Turn};
pub(crate) use topic::Sketch;
use topic::Topic;

use crate::number::Byte;

/// Threads active or paused at a time, at most.
pub(crate) const MAX_OPEN: usize = 5;
/// Threads in the background or suspended, at most.
pub(crate) const MAX_BACKGROUND: usize = 20;
/// Resolved, merged and archived threads remembered, at most.
const MAX_CLOSED: usize = 8;
/// Open questions and commitments remembered over all threads, at most.
const MAX_ITEMS: usize = 10;
/// Changes of thread remembered, at most.
const MAX_TRANSITIONS: usize = 8;

/// Everything known of a person's threads.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Threads {
    all: Vec<Thread>,
    /// Number of the current thread.
    current: Option<u64>,
    /// Threads ever opened; numbers the next one.
    opened: u64,
    items: Vec<Item>,
    transitions: Vec<Transition>,
    /// How often each kind of change happened, and how often the person stayed with it.
    habits: [(u32, u32); 8],
    /// A change of subject was announced and its subject is still to come.
    announced: bool,
    /// The bot's last words were a question.
    asked: bool,
}

/// One thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Thread {
    number: u64,
    state: ThreadState,
    priority: ThreadPriority,
    topic: Topic,
    scope: Scope,
    messages: u32,
    created: Timestamp,
    last_active: Timestamp,
    engagement: f32,
    urgency: f32,
    time_sensitivity: f32,
    trust_at_start: Byte,
    depth_at_start: Byte,
    /// How much the person has put into it: mean length and openness of the messages.
    investment: f32,
    closing: bool,
    pause: Option<PauseReason>,
    parent: Option<u64>,
    merged_into: Option<u64>,
    related: Vec<u64>,
}

/// Who may hear of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Scope {
    /// Only the person.
    #[default]
    Private,
    /// Everybody in the channel of this hash.
    Channel(u64),
}

impl Scope {
    /// Whether something of this scope may be brought up in `here`: private talk may draw on everything,
    /// a public channel only on itself.
    pub(crate) fn visible_in(self, here: Self) -> bool {
        here == Self::Private || self == here
    }
}

/// Why a thread was paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PauseReason {
    /// The person went on to another one.
    Switched,
    /// It was asked for.
    Asked,
}

/// A change of thread that happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Transition {
    from: Option<u64>,
    to: u64,
    kind: TransitionType,
    strength: Byte,
    at: Timestamp,
    /// Whether the next message stayed in the new thread.
    accepted: Option<bool>,
}

impl Thread {
    fn phase(&self) -> ThreadPhase {
        match self.messages {
            _ if self.closing => ThreadPhase::Resolving,
            0..=3 => ThreadPhase::Opening,
            4..=10 => ThreadPhase::Developing,
            _ => ThreadPhase::Deepening,
        }
    }

    fn completion(&self) -> f32 {
        match (self.state, self.phase()) {
            (ThreadState::Resolved, _) => 1.0,
            (_, ThreadPhase::Opening) => 0.1,
            (_, ThreadPhase::Developing) => 0.3,
            (_, ThreadPhase::Deepening) => 0.6,
            (_, ThreadPhase::Resolving) => 0.8,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.state, ThreadState::Active | ThreadState::Paused)
    }

    fn is_closed(&self) -> bool {
        matches!(
            self.state,
            ThreadState::Resolved | ThreadState::Merged | ThreadState::Archived
        )
    }
}

impl Threads {
    fn find(&self, number: u64) -> Option<&Thread> {
        self.all.iter().find(|thread| thread.number == number)
    }

    fn find_mut(&mut self, number: u64) -> Option<&mut Thread> {
        self.all.iter_mut().find(|thread| thread.number == number)
    }
}
