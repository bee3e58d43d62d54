//! What a language model is given: the parts that a turn gathered, assembled within the budget.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use whisperengine_reply_context::{
    ConfigError, ContextAssembler, ContextConfig, ContextInput, DialogueWindow, Readers, SummaryLine,
};
use whisperengine_types::{
    DialogueLine, EmotionReading, Fact, Language, MemoryId, Message, Recall, ReplyContext, SafetyLevel, Slot,
    Timestamp, ZoneId,
};

/// How one bot's contexts differ from those of the others.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BotConfig {
    /// What the bot is called; its id when empty.
    pub name: String,
    /// Who the bot is; the engine's persona when empty.
    pub persona: String,
    /// Tokens of its contexts; the engine's budget when absent.
    pub budget_tokens: Option<u32>,
}

/// Where people in danger are told to turn, by language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SafetyConfig {
    /// Numbers and addresses by language code; the one under `*` is for every other language. Empty by
    /// default: what is right depends on where the people are.
    pub resources: BTreeMap<String, String>,
}

/// What a turn gathered for its context under the owner's lock.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    pub(crate) facts: Vec<Fact>,
    /// The facts that answer the message.
    pub(crate) answers: Vec<Fact>,
    /// Memories that say what no longer holds.
    pub(crate) superseded: Vec<MemoryId>,
    pub(crate) dialogue: Vec<DialogueLine>,
    pub(crate) summary: Vec<SummaryLine>,
    pub(crate) digest: Option<String>,
    pub(crate) zone: Option<ZoneId>,
    /// The zone, where it is another than that of the message before.
    pub(crate) moved_to: Option<ZoneId>,
    pub(crate) language: Option<Language>,
}

impl Scene {
    /// Keeps what stands in the dialogue.
    pub(crate) fn take(&mut self, window: &DialogueWindow) {
        self.dialogue = window.lines().to_vec();
        self.summary = window.summary().to_vec();
        self.digest = window.digest().map(str::to_owned);
    }
}

impl Scene {
    /// Takes out the lines for which `is_closed` holds.
    pub(crate) fn leave_out(&mut self, is_closed: impl Fn(&str) -> bool) {
        self.dialogue.retain(|line| !is_closed(&line.text));
        self.summary.retain(|line| !is_closed(&line.text));
    }
}

/// Assembles the contexts of every bot.
#[derive(Debug)]
pub(crate) struct Contexts {
    assembler: ContextAssembler,
    bots: BTreeMap<String, BotConfig>,
    safety: SafetyConfig,
}

/// What a context is made from besides its scene.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turning<'a> {
    pub(crate) message: &'a Message,
    pub(crate) id: Option<&'a MemoryId>,
    pub(crate) emotion: &'a EmotionReading,
    pub(crate) recalled: &'a Recall,
    pub(crate) notes: &'a [String],
}

impl Contexts {
    pub(crate) fn new(
        config: ContextConfig,
        bots: BTreeMap<String, BotConfig>,
        safety: SafetyConfig,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            assembler: ContextAssembler::new(config)?,
            bots,
            safety,
        })
    }

    /// The resources to name to somebody who writes this language.
    pub(crate) fn resources(&self, language: Option<Language>) -> &str {
        let resources = &self.safety.resources;
        let own = language.and_then(|language| resources.get(language.code()));
        own.or_else(|| resources.get("*")).map_or("", String::as_str)
    }

    pub(crate) fn assemble(
        &self,
        turn: Turning<'_>,
        scene: &Scene,
        now: Timestamp,
        budget_tokens: Option<u32>,
    ) -> ReplyContext {
        let message = turn.message;
        let bot = self.bots.get(message.bot.as_str());
        let is_private = message.audience.is_private();
        let known_name = scene
            .facts
            .iter()
            .find(|fact| is_private && fact.slot == Slot::Name && fact.holds_at(now))
            .map(|fact| fact.value.as_str());
        let person = known_name
            .or(message.display_name.as_deref())
            .unwrap_or(message.user.as_str());
        let line = DialogueLine {
            id: turn.id.cloned(),
            from_bot: false,
            name: (!is_private).then(|| person.to_owned()),
            text: message.text.clone(),
            at: message.sent_at,
        };
        let bot_name = bot.map_or("", |bot| bot.name.as_str());
        let bot_name = if bot_name.is_empty() {
            message.bot.as_str()
        } else {
            bot_name
        };
        let mut input = ContextInput::new(bot_name, person, &line, now);
        input.persona = bot
            .map(|bot| bot.persona.as_str())
            .filter(|persona| !persona.is_empty());
        input.facts = &scene.facts;
        input.digest = scene.digest.as_deref();
        input.summary = &scene.summary;
        input.dialogue = &scene.dialogue;
        input.recalled = &turn.recalled.memories;
        input.superseded = &scene.superseded;
        input.asked_time = turn.recalled.asked_time.as_ref();
        input.notes = turn.notes;
        input.safety = Some(&turn.emotion.safety).filter(|safety| safety.level > SafetyLevel::None);
        input.resources = self.resources(scene.language);
        input.language = scene.language;
        input.zone = scene.zone.as_ref();
        input.budget_tokens = budget_tokens.or(bot.and_then(|bot| bot.budget_tokens));
        // What is recalled before an audience was said to it; facts are chosen likewise.
        let may_read = |source: &MemoryId| {
            let mut heard = turn.recalled.memories.iter().map(|hit| &hit.memory.id);
            heard.any(|id| id == source) || scene.facts.iter().any(|fact| fact.source == *source)
        };
        if !is_private {
            input.readers = Readers::Group(&may_read);
        }
        self.assembler.assemble(&input)
    }
}
