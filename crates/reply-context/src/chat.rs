//! The shapes in which chat interfaces take a context.
//!
//! Where several people talk, each of their lines is one line of `content` that begins with the name, since
//! most servers ignore `name`; within a text there is no line break, so nobody can speak for another.

use serde::Serialize;
use whisperengine_types::{ChatMessage, ChatRole, DialogueLine, ReplyContext};

use crate::quote::{self, Breaks, push_name, push_spoken};

/// A request to an OpenAI-compatible interface: the messages, the system prompt first.
///
/// ```
/// use whisperengine_reply_context::openai_messages;
/// use whisperengine_types::{DialogueLine, ReplyContext};
///
/// let context = ReplyContext {
///     message: Some(DialogueLine {
///         id: None,
///         from_bot: false,
///         name: Some("Ana".to_owned()),
///         text: "hi all".to_owned(),
///         at: Default::default(),
///     }),
///     ..ReplyContext::default()
/// };
/// let messages = openai_messages(&context);
/// assert_eq!(messages[0].content, "Ana: hi all");
/// assert_eq!(messages[0].name.as_deref(), Some("Ana"));
/// ```
pub fn openai_messages(context: &ReplyContext) -> Vec<OpenAiMessage> {
    let group = is_group(context);
    let mut names = Names::default();
    let system = context.system();
    let system = (!system.is_empty()).then_some(OpenAiMessage {
        role: OpenAiRole::System,
        content: system,
        name: None,
    });
    let lines = lines(context).map(|line| OpenAiMessage {
        role: if line.from_bot {
            OpenAiRole::Assistant
        } else {
            OpenAiRole::User
        },
        content: content(line, group),
        name: line
            .name
            .as_deref()
            .filter(|_| !line.from_bot)
            .map(|name| names.sanitized(name)),
    });
    system.into_iter().chain(lines).collect()
}

/// One message in the shape of OpenAI's chat completions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenAiMessage {
    /// Who says it.
    pub role: OpenAiRole,
    /// What is said.
    pub content: String,
    /// Who says it, where several people talk: 1 to 64 ASCII letters, digits, `_` and `-`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Who says an [`OpenAiMessage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum OpenAiRole {
    System,
    User,
    Assistant,
}

/// A request to Anthropic's interface: a system prompt and messages in turns, the first of them a person's.
///
/// Lines of one side that follow each other are one message. A dialogue that begins with the bot is
/// preceded by [`OMITTED_BEGINNING`].
pub fn anthropic_prompt(context: &ReplyContext) -> AnthropicPrompt {
    let group = is_group(context);
    let mut messages: Vec<ChatMessage> = Vec::new();
    for line in lines(context) {
        let role = if line.from_bot {
            ChatRole::Assistant
        } else {
            ChatRole::User
        };
        let content = content(line, group);
        match messages.last_mut() {
            Some(last) if last.role == role => {
                last.content.push('\n');
                last.content.push_str(&content);
            }
            None if role == ChatRole::Assistant => {
                messages.push(message(ChatRole::User, OMITTED_BEGINNING.to_owned()));
                messages.push(message(role, content));
            }
            _ => messages.push(message(role, content)),
        }
    }
    AnthropicPrompt {
        system: context.system(),
        messages,
    }
}

/// Stands before a dialogue that begins with the bot, where the interface wants a person first.
pub const OMITTED_BEGINNING: &str = "(…)";

/// A prompt in the shape of Anthropic's messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnthropicPrompt {
    /// The system prompt.
    pub system: String,
    /// The dialogue and the message, user and assistant in turns; none has a name.
    pub messages: Vec<ChatMessage>,
}

/// A line as a chat interface is sent it.
fn content(line: &DialogueLine, group: bool) -> String {
    let mut out = String::with_capacity(line.text.len() + 16);
    match (&line.name, line.from_bot) {
        (Some(name), false) if group => {
            push_name(&mut out, name);
            out.push_str(": ");
            push_spoken(&mut out, &line.text, Breaks::Blank);
        }
        _ if group => push_spoken(&mut out, &line.text, Breaks::Blank),
        _ => push_spoken(&mut out, &line.text, Breaks::Keep),
    }
    out
}

fn message(role: ChatRole, content: String) -> ChatMessage {
    ChatMessage {
        role,
        name: None,
        content,
    }
}

fn lines(context: &ReplyContext) -> impl Iterator<Item = &DialogueLine> {
    context.dialogue.iter().chain(&context.message)
}

/// Whether people are named, so that their lines begin with the name.
fn is_group(context: &ReplyContext) -> bool {
    lines(context).any(|line| !line.from_bot && line.name.is_some())
}

/// The names of one request in the characters that the interface takes.
#[derive(Default)]
struct Names<'a> {
    /// Names that hold no such character, in the order of their appearance.
    others: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn sanitized(&mut self, name: &'a str) -> String {
        let tame = quote::name(name);
        let ascii = tame.bytes().filter(u8::is_ascii_alphanumeric).count();
        if ascii * 2 > tame.chars().count() {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            return tame.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
        }
        let at = self.others.iter().position(|&other| other == name);
        let at = at.unwrap_or_else(|| {
            self.others.push(name);
            self.others.len() - 1
        });
        format!("person_{}", at + 1)
    }
}
