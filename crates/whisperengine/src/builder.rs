//! Putting an engine together. Everything is chosen here, once; nothing is probed at call time.

use std::{
    num::NonZeroUsize,
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use dashmap::DashMap;
use tokio::runtime::Handle;
use whisperengine_conversation_scheduler::{Batch, Config as SchedulerConfig, Handler, Scheduler};
use whisperengine_memory_batcher::CachedRecall;
use whisperengine_types::{
    Clock, ConversationEngine, Embedder, EmotionAnalyzer, MemoryRecall, MemoryStore, Responder, SystemClock,
    TurnOutcome,
};

use crate::{
    assembly::Assembly,
    cells::Cells,
    channels::Channels,
    config::{EngineConfig, Mode},
    context::Contexts,
    engine::{Inner, WhisperEngine},
    error::{BuildError, ConfigError},
    pipeline::Pipeline,
    plan::Planner,
    recall::TurnRecall,
    safety::SafetyHook,
    turn::{Ids, Turn},
    upkeep::Upkeep,
};

/// Describes an engine; [`build`](Self::build) makes it. Each part that is not given is the default one.
#[derive(Debug, Default)]
pub struct WhisperEngineBuilder {
    config: EngineConfig,
    clock: Option<Arc<dyn Clock>>,
    seed: Option<u64>,
    embedder: Option<Arc<dyn Embedder>>,
    emotion: Option<Arc<dyn EmotionAnalyzer>>,
    store: Option<Arc<dyn MemoryStore>>,
    recall: Option<Arc<dyn MemoryRecall>>,
    conversation: Option<Arc<dyn ConversationEngine>>,
    responder: Option<Arc<dyn Responder>>,
    safety: SafetyHook,
}

impl WhisperEngineBuilder {
    /// Starts from this configuration instead of the default one.
    #[must_use]
    pub fn config(mut self, config: EngineConfig) -> Self {
        self.config = config;
        self
    }

    /// Reads `file`, if given, and the process environment over the defaults; see [`EngineConfig::load`].
    ///
    /// # Errors
    /// [`ConfigError`] names the file or variable at fault.
    pub fn from_environment(self, file: Option<&FilePath>) -> Result<Self, ConfigError> {
        Ok(self.config(EngineConfig::load(file, EngineConfig::process_vars())?))
    }

    /// Changes single settings.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut EngineConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Keeps memories in this folder; it is made if it does not exist.
    #[must_use]
    pub fn data_dir(self, path: impl Into<PathBuf>) -> Self {
        self.configure(|config| config.data_dir = Some(path.into()))
    }

    /// How much machinery is used.
    #[must_use]
    pub fn mode(self, mode: Mode) -> Self {
        self.configure(|config| config.mode = mode)
    }

    /// Where time comes from, for replays and tests.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Makes turn ids repeatable. Two runs on one data folder must not share a seed and a time.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Another embedder than the static table.
    #[must_use]
    pub fn embedder(mut self, embedder: Arc<dyn Embedder>) -> Self {
        self.embedder = Some(embedder);
        self
    }

    /// Another emotion analyzer.
    #[must_use]
    pub fn emotion(mut self, emotion: Arc<dyn EmotionAnalyzer>) -> Self {
        self.emotion = Some(emotion);
        self
    }

    /// Another memory, instead of the one in the data folder. Its acknowledged writes count as durable.
    #[must_use]
    pub fn memory<M: MemoryStore + MemoryRecall + 'static>(mut self, memory: Arc<M>) -> Self {
        self.store = Some(Arc::clone(&memory) as _);
        self.recall = Some(memory);
        self
    }

    /// Another conversation engine.
    #[must_use]
    pub fn conversation(mut self, conversation: Arc<dyn ConversationEngine>) -> Self {
        self.conversation = Some(conversation);
        self
    }

    /// Who writes the replies of [`WhisperEngine::converse`]; a template by default, which also stands in
    /// for the one given here.
    #[must_use]
    pub fn responder(mut self, responder: Arc<dyn Responder>) -> Self {
        self.responder = Some(responder);
        self
    }

    /// Calls `notify` with every turn that says somebody is in danger, on the thread that ended the turn: it
    /// must not block. Which messages these are is a cue, not a diagnosis; see [`Safety`](crate::Safety).
    #[must_use]
    pub fn on_danger(mut self, notify: Arc<dyn Fn(&TurnOutcome) + Send + Sync>) -> Self {
        self.safety = SafetyHook::new(notify);
        self
    }

    /// Makes the engine. Must be called within a tokio runtime, whose threads it uses for waiting only.
    ///
    /// # Errors
    /// [`BuildError`] says which part could not be had.
    pub fn build(self) -> Result<WhisperEngine, BuildError> {
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        self.config.validate()?;
        let config = self.config;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let mut assembly = Assembly::new(&config, Arc::clone(&clock), self.store.is_some());

        let emotion = assembly.emotion(self.emotion);
        let embedder = assembly.embedder(self.embedder);
        let shared_embedder: Arc<dyn Embedder> = Arc::new(embedder.clone());
        let (store, found) = assembly.memory(self.store.zip(self.recall), &shared_embedder)?;
        let cached = CachedRecall::new(found, config.recall_cache.clone());
        let store = cached.store(store);
        let writer = assembly.writer(&store)?;
        let recall = TurnRecall {
            port: assembly.recall(Arc::new(cached.clone())),
            cache: cached,
            limit: config.recall_memories,
            min_relevance: config.recall_min_relevance,
            lore: config.lore()?,
            store: Arc::clone(&store),
            inhabited: DashMap::new(),
        };
        let cells = Arc::new(Cells::new(
            assembly.conversation(self.conversation)?,
            Arc::new(emotion.clone()),
            shared_embedder,
            Arc::clone(&store),
            config.state,
        ));
        let channels = Arc::new(Channels::new(Arc::clone(&store)));
        let seed = self.seed.unwrap_or_else(entropy);
        let planner = Planner {
            ids: Ids::new(seed ^ (seed >> 32)),
            gate: assembly.conversation_gate(),
            channels: Arc::clone(&channels),
        };
        let contexts = contexts(&config)?;
        let replies = assembly.replies(self.responder);
        let (upkeep, thread) = Upkeep::start(
            Arc::clone(&clock),
            Arc::clone(&cells),
            channels,
            writer.clone(),
            recall.cache.clone(),
            runtime.clone(),
        )
        .map_err(|error| BuildError::Part {
            part: "upkeep thread",
            source: Box::new(error),
        })?;
        let report = assembly.report(&embedder);
        let Assembly {
            on,
            gates,
            caches,
            built_in,
            ..
        } = assembly;
        let pipeline = Arc::new(Pipeline {
            clock: Arc::clone(&clock),
            emotion,
            embedder,
            cells,
            recall,
            planner,
            contexts,
            writer,
            upkeep,
            safety: self.safety,
            disabled: gates.disabled.clone(),
        });
        let handler = TurnHandler {
            pipeline: Arc::clone(&pipeline),
        };
        let mut settings = config.conversation_scheduler.clone();
        if !on.scheduler {
            settings.max_batch_turns = NonZeroUsize::MIN;
        }
        let scheduler = start_scheduler(settings, &clock, handler)?;
        tracing::info!(%report, "engine is ready");
        let inner = Inner {
            pipeline,
            scheduler,
            store,
            built_in,
            caches,
            replies,
            gates,
            clock,
            message_limit_bytes: config.message_limit_bytes,
            shutdown_deadline: Duration::from_secs(config.shutdown_seconds),
            report,
            shutting_down: AtomicBool::new(false),
            upkeep: Mutex::new(Some(thread)),
        };
        Ok(WhisperEngine {
            inner: Arc::new(inner),
        })
    }
}

fn contexts(config: &EngineConfig) -> Result<Contexts, BuildError> {
    let (bots, safety) = (config.bots.clone(), config.safety.clone());
    Contexts::new(config.reply_context.clone(), bots, safety).map_err(|error| BuildError::Part {
        part: "reply context",
        source: Box::new(error),
    })
}

fn start_scheduler(
    settings: SchedulerConfig,
    clock: &Arc<dyn Clock>,
    handler: TurnHandler,
) -> Result<Scheduler<Turn, TurnOutcome>, BuildError> {
    Scheduler::start_with_clock(settings, Arc::clone(clock), handler).map_err(|error| BuildError::Part {
        part: "conversation scheduler",
        source: Box::new(error),
    })
}

/// What the scheduler's workers do.
struct TurnHandler {
    pipeline: Arc<Pipeline>,
}

impl Handler<Turn, TurnOutcome> for TurnHandler {
    fn handle(&self, batch: &mut Batch<Turn, TurnOutcome>) {
        (0..batch.len()).for_each(|at| batch.begin_effects(at));
        let turns = batch.turns().iter().map(|turn| {
            let payload = Turn {
                priority: turn.class,
                sequence: turn.sequence,
                ..turn.payload.clone()
            };
            payload.after(&turn.earlier)
        });
        let turns: Vec<Turn> = turns.collect();
        let replies = batch.detach_all();
        Arc::clone(&self.pipeline).serve(turns, move |outcomes| replies.complete(outcomes));
    }
}

/// A number that differs from run to run, from the hasher's random keys.
fn entropy() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}
