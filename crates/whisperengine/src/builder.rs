//! Putting an engine together. Everything is chosen here, once; nothing is probed at call time.

use std::{
    path::{Path as FilePath, PathBuf},
    sync::{Arc, Mutex, RwLock, atomic::AtomicBool},
    time::Duration,
};

use tokio::runtime::Handle;
use whisperengine_conversation_scheduler::{Batch, Handler, Scheduler};
use whisperengine_emotion::EmotionEngine;
use whisperengine_memory_batcher::MemoryBatcher;
use whisperengine_phase4::Conversations;
use whisperengine_text_embedding::{HashingEmbedder, StaticEmbedder};
use whisperengine_types::{
    Clock, Component, ConversationEngine, Degradation, Durability, Embedder, EmotionAnalyzer, MemoryRecall,
    MemoryStore, NoConversation, NoEmotion, NoMemory, Responder, SystemClock, TurnOutcome, ZeroEmbedder,
};
use whisperengine_vector_memory::VectorMemory;

use crate::{
    aftermath::Aftermath,
    config::{Components, EngineConfig, Mode},
    engine::{Dispatch, Inner, WhisperEngine},
    environment::Environment,
    error::{BuildError, ConfigError},
    fallback::{Fallback, Gate},
    health::Gates,
    inline::InlineTurns,
    outbox::Outbox,
    pipeline::Pipeline,
    report::CapabilityReport,
    responder::Template,
    state::ConversationStates,
    turn::{Turn, TurnIds},
    writer::{Path, Writer},
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

    /// Who writes the replies of [`WhisperEngine::converse`]; a template by default.
    #[must_use]
    pub fn responder(mut self, responder: Arc<dyn Responder>) -> Self {
        self.responder = Some(responder);
        self
    }

    /// Makes the engine. Must be called within a tokio runtime, whose threads it uses for waiting only.
    ///
    /// # Errors
    /// [`BuildError`] says which part could not be had.
    pub fn build(self) -> Result<WhisperEngine, BuildError> {
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        self.config.check()?;
        let config = self.config;
        let on = config.effective_components();
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let gate = |component, loss| Arc::new(Gate::new(component, loss, config.fallback, Arc::clone(&clock)));
        let given_memory = self.store.is_some();
        let no_folder = config.data_dir.is_none() && !given_memory;
        let mut gates = Gates { gates: Vec::new(), disabled: disabled(on, no_folder) };

        let emotion: Arc<dyn EmotionAnalyzer> = match self.emotion {
            _ if !on.emotion => Arc::new(NoEmotion),
            given => {
                let gate = gate(Component::Emotion, "feelings are not read");
                gates.gates.push(Arc::clone(&gate));
                let primary = given.unwrap_or_else(|| Arc::new(EmotionEngine::new()));
                Arc::new(Fallback::new(primary, Arc::new(NoEmotion) as _, gate))
            }
        };
        let embedder: Arc<dyn Embedder> = match self.embedder {
            _ if !on.embedding => Arc::new(HashingEmbedder::default()),
            given => {
                let gate = gate(Component::Embedding, "meaning is not compared");
                gates.gates.push(Arc::clone(&gate));
                let primary = given.unwrap_or_else(|| Arc::new(StaticEmbedder::embedded()));
                let zero = ZeroEmbedder::of(primary.space().clone());
                Arc::new(Fallback::new(primary, Arc::new(zero) as _, gate))
            }
        };
        let (store, found): (Arc<dyn MemoryStore>, Arc<dyn MemoryRecall>) = match (self.store, self.recall) {
            (Some(store), Some(recall)) if on.store => (store, recall),
            _ => {
                let folder = config.data_dir.as_ref().filter(|_| on.store);
                let memory = Arc::new(open_memory(folder, &embedder, &config)?);
                (Arc::clone(&memory) as _, memory)
            }
        };
        let recall: Arc<dyn MemoryRecall> = if on.recall {
            let gate = gate(Component::Recall, "nothing is recalled");
            gates.gates.push(Arc::clone(&gate));
            Arc::new(Fallback::new(found, Arc::new(NoMemory) as _, gate))
        } else {
            Arc::new(NoMemory)
        };
        let conversation: Arc<dyn ConversationEngine> = match self.conversation {
            _ if !on.conversation => Arc::new(NoConversation),
            given => {
                let gate = gate(Component::Conversation, "the plan is the default one");
                gates.gates.push(Arc::clone(&gate));
                let primary = match given {
                    Some(conversation) => conversation,
                    None => Arc::new(Conversations::new(config.phase4.clone()).map_err(|error| {
                        BuildError::Part { part: "conversation engine", source: Box::new(error) }
                    })?),
                };
                Arc::new(Fallback::new(primary, Arc::new(NoConversation) as _, gate))
            }
        };

        let store_gate = gate(Component::Store, "messages wait in memory");
        gates.gates.push(Arc::clone(&store_gate));
        let path = if on.batcher {
            let batcher =
                MemoryBatcher::start(Arc::clone(&store), Arc::clone(&recall), config.memory_batcher.clone())
                    .map_err(|error| BuildError::Part { part: "memory batcher", source: Box::new(error) })?;
            Path::Batched(batcher, runtime.clone())
        } else {
            Path::Direct(Arc::clone(&store))
        };
        let is_durable = on.store && !no_folder;
        let writer = Writer {
            path,
            outbox: Arc::new(Outbox::new(config.outbox_writes)),
            gate: store_gate,
            acknowledged: if is_durable { Durability::Durable } else { Durability::Volatile },
        };
        let states = ConversationStates::new(conversation, Arc::clone(&emotion), Arc::clone(&store), config.state);
        let states = Arc::new(states);
        let (aftermath, thread) = Aftermath::start(Arc::clone(&clock), Arc::clone(&states), writer.clone());
        let disabled = gates.disabled.clone();
        let embedding = embedder.space().to_string();
        let pipeline = Arc::new(Pipeline {
            clock: Arc::clone(&clock),
            emotion,
            embedder,
            recall: Arc::clone(&recall),
            states,
            writer,
            aftermath,
            gates,
            recall_k: config.recall_memories,
            forgetting: RwLock::new(()),
        });
        let dispatch = if on.scheduler {
            let handler = TurnHandler { pipeline: Arc::clone(&pipeline), runtime };
            let scheduler = Scheduler::start_with_clock(config.conversation_scheduler.clone(), clock.clone(), handler)
                .map_err(|error| BuildError::Part { part: "conversation scheduler", source: Box::new(error) })?;
            Dispatch::Scheduled(scheduler)
        } else {
            let limit = config.conversation_scheduler.max_queued;
            Dispatch::Inline(InlineTurns::new(runtime, Arc::clone(&pipeline), limit))
        };
        let report = CapabilityReport {
            environment: Environment::detect(),
            mode: config.mode,
            data_dir: config.data_dir.filter(|_| on.store).map(|path| path.display().to_string()),
            embedding,
            partition_budget_bytes: config.vector_memory.partition_budget_bytes,
            disabled,
        };
        tracing::info!(%report, "engine is ready");
        let seed = self.seed.unwrap_or_else(entropy);
        Ok(WhisperEngine {
            inner: Arc::new(Inner {
                pipeline,
                dispatch,
                store,
                recall,
                responder: self.responder.unwrap_or_else(|| Arc::new(Template)),
                ids: TurnIds::new((seed ^ (seed >> 32)) as u32),
                clock,
                message_limit_bytes: config.message_limit_bytes,
                shutdown_deadline: Duration::from_secs(config.shutdown_seconds),
                report,
                shutting_down: AtomicBool::new(false),
                aftermath: Mutex::new(Some(thread)),
            }),
        })
    }
}

/// What the scheduler's workers do.
struct TurnHandler {
    pipeline: Arc<Pipeline>,
    runtime: Handle,
}

impl Handler<Turn, TurnOutcome> for TurnHandler {
    fn handle(&self, batch: &mut Batch<Turn, TurnOutcome>) {
        (0..batch.len()).for_each(|at| batch.begin_effects(at));
        let turns: Vec<Turn> = batch
            .turns()
            .iter()
            .map(|turn| Turn { priority: turn.class, sequence: turn.sequence, ..turn.payload.clone() })
            .collect();
        let planned = self.pipeline.plan(&turns);
        let replies: Vec<_> = (0..batch.len()).map(|at| batch.detach(at)).collect();
        let pipeline = Arc::clone(&self.pipeline);
        self.runtime.spawn(async move {
            let outcomes = pipeline.finish(planned).await;
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                if let Some(reply) = reply {
                    reply.complete(outcome);
                }
            }
        });
    }
}

fn open_memory(
    folder: Option<&PathBuf>,
    embedder: &Arc<dyn Embedder>,
    config: &EngineConfig,
) -> Result<VectorMemory, BuildError> {
    let (embedder, memory) = (Arc::clone(embedder), config.vector_memory.clone());
    match folder {
        None => Ok(VectorMemory::in_memory(embedder, memory)),
        Some(path) => VectorMemory::open(path, embedder, memory)
            .map_err(|error| BuildError::Store { path: path.clone(), source: Box::new(error) }),
    }
}

fn disabled(on: Components, no_folder: bool) -> Vec<Degradation> {
    let switched_off = "switched off";
    [
        (on.emotion, Component::Emotion, "every message reads as neutral", switched_off),
        (on.embedding, Component::Embedding, "texts are compared by spelling", switched_off),
        (on.recall, Component::Recall, "nothing is recalled", switched_off),
        (on.conversation, Component::Conversation, "the plan is the default one", switched_off),
        (on.store && !no_folder, Component::Store, "memories last as long as the process", "no data folder"),
    ]
    .into_iter()
    .filter(|(on, ..)| !on)
    .map(|(_, component, loss, why)| {
        let why = if component == Component::Store && !on.store { switched_off } else { why };
        Degradation { component, reason: format!("{loss}: {why}"), since: None }
    })
    .collect()
}

/// A number that differs from run to run, from the hasher's random keys.
fn entropy() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}
