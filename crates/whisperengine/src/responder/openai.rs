//! Replies from a language model behind an OpenAI-compatible HTTP interface.
//!
//! Local servers (llama.cpp, Ollama, vLLM) speak plain HTTP; for `https` addresses add the feature
//! `llm-tls`.

use std::{fmt, time::Duration};

use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use whisperengine_types::{BoxFuture, Message, Responder, ResponderError, TurnOutcome};

/// Where the model is and how it is asked.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OpenAiConfig {
    /// The address up to and without `/chat/completions`; default `http://127.0.0.1:11434/v1`.
    pub base_url: String,
    /// The model's name, as the server knows it; default `llama3.2`.
    pub model: String,
    /// Sent as a bearer token when not empty; default empty. Never printed.
    pub api_key: String,
    /// Who the companion is, put before the plan's supplement.
    pub persona: String,
    /// Longest reply in tokens; default 300.
    pub max_tokens: u32,
    /// Randomness of the reply, `0..=2`; default 0.7.
    pub temperature: f32,
    /// Seconds to wait for a reply; default 30.
    pub timeout_secs: u64,
}

impl Default for OpenAiConfig {
    fn default() -> Self {
        Self {
            base_url: "http://127.0.0.1:11434/v1".to_owned(),
            model: "llama3.2".to_owned(),
            api_key: String::new(),
            persona: "You are a warm, attentive companion. Answer briefly and in the person's language."
                .to_owned(),
            max_tokens: 300,
            temperature: 0.7,
            timeout_secs: 30,
        }
    }
}

impl fmt::Debug for OpenAiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiConfig")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .field(
                "api_key",
                &if self.api_key.is_empty() { "none" } else { "hidden" },
            )
            .finish_non_exhaustive()
    }
}

/// Asks a language model for the reply.
#[derive(Debug, Clone)]
pub struct OpenAi {
    config: OpenAiConfig,
    client: Client,
}

impl OpenAi {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// [`ResponderError::Unavailable`] when no HTTP client can be had.
    pub fn new(config: OpenAiConfig) -> Result<Self, ResponderError> {
        let timeout = Duration::from_secs(config.timeout_secs);
        let client = Client::builder().timeout(timeout).build().map_err(unavailable)?;
        Ok(Self { config, client })
    }

    async fn ask(&self, message: &Message, outcome: &TurnOutcome) -> Result<String, ResponderError> {
        let system = format!("{}\n\n{}", self.config.persona, outcome.plan.prompt_supplement);
        let request = Request {
            model: &self.config.model,
            max_tokens: self.config.max_tokens,
            temperature: self.config.temperature,
            messages: [
                Line {
                    role: "system",
                    content: &system,
                },
                Line {
                    role: "user",
                    content: &message.text,
                },
            ],
        };
        let url = format!("{}/chat/completions", self.config.base_url.trim_end_matches('/'));
        let mut post = self.client.post(url).json(&request);
        if !self.config.api_key.is_empty() {
            post = post.bearer_auth(&self.config.api_key);
        }
        let response = post.send().await.map_err(unavailable)?;
        let status = response.status();
        if !status.is_success() {
            return Err(refusal(status));
        }
        let answer: Answer = response.json().await.map_err(unavailable)?;
        let reply = answer
            .choices
            .into_iter()
            .next()
            .map(|choice| choice.message.content)
            .unwrap_or_default();
        if reply.trim().is_empty() {
            return Err(ResponderError::Unavailable {
                reason: "the model said nothing".to_owned(),
            });
        }
        Ok(reply.trim().to_owned())
    }
}

impl Responder for OpenAi {
    fn respond<'a>(
        &'a self,
        message: &'a Message,
        outcome: &'a TurnOutcome,
    ) -> BoxFuture<'a, Result<String, ResponderError>> {
        Box::pin(self.ask(message, outcome))
    }
}

/// A request that the server finds wrong will not get better; anything else may.
fn refusal(status: StatusCode) -> ResponderError {
    let reason = format!("the server answered {status}");
    if status.is_client_error()
        && status != StatusCode::TOO_MANY_REQUESTS
        && status != StatusCode::REQUEST_TIMEOUT
    {
        ResponderError::Refused { reason }
    } else {
        ResponderError::Unavailable { reason }
    }
}

fn unavailable(error: reqwest::Error) -> ResponderError {
    // The address may hold a key.
    ResponderError::Unavailable {
        reason: error.without_url().to_string(),
    }
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    max_tokens: u32,
    temperature: f32,
    messages: [Line<'a>; 2],
}

#[derive(Serialize)]
struct Line<'a> {
    role: &'a str,
    content: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
}

#[derive(Deserialize)]
struct Said {
    content: String,
}
