//! What a language model is given to write a reply: what is known of the person, memories, notes and the
//! dialogue, within a budget of tokens.
//!
//! ```
//! use whisperengine_reply_context::{ContextAssembler, ContextInput, openai_messages};
//! use whisperengine_types::{DialogueLine, SectionKind};
//!
//! let line = |from_bot, text: &str| DialogueLine {
//!     id: None,
//!     from_bot,
//!     name: None,
//!     text: text.to_owned(),
//!     at: "2026-03-10T17:40:00Z".parse().unwrap(),
//! };
//! let dialogue = [line(false, "any plans for me today?"), line(true, "Your dentist, at six.")];
//! let message = line(false, "oh no, what was the address?");
//! let mut input = ContextInput::new("Ember", "Ana", &message, "2026-03-10T17:41:00Z".parse()?);
//! input.dialogue = &dialogue;
//!
//! let context = ContextAssembler::default().assemble(&input);
//! assert_eq!(context.section(SectionKind::Now).unwrap().text, "It is Tue 2026-03-10, 17:41 where Ana is.");
//! assert_eq!(openai_messages(&context).len(), 4);
//! assert!(context.report.tokens < 200);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//! - A [`ContextAssembler`] turns a [`ContextInput`] into a `ReplyContext`: sections in an order in which a
//!   provider's prompt cache keeps the beginning, the dialogue, the message, and a report of what it costs
//!   and what was left out. It is a function of its arguments: no clock, no randomness.
//! - What people said is quoted data: one line between `«` and `»`, which no text can break out of.
//!   [`push_quoted`] does the same for whoever adds memories by hand.
//! - [`openai_messages`] and [`anthropic_prompt`] give the shapes of the two interfaces.
//! - A [`TokenCounter`] says what a text costs: [`ScriptEstimate`], or the real tokenizers.
//! - A [`DialogueWindow`] holds the last lines of a conversation and the most informative sentences of those
//!   that fell out; a [`Summarizer`] condenses these with a language model.
//!
//! # It is not
//! A client of a language model, a recall or an extractor of facts: it takes what these found.
//!
//! # Limits and units
//! Budgets are in tokens. Times are milliseconds since the epoch, written as dates where the person is. The
//! prompt's own words are English; the reply's language is asked for in them.
//!
//! # Features
//! - `tiktoken-rs`: `Tiktoken`, the tokenizers of OpenAI's models. Pure Rust; several MB in the binary.
#![forbid(unsafe_code)]

mod assembler;
mod chat;
mod config;
mod dates;
mod input;
mod quote;
mod section;
mod sentence;
mod summarizer;
#[cfg(feature = "tiktoken-rs")]
mod tiktoken;
mod tokens;
mod window;

pub use assembler::ContextAssembler;
pub use chat::{
    AnthropicPrompt, OMITTED_BEGINNING, OpenAiMessage, OpenAiRole, anthropic_prompt, openai_messages,
};
pub use config::{ConfigError, ContextConfig, Superseded};
pub use input::{ContextInput, Readers};
pub use quote::push_quoted;
pub use summarizer::{NoSummarizer, Summarizer, SummarizerError, SummaryRequest};
#[cfg(feature = "tiktoken-rs")]
pub use tiktoken::Tiktoken;
pub use tokens::{ScriptEstimate, TokenCounter};
pub use window::{DialogueWindow, SummaryLine, WindowError, WindowLimits};
