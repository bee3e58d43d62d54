//! The nouns and port traits that WhisperEngine's crates share; no behaviour of its own.
//!
//! A message enters as a [`Message`], is read by an [`EmotionAnalyzer`], meets what a [`MemoryRecall`]
//! knows of the person, becomes a [`TurnPlan`] in a [`ConversationEngine`] and is stored by a
//! [`MemoryStore`]; the sum of it is a [`TurnOutcome`]. Each port has a null object beside it, for an
//! engine that is built without that component.
//!
//! ```
//! use whisperengine_types::{BotId, Embedding, EmbeddingSpace, MemoryOwner, UserId};
//!
//! let owner = MemoryOwner::person(BotId::new("ember")?, UserId::new("ana")?);
//! let space = EmbeddingSpace::new("demo", 2)?;
//! let a = Embedding::new(&space, vec![3.0, 4.0])?;
//! let b = Embedding::new(&space, vec![4.0, 3.0])?;
//! assert_eq!(a.similarity(&b)?.value(), 0.96);
//! assert_eq!(owner.to_string(), "ember/@ana");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Units: times are milliseconds since the Unix epoch in UTC ([`Timestamp`]) or a monotonic
//! `std::time::Instant`, never mixed; scores are in `0..=1` and higher is better unless a type says
//! otherwise; [`Similarity`] is a cosine in `-1..=1`, [`Distance`] is lower-is-better.
//!
//! # It is not
//! A place for helpers. What only one crate uses lives in that crate.
#![forbid(unsafe_code)]

mod adaptation;
mod clock;
mod context;
mod embedding;
mod emotion;
mod fact;
mod filter;
mod guidance;
mod id;
mod language;
mod memory;
mod message;
mod outcome;
mod plan;
mod port;
mod profile;
mod safety;
mod timestamp;
mod wellbeing;

pub use adaptation::{Adaptation, ConversationPattern, EffectivePattern};
pub use clock::{Clock, ManualClock, SystemClock};
pub use context::{
    ChatMessage, ChatRole, ContextReport, ContextSection, DialogueLine, Omission, OmissionReason,
    ReplyContext, SectionKind,
};
pub use embedding::{Distance, Embedding, EmbeddingError, EmbeddingSpace, Similarity};
pub use emotion::{
    Emotion, EmotionReading, EmotionSet, EmotionTrigger, PrimaryEmotion, TriggerSource, VaderScores,
};
pub use fact::{FactKind, PersonalityFact, RelevanceBand};
pub use filter::{Comparison, Filter, MetadataValue};
pub use guidance::{
    EmotionalGuidance, EmotionalPattern, EmotionalState, EmotionalTrigger, Focus, Tone, ToneDials,
};
pub use id::{
    AudienceId, BotId, ChannelId, Id, IdError, MemoryId, PlatformId, SessionId, SpaceId, ThreadId, UserId,
    ZoneId, kind,
};
pub use language::{Language, UnknownLanguage};
pub use memory::{
    AskedTime, Committed, MemoryKind, MemoryOwner, MemoryPatch, MemoryRecord, Recall, RecallQuery,
    RecalledMemory, ScoreParts, WriteOp,
};
pub use message::{Audience, Message, MessageError, Priority, SessionKey, UnknownPriority};
pub use outcome::{Component, Degradation, Durability, StageTimings, TurnOutcome};
pub use plan::{
    CommunicationStyle, ConnectionType, ConversationMode, Decision, EngagementPlan, EngagementStrategy,
    FlowState, InteractionType, MemoryCluster, MemoryInsights, MomentPlan, MomentTiming, MomentTone,
    MomentType, Reason, RelationshipLevel, RelationshipPlan, RelationshipStage, ResponseLength,
    StagnationKind, StagnationSignal, Suggestion, SupportLevel, ThreadPhase, ThreadPlan, ThreadPriority,
    ThreadState, ThreadTransition, TopicRelevance, TransitionType, TurnPhase, TurnPlan, WaitingThread,
};
pub use port::{
    BoxFuture, BoxStream, Conversation, ConversationEngine, ConversationError, Embedder, EmotionAnalyzer,
    EmotionError, Feedback, MemoryError, MemoryRecall, MemoryStore, MemoryStoreLayer, NoConversation,
    NoEmotion, NoMemory, NoResponder, OfferedMoment, ReplyRequest, Responder, ResponderError, TurnInput,
    WholeReply, ZeroEmbedder,
};
pub use profile::{Fact, FactSource, Polarity, Slot};
pub use safety::{Safety, SafetyCue, SafetyKind, SafetyLevel};
pub use timestamp::{Timestamp, TimestampError};
pub use wellbeing::{
    Alert, AlertKind, InterventionStyle, MoodCategory, StressLevel, SupportAdvice, SupportKind,
    SupportTiming, Wellbeing,
};
