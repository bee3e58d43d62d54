//! The Phase 4 conversation engine ("Phase 4" is the conversation-intelligence part of a chat companion):
//! what a message means for the conversation, as a plan for the reply.
//!
//! ```
//! use whisperengine_phase4::{Config, Conversations};
//! use whisperengine_types::{
//!     Audience, BotId, ChannelId, ConversationEngine, EmotionReading, EmotionalTrigger, MemoryId, MemoryOwner,
//!     TurnInput, UserId,
//! };
//!
//! let engine = Conversations::new(Config::default())?;
//! let owner = MemoryOwner::person(BotId::new("ember")?, UserId::new("ana")?);
//! let mut conversation = engine.open(&owner, None)?;
//! let plan = conversation.plan_turn(&TurnInput {
//!     owner: &owner,
//!     channel: &ChannelId::new("dm")?,
//!     audience: &Audience::Private,
//!     message: &MemoryId::new("m1")?,
//!     text: "I got the job! I start on Monday.",
//!     emotion: &EmotionReading::neutral(),
//!     embedding: None,
//!     recalled: &[],
//!     facts: &[],
//!     sent_at: "2026-11-22T18:47:00Z".parse()?,
//!     replay: None,
//! })?;
//! assert!(plan.emotional.triggers.contains(&EmotionalTrigger::CelebrationMoments));
//! assert_eq!(plan.thread.unwrap().topics, ["job"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//! - A [`UserState`] is all that is known of one owner: threads, feelings, moments, rhythm, personality,
//!   relationship. [`plan_turn`] changes it and returns a `TurnPlan`; [`after_turn`] does the work that does
//!   not change the reply; [`record_feedback`] learns what became of it; [`tick`] says what is due to be
//!   said unasked. [`Conversations`] is the port `ConversationEngine`: it opens a conversation, a
//!   [`UserState`] with its configuration.
//! - How the person has been, which facts of the message are worth keeping and what all messages amount to is in
//!   the plan; between turns there are [`wellbeing`] and [`UserState::insights`].
//! - A [`Lexicon`] holds the words of a language; all cues are whole words by lemma, with negation.
//! - Everything is a function of its arguments: the same events give the same plans and, byte for byte,
//!   the same state.
//!
//! # It is not
//! A language model, an emotion analyzer or a memory: it takes a reading and recalled memories as input and
//! says what to make of them. It never sends anything.
//!
//! # Limits and units
//! Scores are in `0..=1`, times in milliseconds since the epoch. An encoded state takes at most
//! [`UserState::MAX_BYTES`]. A message is read by the words of its own language (`EmotionReading::language`, else
//! [`Config::language`]): English, German, Spanish, French and Portuguese. In Arabic, Chinese, Dutch, Hindi,
//! Indonesian, Italian, Japanese, Korean, Polish, Russian, Thai, Turkish and Vietnamese function words, goodbyes
//! and refusals are known; feelings are those of the reading, and the engine says nothing of its own there.
//!
//! # Trade-offs
//! Words and small sketches of embeddings instead of a model: microseconds per turn, every decision
//! explained by its cue, and blind to what no cue says.
#![forbid(unsafe_code)]

mod boundary;
mod config;
mod conversations;
mod emotional;
mod engagement;
mod engine;
mod error;
mod fact;
mod importance;
mod insight;
mod interaction;
mod lexicon;
mod moment;
mod notes;
mod number;
mod personality;
mod query;
mod reason;
mod reception;
mod relationship;
mod scene;
mod session;
mod state;
mod text;
mod thread;
mod wellbeing;

pub use config::{
    Config, EngagementConfig, InteractionConfig, MomentConfig, PersonalityConfig, ThreadConfig,
};
pub use conversations::{Conversations, Phase4Conversation};
pub use emotional::{EmotionalCluster, EmotionalSummary, emotional_state_from_label};
pub use engagement::RhythmSummary;
pub use engine::{after_turn, plan_turn, record_feedback, tick};
pub use error::Error;
pub use importance::{CORE_MEMORY, ImportanceFactors, MAX_CORE_MEMORIES, MemorySource, age_days};
pub use lexicon::{Lexicon, LexiconError, Theme};
pub use moment::{ConnectionReport, MomentRecord};
pub use personality::{PersonalityDimension, PersonalitySummary, Trait};
pub use relationship::{Gesture, Milestone, RelationshipReport};
pub use state::UserState;
pub use thread::{PauseReason, SwitchingHabit, ThreadReport, TransitionReport, transition_strength};
pub use wellbeing::wellbeing;
