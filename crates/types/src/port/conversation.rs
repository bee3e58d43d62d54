use std::{borrow::Cow, fmt::Debug};

use crate::{
    ChannelId, Embedding, EmotionReading, MemoryId, MemoryOwner, RecalledMemory, Suggestion, Timestamp,
    TurnPlan, Visibility,
};

/// Everything that a plan for one reply is made from.
#[derive(Debug, Clone, Copy)]
pub struct TurnInput<'a> {
    /// Whose turn it is.
    pub owner: &'a MemoryOwner,
    /// Where.
    pub channel: &'a ChannelId,
    /// Who else reads it.
    pub visibility: Visibility,
    /// The message as a memory.
    pub message: &'a MemoryId,
    /// Its text.
    pub text: &'a str,
    /// How the person feels.
    pub emotion: &'a EmotionReading,
    /// The text's embedding, where there is an embedder.
    pub embedding: Option<&'a Embedding>,
    /// What is remembered that bears on it, best first.
    pub recalled: &'a [RecalledMemory],
    /// When the message was written.
    pub sent_at: Timestamp,
}

/// What became of a reply, fed back so that the engine learns what works.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Feedback {
    /// The bot replied with this text.
    Replied {
        /// The reply.
        text: String,
        /// The moment that the reply brought up, if any.
        moment: Option<String>,
        /// When it was sent.
        at: Timestamp,
    },
    /// A suggestion was sent on the bot's own initiative.
    SuggestionSent {
        /// The suggestion's id.
        suggestion: String,
        /// When it was sent.
        at: Timestamp,
    },
    /// The person allows or forbids messages on the bot's own initiative.
    Proactive {
        /// Whether they are welcome.
        allowed: bool,
    },
    /// The person's time zone, as an IANA name.
    TimeZone {
        /// For example `Europe/Berlin`.
        name: String,
    },
}

/// Follows each owner's conversation and plans the replies.
///
/// Calls for one owner come one at a time and in order; calls for different owners may run in
/// parallel. State grows with use up to a bound for each owner and never passes between owners.
pub trait ConversationEngine: Send + Sync + Debug {
    /// What to recall memories by for a message: the message itself, or more words where it says little
    /// without what was said before it ("how did it go?"). Changes nothing.
    fn recall_text<'a>(&self, _owner: &MemoryOwner, text: &'a str) -> Cow<'a, str> {
        Cow::Borrowed(text)
    }

    /// Takes the message into account and plans the reply to it. Same state and input, same plan.
    ///
    /// # Errors
    /// [`ConversationError::Unavailable`] when no plan could be made; the state is as before.
    fn plan_turn(&self, input: &TurnInput<'_>) -> Result<TurnPlan, ConversationError>;

    /// Work for the turn that does not change its reply; run after the reply went out.
    fn after_turn(&self, owner: &MemoryOwner, now: Timestamp);

    /// Learns from what became of a reply.
    ///
    /// # Errors
    /// [`ConversationError::InvalidFeedback`] when it names something unknown.
    fn record_feedback(&self, owner: &MemoryOwner, feedback: &Feedback) -> Result<(), ConversationError>;

    /// What is due to be said to the owner on the bot's own initiative, best first; usually nothing.
    fn tick(&self, owner: &MemoryOwner, now: Timestamp) -> Vec<Suggestion>;

    /// The owner's state, for keeping; `None` when there is none.
    fn export_state(&self, owner: &MemoryOwner) -> Option<Vec<u8>>;

    /// Takes a kept state up again, replacing the present one.
    ///
    /// # Errors
    /// [`ConversationError::InvalidState`] when the bytes are not a state; the present one stays.
    fn restore_state(&self, owner: &MemoryOwner, state: &[u8]) -> Result<(), ConversationError>;

    /// Drops everything known of the owner.
    fn forget(&self, owner: &MemoryOwner);
}

/// Why a conversation engine did not do as asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// The engine does not answer at present.
    #[error("conversation engine is unavailable: {reason}")]
    Unavailable {
        /// What is known of the cause.
        reason: String,
    },
    /// The bytes are not a state of a known version.
    #[error("conversation state is invalid: {reason}")]
    InvalidState {
        /// What is wrong with them.
        reason: String,
    },
    /// The feedback names a moment, suggestion or time zone that does not exist.
    #[error("feedback is invalid: {reason}")]
    InvalidFeedback {
        /// What is wrong with it.
        reason: String,
    },
}

/// The null engine: every plan is the default one, nothing is remembered.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoConversation;

impl ConversationEngine for NoConversation {
    fn plan_turn(&self, _: &TurnInput<'_>) -> Result<TurnPlan, ConversationError> {
        Ok(TurnPlan::default())
    }

    fn after_turn(&self, _: &MemoryOwner, _: Timestamp) {}

    fn record_feedback(&self, _: &MemoryOwner, _: &Feedback) -> Result<(), ConversationError> {
        Ok(())
    }

    fn tick(&self, _: &MemoryOwner, _: Timestamp) -> Vec<Suggestion> {
        Vec::new()
    }

    fn export_state(&self, _: &MemoryOwner) -> Option<Vec<u8>> {
        None
    }

    fn restore_state(&self, _: &MemoryOwner, _: &[u8]) -> Result<(), ConversationError> {
        Ok(())
    }

    fn forget(&self, _: &MemoryOwner) {}
}
