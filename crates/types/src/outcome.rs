//! What a turn came to.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    Audience, EmotionReading, Fact, MemoryId, MemoryOwner, Priority, Recall, ReplyContext, Safety,
    SessionKey, Timestamp, TurnPlan,
};

/// The result of one message: everything a reply needs, and what was done for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TurnOutcome {
    /// The message as a memory; names the turn when the reply is recorded.
    pub turn: MemoryId,
    /// Who wrote it to whom, and where.
    pub session: SessionKey,
    /// Who can read it.
    #[serde(default)]
    pub audience: Audience,
    /// Larger than those of the earlier turns of its session: its position there, counted from 1 since the
    /// session began, or without a scheduler a number that grows over all turns since the engine started.
    pub sequence: u64,
    /// The class it was served in.
    pub priority: Priority,
    /// How the person feels.
    pub emotion: EmotionReading,
    /// What is remembered that bears on it.
    pub recalled: Recall,
    /// What is known of the person: the facts that hold, and those that ceased to hold of late.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// The facts that answer the message, where it asks for something that is known; best first.
    #[serde(default)]
    pub answers: Vec<Fact>,
    /// What to make of it.
    pub plan: TurnPlan,
    /// What a language model is given to write the reply.
    #[serde(default)]
    pub context: ReplyContext,
    /// Whether the message was recognised as a second delivery and is answered with what the first one
    /// came to.
    #[serde(default)]
    pub redelivered: bool,
    /// Whether the message is stored.
    pub stored: Durability,
    /// What was missing or stood in for something else; empty when all is well.
    pub degraded: Vec<Degradation>,
    /// How long each stage took.
    pub timings: StageTimings,
}

impl TurnOutcome {
    /// Whether the message says that somebody is in danger.
    pub fn safety(&self) -> &Safety {
        &self.emotion.safety
    }

    /// Whose memories the turn belongs to.
    pub fn owner(&self) -> MemoryOwner {
        MemoryOwner::person(self.session.bot.clone(), self.session.user.clone())
    }
}

/// Whether a write is safe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// On stable storage.
    Durable,
    /// In memory only: gone when the process ends.
    Volatile,
    /// Not stored, and why.
    NotStored {
        /// The reason.
        reason: String,
    },
}

/// A part of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Component {
    Scheduler,
    Emotion,
    Embedding,
    Recall,
    Conversation,
    Profile,
    Context,
    Store,
    Responder,
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scheduler => "scheduler",
            Self::Emotion => "emotion",
            Self::Embedding => "embedding",
            Self::Recall => "recall",
            Self::Conversation => "conversation",
            Self::Profile => "profile",
            Self::Context => "context",
            Self::Store => "store",
            Self::Responder => "responder",
        })
    }
}

/// A component that did not do its usual work in this turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Degradation {
    /// Which one.
    pub component: Component,
    /// What is lost by it and why, in words.
    pub reason: String,
    /// Since when, where it is known.
    pub since: Option<Timestamp>,
}

/// Time spent in each stage of a turn, in wall-clock time of its micro-batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StageTimings {
    /// Waiting to be served.
    pub queued: Duration,
    /// Reading the emotion.
    pub emotion: Duration,
    /// Making the embedding.
    pub embedding: Duration,
    /// Searching the memories.
    pub recall: Duration,
    /// Planning the reply.
    pub plan: Duration,
    /// Assembling the reply's context.
    pub context: Duration,
    /// Making the write durable.
    pub store: Duration,
    /// From acceptance to outcome.
    pub total: Duration,
}
