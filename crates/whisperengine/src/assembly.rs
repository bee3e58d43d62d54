//! One part at a time: what was given or the default, its fallback and its gate; or, when it is switched off, its
//! null object or reference.

use std::{path::PathBuf, sync::Arc, time::Duration};

use whisperengine_emotion::EmotionEngine;
use whisperengine_memory_batcher::MemoryBatcher;
use whisperengine_phase4::Conversations;
use whisperengine_text_embedding::{CachedEmbedder, HashingEmbedder, StaticEmbedder};
use whisperengine_types::{
    Clock, Component, ConversationEngine, Degradation, Durability, Embedder, EmotionAnalyzer, MemoryError,
    MemoryOwner, MemoryRecall, MemoryStore, NoConversation, NoEmotion, NoMemory, Recall, RecallQuery,
    Responder, ZeroEmbedder,
};
use whisperengine_vector_memory::VectorMemory;

use crate::{
    config::{Components, EngineConfig},
    converse::Replies,
    environment::Environment,
    error::BuildError,
    fallback::{Fallback, Gate},
    health::Gates,
    report::CapabilityReport,
    responder::TemplateResponder,
    writer::{WaitLimits, Writer},
};

/// The parts under construction.
pub(crate) struct Assembly<'a> {
    config: &'a EngineConfig,
    clock: Arc<dyn Clock>,
    /// Acknowledged writes survive the process.
    is_durable: bool,
    pub(crate) on: Components,
    pub(crate) gates: Gates,
    pub(crate) caches: Caches,
    /// The built-in store, where it is used.
    pub(crate) built_in: Option<Arc<VectorMemory>>,
}

/// What is kept of texts for a while, without the texts.
#[derive(Debug, Default)]
pub(crate) struct Caches {
    embedded: Option<Arc<CachedEmbedder>>,
    read: Option<EmotionEngine>,
}

impl Caches {
    pub(crate) fn clear(&self) {
        if let Some(embedded) = &self.embedded {
            embedded.clear();
        }
        if let Some(read) = &self.read {
            read.clear_cache();
        }
    }
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
            caches: Caches::default(),
            built_in: None,
        }
    }

    pub(crate) fn emotion(
        &mut self,
        given: Option<Arc<dyn EmotionAnalyzer>>,
    ) -> Fallback<dyn EmotionAnalyzer> {
        let primary = match given {
            _ if !self.on.emotion => Arc::new(NoEmotion) as Arc<dyn EmotionAnalyzer>,
            Some(given) => given,
            None => {
                let engine = EmotionEngine::default();
                self.caches.read = Some(engine.clone());
                Arc::new(engine)
            }
        };
        let gate = self.gate(Component::Emotion, "feelings are not read");
        Fallback::new(primary, Arc::new(NoEmotion) as _, gate)
    }

    pub(crate) fn embedder(&mut self, given: Option<Arc<dyn Embedder>>) -> Fallback<dyn Embedder> {
        if !self.on.embedding {
            let hashing: Arc<dyn Embedder> = Arc::new(HashingEmbedder::default());
            let gate = self.silent_gate(Component::Embedding);
            return Fallback::new(Arc::clone(&hashing), hashing, gate);
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
        self.caches.embedded = Some(Arc::clone(&cached));
        let primary = cached as Arc<dyn Embedder>;
        let zero = ZeroEmbedder::of(primary.space().clone());
        let gate = self.gate(Component::Embedding, "meaning is not compared");
        Fallback::new(primary, Arc::new(zero) as _, gate)
    }

    /// The store and the search over it: one object, unless the caller has two.
    pub(crate) fn memory(
        &mut self,
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
        self.built_in = Some(Arc::clone(&memory));
        Ok((Arc::clone(&memory) as _, memory))
    }

    pub(crate) fn recall(&mut self, found: Arc<dyn MemoryRecall>) -> Fallback<dyn MemoryRecall> {
        if !self.on.recall {
            let gate = self.silent_gate(Component::Recall);
            return Fallback::new(Arc::new(NoRecall), Arc::new(NoRecall) as _, gate);
        }
        let gate = self.gate(Component::Recall, "nothing is recalled");
        Fallback::new(found, Arc::new(NoMemory) as _, gate)
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
        Ok(primary)
    }

    /// The gate before the conversations.
    pub(crate) fn conversation_gate(&mut self) -> Arc<Gate> {
        if self.on.conversation {
            self.gate(Component::Conversation, "the plan is the default one")
        } else {
            self.silent_gate(Component::Conversation)
        }
    }

    pub(crate) fn replies(&mut self, given: Option<Arc<dyn Responder>>) -> Replies {
        let (responder, gate) = match given {
            None => (Arc::new(TemplateResponder) as Arc<dyn Responder>, None),
            // A slow model is not a broken one: only errors count.
            Some(given) => (
                given,
                Some(self.gate(Component::Responder, "the reply is from a template")),
            ),
        };
        let timeout = Duration::from_millis(self.config.reply_timeout_ms);
        Replies::new(responder, gate, timeout, self.config.reply_limit_bytes)
    }

    pub(crate) fn writer(&mut self, store: &Arc<dyn MemoryStore>) -> Result<Writer, BuildError> {
        let mut settings = self.config.memory_batcher.clone();
        let limits = WaitLimits {
            deadline: Duration::from_millis(self.config.fallback.deadline_ms),
            kept_items: settings.dead_letter_items,
        };
        if !self.on.batcher {
            settings.max_batch_items = 1;
        }
        let batcher =
            MemoryBatcher::start(Arc::clone(store), settings).map_err(|error| BuildError::Part {
                part: "memory batcher",
                source: Box::new(error),
            })?;
        let gate = self.gate(Component::Store, "messages wait in memory");
        let acknowledged = if self.is_durable {
            Durability::Durable
        } else {
            Durability::Volatile
        };
        Ok(Writer::new(
            batcher,
            gate,
            Arc::clone(&self.clock),
            acknowledged,
            limits,
        ))
    }

    pub(crate) fn report(&self, embedder: &dyn Embedder) -> CapabilityReport {
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

    /// The gate of a part that is switched off: it counts for nothing.
    fn silent_gate(&self, component: Component) -> Arc<Gate> {
        Arc::new(Gate::new(
            component,
            "switched off",
            self.config.fallback,
            Arc::clone(&self.clock),
        ))
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

/// Recall that is switched off: it finds nothing, and the outcomes say so already.
#[derive(Debug)]
struct NoRecall;

impl MemoryRecall for NoRecall {
    fn recall(&self, _: &MemoryOwner, _: &RecallQuery) -> Result<Recall, MemoryError> {
        Ok(Recall::default())
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
