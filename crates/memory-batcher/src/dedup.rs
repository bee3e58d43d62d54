//! Which stores are repeats, and of what.
//!
//! Invariant: an entry exists only for a store that is pending or that succeeded, so a failed write is
//! never taken for a stored one. Content entries also go when a later operation may change the record.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry as MapEntry},
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    time::{Duration, Instant},
};

use whisperengine_types::{MemoryId, MemoryRecord, MetadataValue};

use crate::{buffer::EntryKey, write::IdempotencyKey};

/// What a store is recognised by. `owner` is a serial number that no other owner ever bears.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum DedupKey {
    Content { owner: u64, fingerprint: u128 },
    Given { owner: u64, key: IdempotencyKey },
}

/// What the window knows under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The store waits in the buffer.
    Pending(EntryKey),
    /// The store is durable under this id.
    Stored(MemoryId),
}

/// The stores of the last [`window`](crate::Config::dedup_window), at most so many.
#[derive(Debug)]
pub(crate) struct DedupWindow {
    seen: HashMap<DedupKey, (Seen, u64)>,
    /// The content that is stored, or about to be, under an id.
    content_of: HashMap<(u64, MemoryId), u128>,
    /// Keys by age; one whose stamp is not that in `seen` is of an entry that is gone.
    ages: VecDeque<(Instant, DedupKey, u64)>,
    stamp: u64,
    window: Duration,
    max_items: usize,
}

impl DedupWindow {
    pub(crate) fn new(window: Duration, max_items: usize) -> Self {
        Self {
            seen: HashMap::new(),
            content_of: HashMap::new(),
            ages: VecDeque::new(),
            stamp: 0,
            window,
            max_items,
        }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.window.is_zero()
    }

    pub(crate) fn find(&mut self, key: &DedupKey, now: Instant) -> Option<&Seen> {
        self.expire(now);
        self.seen.get(key).map(|(seen, _)| seen)
    }

    /// Notes that `entry` is about to store `id`.
    pub(crate) fn begin(&mut self, key: DedupKey, id: &MemoryId, entry: EntryKey, now: Instant) {
        if let DedupKey::Content { owner, fingerprint } = key {
            self.content_of.insert((owner, id.clone()), fingerprint);
        }
        self.stamp += 1;
        self.seen.insert(key.clone(), (Seen::Pending(entry), self.stamp));
        self.ages.push_back((now, key, self.stamp));
        while self.seen.len() > self.max_items && self.drop_oldest() {}
    }

    /// Notes that `entry` is durable.
    pub(crate) fn succeed(&mut self, key: &DedupKey, entry: EntryKey, id: &MemoryId) {
        if let Some((seen, _)) = self.seen.get_mut(key)
            && *seen == Seen::Pending(entry)
        {
            *seen = Seen::Stored(id.clone());
        }
    }

    /// Forgets that `entry` was to store `id`.
    pub(crate) fn fail(&mut self, key: &DedupKey, entry: EntryKey, id: &MemoryId) {
        if self.seen.get(key).is_some_and(|(seen, _)| *seen == Seen::Pending(entry)) {
            self.seen.remove(key);
            self.forget_id(key, id);
        }
    }

    /// Notes that what is stored under `id` is about to change.
    pub(crate) fn invalidate(&mut self, owner: u64, id: &MemoryId) {
        if let Some(fingerprint) = self.content_of.remove(&(owner, id.clone())) {
            self.seen.remove(&DedupKey::Content { owner, fingerprint });
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((at, _, _)) = self.ages.front()
            && now.saturating_duration_since(*at) >= self.window
        {
            if !self.drop_oldest() {
                break;
            }
        }
    }

    /// Drops the oldest entry that is not pending; false when every entry is.
    fn drop_oldest(&mut self) -> bool {
        for _ in 0..self.ages.len() {
            let Some((at, key, stamp)) = self.ages.pop_front() else {
                return false;
            };
            let MapEntry::Occupied(found) = self.seen.entry(key) else {
                return true;
            };
            let key = found.key().clone();
            match found.get() {
                (_, current) if *current != stamp => return true,
                (Seen::Pending(_), _) => self.ages.push_back((at, key, stamp)),
                (Seen::Stored(_), _) => {
                    if let (Seen::Stored(id), _) = found.remove() {
                        self.forget_id(&key, &id);
                    }
                    return true;
                }
            }
        }
        false
    }

    fn forget_id(&mut self, key: &DedupKey, id: &MemoryId) {
        if let DedupKey::Content { owner, fingerprint } = *key
            && let MapEntry::Occupied(found) = self.content_of.entry((owner, id.clone()))
            && *found.get() == fingerprint
        {
            found.remove();
        }
    }
}

/// 128 bits of everything in a record but its id. Within an owner and a window, a chance collision of
/// two different records is less likely than a wrong bit in memory.
pub(crate) fn fingerprint(record: &MemoryRecord) -> u128 {
    let mut twin = Twin::new();
    record.text.hash(&mut twin);
    record.speaker.hash(&mut twin);
    record.session.hash(&mut twin);
    record.channel.hash(&mut twin);
    record.sent_at.hash(&mut twin);
    record.kind.hash(&mut twin);
    (record.importance.to_bits(), record.trust.to_bits(), record.pinned).hash(&mut twin);
    for (key, value) in &record.metadata {
        (key, mem::discriminant(value)).hash(&mut twin);
        match value {
            MetadataValue::Bool(v) => v.hash(&mut twin),
            MetadataValue::Int(v) => v.hash(&mut twin),
            MetadataValue::Float(v) => v.to_bits().hash(&mut twin),
            MetadataValue::Text(v) => v.hash(&mut twin),
        }
    }
    if let Some(embedding) = &record.embedding {
        embedding.space().hash(&mut twin);
        twin.write_u64(fold(embedding.values()));
    }
    (u128::from(twin.0.finish()) << 64) | u128::from(twin.1.finish())
}

/// 64 bits of an embedding, which its text all but decides anyway.
pub(crate) fn fold(values: &[f32]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut lanes = [1_u64, 2, 3, 4];
    for chunk in values.chunks(4) {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = (*lane ^ u64::from(value.to_bits())).wrapping_mul(ODD).rotate_left(29);
        }
    }
    lanes.iter().fold(values.len() as u64, |sum, lane| (sum ^ lane).wrapping_mul(ODD).rotate_left(31))
}

/// Two SipHash states with different beginnings.
struct Twin(DefaultHasher, DefaultHasher);

impl Twin {
    fn new() -> Self {
        let mut second = DefaultHasher::new();
        second.write_u64(u64::MAX);
        Self(DefaultHasher::new(), second)
    }
}

impl Hasher for Twin {
    fn write(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
        self.1.write(bytes);
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}
