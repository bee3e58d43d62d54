//! Which model is asked, and with how much patience.

use std::{fmt, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

/// Settings of a [`LanguageModel`](crate::LanguageModel). Durations are written as text: `"250ms"`, `"30s"`.
///
/// | field | default |
/// |---|---|
/// | `provider` | `open_ai` |
/// | `base_url` | the provider's own |
/// | `max_tokens` | 500 |
/// | `temperature` | the model's own |
/// | `first_part_timeout` | 60 s |
/// | `part_timeout` | 30 s |
/// | `deadline` | 3 min |
/// | `retries` | 3 |
/// | `backoff` | 500 ms |
/// | `max_reply_bytes` | 16 KiB |
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelConfig {
    /// Whose interface it is.
    pub provider: Provider,
    /// The address up to and without `/chat/completions`, `/messages` or `/api/chat`; the provider's own when
    /// empty.
    pub base_url: String,
    /// The model's name, as the provider knows it.
    pub model: String,
    /// The key. When empty, a placeholder is sent, which servers that need no key ignore. Never printed or
    /// written.
    #[serde(skip_serializing)]
    pub api_key: String,
    /// The longest reply, in tokens.
    pub max_tokens: u32,
    /// Randomness of the reply; the model's own when absent.
    pub temperature: Option<f32>,
    /// How long to wait for the beginning of an answer. Large models on small machines need minutes.
    #[serde(with = "duration_text::required")]
    pub first_part_timeout: Duration,
    /// How long to wait for more of an answer.
    #[serde(with = "duration_text::required")]
    pub part_timeout: Duration,
    /// How long a reply may take in all, waiting and asking again included.
    #[serde(with = "duration_text::required")]
    pub deadline: Duration,
    /// How often to ask again when the provider is busy or fails before the answer begins.
    pub retries: u32,
    /// How long to wait before the first time; twice as long each time after. What the provider asks for with
    /// `Retry-After` comes before it.
    #[serde(with = "duration_text::required")]
    pub backoff: Duration,
    /// The longest reply, in bytes; the rest of a longer one is left out and the reply counts as broken off.
    pub max_reply_bytes: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            provider: Provider::OpenAi,
            base_url: String::new(),
            model: String::new(),
            api_key: String::new(),
            max_tokens: 500,
            temperature: None,
            first_part_timeout: Duration::from_secs(60),
            part_timeout: Duration::from_secs(30),
            deadline: Duration::from_secs(180),
            retries: 3,
            backoff: Duration::from_millis(500),
            max_reply_bytes: 16 * 1024,
        }
    }
}

impl ModelConfig {
    /// The settings for `model` of `provider`, at the provider's own address and without a key.
    pub fn new(provider: Provider, model: impl Into<String>) -> Self {
        Self {
            provider,
            model: model.into(),
            ..Self::default()
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`ConfigError`] says what is wrong with the first that is out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.model.trim().is_empty() {
            return Err(ConfigError::NoModel);
        }
        let url = self.base_url.as_str();
        if url.starts_with("https://") && !cfg!(feature = "tls")
            || (url.is_empty() && self.provider != Provider::Ollama && !cfg!(feature = "tls"))
        {
            return Err(ConfigError::TlsDisabled);
        }
        if !(url.is_empty() || url.starts_with("http://") || url.starts_with("https://")) {
            return Err(ConfigError::NoAddress);
        }
        if self
            .temperature
            .is_some_and(|value| !(0.0..=2.0).contains(&value))
        {
            return Err(ConfigError::Temperature);
        }
        Ok(())
    }
}

impl fmt::Debug for ModelConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.api_key.is_empty() { "none" } else { "hidden" };
        f.debug_struct("ModelConfig")
            .field("provider", &self.provider)
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field("api_key", &key)
            .finish_non_exhaustive()
    }
}

/// Whose interface a model is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Provider {
    /// OpenAI's chat completions, which most servers speak: vLLM, llama.cpp, LM Studio, OpenRouter.
    #[default]
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Ollama's own interface.
    Ollama,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No model is named.
    #[error("no model is named")]
    NoModel,
    /// The address is no `http` or `https` one.
    #[error("base_url begins with neither http:// nor https://")]
    NoAddress,
    /// An `https` address without the feature `tls`.
    #[error("https needs the feature tls")]
    TlsDisabled,
    /// A temperature outside `0..=2`.
    #[error("temperature is not in 0..=2")]
    Temperature,
    /// No HTTP client can be had.
    #[error("no HTTP client: {reason}")]
    Client {
        /// What is known of the cause.
        reason: String,
    },
}
