//! Configuration: default < file < environment < builder.
//!
//! | variable | field |
//! |---|---|
//! | `ENABLE_PRODUCTION_OPTIMIZATION` | `true` is mode production, `false` is mode standard |
//! | `WHISPERENGINE_<FIELD>` | a field of [`EngineConfig`], such as `WHISPERENGINE_DATA_DIR` |
//! | `WHISPERENGINE_<SECTION>_<FIELD>` | a field of a section, such as `WHISPERENGINE_COMPONENTS_EMOTION`; of a section within it, such as `WHISPERENGINE_PHASE4_THREAD_OPEN`; of an entry, such as `WHISPERENGINE_BOTS_EMBER_NAME` |
//!
//! A text is taken as it is, around numbers and truth values blanks are not minded, a list is `a, b` or
//! `["a", "b"]`. Anything else under `WHISPERENGINE_` is an error: a misspelt setting must not be ignored.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use whisperengine_conversation_scheduler::Config as SchedulerConfig;
use whisperengine_memory_batcher::{CacheConfig, Config as BatcherConfig};
use whisperengine_phase4::Config as Phase4Config;
use whisperengine_reply_context::ContextConfig;
use whisperengine_types::SpaceId;
use whisperengine_vector_memory::VectorMemoryConfig;

use crate::{
    cells::StateConfig,
    context::{BotConfig, SafetyConfig},
    error::ConfigError,
    fallback::GateConfig,
    variables::{OPTIMIZATION, PREFIX, Variables},
};

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EngineConfig {
    /// How much machinery is used; default production.
    pub mode: Mode,
    /// Where memories are kept; without it (the default) they last as long as the process, and every
    /// outcome says so.
    pub data_dir: Option<PathBuf>,
    /// The longest message in bytes; default 65,536.
    pub message_limit_bytes: usize,
    /// How many memories a turn recalls at most; default 24. More gives the reply's context more to
    /// choose from and costs time.
    pub recall_memories: usize,
    /// Memories of a lower relevance are not recalled, `0..=1`; default 0. Which of the recalled ones a
    /// language model is given is a setting of the reply context.
    pub recall_min_relevance: f32,
    /// Answers of recall that are kept until their owner writes.
    pub recall_cache: CacheConfig,
    /// Shared spaces of each bot that every turn searches besides the person's memories; default `lore`.
    pub lore: Vec<String>,
    /// Milliseconds that a responder has for a whole reply; default 60,000.
    pub reply_timeout_ms: u64,
    /// The longest reply in bytes; default 65,536. A longer one is cut.
    pub reply_limit_bytes: usize,
    /// Seconds that a shutdown may take to finish what was accepted, at most 86,400; default 10.
    pub shutdown_seconds: u64,
    /// Which components do their work; used in mode hybrid.
    pub components: Components,
    /// When fallbacks take over.
    pub fallback: GateConfig,
    /// When conversation states are saved.
    pub state: StateConfig,
    /// The store and the search.
    pub vector_memory: VectorMemoryConfig,
    /// Group commit.
    pub memory_batcher: BatcherConfig,
    /// Sessions, fairness, admission. Its `max_batch_turns` is 16 here: more at once makes little faster,
    /// and each turn of a batch waits for the last.
    pub conversation_scheduler: SchedulerConfig,
    /// The conversation engine.
    pub phase4: Phase4Config,
    /// What a language model is given.
    pub reply_context: ContextConfig,
    /// Names, personas and budgets of single bots, by id.
    pub bots: BTreeMap<String, BotConfig>,
    /// How people in danger are met.
    pub safety: SafetyConfig,
}

/// How much machinery is used. The path of a turn is the same in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One turn at a time, each with a commit of its own and without waiting for others: the smallest
    /// footprint, for one or a few people.
    Standard,
    /// Turns and writes are taken together: for many people.
    #[default]
    Production,
    /// Component by component, as [`Components`] says.
    Hybrid,
}

/// Switches for mode hybrid. What is off is replaced by its null object or reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "these are switches")]
pub struct Components {
    /// Micro-batches of turns on all cores; off: one turn at a time.
    pub scheduler: bool,
    /// Emotion readings; off: every message reads as neutral.
    pub emotion: bool,
    /// The static embedding table; off: hashed words, which match by spelling only.
    pub embedding: bool,
    /// Recalling memories; off: nothing is found.
    pub recall: bool,
    /// Threads, moments, engagement, personality; off: every plan is the default one.
    pub conversation: bool,
    /// The durable store; off: memories last as long as the process.
    pub store: bool,
    /// Group commit; off: every write has a commit of its own.
    pub batcher: bool,
}

impl Default for EngineConfig {
    fn default() -> Self {
        let mut conversation_scheduler = SchedulerConfig::default();
        conversation_scheduler.max_batch_turns = MAX_BATCH_TURNS;
        Self {
            mode: Mode::default(),
            data_dir: None,
            message_limit_bytes: MESSAGE_LIMIT_BYTES,
            recall_memories: RECALL_MEMORIES,
            recall_min_relevance: RECALL_MIN_RELEVANCE,
            recall_cache: CacheConfig::default(),
            lore: vec!["lore".to_owned()],
            reply_timeout_ms: REPLY_TIMEOUT_MS,
            reply_limit_bytes: MESSAGE_LIMIT_BYTES,
            shutdown_seconds: SHUTDOWN_SECONDS,
            components: Components::default(),
            fallback: GateConfig::default(),
            state: StateConfig::default(),
            vector_memory: VectorMemoryConfig::default(),
            memory_batcher: BatcherConfig::default(),
            conversation_scheduler,
            phase4: Phase4Config::default(),
            reply_context: ContextConfig::default(),
            bots: BTreeMap::new(),
            safety: SafetyConfig::default(),
        }
    }
}

impl Default for Components {
    fn default() -> Self {
        Self {
            scheduler: true,
            emotion: true,
            embedding: true,
            recall: true,
            conversation: true,
            store: true,
            batcher: true,
        }
    }
}

impl EngineConfig {
    /// Reads a TOML file over the defaults, and variables over the file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file or variable at fault.
    pub fn load(
        file: Option<&Path>,
        vars: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let defaults = Figment::from(Serialized::defaults(Self::default()));
        let with_file = match file {
            Some(path) => defaults.merge(Toml::file_exact(path)),
            None => defaults,
        };
        let unreadable = |error| ConfigError::Unreadable(Box::new(error));
        let config: Self = with_file
            .merge(Variables::read(vars)?)
            .extract()
            .map_err(unreadable)?;
        config.validate()?;
        Ok(config)
    }

    /// The variables of this process that concern the engine. Names and values that are not Unicode are
    /// left out.
    pub fn process_vars() -> Vec<(String, String)> {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with(PREFIX) || name == OPTIMIZATION)
            .collect()
    }

    /// The components that the mode comes to.
    pub fn effective_components(&self) -> Components {
        match self.mode {
            Mode::Production => Components::default(),
            Mode::Standard => Components {
                scheduler: false,
                batcher: false,
                ..Components::default()
            },
            Mode::Hybrid => self.components,
        }
    }

    /// The shared spaces that every turn searches.
    pub(crate) fn lore(&self) -> Result<Vec<SpaceId>, ConfigError> {
        let space = |name: &String| {
            SpaceId::new(name)
                .map_err(|error| ConfigError::out_of_range("lore", format!("{name:?}"), error.to_string()))
        };
        self.lore.iter().map(space).collect()
    }
}

const MAX_BATCH_TURNS: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not zero");
const MESSAGE_LIMIT_BYTES: usize = 64 << 10;
const RECALL_MEMORIES: usize = 24;
const RECALL_MIN_RELEVANCE: f32 = 0.0;
const REPLY_TIMEOUT_MS: u64 = 60_000;
const SHUTDOWN_SECONDS: u64 = 10;
