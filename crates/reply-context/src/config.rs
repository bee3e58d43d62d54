//! What is given, and how much of it.

use serde::{Deserialize, Serialize};

/// Settings of a [`ContextAssembler`](crate::ContextAssembler).
///
/// | field | default |
/// |---|---|
/// | `budget_tokens` | 2000 |
/// | `min_relevance` | 0.3 |
/// | `min_relevance_beside` | 0.02 |
/// | `profile_share` | 0.35 |
/// | `summary_share` | 0.15 |
/// | `notes_share` | 0.05 |
/// | `dialogue_share` | 0.4 |
/// | `memory_chars` | 500 |
/// | `line_chars` | 1600 |
/// | `superseded` | `mark` |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ContextConfig {
    /// Who the bot is. `{bot}` and `{person}` stand for their names.
    pub persona: String,
    /// Tokens of the whole context. More room gives more memories and a longer dialogue.
    pub budget_tokens: u32,
    /// Memories are given when the best of them is at least as relevant, `0..=1`. Raising it gives fewer
    /// memories that do not bear on the message, and misses more that do.
    pub min_relevance: f32,
    /// Beside one that reaches `min_relevance`, memories of at least this relevance are given too, `0..=1`.
    pub min_relevance_beside: f32,
    /// What is known of the person takes at most this share of the budget, `0..=1`.
    pub profile_share: f32,
    /// The summary takes at most this share of the budget, `0..=1`.
    pub summary_share: f32,
    /// The notes of the plan take at most this share of the budget, `0..=1`.
    pub notes_share: f32,
    /// Of what remains, this share is the dialogue's, `0..=1`; it takes more when the memories need less.
    pub dialogue_share: f32,
    /// A memory longer than this many characters is given as the passage that matched.
    pub memory_chars: usize,
    /// A line of the dialogue longer than this many characters is given without its middle.
    pub line_chars: usize,
    /// What becomes of memories that say what no longer holds.
    pub superseded: Superseded,
}

/// What becomes of memories that say what no longer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Superseded {
    /// They are given after the others, and say that they no longer hold.
    #[default]
    Mark,
    /// They are left out.
    Omit,
}

/// Who the bot is unless the configuration says so.
const PERSONA: &str =
    "You are {bot}, a warm, attentive companion who talks with {person}. Answer briefly, as in a chat.";

impl Default for ContextConfig {
    fn default() -> Self {
        Self {
            persona: PERSONA.to_owned(),
            budget_tokens: 2000,
            min_relevance: 0.3,
            min_relevance_beside: 0.02,
            profile_share: 0.35,
            summary_share: 0.15,
            notes_share: 0.05,
            dialogue_share: 0.4,
            memory_chars: 500,
            line_chars: 1600,
            superseded: Superseded::Mark,
        }
    }
}

impl ContextConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// [`ConfigError`] names the first field that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let ratios = [
            ("min_relevance", self.min_relevance),
            ("min_relevance_beside", self.min_relevance_beside),
            ("profile_share", self.profile_share),
            ("summary_share", self.summary_share),
            ("notes_share", self.notes_share),
            ("dialogue_share", self.dialogue_share),
        ];
        for (field, value) in ratios {
            if !(0.0..=1.0).contains(&value) {
                return Err(ConfigError::Ratio { field, value });
            }
        }
        for (field, value) in [
            ("memory_chars", self.memory_chars),
            ("line_chars", self.line_chars),
        ] {
            if value < MIN_CHARS {
                return Err(ConfigError::TooShort { field, value });
            }
        }
        Ok(())
    }
}

const MIN_CHARS: usize = 20;

/// A setting that is out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A share or a probability outside `0..=1`.
    #[error("{field} is {value}, not in 0..=1")]
    Ratio {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f32,
    },
    /// A length below 20 characters.
    #[error("{field} is {value}, less than {MIN_CHARS}")]
    TooShort {
        /// The field.
        field: &'static str,
        /// Its value.
        value: usize,
    },
}
