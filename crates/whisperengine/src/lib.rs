//! A conversation engine for chat companions: emotion, memory, threads and a plan for every reply.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use whisperengine::WhisperEngine;
//!
//! let engine = WhisperEngine::builder().build()?; // `.data_dir("memories")` keeps them
//! let said = |text: &str| engine.message("ember", "ana", "direct", text);
//! engine.handle(said("My dog Biscuit has surgery on Friday")?).await?;
//! let turn = engine.handle(said("What did I tell you about my dog?")?).await?;
//! assert!(turn.recalled.memories[0].memory.text.contains("Biscuit"));
//! println!("{}", turn.context.system());
//! engine.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! This crate wires the others together and holds no algorithm. A message is admitted by the
//! [scheduler](whisperengine_conversation_scheduler), read by the [emotion engine](whisperengine_emotion),
//! meets the person's [memories](whisperengine_vector_memory), is planned by the
//! [conversation engine](whisperengine_phase4) and stored through the
//! [batcher](whisperengine_memory_batcher); [`TurnOutcome`] is the sum of it.
//!
//! Every part can be switched off ([`Components`]), replaced ([`WhisperEngineBuilder`]) and can fail:
//! a fallback answers then, and the outcome, [`WhisperEngine::health`] and a metric say so.
//!
//! # It is not
//! A language model. Its result is what a model, a template or a person needs to write the reply.
//!
//! # Features
//! - `prometheus`: an exporter for the metrics.
#![forbid(unsafe_code)]

mod assembly;
mod builder;
mod cell;
mod cells;
mod channels;
mod config;
mod context;
mod converse;
mod engine;
mod environment;
mod error;
mod fallback;
mod frame;
mod health;
mod metrics;
mod owner;
mod pipeline;
mod plan;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod recall;
mod report;
mod responder;
mod safety;
mod service;
mod ticket;
mod turn;
mod upkeep;
mod validate;
mod variables;
mod writer;

pub use builder::WhisperEngineBuilder;
pub use cells::StateConfig;
pub use config::{Components, EngineConfig, Mode};
pub use context::{BotConfig, SafetyConfig};
pub use converse::{Exchange, ReplyStream};
pub use engine::{ShutdownReport, WhisperEngine};
pub use environment::{Environment, Platform};
pub use error::{BuildError, ConfigError, Error, Result};
pub use fallback::{Answered, Fallback, Gate, GateConfig, GateState};
pub use health::{ComponentHealth, Health, RecallCache, Status};
pub use owner::{ExportLine, OwnerHandle};
pub use report::CapabilityReport;
pub use responder::TemplateResponder;
pub use service::EngineService;
pub use ticket::Ticket;

pub use whisperengine_reply_context::{
    AnthropicPrompt, ContextConfig, OpenAiMessage, OpenAiRole, ScriptEstimate, TokenCounter,
    anthropic_prompt, openai_messages, push_quoted,
};
#[doc(no_inline)]
pub use whisperengine_types::*;

/// The metadata key of what a message states of its writer; its value is the name of a [`Slot`], such as `allergy`.
/// Filter by it to recall what is known of somebody.
pub const FACT: &str = "fact";

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
