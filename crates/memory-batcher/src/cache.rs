//! Answers to queries, for as long as they are true: least recently used first out, by bytes.
//!
//! Invariant: an answer is given only if its owner has handed in no write since the search for it began.
//! Each answer carries the number of the latest write at that moment; one lookup compares it with the
//! number of the owner's latest write, so a write of an owner voids all of the owner's answers at once
//! without touching them. They are let go when the owner next asks, and free their room then.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hashbrown::{HashMap, HashTable};
use whisperengine_types::{MemoryOwner, Recall, Timestamp};

use crate::{Config, QueryStats, query_key::QueryKey, write::record_bytes};

/// The answers of all owners; each has a list of its own.
#[derive(Debug)]
pub(crate) struct QueryCache {
    places: HashTable<u32>,
    answers: Vec<Option<Answer>>,
    free: Vec<u32>,
    owners: HashMap<MemoryOwner, Ends>,
    used: Ends,
    bytes: u64,
    max_bytes: u64,
    ttl: Duration,
    tolerance: Duration,
    stats: QueryStats,
}

#[derive(Debug)]
struct Answer {
    key: QueryKey,
    recall: Arc<Recall>,
    as_of: u64,
    since: Instant,
    bytes: u64,
    /// Its neighbours among all answers by use, and among its owner's by age.
    by_use: Links,
    by_age: Links,
}

/// Neighbours in a list; [`NONE`] at its ends.
#[derive(Debug, Clone, Copy)]
struct Links {
    newer: u32,
    older: u32,
}

/// The ends of a list.
#[derive(Debug, Clone, Copy)]
struct Ends {
    newest: u32,
    oldest: u32,
}

/// A list that answers are in.
type List = fn(&mut Answer) -> &mut Links;

impl QueryCache {
    pub(crate) fn new(config: &Config) -> Self {
        let on = !config.cache_ttl.is_zero();
        Self {
            places: HashTable::new(),
            answers: Vec::new(),
            free: Vec::new(),
            owners: HashMap::new(),
            used: Ends::EMPTY,
            bytes: 0,
            max_bytes: if on { config.cache_bytes } else { 0 },
            ttl: config.cache_ttl,
            tolerance: config.recency_tolerance,
            stats: QueryStats::default(),
        }
    }

    /// The answer to `key`, if no write of its owner is newer; `last_write` numbers the latest. The time is
    /// asked for where there is one.
    pub(crate) fn find(
        &mut self,
        key: &QueryKey,
        last_write: u64,
        now: impl FnOnce() -> Instant,
    ) -> Option<Arc<Recall>> {
        let at = self.place(key)?;
        let answer = self.answers[at as usize].as_ref()?;
        if answer.as_of < last_write {
            self.drop_stale(key.owner(), last_write);
            return None;
        }
        if now().saturating_duration_since(answer.since) >= self.ttl {
            self.stats.expirations += 1;
            self.remove(at);
            return None;
        }
        if !self.is_near(answer.key.query().now, key.query().now) {
            return None;
        }
        self.stats.hits += 1;
        self.used.unlink(at, &mut self.answers, by_use);
        self.used.push(at, &mut self.answers, by_use);
        self.answers[at as usize]
            .as_ref()
            .map(|answer| Arc::clone(&answer.recall))
    }

    /// Keeps an answer whose search began at `since`, when `as_of` was the latest write; `last_write` is
    /// the owner's latest by now, not later than `as_of`.
    pub(crate) fn insert(
        &mut self,
        key: &QueryKey,
        recall: &Arc<Recall>,
        as_of: u64,
        last_write: u64,
        since: Instant,
    ) {
        let memories = recall.memories.iter().map(|hit| 128 + record_bytes(&hit.memory));
        let bytes = (64 + key.bytes() + memories.sum::<usize>()) as u64;
        if bytes > self.max_bytes {
            return;
        }
        self.drop_stale(key.owner(), last_write);
        if let Some(at) = self.place(key) {
            self.remove(at);
        }
        while self.bytes + bytes > self.max_bytes {
            self.stats.evictions += 1;
            self.remove(self.used.oldest);
        }
        let answer = Answer {
            key: key.clone(),
            recall: Arc::clone(recall),
            as_of,
            since,
            bytes,
            by_use: Links::NONE,
            by_age: Links::NONE,
        };
        let at = self.free.pop().unwrap_or_else(|| {
            self.answers.push(None);
            (self.answers.len() - 1) as u32
        });
        self.answers[at as usize] = Some(answer);
        self.bytes += bytes;
        self.used.push(at, &mut self.answers, by_use);
        let owner = self.owners.entry_ref(key.owner()).or_insert(Ends::EMPTY);
        owner.push(at, &mut self.answers, by_age);
        let answers = &self.answers;
        self.places
            .insert_unique(key.hash(), at, |&at| hash_at(answers, at));
    }

    /// Whether two times of asking are near enough to share an answer.
    pub(crate) fn is_near(&self, a: Timestamp, b: Timestamp) -> bool {
        a.since(b).max(b.since(a)) <= self.tolerance
    }

    /// Lets go of every answer of `owner`, so that what is forgotten is in no cache either.
    pub(crate) fn forget(&mut self, owner: &MemoryOwner) {
        while let Some(ends) = self.owners.get(owner) {
            self.remove(ends.oldest);
        }
    }

    /// The counters that are kept here.
    pub(crate) fn stats(&self) -> QueryStats {
        QueryStats {
            entries: self.places.len() as u64,
            bytes: self.bytes,
            ..self.stats.clone()
        }
    }

    /// Lets go of the owner's answers that are older than its latest write.
    fn drop_stale(&mut self, owner: &MemoryOwner, last_write: u64) {
        while let Some(&Ends { oldest, .. }) = self.owners.get(owner)
            && self.answers[oldest as usize]
                .as_ref()
                .is_some_and(|answer| answer.as_of < last_write)
        {
            self.stats.invalidations += 1;
            self.remove(oldest);
        }
    }

    fn place(&self, key: &QueryKey) -> Option<u32> {
        let is_key = |&at: &u32| {
            self.answers[at as usize]
                .as_ref()
                .is_some_and(|answer| answer.key == *key)
        };
        self.places.find(key.hash(), is_key).copied()
    }

    fn remove(&mut self, at: u32) {
        self.used.unlink(at, &mut self.answers, by_use);
        let answers = &mut self.answers;
        let owner = answers[at as usize].as_ref().expect("answers are removed once");
        let owner = owner.key.owner().clone();
        if let Some(ends) = self.owners.get_mut(&owner) {
            ends.unlink(at, answers, by_age);
            if ends.newest == NONE {
                self.owners.remove(&owner);
            }
        }
        let answer = answers[at as usize].take().expect("it was there above");
        if let Ok(found) = self.places.find_entry(answer.key.hash(), |&place| place == at) {
            found.remove();
        }
        self.bytes -= answer.bytes;
        self.free.push(at);
    }
}

impl Links {
    const NONE: Self = Self {
        newer: NONE,
        older: NONE,
    };
}

impl Ends {
    const EMPTY: Self = Self {
        newest: NONE,
        oldest: NONE,
    };

    fn push(&mut self, at: u32, answers: &mut [Option<Answer>], list: List) {
        *links(answers, at, list) = Links {
            newer: NONE,
            older: self.newest,
        };
        match self.newest {
            NONE => self.oldest = at,
            newest => links(answers, newest, list).newer = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32, answers: &mut [Option<Answer>], list: List) {
        let Links { newer, older } = *links(answers, at, list);
        match newer {
            NONE => self.newest = older,
            newer => links(answers, newer, list).older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => links(answers, older, list).newer = newer,
        }
    }
}

fn links(answers: &mut [Option<Answer>], at: u32, list: List) -> &mut Links {
    list(answers[at as usize].as_mut().expect("listed answers exist"))
}

fn by_use(answer: &mut Answer) -> &mut Links {
    &mut answer.by_use
}

fn by_age(answer: &mut Answer) -> &mut Links {
    &mut answer.by_age
}

fn hash_at(answers: &[Option<Answer>], at: u32) -> u64 {
    answers[at as usize]
        .as_ref()
        .expect("places lead to answers")
        .key
        .hash()
}

const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use hashbrown::DefaultHashBuilder;
    use proptest::prelude::*;
    use whisperengine_types::{BotId, Clock, RecallQuery, SystemClock, UserId};

    use super::*;

    fn key(hasher: &DefaultHashBuilder, owner: u64, query: u64) -> QueryKey {
        let owner = MemoryOwner::person(BotId::from_number(0), UserId::from_number(owner));
        let text = char::from(b'a' + query as u8).to_string();
        QueryKey::new(
            hasher,
            &owner,
            RecallQuery::new(text, 5, Timestamp::from_millis(0)),
        )
    }

    proptest! {
        /// Beside a list that is searched from end to end.
        #[test]
        fn hits_are_those_of_an_ideal_cache(
            steps in prop::collection::vec((0..4_u8, 0..4_u64, 0..6_u64), 1..400),
            room in 1..12_u64,
        ) {
            let hasher = DefaultHashBuilder::default();
            let (now, recall) = (SystemClock.instant(), Arc::new(Recall::default()));
            let size = (64 + key(&hasher, 0, 0).bytes()) as u64;
            let mut cache = QueryCache::new(&Config { cache_bytes: room * size, ..Config::default() });
            // Most recently used last: owner, query.
            let mut ideal: Vec<(u64, u64)> = Vec::new();
            let mut last_write = [0_u64; 4];
            let mut writes = 0;
            for (step, owner, query) in steps {
                let key = key(&hasher, owner, query);
                match step {
                    0 => {
                        writes += 1;
                        last_write[owner as usize] = writes;
                    }
                    1 => cache.forget(key.owner()),
                    _ => {
                        let written = last_write[owner as usize];
                        let known = ideal.contains(&(owner, query));
                        ideal.retain(|&kept| kept != (owner, query));
                        ideal.push((owner, query));
                        prop_assert_eq!(cache.find(&key, written, || now).is_some(), known);
                        if !known {
                            cache.insert(&key, &recall, writes, written, now);
                        }
                        let surplus = ideal.len().saturating_sub(room as usize);
                        ideal.drain(..surplus);
                    }
                }
                if step < 2 {
                    ideal.retain(|&(of, _)| of != owner);
                    cache.drop_stale(key.owner(), last_write[owner as usize]);
                }
                prop_assert_eq!(cache.stats().entries as usize, ideal.len());
                prop_assert_eq!(cache.stats().bytes, ideal.len() as u64 * size);
            }
            for owner in 0..4 {
                cache.forget(key(&hasher, owner, 0).owner());
            }
            prop_assert!(cache.owners.is_empty() && cache.bytes == 0 && cache.used.newest == NONE);
        }
    }
}
