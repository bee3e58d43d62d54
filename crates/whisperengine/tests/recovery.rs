//! What a restart, an unreadable state or a panic beside the turn costs: nothing of the others, nothing stored.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{sync::Arc, time::Duration};

use support::{Mood, MoodyMemory, clock, engine_in, known, owner, say};
use whisperengine::{
    Conversation, ConversationEngine, ConversationError, Feedback, MemoryOwner, MemoryStore, Slot, Status,
    Suggestion, Timestamp, TurnInput, TurnOutcome, TurnPlan, WhisperEngine, WriteOp,
};
use whisperengine_phase4::{Config, Conversations};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

/// What two short messages recall, with a restart before them or not.
async fn after_an_interview(restart: bool) -> [Vec<String>; 2] {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let mut engine = engine_in(&folder, &clock);
    for text in [
        "My umbrella broke in the storm",
        "Lisbon was lovely in spring",
        "The neighbours have a new trampoline",
        "I have a job interview at the aquarium on Friday",
        "The interview is about feeding the penguins",
    ] {
        clock.advance(Duration::from_secs(60));
        say(&engine, "ana", text).await;
    }
    if restart {
        engine.shutdown().await;
        drop(engine);
        engine = engine_in(&folder, &clock);
    }
    let texts = |turn: TurnOutcome| {
        let memories = turn.recalled.memories.into_iter();
        memories.map(|hit| hit.memory.text.clone()).collect::<Vec<_>>()
    };
    clock.advance(Duration::from_secs(60));
    let first = texts(say(&engine, "ana", "It went well!").await);
    clock.advance(Duration::from_secs(60));
    let second = texts(say(&engine, "ana", "They liked me.").await);
    engine.shutdown().await;
    [first, second]
}

#[tokio::test]
async fn the_first_short_message_after_a_restart_is_searched_as_any_other() {
    let without = after_an_interview(false).await;
    assert!(without[0][0].contains("interview"), "{without:?}");
    assert_eq!(after_an_interview(true).await, without);
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_rebuilt_from_the_messages() {
    for garbage in [&b"not a state"[..], b"", b"WEOC\x02\x00\x00\x00\x00\x00newer"] {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let engine = engine_in(&folder, &clock);
        for text in [
            "I live in Hamburg, close to the harbor",
            "I planted tomatoes",
            "and beans",
        ] {
            clock.advance(Duration::from_secs(60));
            say(&engine, "ana", text).await;
        }
        engine.shutdown().await;
        drop(engine);
        let embedder = Arc::new(StaticEmbedder::embedded());
        let store = VectorMemory::open(folder.path(), embedder, VectorMemoryConfig::default()).unwrap();
        let op = WriteOp::PutState {
            owner: owner("ana"),
            state: garbage.into(),
        };
        store.commit(&[op]).pop().unwrap().unwrap();
        drop(store);

        for said in 4..=5 {
            let engine = engine_in(&folder, &clock);
            clock.advance(Duration::from_secs(60));
            let turn = say(&engine, "ana", "and pumpkins").await;
            assert!(turn.degraded.is_empty(), "{:?}", turn.degraded);
            assert_eq!(turn.plan.relationship.interactions, said, "{garbage:?}");
            let facts = known(&engine, "ana").facts().await.unwrap();
            assert!(
                facts
                    .iter()
                    .any(|fact| fact.slot == Slot::Residence && fact.value == "Hamburg")
            );
            assert_eq!(engine.health().status, Status::Healthy);
            engine.shutdown().await;
        }
    }
}

/// Conversations of which one person's panic in everything that no turn waits for.
#[derive(Debug)]
struct PanicBesides(Conversations);

#[derive(Debug)]
struct Panicking {
    inner: Box<dyn Conversation>,
    panics: bool,
}

impl ConversationEngine for PanicBesides {
    fn open(
        &self,
        owner: &MemoryOwner,
        saved: Option<&[u8]>,
    ) -> Result<Box<dyn Conversation>, ConversationError> {
        Ok(Box::new(Panicking {
            inner: self.0.open(owner, saved)?,
            panics: *owner == support::owner("ana"),
        }))
    }
}

impl Conversation for Panicking {
    fn query_context(&self, text: &str) -> Option<String> {
        self.inner.query_context(text)
    }

    fn is_closed(&self, text: &str) -> bool {
        self.inner.is_closed(text)
    }

    fn plan_turn(&mut self, input: &TurnInput<'_>) -> Result<TurnPlan, ConversationError> {
        self.inner.plan_turn(input)
    }

    fn after_turn(&mut self) {
        assert!(!self.panics, "after_turn panics on demand");
        self.inner.after_turn();
    }

    fn record_feedback(&mut self, feedback: &Feedback) -> Result<(), ConversationError> {
        self.inner.record_feedback(feedback)
    }

    fn tick(&mut self, now: Timestamp) -> Vec<Suggestion> {
        assert!(!self.panics, "tick panics on demand");
        self.inner.tick(now)
    }

    fn export(&self) -> Vec<u8> {
        assert!(!self.panics, "export panics on demand");
        self.inner.export()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_beside_the_turns_costs_nothing_else() {
    let clock = clock();
    let embedder = Arc::new(StaticEmbedder::embedded());
    let memory = VectorMemory::in_memory(embedder, VectorMemoryConfig::default());
    let memory = MoodyMemory::new(&clock, memory);
    let engine = WhisperEngine::builder()
        .clock(clock.clone())
        .memory(Arc::clone(&memory))
        .conversation(Arc::new(PanicBesides(
            Conversations::new(Config::default()).unwrap(),
        )))
        .configure(|config| config.memory_batcher.retry.max_attempts = 1)
        .build()
        .unwrap();
    for _ in 0..3 {
        say(&engine, "ana", "hello there").await;
        say(&engine, "ben", "hello there").await;
    }
    memory.writes.set(Mood::Failing);
    say(&engine, "carl", "remember the blue door").await;
    memory.writes.set(Mood::Well);
    clock.advance(Duration::from_secs(120));
    engine.tick().await;
    tokio::time::timeout(Duration::from_secs(30), async {
        while memory.memory.state(&owner("ben")).unwrap().is_none() || engine.health().waiting_writes > 0 {
            clock.advance(Duration::from_secs(2));
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the upkeep goes on: states are saved, waiting writes are written");
    let turn = say(&engine, "ana", "still here?").await;
    assert_eq!(
        turn.plan.relationship.interactions, 4,
        "the panics cost the person's conversation nothing"
    );
    let report = engine.shutdown().await;
    assert_eq!(
        (report.states_unsaved, report.writes_lost),
        (1, 0),
        "ana's cannot be exported"
    );
    assert!(memory.memory.state(&owner("carl")).unwrap().is_some());
}
