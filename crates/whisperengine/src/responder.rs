//! Who writes the reply.

#[cfg(feature = "llm")]
mod openai;
mod template;

#[cfg(feature = "llm")]
pub use openai::{OpenAi, OpenAiConfig};
pub use template::Template;
