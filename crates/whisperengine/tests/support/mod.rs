//! Ports that fail, dawdle or panic on demand, and the conversation that every engine must survive.
#![allow(dead_code, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use whisperengine::{
    BotId, Committed, Conversation, ConversationEngine, ConversationError, Embedder, Embedding,
    EmbeddingError, EmbeddingSpace, EmotionAnalyzer, EmotionError, EmotionReading, Feedback, ManualClock,
    MemoryError, MemoryOwner, MemoryRecall, MemoryRecord, MemoryStore, MemoryStoreLayer, NoConversation,
    OwnerHandle, Recall, RecallQuery, Suggestion, Timestamp, TurnInput, TurnOutcome, TurnPlan, UserId,
    WhisperEngine, WriteOp,
};

/// How a port behaves at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    Well,
    Failing,
    Slow,
    Panicking,
}

/// A port wrapped so that its mood can be set. Slowness is the clock being moved during the call.
#[derive(Debug)]
pub struct Moody<P: ?Sized> {
    mood: Arc<AtomicU8>,
    clock: Arc<ManualClock>,
    port: Arc<P>,
}

pub const SLOW: Duration = Duration::from_secs(5);

impl<P: ?Sized> Moody<P> {
    pub fn new(clock: &Arc<ManualClock>, port: Arc<P>) -> Arc<Self> {
        Arc::new(Self {
            mood: Arc::new(AtomicU8::new(Mood::Well as u8)),
            clock: Arc::clone(clock),
            port,
        })
    }

    pub fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    fn fails(&self) -> bool {
        let mood = self.mood.load(Ordering::SeqCst);
        if mood == Mood::Slow as u8 {
            self.clock.advance(SLOW);
        }
        assert_ne!(mood, Mood::Panicking as u8, "the port panics on demand");
        mood == Mood::Failing as u8
    }
}

impl EmotionAnalyzer for Moody<dyn EmotionAnalyzer> {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        if self.fails() {
            return Err(EmotionError::Unavailable {
                reason: "on demand".to_owned(),
            });
        }
        self.port.analyze_batch(texts)
    }
}

impl Embedder for Moody<dyn Embedder> {
    fn space(&self) -> &EmbeddingSpace {
        self.port.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        if self.fails() {
            return Err(EmbeddingError::Model(Arc::new(std::io::Error::other(
                "on demand",
            ))));
        }
        self.port.embed_batch(texts)
    }
}

/// A memory whose writes and whose searches have a mood each.
#[derive(Debug)]
pub struct MoodyMemory<M> {
    pub writes: Arc<Moody<()>>,
    pub searches: Arc<Moody<()>>,
    pub memory: M,
}

impl<M> MoodyMemory<M> {
    pub fn new(clock: &Arc<ManualClock>, memory: M) -> Arc<Self> {
        let moody = || Moody::new(clock, Arc::new(()));
        Arc::new(Self {
            writes: moody(),
            searches: moody(),
            memory,
        })
    }
}

fn away() -> MemoryError {
    MemoryError::Unavailable {
        reason: "on demand".to_owned(),
        source: None,
    }
}

impl<M: MemoryStore> MemoryStoreLayer for MoodyMemory<M> {
    fn inner(&self) -> &dyn MemoryStore {
        &self.memory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        if self.writes.fails() {
            return ops.iter().map(|_| Err(away())).collect();
        }
        self.memory.commit(ops)
    }
}

impl<M: MemoryRecall> MemoryRecall for MoodyMemory<M> {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        if self.searches.fails() {
            return Err(away());
        }
        self.memory.recall(owner, query)
    }
}

impl ConversationEngine for Moody<dyn ConversationEngine> {
    fn open(
        &self,
        owner: &MemoryOwner,
        saved: Option<&[u8]>,
    ) -> Result<Box<dyn Conversation>, ConversationError> {
        Ok(Box::new(MoodyConversation {
            mood: Moody {
                mood: Arc::clone(&self.mood),
                clock: Arc::clone(&self.clock),
                port: Arc::new(()),
            },
            conversation: self.port.open(owner, saved)?,
        }))
    }
}

/// A conversation whose planning has a mood.
#[derive(Debug)]
struct MoodyConversation {
    mood: Moody<()>,
    conversation: Box<dyn Conversation>,
}

impl Conversation for MoodyConversation {
    fn query_context(&self, text: &str) -> Option<String> {
        self.conversation.query_context(text)
    }

    fn is_closed(&self, text: &str) -> bool {
        self.conversation.is_closed(text)
    }

    fn plan_turn(&mut self, input: &TurnInput<'_>) -> Result<TurnPlan, ConversationError> {
        // What is replayed was planned before.
        if input.replay.is_none() && self.mood.fails() {
            return Err(ConversationError::Unavailable {
                reason: "on demand".to_owned(),
            });
        }
        self.conversation.plan_turn(input)
    }

    fn after_turn(&mut self) {
        self.conversation.after_turn();
    }

    fn record_feedback(&mut self, feedback: &Feedback) -> Result<(), ConversationError> {
        self.conversation.record_feedback(feedback)
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Suggestion> {
        self.conversation.tick(now)
    }

    fn export(&self) -> Vec<u8> {
        self.conversation.export()
    }
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-03-02T18:00:00Z".parse().unwrap()))
}

/// An engine that keeps its memories in `folder`.
pub fn engine_in(folder: &TempDir, clock: &Arc<ManualClock>) -> WhisperEngine {
    let builder = WhisperEngine::builder().data_dir(folder.path());
    builder.clock(clock.clone()).build().unwrap()
}

pub fn owner(user: &str) -> MemoryOwner {
    MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new(user).unwrap())
}

/// What the engine knows of `user`.
pub fn known(engine: &WhisperEngine, user: &str) -> OwnerHandle {
    engine.owner(BotId::new("ember").unwrap(), UserId::new(user).unwrap())
}

/// Everything stored of `user`.
pub async fn memories(engine: &WhisperEngine, user: &str) -> Vec<Arc<MemoryRecord>> {
    known(engine, user).memories(None, 1000).await.unwrap()
}

pub async fn say(engine: &WhisperEngine, user: &str, text: &str) -> TurnOutcome {
    engine
        .handle(engine.message("ember", user, "direct", text).unwrap())
        .await
        .unwrap()
}

/// Two people talk in turns. Every message must be answered, in order, with nothing of the other person.
pub async fn converse(engine: &WhisperEngine, clock: &ManualClock) -> Vec<TurnOutcome> {
    let lines = [
        ("ana", "I start at the bakery on Monday and I am so nervous"),
        ("ben", "My telescope arrived and it is wonderful"),
        ("ana", "The bakery opens at four in the morning"),
        ("ben", "I saw the rings of Saturn!"),
        ("ana", "What did I tell you about the bakery?"),
        ("ben", "What did I see with my telescope?"),
    ];
    let mut outcomes = Vec::new();
    for (user, text) in lines {
        clock.advance(Duration::from_secs(20));
        let outcome = say(engine, user, text).await;
        assert_eq!(outcome.session.user.as_str(), user);
        for hit in &outcome.recalled.memories {
            assert_eq!(
                hit.memory.speaker.as_deref(),
                Some(user),
                "a memory reached somebody else"
            );
        }
        outcomes.push(outcome);
    }
    assert!(outcomes.windows(2).all(|pair| pair[0].turn < pair[1].turn));
    outcomes
}

/// A conversation engine that counts nothing and plans the default.
pub fn plain_conversation() -> Arc<dyn ConversationEngine> {
    Arc::new(NoConversation)
}
