//! What a context is assembled from.

use std::fmt;

use whisperengine_types::{
    AskedTime, DialogueLine, Fact, Language, MemoryId, RecalledMemory, Safety, Timestamp, ZoneId,
};

use crate::{config::ContextConfig, window::SummaryLine};

/// What a context is assembled from. [`ContextInput::new`] fills in everything but the essentials as absent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ContextInput<'a> {
    /// What the bot is called.
    pub bot: &'a str,
    /// What the person is called.
    pub person: &'a str,
    /// The message to be answered.
    pub message: &'a DialogueLine,
    /// The time of the turn.
    pub now: Timestamp,
    /// Who the bot is, in place of [`ContextConfig::persona`].
    pub persona: Option<&'a str>,
    /// What is known of the person: facts that hold and those that ceased to hold of late, in any order.
    pub facts: &'a [Fact],
    /// A digest of what fell out of the dialogue, from a [`Summarizer`](crate::Summarizer).
    pub digest: Option<&'a str>,
    /// What was kept of the lines that fell out of the dialogue, oldest first.
    pub summary: &'a [SummaryLine],
    /// The lines before the message, oldest first.
    pub dialogue: &'a [DialogueLine],
    /// What recall found, best first.
    pub recalled: &'a [RecalledMemory],
    /// Memories among `recalled` that say what no longer holds, besides those that say so themselves.
    pub superseded: &'a [MemoryId],
    /// The time that the message asks about, as recall understood it.
    pub asked_time: Option<&'a AskedTime>,
    /// Notes of the plan, most important first: only what is unusual and sure.
    pub notes: &'a [String],
    /// Whether somebody is in danger.
    pub safety: Option<&'a Safety>,
    /// Where help can be had, as the app configures it.
    pub resources: &'a str,
    /// The language to answer in.
    pub language: Option<Language>,
    /// The person's time zone; UTC when absent or unknown.
    pub zone: Option<&'a ZoneId>,
    /// Who reads the reply.
    pub readers: Readers<'a>,
    /// A budget for this call, in place of [`ContextConfig::budget_tokens`].
    pub budget_tokens: Option<u32>,
}

impl<'a> ContextInput<'a> {
    /// The message alone, read by nobody but the person.
    pub fn new(bot: &'a str, person: &'a str, message: &'a DialogueLine, now: Timestamp) -> Self {
        Self {
            bot,
            person,
            message,
            now,
            persona: None,
            facts: &[],
            digest: None,
            summary: &[],
            dialogue: &[],
            recalled: &[],
            superseded: &[],
            asked_time: None,
            notes: &[],
            safety: None,
            resources: "",
            language: None,
            zone: None,
            readers: Readers::Person,
            budget_tokens: None,
        }
    }

    pub(crate) fn persona_of(&self, config: &'a ContextConfig) -> &'a str {
        self.persona.unwrap_or(&config.persona)
    }

    pub(crate) fn may_read(&self, source: &MemoryId) -> bool {
        match self.readers {
            Readers::Person => true,
            Readers::Group(may_read) => may_read(source),
        }
    }
}

/// Who reads the reply.
///
/// Before others nothing is given without a source that they may read: of the facts and memories, those
/// for which the function answers true. The dialogue and the summary are those of the channel itself.
#[derive(Clone, Copy)]
pub enum Readers<'a> {
    /// Only the person.
    Person,
    /// Everyone in a channel; the function says whether they may read what comes from this message.
    Group(&'a dyn Fn(&MemoryId) -> bool),
}

impl fmt::Debug for Readers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Person => "Person",
            Self::Group(_) => "Group",
        })
    }
}
