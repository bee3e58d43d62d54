//! The responder.

use std::sync::Arc;

use futures_util::stream;
use genai::{
    Client, ModelIden, ServiceTarget,
    adapter::AdapterKind,
    chat::{ChatOptions, Tool},
    resolver::{AuthData, Endpoint},
};
use whisperengine_types::{BoxStream, ReplyRequest, Responder, ResponderError};

use crate::{
    config::{ConfigError, ModelConfig, Provider},
    driver::Reply,
    request::{chat_options, chat_request},
    tool::Toolbox,
};

/// A language model that writes replies, streamed as it writes them. Cheap to clone.
///
/// A model that is slow or that takes no more requests is [`ResponderError::Busy`], not broken. Before the
/// answer begins the request is sent again, as the provider asks with `Retry-After` or after a growing wait;
/// once it has begun, nothing is sent twice. Dropping the stream ends the request.
///
/// ```no_run
/// use std::sync::Arc;
/// use whisperengine_genai::{LanguageModel, ModelConfig, Provider};
///
/// let mut config = ModelConfig::new(Provider::Ollama, "llama3.2");
/// config.base_url = "http://127.0.0.1:11434".to_owned();
/// let responder = Arc::new(LanguageModel::new(config)?);
/// # Ok::<(), whisperengine_genai::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LanguageModel {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: ModelConfig,
    pub(crate) client: Client,
    pub(crate) target: ServiceTarget,
    pub(crate) options: ChatOptions,
    /// As `options`, with the calls of tools kept for the next request.
    pub(crate) tool_options: ChatOptions,
}

impl LanguageModel {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// [`ConfigError`] when a setting cannot work.
    pub fn new(config: ModelConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let kind = adapter(config.provider);
        let client = Client::builder().with_adapter_kind(kind).build();
        let client = client.map_err(|error| ConfigError::Client {
            reason: error.to_string(),
        })?;
        let target = ServiceTarget {
            endpoint: endpoint(&config),
            // The client refuses a request without a key; servers that need none ignore this one.
            auth: AuthData::from_single(if config.api_key.is_empty() {
                "none"
            } else {
                &config.api_key
            }),
            model: ModelIden::new(kind, config.model.as_str()),
        };
        let options = chat_options(&config);
        let tool_options = options
            .clone()
            .with_capture_content(true)
            .with_capture_tool_calls(true);
        let inner = Inner {
            config,
            client,
            target,
            options,
            tool_options,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// As [`respond`](Responder::respond), with tools that the model may use before and while it answers, at most
    /// four times. In a channel that others read no tool is offered: what it says would not be chosen for them.
    pub fn respond_with_tools(
        &self,
        request: &ReplyRequest,
        toolbox: Arc<dyn Toolbox>,
    ) -> BoxStream<Result<String, ResponderError>> {
        let is_private = request.outcome.audience.is_private() && request.message.audience.is_private();
        self.reply(request, is_private.then_some(toolbox))
    }

    /// The settings.
    pub fn config(&self) -> &ModelConfig {
        &self.inner.config
    }

    fn reply(
        &self,
        request: &ReplyRequest,
        toolbox: Option<Arc<dyn Toolbox>>,
    ) -> BoxStream<Result<String, ResponderError>> {
        let mut chat = chat_request(self.inner.config.provider, request);
        if let Some(toolbox) = &toolbox {
            chat = chat.with_tools(toolbox.tools().into_iter().map(|tool| {
                Tool::new(tool.name)
                    .with_description(tool.description)
                    .with_schema(tool.parameters)
            }));
        }
        let turn = request.outcome.turn.to_string();
        let reply = Reply::new(Arc::clone(&self.inner), chat, toolbox, turn);
        Box::pin(stream::unfold(reply, |mut reply| async move {
            let part = reply.next().await?;
            Some((part, reply))
        }))
    }
}

impl Responder for LanguageModel {
    fn respond(&self, request: ReplyRequest) -> BoxStream<Result<String, ResponderError>> {
        self.reply(&request, None)
    }
}

fn adapter(provider: Provider) -> AdapterKind {
    match provider {
        Provider::OpenAi => AdapterKind::OpenAI,
        Provider::Anthropic => AdapterKind::Anthropic,
        Provider::Ollama => AdapterKind::Ollama,
    }
}

/// The client appends the path to an address that ends with a slash.
fn endpoint(config: &ModelConfig) -> Endpoint {
    let own = match config.provider {
        Provider::OpenAi => "https://api.openai.com/v1",
        Provider::Anthropic => "https://api.anthropic.com/v1",
        Provider::Ollama => "http://127.0.0.1:11434",
    };
    let base = if config.base_url.is_empty() {
        own
    } else {
        config.base_url.trim_end_matches('/')
    };
    Endpoint::from_owned(format!("{base}/"))
}
