//! What was assembled for a session's last turn, kept for its next one: by session, for a while, at
//! most so many.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use hashbrown::HashMap;
use whisperengine_types::SessionKey;

/// A cache by session: entries live for a fixed time after they were put, and the one unused for
/// longest gives way when it is full.
///
/// Time is an argument, so it can be replayed. Values are shared, never copied and never changed. All
/// operations take amortised constant time.
#[derive(Debug)]
pub struct ContextCache<V> {
    entries: HashMap<SessionKey, Entry<V>>,
    /// Uses in order; only the one with an entry's own stamp counts.
    uses: VecDeque<(u64, SessionKey)>,
    last_stamp: u64,
    time_to_live: Duration,
    capacity: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: Arc<V>,
    put_at: Instant,
    stamp: u64,
}

impl<V> ContextCache<V> {
    /// How long an entry lives by default.
    pub const TIME_TO_LIVE: Duration = Duration::from_secs(120);
    /// How many entries are kept by default.
    pub const CAPACITY: usize = 5_000;

    /// An empty cache of at most `capacity` entries that live for `time_to_live`.
    pub fn new(time_to_live: Duration, capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            uses: VecDeque::new(),
            last_stamp: 0,
            time_to_live,
            capacity,
        }
    }

    /// The session's value, if it has one that is still alive; counts as a use.
    pub fn get(&mut self, session: &SessionKey, now: Instant) -> Option<Arc<V>> {
        let entry = self.entries.get_mut(session)?;
        if now.saturating_duration_since(entry.put_at) >= self.time_to_live {
            self.entries.remove(session);
            return None;
        }
        self.last_stamp += 1;
        entry.stamp = self.last_stamp;
        self.uses.push_back((self.last_stamp, session.clone()));
        let value = Arc::clone(&entry.value);
        self.forget_old_uses();
        Some(value)
    }

    /// Keeps a value for a session, in place of an earlier one.
    pub fn put(&mut self, session: SessionKey, value: V, now: Instant) -> Arc<V> {
        let value = Arc::new(value);
        if self.capacity == 0 {
            return value;
        }
        self.last_stamp += 1;
        let entry = Entry {
            value: Arc::clone(&value),
            put_at: now,
            stamp: self.last_stamp,
        };
        self.uses.push_back((self.last_stamp, session.clone()));
        self.entries.insert(session, entry);
        while self.entries.len() > self.capacity {
            self.evict_oldest();
        }
        self.forget_old_uses();
        value
    }

    /// Drops the session's value: what it was made from has changed.
    pub fn invalidate(&mut self, session: &SessionKey) {
        self.entries.remove(session);
    }

    /// Entries, dead ones that were not asked for since included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn evict_oldest(&mut self) {
        while let Some((stamp, session)) = self.uses.pop_front() {
            if self
                .entries
                .get(&session)
                .is_some_and(|entry| entry.stamp == stamp)
            {
                self.entries.remove(&session);
                return;
            }
        }
    }

    /// Keeps the list of uses to about the number of entries.
    fn forget_old_uses(&mut self) {
        if self.uses.len() > 2 * self.entries.len() + 64 {
            let entries = &self.entries;
            self.uses
                .retain(|(stamp, session)| entries.get(session).is_some_and(|entry| entry.stamp == *stamp));
        }
    }
}

impl<V> Default for ContextCache<V> {
    fn default() -> Self {
        Self::new(Self::TIME_TO_LIVE, Self::CAPACITY)
    }
}
