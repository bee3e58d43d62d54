//! The ports: what the engine needs from its parts, and a null object for each.
//!
//! Every port is object-safe and shared between threads. Methods that take a slice return one result
//! for each item, in the same order. The owner is part of every call that touches memories: there is no
//! way to ask for "all owners".

mod conversation;
mod embedder;
mod emotion;
mod memory;
mod responder;

pub use conversation::{
    Conversation, ConversationEngine, ConversationError, Feedback, NoConversation, OfferedMoment, TurnInput,
};
pub use embedder::{Embedder, ZeroEmbedder};
pub use emotion::{EmotionAnalyzer, EmotionError, NoEmotion};
pub use memory::{MemoryError, MemoryRecall, MemoryStore, MemoryStoreLayer, NoMemory};
pub use responder::{BoxFuture, BoxStream, NoResponder, ReplyRequest, Responder, ResponderError, WholeReply};
