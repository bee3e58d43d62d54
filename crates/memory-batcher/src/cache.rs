//! Answers to queries, for as long as they are true.
//!
//! Invariant: an answer is given only if its owner has handed in no write since the search for it began.
//! Each answer carries the number of the latest write at that moment; one lookup compares it with the
//! number of the owner's latest write, so a write of an owner voids all of the owner's answers at once
//! without touching them.

use std::{
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::{Duration, Instant},
};

use moka::{notification::RemovalCause, sync::Cache};
use whisperengine_types::{MemoryOwner, Recall, Timestamp};

use crate::{Config, QueryStats, query_key::QueryKey, write::record_bytes};

#[derive(Debug)]
pub(crate) struct QueryCache {
    answers: Option<Cache<QueryKey, Answer>>,
    counters: Arc<Counters>,
    ttl: Duration,
    tolerance: Duration,
}

#[derive(Debug, Clone)]
struct Answer {
    recall: Arc<Recall>,
    as_of: u64,
    since: Instant,
    now: Timestamp,
    bytes: u32,
}

#[derive(Debug, Default)]
struct Counters {
    hits: AtomicU64,
    invalidations: AtomicU64,
    evictions: AtomicU64,
    expirations: AtomicU64,
    forgets: AtomicU64,
}

impl QueryCache {
    pub(crate) fn new(config: &Config) -> Self {
        let counters = Arc::new(Counters::default());
        let counted = Arc::clone(&counters);
        let answers = (!config.cache_ttl.is_zero() && config.cache_bytes > 0).then(|| {
            Cache::builder()
                .max_capacity(config.cache_bytes)
                .weigher(|_: &QueryKey, answer: &Answer| answer.bytes)
                .time_to_live(config.cache_ttl)
                .support_invalidation_closures()
                .eviction_listener(move |_, _, cause| match cause {
                    RemovalCause::Size => drop(counted.evictions.fetch_add(1, Relaxed)),
                    RemovalCause::Expired => drop(counted.expirations.fetch_add(1, Relaxed)),
                    RemovalCause::Explicit | RemovalCause::Replaced => {}
                })
                .build()
        });
        Self {
            answers,
            counters,
            ttl: config.cache_ttl,
            tolerance: config.recency_tolerance,
        }
    }

    /// The answer to `key`, if no write of its owner is newer; `last_write` numbers the latest.
    pub(crate) fn find(&self, key: &QueryKey, last_write: u64, now: Instant) -> Option<Arc<Recall>> {
        let answers = self.answers.as_ref()?;
        let answer = answers.get(key)?;
        if answer.as_of < last_write {
            self.counters.invalidations.fetch_add(1, Relaxed);
            answers.invalidate(key);
            return None;
        }
        let fresh = now.saturating_duration_since(answer.since) < self.ttl;
        if !fresh || !self.is_near(answer.now, key.query().now) {
            return None;
        }
        self.counters.hits.fetch_add(1, Relaxed);
        Some(answer.recall)
    }

    /// Keeps an answer whose search began at `since`, when `as_of` was the latest write.
    pub(crate) fn insert(&self, key: &QueryKey, recall: &Arc<Recall>, as_of: u64, since: Instant) {
        let Some(answers) = &self.answers else {
            return;
        };
        let memories: usize = recall
            .memories
            .iter()
            .map(|hit| 128 + record_bytes(&hit.memory))
            .sum();
        let bytes = 64 + key.bytes() + memories;
        let answer = Answer {
            recall: Arc::clone(recall),
            as_of,
            since,
            now: key.query().now,
            bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        };
        answers.insert(key.clone(), answer);
    }

    /// How often [`forget`](Self::forget) was called.
    pub(crate) fn forgets(&self) -> u64 {
        self.counters.forgets.load(SeqCst)
    }

    /// Lets go of one answer.
    pub(crate) fn remove(&self, key: &QueryKey) {
        if let Some(answers) = &self.answers {
            answers.invalidate(key);
        }
    }

    /// Whether two times of asking are near enough to share an answer.
    pub(crate) fn is_near(&self, a: Timestamp, b: Timestamp) -> bool {
        a.since(b).max(b.since(a)) <= self.tolerance
    }

    /// Lets go of every answer of `owner`, so that what is forgotten is in no cache either.
    pub(crate) fn forget(&self, owner: &MemoryOwner) {
        if let Some(answers) = &self.answers {
            self.counters.forgets.fetch_add(1, SeqCst);
            let owner = owner.clone();
            // Cannot fail: the cache is built with support for closures.
            drop(answers.invalidate_entries_if(move |key, _| *key.owner() == owner));
            answers.run_pending_tasks();
        }
    }

    pub(crate) fn stats(&self) -> QueryStats {
        let counters = &self.counters;
        let mut stats = QueryStats {
            hits: counters.hits.load(Relaxed),
            invalidations: counters.invalidations.load(Relaxed),
            evictions: counters.evictions.load(Relaxed),
            expirations: counters.expirations.load(Relaxed),
            ..QueryStats::default()
        };
        if let Some(answers) = &self.answers {
            answers.run_pending_tasks();
            stats.entries = answers.entry_count();
            stats.bytes = answers.weighted_size();
        }
        stats
    }
}
