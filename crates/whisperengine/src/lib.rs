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
//! println!("{}", turn.plan.prompt_supplement);
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
//! a stand-in answers then, and the outcome, [`WhisperEngine::health`] and a metric say so.
//!
//! # It is not
//! A language model. Its result is what a model, a template or a person needs to write the reply.
//!
//! # Features
//! - `prometheus`: an exporter for the metrics.
//! - `llm`: a responder that asks any OpenAI-compatible service over HTTP.
//! - `llm-tls`: the same over HTTPS; needs a C compiler.
#![forbid(unsafe_code)]

mod aftermath;
mod assembly;
mod builder;
mod config;
mod engine;
mod environment;
mod error;
mod fallback;
mod forgetting;
mod health;
mod inline;
mod metrics;
mod outbox;
mod pipeline;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod report;
mod responder;
mod service;
mod state;
mod ticket;
mod turn;
mod writer;

pub use builder::WhisperEngineBuilder;
pub use config::{Components, EngineConfig, Mode};
pub use engine::{Exchange, ShutdownReport, WhisperEngine};
pub use environment::{Environment, Platform};
pub use error::{BuildError, ConfigError, Error, Result};
pub use fallback::{Fallback, Gate, GateConfig, GateState};
pub use health::{ComponentHealth, Health, Status};
pub use report::CapabilityReport;
pub use responder::Template;
#[cfg(feature = "llm")]
pub use responder::{OpenAi, OpenAiConfig};
pub use state::StateConfig;
pub use ticket::Ticket;

#[doc(no_inline)]
pub use whisperengine_types::*;

/// The metadata key that marks memories of channels that others read too.
pub const PUBLIC: &str = "public";
/// The metadata key of the most relevant [`FactKind`] that a message tells of its writer; its value is the
/// kind's name, such as `aspiration`. Filter by it to recall what is known of somebody.
pub const FACT: &str = "fact";

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
