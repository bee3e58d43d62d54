//! One part at a time: what was given or the default, its stand-in and its gate; or, when it is switched
//! off, its null object or reference.

use std::{path::PathBuf, sync::Arc};

use tokio::runtime::Handle;
use whisperengine_emotion::EmotionEngine;
use whisperengine_memory_batcher::MemoryBatcher;
use whisperengine_phase4::Conversations;
use whisperengine_text_embedding::{CachedEmbedder, HashingEmbedder, StaticEmbedder};
use whisperengine_types::{
    Clock, Component, ConversationEngine, Degradation, Durability, Embedder, EmotionAnalyzer, MemoryRecall,
    MemoryStore, NoConversation, NoEmotion, NoMemory, Responder, ZeroEmbedder,
};
use whisperengine_vector_memory::VectorMemory;

use crate::{
    config::{Components, EngineConfig},
    environment::Environment,
    error::BuildError,
    fallback::{Fallback, Gate},
    health::Gates,
    outbox::Outbox,
    report::CapabilityReport,
    responder::Template,
    writer::{Path, Writer},
};

/// The parts under construction.
pub(crate) struct Assembly<'a> {
    config: &'a EngineConfig,
    clock: Arc<dyn Clock>,
    /// Acknowledged writes survive the process.
    is_durable: bool,
    pub(crate) on: Components,
    pub(crate) gates: Gates,
    /// What a given embedder was asked lately; the static table needs none.
    pub(crate) embedded: Option<Arc<CachedEmbedder>>,
}

/// The store, and the search over it.
type Memory = (Arc<dyn MemoryStore>, Arc<dyn MemoryRecall>);

impl<'a> Assembly<'a> {
    pub(crate) fn new(config: &'a EngineConfig, clock: Arc<dyn Clock>, memory_is_given: bool) -> Self {
        let on = config.effective_components();
        let is_durable = on.store && (memory_is_given || config.data_dir.is_some());
        Self {
            config,
            clock,
            is_durable,
            on,
            gates: Gates {
                gates: Vec::new(),
                disabled: disabled(on, is_durable),
            },
            embedded: None,
        }
    }

    pub(crate) fn emotion(&mut self, given: Option<Arc<dyn EmotionAnalyzer>>) -> Arc<dyn EmotionAnalyzer> {
        if !self.on.emotion {
            return Arc::new(NoEmotion);
        }
        let primary = given.unwrap_or_else(|| Arc::new(EmotionEngine::default()));
        let gate = self.gate(Component::Emotion, "feelings are not read");
        Arc::new(Fallback::new(primary, Arc::new(NoEmotion) as _, gate))
    }

    pub(crate) fn embedder(&mut self, given: Option<Arc<dyn Embedder>>) -> Arc<dyn Embedder> {
        if !self.on.embedding {
            return Arc::new(HashingEmbedder::default());
        }
        // Threads, recall and store embed a message each, mostly the same text within milliseconds.
        let (inner, max_bytes) = match given {
            None => (
                Arc::new(StaticEmbedder::embedded()) as Arc<dyn Embedder>,
                OF_THE_MOMENT,
            ),
            Some(given) => (given, CachedEmbedder::DEFAULT_BYTES),
        };
        let cached = Arc::new(CachedEmbedder::new(inner, max_bytes));
        self.embedded = Some(Arc::clone(&cached));
        let primary = cached as Arc<dyn Embedder>;
        let zero = ZeroEmbedder::of(primary.space().clone());
        let gate = self.gate(Component::Embedding, "meaning is not compared");
        Arc::new(Fallback::new(primary, Arc::new(zero) as _, gate))
    }

    /// The store and the search over it: one object, unless the caller has two.
    pub(crate) fn memory(
        &self,
        given: Option<Memory>,
        embedder: &Arc<dyn Embedder>,
    ) -> Result<Memory, BuildError> {
        if let Some(given) = given.filter(|_| self.on.store) {
            return Ok(given);
        }
        let (embedder, settings) = (Arc::clone(embedder), self.config.vector_memory.clone());
        let memory = match self.data_dir() {
            None => VectorMemory::in_memory(embedder, settings),
            Some(path) => {
                VectorMemory::open(path, embedder, settings).map_err(|error| BuildError::Store {
                    path: path.clone(),
                    source: Box::new(error),
                })?
            }
        };
        let memory = if self.on.embedding {
            memory.with_word_embedder(Arc::new(StaticEmbedder::embedded()))
        } else {
            memory
        };
        let memory = Arc::new(memory);
        Ok((Arc::clone(&memory) as _, memory))
    }

    pub(crate) fn recall(&mut self, found: Arc<dyn MemoryRecall>) -> Arc<dyn MemoryRecall> {
        if !self.on.recall {
            return Arc::new(NoMemory);
        }
        let gate = self.gate(Component::Recall, "nothing is recalled");
        Arc::new(Fallback::new(found, Arc::new(NoMemory) as _, gate))
    }

    pub(crate) fn conversation(
        &mut self,
        given: Option<Arc<dyn ConversationEngine>>,
    ) -> Result<Arc<dyn ConversationEngine>, BuildError> {
        if !self.on.conversation {
            return Ok(Arc::new(NoConversation));
        }
        let primary = match given {
            Some(conversation) => conversation,
            None => Arc::new(Conversations::new(self.config.phase4.clone()).map_err(|error| {
                BuildError::Part {
                    part: "conversation engine",
                    source: Box::new(error),
                }
            })?),
        };
        let gate = self.gate(Component::Conversation, "the plan is the default one");
        Ok(Arc::new(Fallback::new(
            primary,
            Arc::new(NoConversation) as _,
            gate,
        )))
    }

    pub(crate) fn responder(&mut self, given: Option<Arc<dyn Responder>>) -> Arc<dyn Responder> {
        let Some(primary) = given else {
            return Arc::new(Template);
        };
        let gate = self.gate(Component::Responder, "the reply is from a template");
        Arc::new(Fallback::new(primary, Arc::new(Template) as _, gate))
    }

    pub(crate) fn writer(
        &mut self,
        store: &Arc<dyn MemoryStore>,
        recall: &Arc<dyn MemoryRecall>,
        runtime: &Handle,
    ) -> Result<Writer, BuildError> {
        let path = if self.on.batcher {
            let settings = self.config.memory_batcher.clone();
            let batcher =
                MemoryBatcher::start(Arc::clone(store), Arc::clone(recall), settings).map_err(|error| {
                    BuildError::Part {
                        part: "memory batcher",
                        source: Box::new(error),
                    }
                })?;
            Path::Batched(batcher, runtime.clone())
        } else {
            Path::Direct(Arc::clone(store))
        };
        Ok(Writer {
            path,
            outbox: Arc::new(Outbox::new(self.config.outbox_writes)),
            gate: self.gate(Component::Store, "messages wait in memory"),
            acknowledged: if self.is_durable {
                Durability::Durable
            } else {
                Durability::Volatile
            },
        })
    }

    pub(crate) fn report(&self, embedder: &Arc<dyn Embedder>) -> CapabilityReport {
        CapabilityReport {
            environment: Environment::detect(),
            mode: self.config.mode,
            data_dir: self.data_dir().map(|path| path.display().to_string()),
            embedding: embedder.space().to_string(),
            partition_budget_bytes: self.config.vector_memory.partition_budget_bytes,
            disabled: self.gates.disabled.clone(),
        }
    }

    fn data_dir(&self) -> Option<&PathBuf> {
        self.config.data_dir.as_ref().filter(|_| self.on.store)
    }

    fn gate(&mut self, component: Component, loss: &'static str) -> Arc<Gate> {
        let gate = Arc::new(Gate::new(
            component,
            loss,
            self.config.fallback,
            Arc::clone(&self.clock),
        ));
        self.gates.gates.push(Arc::clone(&gate));
        gate
    }
}

/// What every outcome has to say from the start.
fn disabled(on: Components, is_durable: bool) -> Vec<Degradation> {
    let store = if on.store {
        "no data folder"
    } else {
        "switched off"
    };
    [
        (
            on.emotion,
            Component::Emotion,
            "every message reads as neutral",
            "switched off",
        ),
        (
            on.embedding,
            Component::Embedding,
            "texts are compared by spelling",
            "switched off",
        ),
        (
            on.recall,
            Component::Recall,
            "nothing is recalled",
            "switched off",
        ),
        (
            on.conversation,
            Component::Conversation,
            "the plan is the default one",
            "switched off",
        ),
        (
            is_durable,
            Component::Store,
            "memories last as long as the process",
            store,
        ),
    ]
    .into_iter()
    .filter(|(on, ..)| !on)
    .map(|(_, component, loss, why)| Degradation {
        component,
        reason: format!("{loss}: {why}"),
        since: None,
    })
    .collect()
}

/// Bytes of the texts whose embeddings by the static table are kept: some 3,000, a second's worth and more.
const OF_THE_MOMENT: u64 = 4 << 20;
