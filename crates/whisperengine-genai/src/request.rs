//! A context in the client's own types.

use genai::chat::{CacheControl, ChatMessage, ChatOptions, ChatRequest};
use whisperengine_reply_context::{OpenAiRole, anthropic_prompt, openai_messages};
use whisperengine_types::{ChatRole, ReplyContext, ReplyRequest, SectionKind};

use crate::config::{ModelConfig, Provider};

/// What is sent to answer a turn. A turn without a context is sent as its message alone.
pub(crate) fn chat_request(provider: Provider, request: &ReplyRequest) -> ChatRequest {
    let context = &request.outcome.context;
    let messages = match provider {
        Provider::Anthropic => anthropic(context),
        Provider::OpenAi | Provider::Ollama => openai(context),
    };
    let chat = ChatRequest::from_messages(messages);
    if context.message.is_some() {
        chat
    } else {
        chat.append_message(ChatMessage::user(request.message.text.as_str()))
    }
}

pub(crate) fn chat_options(config: &ModelConfig) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_max_tokens(config.max_tokens)
        .with_stream_header_timeout(config.first_part_timeout)
        .with_stream_read_timeout(config.part_timeout)
        .with_normalize_reasoning_content(true);
    if let Some(temperature) = config.temperature {
        options = options.with_temperature(f64::from(temperature));
    }
    options
}

fn openai(context: &ReplyContext) -> Vec<ChatMessage> {
    let messages = openai_messages(context).into_iter();
    messages
        .map(|message| match message.role {
            OpenAiRole::System => ChatMessage::system(message.content),
            OpenAiRole::User => ChatMessage::user(message.content),
            OpenAiRole::Assistant => ChatMessage::assistant(message.content),
        })
        .collect()
}

/// The part of the system prompt that rests between turns is marked to be cached; the interface caches only
/// what is marked.
fn anthropic(context: &ReplyContext) -> Vec<ChatMessage> {
    let resting = |kind: SectionKind| kind < SectionKind::Now;
    let join = |is_resting: bool| {
        let sections = context.sections.iter();
        let texts = sections.filter(|section| resting(section.kind) == is_resting);
        texts
            .map(|section| section.text.as_str())
            .collect::<Vec<_>>()
            .join("\n\n")
    };
    let (rests, changes) = (join(true), join(false));
    let mut messages = Vec::new();
    if !rests.is_empty() {
        messages.push(ChatMessage::system(rests).with_options(CacheControl::Ephemeral));
    }
    if !changes.is_empty() {
        messages.push(ChatMessage::system(changes));
    }
    messages.extend(
        anthropic_prompt(context)
            .messages
            .into_iter()
            .map(|message| match message.role {
                ChatRole::User => ChatMessage::user(message.content),
                ChatRole::Assistant => ChatMessage::assistant(message.content),
            }),
    );
    messages
}
