use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::{
    Audience, ChannelId, Embedding, EmotionReading, Fact, MemoryId, MemoryOwner, MomentType, RecalledMemory,
    Suggestion, Timestamp, TurnPlan,
};

/// Everything that a plan for one reply is made from.
#[derive(Debug, Clone, Copy)]
pub struct TurnInput<'a> {
    /// Whose turn it is.
    pub owner: &'a MemoryOwner,
    /// Where.
    pub channel: &'a ChannelId,
    /// Who can read it.
    pub audience: &'a Audience,
    /// The message as a memory.
    pub message: &'a MemoryId,
    /// Its text.
    pub text: &'a str,
    /// How the person feels, which language they write, and whether somebody is in danger.
    pub emotion: &'a EmotionReading,
    /// The text's embedding, where there is an embedder.
    pub embedding: Option<&'a Embedding>,
    /// What is remembered that bears on it, best first.
    pub recalled: &'a [RecalledMemory],
    /// What is known of the person: the facts that hold.
    pub facts: &'a [Fact],
    /// When the message was written.
    pub sent_at: Timestamp,
    /// For a turn that is planned once more from the store, after a crash: the moments that its plan offered
    /// the first time, so that the state comes out the same without the recall of then.
    pub replay: Option<&'a [OfferedMoment]>,
}

/// A moment that a plan offered, as far as the state depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedMoment {
    /// [`MomentPlan::id`](crate::MomentPlan::id).
    pub id: String,
    /// What kind of moment.
    pub kind: MomentType,
    /// The words that it quotes.
    pub quote: String,
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

/// Opens each owner's conversation.
pub trait ConversationEngine: Send + Sync + Debug {
    /// The conversation of `owner`, as saved by [`Conversation::export`] or from its beginning.
    ///
    /// # Errors
    /// [`ConversationError::InvalidState`] when the bytes are no state of this engine.
    fn open(
        &self,
        owner: &MemoryOwner,
        saved: Option<&[u8]>,
    ) -> Result<Box<dyn Conversation>, ConversationError>;
}

/// One owner's conversation: a value, so that its calls come one at a time and in order.
///
/// Bounded in size, whatever is said. The same calls from the same state give the same results and the
/// same exported bytes.
pub trait Conversation: Send + Debug {
    /// Words of what was said before that a message borrows because it says little by itself ("how did it
    /// go?"); `None` where it stands on its own.
    fn query_context(&self, _text: &str) -> Option<String> {
        None
    }

    /// Whether a text touches a subject that the person does not want to be asked about.
    fn is_closed(&self, _text: &str) -> bool {
        false
    }

    /// Takes the message into account and plans the reply to it.
    ///
    /// # Errors
    /// [`ConversationError::Unavailable`] when no plan could be made; the state is as before.
    fn plan_turn(&mut self, input: &TurnInput<'_>) -> Result<TurnPlan, ConversationError>;

    /// Work for the last turn that does not change its reply. When it is called changes no later result.
    fn after_turn(&mut self);

    /// Learns from what became of a reply.
    ///
    /// # Errors
    /// [`ConversationError::InvalidFeedback`] when it names something unknown; the state is as before.
    fn record_feedback(&mut self, feedback: &Feedback) -> Result<(), ConversationError>;

    /// What is due to be said on the bot's own initiative at `now`, best first; usually nothing.
    fn tick(&mut self, now: Timestamp) -> Vec<Suggestion>;

    /// The state, for keeping.
    fn export(&self) -> Vec<u8>;
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
    fn open(&self, _: &MemoryOwner, _: Option<&[u8]>) -> Result<Box<dyn Conversation>, ConversationError> {
        Ok(Box::new(Self))
    }
}

impl Conversation for NoConversation {
    fn plan_turn(&mut self, _: &TurnInput<'_>) -> Result<TurnPlan, ConversationError> {
        Ok(TurnPlan::default())
    }

    fn after_turn(&mut self) {}

    fn record_feedback(&mut self, _: &Feedback) -> Result<(), ConversationError> {
        Ok(())
    }

    fn tick(&mut self, _: Timestamp) -> Vec<Suggestion> {
        Vec::new()
    }

    fn export(&self) -> Vec<u8> {
        Vec::new()
    }
}
