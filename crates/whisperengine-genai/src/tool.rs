//! The port for tools that a model may use.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use whisperengine_types::BoxFuture;

/// Tools that a model may use while it answers one turn.
pub trait Toolbox: Send + Sync + Debug {
    /// What there is.
    fn tools(&self) -> Vec<ToolSpec>;

    /// Uses a tool; the text is given to the model, an error's text too. Calls come one at a time. Dropping the
    /// future may leave a change made or not made.
    fn call(&self, call: ToolCall) -> BoxFuture<'_, Result<String, ToolError>>;
}

/// A tool, as every interface describes one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// The JSON schema of its arguments.
    pub parameters: Value,
}

/// A use of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Which tool.
    pub name: String,
    /// The arguments, as the model wrote them.
    pub arguments: Value,
}

/// Why a tool did not do as asked; the model reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// There is no tool of this name.
    #[error("there is no tool {name:?}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// An argument is missing or wrong.
    #[error("argument {name} is missing or wrong")]
    Argument {
        /// Its name.
        name: &'static str,
    },
    /// The memory is away or refuses.
    #[error("that did not work: {reason}")]
    Failed {
        /// What is known of the cause.
        reason: String,
    },
}
