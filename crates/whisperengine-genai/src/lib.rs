//! Language models as responders of WhisperEngine: OpenAI-compatible servers, Anthropic and Ollama, through the
//! client crate `genai`.
//!
//! ```no_run
//! use std::sync::Arc;
//! use whisperengine_genai::{LanguageModel, ModelConfig, Provider};
//!
//! let mut config = ModelConfig::new(Provider::OpenAi, "qwen3");
//! config.base_url = "http://127.0.0.1:8080/v1".to_owned();
//! let responder = Arc::new(LanguageModel::new(config)?);
//! // whisperengine::Builder::default().responder(responder)
//! # Ok::<(), whisperengine_genai::ConfigError>(())
//! ```
//!
//! # Concepts
//! - A [`LanguageModel`] is a `Responder`: it sends a turn's `ReplyContext` in the shape of the interface and
//!   streams what the model writes. For Anthropic the part of the prompt that rests between turns is marked to
//!   be cached; the other interfaces cache beginnings by themselves.
//! - 429 and 5xx are asked again, as `Retry-After` says or after a growing wait with jitter. What remains busy is
//!   `ResponderError::Busy`, a slow model too: neither is broken.
//! - A connection that closes early, an answer that is too long and an error in the middle are
//!   `ResponderError::BrokenOff`: what was said stands.
//! - [`OwnerTools`] gives a model the person's memory to use by itself: `remember`, `recall`, `what_is_known`,
//!   `forget`. [`LanguageModel::respond_with_tools`] runs them; other agents take their JSON schemas.
//!
//! # It is not
//! A model, nor a router between models: one responder asks one model.
//!
//! # Limits and units
//! [`ModelConfig`] bounds the time to the first part, between parts and of the whole, and the bytes of a reply.
//! Only the text of an answer is passed on; reasoning is left out.
//!
//! # Features
//! - `tls`: `https` addresses, by rustls. Its cryptography needs a C compiler.
#![forbid(unsafe_code)]

mod config;
mod driver;
mod model;
mod owner_tools;
mod request;
mod retry;
mod tool;

pub use config::{ConfigError, ModelConfig, Provider};
pub use model::LanguageModel;
pub use owner_tools::OwnerTools;
pub use tool::{ToolCall, ToolError, ToolSpec, Toolbox};
