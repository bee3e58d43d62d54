//! Answers to queries, kept until their owner writes: a decorator over any [`MemoryRecall`], without threads.
//!
//! Invariant: an answer is served only while no write of its owner is newer than the search that gave it. Each
//! owner has a version, held only while the owner has answers or searches; a write raises it and drops the
//! owner's answers, and a search whose owner's version rose meanwhile is not kept.

use std::{
    collections::HashSet,
    hash::{Hash, Hasher},
    mem::size_of,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hashbrown::HashMap;
use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use lru::LruCache;
use serde::{Deserialize, Serialize};
use whisperengine_types::{
    Committed, Filter, MemoryError, MemoryOwner, MemoryRecall, MemoryStore, MemoryStoreLayer, Recall,
    RecallQuery, Timestamp, WriteOp,
};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::size::{embedding_bytes, record_bytes};

/// Settings of a [`CachedRecall`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheConfig {
    /// Most bytes of kept answers, estimated (default 64 MiB). Zero keeps none.
    pub max_bytes: u64,
    /// An answer serves a query whose `now` differs from its own query's by at most this (default 3 min) and
    /// lies in the same quarter of an hour, so that no day of any time zone begins between them. Raising it
    /// saves searches where recency hardly moves the ranking.
    #[serde(with = "duration_text::required")]
    pub recency_tolerance: Duration,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            recency_tolerance: Duration::from_secs(180),
        }
    }
}

/// What a [`CachedRecall`] has done and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStats {
    /// Queries answered from the cache.
    pub hits: u64,
    /// Queries that were searched for.
    pub misses: u64,
    /// Answers dropped because their owner wrote.
    pub invalidations: u64,
    /// Answers dropped for want of room.
    pub evictions: u64,
    /// Answers kept, and their estimated bytes.
    pub entries: usize,
    /// Their bytes, estimated.
    pub bytes: u64,
}

impl CacheStats {
    /// The share of queries answered from the cache, `0..=1`.
    pub fn hit_rate(&self) -> f64 {
        match self.hits + self.misses {
            0 => 0.0,
            all => self.hits as f64 / all as f64,
        }
    }
}

/// A [`MemoryRecall`] that keeps answers until their owner writes. Cheap to clone; clones share the answers.
///
/// Writes must go through [`store`](Self::store), or be reported with [`note_write`](Self::note_write) before
/// they are acknowledged; then every acknowledged write is seen.
///
/// ```
/// use std::sync::Arc;
/// use whisperengine_memory_batcher::{CacheConfig, CachedRecall};
/// use whisperengine_types::{
///     BotId, MemoryError, MemoryOwner, MemoryRecall, NoMemory, Recall, RecallQuery, Timestamp, UserId,
/// };
///
/// #[derive(Debug)]
/// struct Search; // Something that takes its time.
///
/// impl MemoryRecall for Search {
///     fn recall(&self, _: &MemoryOwner, _: &RecallQuery) -> Result<Recall, MemoryError> {
///         Ok(Recall::default())
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recall = CachedRecall::new(Arc::new(Search), CacheConfig::default());
/// let store = recall.store(Arc::new(NoMemory)); // Commit through this one.
///
/// let ana = MemoryOwner::person(BotId::new("ember")?, UserId::new("ana")?);
/// let query = RecallQuery::new("my sister", 5, Timestamp::from_millis(0));
/// recall.recall(&ana, &query)?;
/// recall.recall(&ana, &query)?;
/// assert_eq!((recall.stats().hits, recall.stats().misses), (1, 1));
/// # drop(store);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CachedRecall {
    inner: Arc<dyn MemoryRecall>,
    config: CacheConfig,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    answers: LruCache<Key, Answer>,
    owners: HashMap<MemoryOwner, Owner>,
    stats: CacheStats,
}

/// An owner, and 128 bits of the query.
type Key = (MemoryOwner, u128);

#[derive(Debug)]
struct Answer {
    query: RecallQuery,
    recall: Recall,
    bytes: u64,
}

#[derive(Debug, Default)]
struct Owner {
    version: u64,
    searches: usize,
    answers: HashSet<u128>,
}

impl CachedRecall {
    /// Keeps answers of `inner`.
    pub fn new(inner: Arc<dyn MemoryRecall>, config: CacheConfig) -> Self {
        let state = State {
            answers: LruCache::unbounded(),
            owners: HashMap::new(),
            stats: CacheStats::default(),
        };
        Self {
            inner,
            config,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// `store`, with its commits noted here.
    pub fn store(&self, store: Arc<dyn MemoryStore>) -> Arc<dyn MemoryStore> {
        Arc::new(NotedStore {
            store,
            cache: self.clone(),
        })
    }

    /// Drops the owner's answers: something of the owner was written, or is forgotten.
    pub fn note_write(&self, owner: &MemoryOwner) {
        self.lock().note_write(owner);
    }

    /// Drops every answer.
    pub fn clear(&self) {
        let mut state = self.lock();
        let owners: Vec<MemoryOwner> = state.owners.keys().cloned().collect();
        owners.iter().for_each(|owner| state.note_write(owner));
    }

    /// Counters.
    pub fn stats(&self) -> CacheStats {
        let state = self.lock();
        CacheStats {
            entries: state.answers.len(),
            ..state.stats
        }
    }

    fn is_near(&self, a: Timestamp, b: Timestamp) -> bool {
        let quarter = |time: Timestamp| time.as_millis().div_euclid(QUARTER_MILLIS);
        a.since(b).max(b.since(a)) <= self.config.recency_tolerance && quarter(a) == quarter(b)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryRecall for CachedRecall {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        let key = (owner.clone(), hash(query));
        let mut state = self.lock();
        let known = state.answers.get(&key);
        let known =
            known.filter(|answer| is_same(&answer.query, query) && self.is_near(answer.query.now, query.now));
        if let Some(answer) = known {
            let recall = answer.recall.clone();
            state.stats.hits += 1;
            return Ok(recall);
        }
        state.stats.misses += 1;
        let search = Search::begin(self, state, owner);
        let recall = self.inner.recall(owner, query)?;
        search.keep(key, query, &recall);
        Ok(recall)
    }
}

/// A search under way; its owner's version is held until it ends, however it does.
struct Search<'a> {
    cache: &'a CachedRecall,
    owner: &'a MemoryOwner,
    version: u64,
}

impl<'a> Search<'a> {
    fn begin(cache: &'a CachedRecall, mut state: MutexGuard<'_, State>, owner: &'a MemoryOwner) -> Self {
        let known = state.owners.entry_ref(owner).or_default();
        known.searches += 1;
        Self {
            cache,
            owner,
            version: known.version,
        }
    }

    /// Keeps the answer, unless it is degraded, too large, or older than a write.
    fn keep(&self, key: Key, query: &RecallQuery, recall: &Recall) {
        let bytes = answer_bytes(query, recall);
        let max_bytes = self.cache.config.max_bytes;
        // What equals nothing, like a filter with NaN, could not be found again.
        if recall.degraded.is_some() || bytes > max_bytes || !is_same(query, query) {
            return;
        }
        let mut state = self.cache.lock();
        let Some(owner) = state.owners.get_mut(self.owner) else {
            return;
        };
        if owner.version != self.version {
            return;
        }
        owner.answers.insert(key.1);
        let answer = Answer {
            query: query.clone(),
            recall: recall.clone(),
            bytes,
        };
        state.stats.bytes += bytes;
        if let Some(replaced) = state.answers.put(key, answer) {
            state.stats.bytes -= replaced.bytes;
        }
        while state.stats.bytes > max_bytes && state.evict() {}
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        if let Some(owner) = state.owners.get_mut(self.owner) {
            owner.searches -= 1;
        }
        state.drop_unused(self.owner);
    }
}

impl State {
    fn note_write(&mut self, key: &MemoryOwner) {
        let Some(owner) = self.owners.get_mut(key) else {
            return;
        };
        owner.version += 1;
        for hash in owner.answers.drain() {
            if let Some(answer) = self.answers.pop(&(key.clone(), hash)) {
                self.stats.bytes -= answer.bytes;
                self.stats.invalidations += 1;
            }
        }
        self.drop_unused(key);
    }

    /// Drops the answer that was not asked for longest; false when there is none.
    fn evict(&mut self) -> bool {
        let Some(((key, hash), answer)) = self.answers.pop_lru() else {
            return false;
        };
        self.stats.bytes -= answer.bytes;
        self.stats.evictions += 1;
        if let Some(owner) = self.owners.get_mut(&key) {
            owner.answers.remove(&hash);
        }
        self.drop_unused(&key);
        true
    }

    fn drop_unused(&mut self, key: &MemoryOwner) {
        let is_unused = |owner: &Owner| owner.searches == 0 && owner.answers.is_empty();
        if self.owners.get(key).is_some_and(is_unused) {
            self.owners.remove(key);
        }
    }
}

/// A store whose commits drop the answers of the owners they change.
#[derive(Debug)]
struct NotedStore {
    store: Arc<dyn MemoryStore>,
    cache: CachedRecall,
}

impl MemoryStoreLayer for NotedStore {
    fn inner(&self) -> &dyn MemoryStore {
        &*self.store
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        // Also after a panic: some of it may have been applied.
        let _noted = NoteOnDrop {
            cache: &self.cache,
            ops,
        };
        self.store.commit(ops)
    }
}

struct NoteOnDrop<'a> {
    cache: &'a CachedRecall,
    ops: &'a [WriteOp],
}

impl Drop for NoteOnDrop<'_> {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        // A conversation's state is in no answer.
        let changing = self
            .ops
            .iter()
            .filter(|op| !matches!(op, WriteOp::PutState { .. }));
        changing.for_each(|op| state.note_write(op.owner()));
    }
}

/// 128 bits of a query without its `now`. Numbers of filters are left to the comparison.
fn hash(query: &RecallQuery) -> u128 {
    let mut state = Bytes(Xxh3::new());
    (&query.text, &query.context, query.k, &query.zone).hash(&mut state);
    state.write_u32(query.min_relevance.to_bits());
    if query.filter != Filter::Any {
        state.write(format!("{:?}", query.filter).as_bytes());
    }
    if let Some(embedding) = &query.embedding {
        for value in embedding.values() {
            state.write_u32(value.to_bits());
        }
    }
    state.0.digest128()
}

/// Equal in everything but `now`.
fn is_same(a: &RecallQuery, b: &RecallQuery) -> bool {
    a.text == b.text
        && a.context == b.context
        && a.embedding == b.embedding
        && a.k == b.k
        && a.filter == b.filter
        && a.zone == b.zone
        && a.min_relevance.to_bits() == b.min_relevance.to_bits()
}

fn answer_bytes(query: &RecallQuery, recall: &Recall) -> u64 {
    let context = query.context.as_ref().map_or(0, String::len);
    let asked = query.text.len() + context + embedding_bytes(query.embedding.as_ref());
    let memories = recall.memories.iter();
    let found: usize = memories.map(|hit| HIT_BYTES + record_bytes(&hit.memory)).sum();
    (size_of::<(Key, Answer)>() + asked + found) as u64
}

/// Passes the bytes that a value hashes as on to XXH3.
struct Bytes(Xxh3);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        xxh3_64(&self.0.digest128().to_le_bytes())
    }
}

/// What a hit takes besides its memory.
const HIT_BYTES: usize = 128;
/// Every time zone's days begin on a quarter of an hour.
const QUARTER_MILLIS: i64 = 15 * 60 * 1000;
