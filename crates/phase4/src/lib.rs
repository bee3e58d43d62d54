//! The Phase 4 conversation engine: threads, memory-triggered moments, proactive engagement, personality.
#![forbid(unsafe_code)]

mod config;
mod conversations;
mod emotional;
mod engagement;
mod engine;
mod error;
mod importance;
mod interaction;
mod lexicon;
mod moment;
mod number;
mod personality;
mod reason;
mod relationship;
mod session;
mod state;
mod supplement;
mod text;
mod thread;

pub use config::{
    Config, EngagementConfig, InteractionConfig, MomentConfig, PersonalityConfig, PromptConfig, ThreadConfig,
};
pub use conversations::Conversations;
pub use emotional::{
    EmotionalCluster, EmotionalPattern, EmotionalSummary, EmotionalTrigger, emotional_state_from_label,
};
pub use engagement::RhythmSummary;
pub use engine::{after_turn, plan_turn, record_feedback, tick};
pub use error::Error;
pub use importance::{CORE_MEMORY, ImportanceFactors, MAX_CORE_MEMORIES, MemorySource, age_days};
pub use lexicon::{Lexicon, LexiconError, Theme};
pub use moment::{ConnectionReport, MomentRecord};
pub use personality::{PersonalityDimension, PersonalitySummary, Trait};
pub use relationship::{Gesture, Milestone, RelationshipReport};
pub use state::UserState;
pub use thread::{ThreadReport, transition_strength};
