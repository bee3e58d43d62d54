//! What a language model is given to write a reply.

use serde::{Deserialize, Serialize};

use crate::{Language, MemoryId, Timestamp, ZoneId};

/// Everything a language model needs to write one reply, within a budget of tokens.
///
/// The beginning changes least from turn to turn, so that a provider's prompt cache can keep it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReplyContext {
    /// The parts of the system prompt, in order.
    pub sections: Vec<ContextSection>,
    /// The last lines of the conversation, oldest first; the message to be answered is not among them.
    pub dialogue: Vec<DialogueLine>,
    /// The message to be answered.
    pub message: Option<DialogueLine>,
    /// The language to answer in, where it is known.
    pub language: Option<Language>,
    /// The person's time zone, where it is known.
    #[serde(default)]
    pub zone: Option<ZoneId>,
    /// Where help can be had, as the app configures it; empty unless somebody is in danger.
    #[serde(default)]
    pub resources: String,
    /// What it costs, and what did not fit.
    pub report: ContextReport,
}

impl ReplyContext {
    /// The system prompt: every section, separated by blank lines.
    pub fn system(&self) -> String {
        let texts: Vec<&str> = self
            .sections
            .iter()
            .map(|section| section.text.as_str())
            .collect();
        texts.join("\n\n")
    }

    /// The section of this kind, where there is one.
    pub fn section(&self, kind: SectionKind) -> Option<&ContextSection> {
        self.sections.iter().find(|section| section.kind == kind)
    }
}

/// One part of a system prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextSection {
    /// Which part.
    pub kind: SectionKind,
    /// Its text; what people said stands in it as quoted data.
    pub text: String,
    /// What it costs, in tokens.
    pub tokens: u32,
}

/// Which part of a system prompt, in the order in which they stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SectionKind {
    /// Who the bot is, and how quoted data is to be taken.
    Persona,
    /// What is known of the person.
    Profile,
    /// What was said before the lines of the dialogue.
    Summary,
    /// Date, weekday and time where the person is.
    Now,
    /// Memories that bear on the message.
    Memories,
    /// Notes of the plan.
    Plan,
    /// How to answer somebody in danger.
    Safety,
}

impl SectionKind {
    /// The lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Persona => "persona",
            Self::Profile => "profile",
            Self::Summary => "summary",
            Self::Now => "now",
            Self::Memories => "memories",
            Self::Plan => "plan",
            Self::Safety => "safety",
        }
    }
}

/// One line of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DialogueLine {
    /// The line as a memory, where it is stored.
    pub id: Option<MemoryId>,
    /// Whether the bot said it.
    pub from_bot: bool,
    /// Who said it, where several people talk.
    pub name: Option<String>,
    /// What was said.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// One message for a chat interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who says it.
    pub role: ChatRole,
    /// The name of who says it, where several people talk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is said.
    pub content: String,
}

/// Who says a [`ChatMessage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatRole {
    /// A person.
    User,
    /// The bot.
    Assistant,
}

/// What a context costs, and what was left out of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContextReport {
    /// The budget, in tokens.
    pub budget: u32,
    /// Tokens of the whole; at most `budget`, unless what always stays (persona, time, safety guidance and the
    /// message) costs more by itself.
    pub tokens: u32,
    /// Tokens of each section.
    pub sections: Vec<(SectionKind, u32)>,
    /// Tokens of the dialogue and the message.
    pub dialogue: u32,
    /// The memories that are given, best first.
    pub given: Vec<MemoryId>,
    /// What was left out, and why.
    pub omitted: Vec<Omission>,
}

/// Something that was left out of a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Omission {
    /// The section it would stand in; `None` for a line of the dialogue.
    pub section: Option<SectionKind>,
    /// The memory, where it is one.
    pub memory: Option<MemoryId>,
    /// Why it is not there.
    pub reason: OmissionReason,
}

/// Why something was left out of a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OmissionReason {
    /// It did not fit the budget.
    Budget,
    /// It stands in the dialogue already.
    InDialogue,
    /// Its relevance is below the threshold.
    NotRelevant,
    /// It says what no longer holds.
    Superseded,
    /// It repeats another.
    Duplicate,
    /// It is not for the eyes of this audience.
    Private,
}
