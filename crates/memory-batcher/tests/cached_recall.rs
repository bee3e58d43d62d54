//! Kept answers are fresh and whole, bounded, and gone when their owner is forgotten.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use common::{MemoryOfOps, delete, forget_all, owner, put_state, query, record, store, update};
use proptest::prelude::*;
use whisperengine_memory_batcher::{CacheConfig, CacheStats, CachedRecall};
use whisperengine_types::{
    Embedding, EmbeddingSpace, Filter, MemoryError, MemoryKind, MemoryOwner, MemoryRecall, MemoryStore,
    Recall, RecallQuery, Timestamp, WriteOp, ZoneId,
};

/// Counts searches, and does something in the middle of the next one.
#[derive(Debug, Default)]
struct Counted {
    memory: Arc<MemoryOfOps>,
    searches: AtomicUsize,
    /// Committed between a search's answer and its return, through the noted store.
    meanwhile: Mutex<Option<(Arc<dyn MemoryStore>, WriteOp)>>,
    degraded: Mutex<Option<String>>,
}

impl MemoryRecall for Counted {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        self.searches.fetch_add(1, Relaxed);
        let mut answer = self.memory.recall(owner, query)?;
        answer.degraded.clone_from(&self.degraded.lock().unwrap());
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some((store, op)) = meanwhile {
            store.commit(&[op]).remove(0)?;
        }
        Ok(answer)
    }
}

struct Fixture {
    counted: Arc<Counted>,
    recall: CachedRecall,
    store: Arc<dyn MemoryStore>,
}

impl Fixture {
    fn new(set: impl FnOnce(&mut CacheConfig)) -> Self {
        let mut config = CacheConfig::default();
        set(&mut config);
        let counted = Arc::new(Counted::default());
        let recall = CachedRecall::new(counted.clone(), config);
        let store = recall.store(counted.memory.clone());
        Self {
            counted,
            recall,
            store,
        }
    }

    fn commit(&self, op: WriteOp) {
        self.store.commit(&[op]).remove(0).unwrap();
    }

    fn ask(&self, user: &str, query: &RecallQuery) -> Vec<String> {
        let found = self.recall.recall(&owner(user), query).unwrap();
        found.memories.iter().map(|hit| hit.memory.text.clone()).collect()
    }

    fn texts(&self, user: &str, text: &str) -> Vec<String> {
        self.ask(user, &query(text))
    }

    fn searches(&self) -> usize {
        self.counted.searches.load(Relaxed)
    }

    fn stats(&self) -> CacheStats {
        self.recall.stats()
    }
}

#[test]
fn every_acknowledged_write_is_seen() {
    let fixture = Fixture::new(|_| {});
    let ana = owner("ana");
    let steps: [(WriteOp, &str, &[&str]); 5] = [
        (store(&ana, record(0, "tea")), "tea", &["tea"]),
        (store(&ana, record(1, "more tea")), "tea", &["tea", "more tea"]),
        (update(&ana, 0, "milk"), "milk", &["milk"]),
        (delete(&ana, 0), "milk", &[]),
        (forget_all(&ana), "tea", &[]),
    ];
    for (op, text, expected) in steps {
        fixture.commit(op);
        for _ in 0..3 {
            assert_eq!(fixture.texts("ana", text), expected);
        }
    }
    assert_eq!((fixture.searches(), fixture.stats().hits), (5, 10));
    assert_eq!(fixture.stats().invalidations, 4);
}

#[test]
fn a_write_leaves_the_answers_of_others_and_a_state_all_of_them() {
    let fixture = Fixture::new(|_| {});
    for user in ["ana", "ben"] {
        fixture.commit(store(&owner(user), record(1, "tea")));
        fixture.texts(user, "tea");
    }
    fixture.commit(store(&owner("ana"), record(2, "tea")));
    fixture.commit(put_state(&owner("ben"), b"calm"));
    fixture.texts("ben", "tea");
    assert_eq!((fixture.searches(), fixture.stats().hits), (2, 1));
}

#[test]
fn an_answer_that_a_write_overtakes_is_not_kept() {
    let fixture = Fixture::new(|_| {});
    let meanwhile = (Arc::clone(&fixture.store), store(&owner("ana"), record(1, "tea")));
    *fixture.counted.meanwhile.lock().unwrap() = Some(meanwhile);
    assert!(fixture.texts("ana", "tea").is_empty(), "asked before the write");
    assert_eq!(fixture.texts("ana", "tea"), ["tea"]);
}

#[test]
fn somebody_forgotten_is_in_no_answer_that_is_kept() {
    let fixture = Fixture::new(|_| {});
    let ana = owner("ana");
    fixture.commit(store(&ana, record(1, "a secret about tea")));
    fixture.texts("ana", "tea");
    assert!(fixture.stats().bytes > 0);
    // The forgetting comes while another search has its answer already.
    *fixture.counted.meanwhile.lock().unwrap() = Some((Arc::clone(&fixture.store), forget_all(&ana)));
    fixture.texts("ana", "secret");
    assert_eq!((fixture.stats().entries, fixture.stats().bytes), (0, 0));
}

#[test]
fn queries_that_differ_anywhere_have_answers_of_their_own() {
    let fixture = Fixture::new(|config| config.recency_tolerance = Duration::from_secs(60));
    let space = EmbeddingSpace::new("test", 2).unwrap();
    let base = query("tea");
    let with = |change: &dyn Fn(&mut RecallQuery)| {
        let mut query = base.clone();
        change(&mut query);
        query
    };
    let embedding = |x| Some(Embedding::new(&space, vec![x, 1.0]).unwrap());
    let different = [
        base.clone(),
        with(&|q| q.text = "tea!".to_owned()),
        with(&|q| q.context = Some("milk".to_owned())),
        with(&|q| q.k = 11),
        with(&|q| q.filter = Filter::Kind(vec![MemoryKind::Fact])),
        with(&|q| q.filter = Filter::ImportanceAtLeast(0.5)),
        with(&|q| q.filter = Filter::ImportanceAtLeast(0.6)),
        with(&|q| q.embedding = embedding(1.0)),
        with(&|q| q.embedding = embedding(2.0)),
        with(&|q| q.zone = Some(ZoneId::new("Asia/Tokyo").unwrap())),
        with(&|q| q.min_relevance = 0.2),
    ];
    for query in &different {
        fixture.ask("ana", query);
    }
    fixture.ask("ben", &base);
    assert_eq!((fixture.searches(), fixture.stats().hits), (12, 0));
    for query in &different {
        fixture.ask("ana", query);
    }
    assert_eq!(fixture.stats().hits, 11);
    for _ in 0..2 {
        fixture.ask("ana", &with(&|q| q.filter = Filter::ImportanceAtLeast(f32::NAN)));
    }
    assert_eq!(fixture.stats().hits, 11, "what equals nothing is not kept");
}

#[test]
fn the_time_of_asking_may_differ_a_little_and_not_over_a_midnight() {
    let cases = [
        (0, 59_999, true),
        (59_999, 0, true),
        (0, 60_001, false),
        // 23:59:50 and 00:00:10 in a zone that is 5 h 45 min ahead of UTC.
        (
            18 * 3_600_000 + 14 * 60_000 + 50_000,
            18 * 3_600_000 + 15 * 60_000 + 10_000,
            false,
        ),
    ];
    for (first, second, hit) in cases {
        let fixture = Fixture::new(|config| config.recency_tolerance = Duration::from_secs(60));
        for now in [first, second] {
            fixture.ask("ana", &RecallQuery::new("tea", 5, Timestamp::from_millis(now)));
        }
        assert_eq!(fixture.stats().hits == 1, hit, "{first} and {second}");
    }
}

#[test]
fn a_degraded_answer_is_not_kept() {
    let fixture = Fixture::new(|_| {});
    *fixture.counted.degraded.lock().unwrap() = Some("no index".to_owned());
    fixture.texts("ana", "tea");
    *fixture.counted.degraded.lock().unwrap() = None;
    fixture.texts("ana", "tea");
    fixture.texts("ana", "tea");
    assert_eq!((fixture.searches(), fixture.stats().hits), (2, 1));
}

#[test]
fn zero_bytes_keep_nothing() {
    let fixture = Fixture::new(|config| config.max_bytes = 0);
    fixture.texts("ana", "tea");
    fixture.texts("ana", "tea");
    assert_eq!((fixture.searches(), fixture.stats().entries), (2, 0));
}

proptest! {
    /// Beside the memory itself, whatever is written, asked and evicted.
    #[test]
    fn answers_are_those_of_the_memory(
        steps in prop::collection::vec((0..3_u8, 0..3_usize, 0..4_u64), 1..200),
        max_bytes in prop_oneof![Just(2_000_u64), Just(1 << 20)],
    ) {
        let fixture = Fixture::new(|config| config.max_bytes = max_bytes);
        let texts = ["tea", "milk", "green tea", "rye bread"];
        let mut kept: HashMap<(usize, u64), bool> = HashMap::new();
        for (step, user, n) in steps {
            let name = ["ana", "ben", "cem"][user];
            if step == 0 {
                fixture.commit(store(&owner(name), record(n, texts[n as usize])));
                kept.retain(|&(of, _), _| of != user);
            } else {
                let (text, hits) = (texts[n as usize], fixture.stats().hits);
                let expected = fixture.counted.memory.recall(&owner(name), &query(text)).unwrap();
                prop_assert_eq!(fixture.recall.recall(&owner(name), &query(text)).unwrap(), expected);
                let known = kept.insert((user, n), true).is_some();
                prop_assert!(max_bytes < 10_000 || (fixture.stats().hits > hits) == known);
            }
            prop_assert!(fixture.stats().bytes <= max_bytes);
        }
        fixture.recall.clear();
        let empty = (fixture.stats().entries, fixture.stats().bytes);
        prop_assert_eq!(empty, (0, 0));
    }
}
