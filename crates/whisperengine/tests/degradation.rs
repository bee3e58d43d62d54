//! The whole conversation with each component switched off, failing, slow, panicking, and recovering.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use support::{Mood, Moody, MoodyMemory, clock, converse, say};
use whisperengine::{
    Component, ConversationEngine, Durability, Embedder, EmotionAnalyzer, ManualClock, Mode, PrimaryEmotion,
    TurnOutcome, WhisperEngine,
};
use whisperengine_emotion::EmotionEngine;
use whisperengine_phase4::{Config, Conversations};
use whisperengine_text_embedding::HashingEmbedder;
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

fn names(outcome: &TurnOutcome) -> Vec<Component> {
    let mut components: Vec<_> = outcome
        .degraded
        .iter()
        .map(|degradation| degradation.component)
        .collect();
    components.sort_unstable();
    components.dedup();
    components
}

#[tokio::test]
async fn each_component_can_be_switched_off() {
    type Switch = fn(&mut whisperengine::Components);
    let switches: [(Component, Switch); 7] = [
        (Component::Emotion, |on| on.emotion = false),
        (Component::Embedding, |on| on.embedding = false),
        (Component::Recall, |on| on.recall = false),
        (Component::Conversation, |on| on.conversation = false),
        (Component::Store, |on| on.store = false),
        (Component::Scheduler, |on| on.scheduler = false),
        (Component::Store, |on| on.batcher = false),
    ];
    for (at, (component, switch)) in switches.into_iter().enumerate() {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let engine = WhisperEngine::builder()
            .mode(Mode::Hybrid)
            .configure(|config| switch(&mut config.components))
            .data_dir(folder.path())
            .clock(clock.clone())
            .build()
            .unwrap();
        let turns = converse(&engine, &clock).await;
        // Without the scheduler or the batcher everything is done all the same, one by one.
        let says_so = at < 5;
        for turn in &turns {
            assert_eq!(
                names(turn),
                if says_so { vec![component] } else { Vec::new() },
                "{component}"
            );
        }
        let last = &turns[5];
        assert_eq!(
            last.emotion.primary == PrimaryEmotion::Neutral && at == 0,
            at == 0
        );
        assert_eq!(last.recalled.memories.is_empty(), component == Component::Recall);
        assert_eq!(last.plan.thread.is_none(), component == Component::Conversation);
        assert_eq!(
            last.stored == Durability::Volatile,
            at == 4,
            "only the store makes it volatile"
        );
        let unwell = engine
            .health()
            .components
            .iter()
            .filter(|health| !health.primary)
            .count();
        assert_eq!(unwell, usize::from(says_so));
        engine.shutdown().await;
    }
}

/// An engine whose parts have moods.
struct Fixture {
    clock: Arc<ManualClock>,
    emotion: Arc<Moody<dyn EmotionAnalyzer>>,
    embedder: Arc<Moody<dyn Embedder>>,
    memory: Arc<MoodyMemory<VectorMemory>>,
    conversation: Arc<Moody<dyn ConversationEngine>>,
    engine: WhisperEngine,
}

impl Fixture {
    fn new(mode: Mode) -> Self {
        let clock = clock();
        let hashing: Arc<dyn Embedder> = Arc::new(HashingEmbedder::default());
        let store = VectorMemory::in_memory(Arc::clone(&hashing), VectorMemoryConfig::default());
        let (emotion, embedder) = (
            Moody::new(&clock, Arc::new(EmotionEngine::new()) as _),
            Moody::new(&clock, hashing),
        );
        let conversation = Moody::new(
            &clock,
            Arc::new(Conversations::new(Config::default()).unwrap()) as _,
        );
        let memory = MoodyMemory::new(&clock, store);
        let engine = WhisperEngine::builder()
            .mode(mode)
            .configure(|config| {
                config.fallback.failures_to_open = 2;
                config.fallback.successes_to_close = 2;
                config.fallback.probe_interval_ms = 60_000;
                config.memory_batcher.retry.max_attempts = 1;
            })
            .clock(clock.clone())
            .emotion(Arc::clone(&emotion) as _)
            .embedder(Arc::clone(&embedder) as _)
            .memory(Arc::clone(&memory))
            .conversation(Arc::clone(&conversation) as _)
            .build()
            .unwrap();
        Self {
            clock,
            emotion,
            embedder,
            memory,
            conversation,
            engine,
        }
    }

    fn set(&self, component: Component, mood: Mood) {
        match component {
            Component::Emotion => self.emotion.set(mood),
            Component::Embedding => self.embedder.set(mood),
            Component::Recall => self.memory.searches.set(mood),
            Component::Conversation => self.conversation.set(mood),
            Component::Store => self.memory.writes.set(mood),
            _ => unreachable!("not a port of a turn"),
        }
    }

    fn is_primary(&self, component: Component) -> bool {
        self.engine
            .health()
            .components
            .iter()
            .any(|health| health.component == component && health.primary)
    }
}

const PORTS: [Component; 5] = [
    Component::Emotion,
    Component::Embedding,
    Component::Recall,
    Component::Conversation,
    Component::Store,
];

#[tokio::test]
async fn a_failing_component_costs_its_own_work_and_comes_back() {
    for mode in [Mode::Production, Mode::Standard] {
        for component in PORTS {
            let at = Fixture::new(mode);
            say(&at.engine, "ana", "all is well").await;
            at.set(component, Mood::Failing);
            let turns = converse(&at.engine, &at.clock).await;
            for turn in &turns {
                assert_eq!(names(turn), [component], "{mode:?}");
            }
            assert!(!at.is_primary(component), "{mode:?} {component}: health says so");
            if component == Component::Store {
                assert!(turns.iter().all(|turn| turn.stored == Durability::Volatile));
            }
            at.set(component, Mood::Well);
            let mut back = false;
            for _ in 0..20_000 {
                at.clock.advance(std::time::Duration::from_secs(61));
                let turn = say(&at.engine, "ana", "is it better?").await;
                back |= turn.degraded.is_empty();
                // The store is back once a commit has gone through, for which turns do not wait meanwhile.
                if back && at.is_primary(component) {
                    break;
                }
            }
            assert!(
                back && at.is_primary(component),
                "{mode:?} {component}: it returns by itself"
            );
            let report = at.engine.shutdown().await;
            assert_eq!(
                report.writes_lost, 0,
                "{mode:?} {component}: what waited is written"
            );
        }
    }
}

#[tokio::test]
async fn a_slow_component_is_left_alone_until_it_is_fast() {
    for component in [
        Component::Emotion,
        Component::Embedding,
        Component::Recall,
        Component::Conversation,
    ] {
        let at = Fixture::new(Mode::Standard);
        at.set(component, Mood::Slow);
        let before = whisperengine::Clock::instant(&*at.clock);
        converse(&at.engine, &at.clock).await;
        assert!(!at.is_primary(component), "{component}");
        let spent = whisperengine::Clock::instant(&*at.clock) - before;
        let talking = std::time::Duration::from_secs(6 * 20);
        assert!(
            spent < talking + support::SLOW * 6,
            "{component} was asked every time: {spent:?}"
        );
        at.set(component, Mood::Well);
        for _ in 0..4 {
            at.clock.advance(std::time::Duration::from_secs(61));
            say(&at.engine, "ana", "is it better?").await;
        }
        assert!(at.is_primary(component), "{component}");
        at.engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_panic_costs_one_stage_of_one_turn() {
    for component in [
        Component::Emotion,
        Component::Embedding,
        Component::Recall,
        Component::Conversation,
    ] {
        let at = Fixture::new(Mode::Production);
        at.set(component, Mood::Panicking);
        let turn = say(&at.engine, "ana", "anybody there?").await;
        assert_eq!(names(&turn), [component]);
        at.set(component, Mood::Well);
        let turn = say(&at.engine, "ana", "and now?").await;
        assert!(turn.degraded.is_empty(), "{component}: {:?}", turn.degraded);
        at.engine.shutdown().await;
    }
}

#[tokio::test]
async fn what_the_store_would_not_take_is_written_when_it_is_back() {
    let at = Fixture::new(Mode::Standard);
    at.set(Component::Store, Mood::Failing);
    let turn = say(&at.engine, "ana", "remember the blue door").await;
    assert_eq!(turn.stored, Durability::Volatile);
    assert_eq!(at.engine.health().waiting_writes, 1);
    at.set(Component::Store, Mood::Well);
    assert_eq!(at.engine.shutdown().await.writes_lost, 0);
    let found = support::known(&at.engine, "ana").get(&[turn.turn]).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap().text, "remember the blue door");
}
