//! The store hangs, fails or is read-only: everybody is answered, nothing is lost in silence, everything ends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use support::{known, memories, owner, say};
use whisperengine::{
    Committed, Component, Durability, MemoryError, MemoryId, MemoryOwner, MemoryRecall, MemoryRecord,
    MemoryStore, MemoryStoreLayer, Mode, Recall, RecallQuery, Status, TurnOutcome, WhisperEngine, WriteOp,
};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    CommitsHang,
    ScansHang,
    Unavailable,
    ReadOnly,
}

/// A store in trouble, and a recall that fails for one person.
#[derive(Debug)]
struct Troubled {
    memory: VectorMemory,
    trouble: Mutex<Trouble>,
    over: Condvar,
    unrecalled: Mutex<Option<MemoryOwner>>,
}

impl Troubled {
    fn new() -> Arc<Self> {
        let embedder = Arc::new(StaticEmbedder::embedded());
        Arc::new(Self {
            memory: VectorMemory::in_memory(embedder, VectorMemoryConfig::default()),
            trouble: Mutex::new(Trouble::None),
            over: Condvar::new(),
            unrecalled: Mutex::default(),
        })
    }

    fn set(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        self.over.notify_all();
    }

    /// Hangs while the trouble is `hanging`; which one it is then.
    fn pass(&self, hanging: Trouble) -> Trouble {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let over = self.over.wait_while(trouble, |trouble| *trouble == hanging);
        *over.unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryStoreLayer for Troubled {
    fn inner(&self) -> &dyn MemoryStore {
        &self.memory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        let reason = || "on demand".to_owned();
        let error = match self.pass(Trouble::CommitsHang) {
            Trouble::Unavailable => MemoryError::Unavailable {
                reason: reason(),
                source: None,
            },
            Trouble::ReadOnly => MemoryError::ReadOnly { reason: reason() },
            _ => return self.memory.commit(ops),
        };
        ops.iter().map(|_| Err(error.clone())).collect()
    }

    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        self.pass(Trouble::ScansHang);
        self.memory.scan(owner, after, limit)
    }
}

impl MemoryRecall for Troubled {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        if self.unrecalled.lock().unwrap().as_ref() == Some(owner) {
            return Err(MemoryError::Unavailable {
                reason: "on demand".to_owned(),
                source: None,
            });
        }
        self.memory.recall(owner, query)
    }
}

/// The end of trouble, whatever the test came to: a thread that hangs keeps the process.
struct Relief(Arc<Troubled>);

impl Drop for Relief {
    fn drop(&mut self) {
        self.0.set(Trouble::None);
    }
}

fn engine_on(store: &Arc<Troubled>, mode: Mode, waiting: usize) -> WhisperEngine {
    let builder = WhisperEngine::builder().mode(mode).memory(Arc::clone(store));
    builder
        .configure(|config| {
            config.fallback.deadline_ms = 200;
            config.fallback.probe_interval_ms = 50;
            config.shutdown_seconds = 1;
            config.memory_batcher.dead_letter_items = waiting;
            config.memory_batcher.retry.max_attempts = 2;
        })
        .build()
        .unwrap()
}

const MODES: [Mode; 2] = [Mode::Production, Mode::Standard];
const BOUND: Duration = Duration::from_secs(20);

async fn at_once(engine: &WhisperEngine, people: usize) -> Vec<TurnOutcome> {
    let tickets: Vec<_> = (0..people)
        .map(|n| {
            engine.submit(
                engine
                    .message("ember", &format!("p{n}"), "direct", "hello there")
                    .unwrap(),
            )
        })
        .collect();
    let all = async {
        let mut turns = Vec::new();
        for ticket in tickets {
            turns.push(ticket.unwrap().await.unwrap());
        }
        turns
    };
    tokio::time::timeout(BOUND, all)
        .await
        .expect("everybody is answered in time")
}

fn count(turns: &[TurnOutcome], is: impl Fn(&Durability) -> bool) -> usize {
    turns.iter().filter(|turn| is(&turn.stored)).count()
}

fn is_volatile(stored: &Durability) -> bool {
    *stored == Durability::Volatile
}

fn is_refused(stored: &Durability) -> bool {
    matches!(stored, Durability::NotStored { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_is_answered_while_the_store_is_away() {
    for mode in MODES {
        for trouble in [Trouble::Unavailable, Trouble::CommitsHang, Trouble::ReadOnly] {
            let store = Troubled::new();
            let engine = engine_on(&store, mode, 1000);
            let relief = Relief(Arc::clone(&store));
            store.set(trouble);
            let turns = at_once(&engine, 32).await;
            let kept = count(&turns, is_volatile);
            if trouble == Trouble::ReadOnly {
                assert_eq!(kept + count(&turns, is_refused), 32, "{mode:?} {trouble:?}");
            } else {
                assert_eq!(kept, 32, "{mode:?} {trouble:?}");
            }
            drop(relief);
            tokio::time::timeout(BOUND, async {
                while engine.health().waiting_writes > 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .expect("what waited is written");
            engine.shutdown().await;
            let mut stored = 0;
            for n in 0..32 {
                stored += store
                    .memory
                    .scan(&owner(&format!("p{n}")), None, 10)
                    .unwrap()
                    .len();
            }
            assert_eq!(
                stored, kept,
                "{mode:?} {trouble:?}: what was said to wait is stored"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_bounded_and_the_rest_is_refused() {
    for mode in MODES {
        for trouble in [Trouble::Unavailable, Trouble::ReadOnly, Trouble::CommitsHang] {
            let store = Troubled::new();
            let engine = engine_on(&store, mode, 100);
            let relief = Relief(Arc::clone(&store));
            store.set(trouble);
            // The first show that the store is away; from then on there must be room.
            let mut turns = at_once(&engine, 40).await;
            turns.extend(at_once(&engine, 300).await);
            let (kept, refused) = (count(&turns, is_volatile), count(&turns, is_refused));
            assert_eq!(kept + refused, 340, "{mode:?} {trouble:?}");
            if trouble == Trouble::CommitsHang {
                // Then it fails, and what was said to wait needs room.
                store.set(Trouble::Unavailable);
            } else {
                assert!(kept <= 100, "{mode:?} {trouble:?}: {kept}");
            }
            drop(relief);
            let report = engine.shutdown().await;
            let mut stored = 0;
            for n in 0..300 {
                stored += store
                    .memory
                    .scan(&owner(&format!("p{n}")), None, 10)
                    .unwrap()
                    .len();
            }
            assert!(
                stored + report.writes_lost >= kept,
                "{mode:?} {trouble:?}: {kept} waited, {stored} stored, {} said to be lost",
                report.writes_lost
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_ends_in_time_whatever_the_store_does() {
    for mode in MODES {
        for trouble in [
            Trouble::CommitsHang,
            Trouble::ScansHang,
            Trouble::Unavailable,
            Trouble::ReadOnly,
        ] {
            let store = Troubled::new();
            let engine = engine_on(&store, mode, 1000);
            let relief = Relief(Arc::clone(&store));
            say(&engine, "ana", "hello").await;
            store.set(trouble);
            let tickets: Vec<_> = (0..16)
                .map(|n| {
                    engine
                        .submit(engine.message("ember", &format!("p{n}"), "direct", "hi").unwrap())
                        .unwrap()
                })
                .collect();
            let report = tokio::time::timeout(Duration::from_secs(5), engine.shutdown()).await;
            let report = report.unwrap_or_else(|_| panic!("{mode:?} {trouble:?}: no end"));
            assert!(report.states_unsaved > 0, "{mode:?} {trouble:?}: {report:?}");
            drop(relief);
            for ticket in tickets {
                let answered = tokio::time::timeout(BOUND, ticket).await;
                assert!(answered.is_ok(), "{mode:?} {trouble:?}: a turn is never answered");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_says_that_the_store_is_away() {
    for mode in MODES {
        for trouble in [Trouble::Unavailable, Trouble::CommitsHang, Trouble::ReadOnly] {
            let store = Troubled::new();
            let engine = engine_on(&store, mode, 1000);
            assert_eq!(engine.health().status, Status::Healthy);
            let relief = Relief(Arc::clone(&store));
            store.set(trouble);
            for n in 0..4 {
                say(&engine, &format!("p{n}"), "hello").await;
            }
            let health = engine.health();
            assert_eq!(
                health.status,
                Status::Unhealthy,
                "{mode:?} {trouble:?}: {health:?}"
            );
            let part = health
                .components
                .iter()
                .find(|part| part.component == Component::Store)
                .unwrap();
            assert!(!part.primary && part.reason.is_some());
            drop(relief);
            engine.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_turn_names_its_own_failures_only() {
    let store = Troubled::new();
    let engine = engine_on(&store, Mode::Production, 1000);
    for user in ["zed", "ben"] {
        say(&engine, user, "I keep bees behind the house").await;
    }
    *store.unrecalled.lock().unwrap() = Some(owner("zed"));
    let ask = |user| {
        engine
            .submit(
                engine
                    .message("ember", user, "direct", "What do I keep?")
                    .unwrap(),
            )
            .unwrap()
    };
    let (zed, ben) = (ask("zed"), ask("ben"));
    let (zed, ben) = (zed.await.unwrap(), ben.await.unwrap());
    assert_eq!(
        zed.degraded.iter().map(|part| part.component).collect::<Vec<_>>(),
        [Component::Recall]
    );
    assert!(zed.recalled.memories.is_empty());
    assert!(ben.degraded.is_empty(), "{:?}", ben.degraded);
    assert!(!ben.recalled.memories.is_empty());
    *store.unrecalled.lock().unwrap() = None;
    engine.shutdown().await;
    assert_eq!(known(&engine, "ben").owner(), &owner("ben"));
    assert_eq!(memories(&engine, "ben").await.len(), 2);
}
