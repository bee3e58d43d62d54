//! Which stores are repeats, and of what.
//!
//! Invariant: an entry exists only for a store that is pending or that succeeded, so a failed write is
//! never taken for a stored one. Content entries also go when a later operation may change the record.

use std::{
    cell::Cell,
    collections::{HashMap, VecDeque, hash_map::Entry as MapEntry},
    hash::{BuildHasherDefault, Hash, Hasher},
    mem,
    time::{Duration, Instant},
};

use whisperengine_types::{MemoryId, MemoryRecord, MetadataValue};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::{buffer::EntryKey, write::IdempotencyKey};

/// 128 bits; as one number they would round every entry up to a multiple of sixteen bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Print(u64, u64);

impl From<u128> for Print {
    fn from(bits: u128) -> Self {
        Self((bits >> 64) as u64, bits as u64)
    }
}

/// What a store is recognised by. `owner` is a serial number that no other owner ever bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DedupKey {
    pub(crate) owner: u64,
    pub(crate) print: Print,
    /// The print is of a key that the caller gave, not of the content.
    pub(crate) given: bool,
}

/// A store that the window knows: durable under `id` once `entry` has left the buffer. So nothing here is
/// looked up or changed when a commit has succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) entry: EntryKey,
    pub(crate) id: MemoryId,
}

/// The stores of the last [`window`](crate::Config::dedup_window), at most so many.
#[derive(Debug)]
pub(crate) struct DedupWindow {
    seen: HashMap<DedupKey, Seen, BuildHasherDefault<Mixer>>,
    /// The content that is stored, or about to be, under an owner's id, whose 64-bit hash stands for it.
    content_of: HashMap<(u64, u64), Print, BuildHasherDefault<Mixer>>,
    ages: VecDeque<Age>,
    window: Duration,
    max_items: usize,
}

/// When a store was accepted; once it is forgotten, `seen` has another entry under its key, or none.
#[derive(Debug)]
struct Age {
    at: Instant,
    key: DedupKey,
    id: u64,
    entry: EntryKey,
}

impl DedupWindow {
    pub(crate) fn new(window: Duration, max_items: usize) -> Self {
        Self {
            seen: HashMap::default(),
            content_of: HashMap::default(),
            ages: VecDeque::new(),
            window,
            max_items,
        }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.window.is_zero()
    }

    /// What is known under `key`. Here and below `is_pending` tells which entries are in the buffer.
    pub(crate) fn find(
        &mut self,
        key: &DedupKey,
        now: Instant,
        is_pending: impl Fn(EntryKey) -> bool,
    ) -> Option<&Seen> {
        self.expire(now, &is_pending);
        self.seen.get(key)
    }

    /// Notes a store that is about to be made, whatever was stored under its id before.
    pub(crate) fn begin(
        &mut self,
        key: DedupKey,
        store: Seen,
        now: Instant,
        is_pending: impl Fn(EntryKey) -> bool,
    ) {
        let (id, entry) = (hash_id(&store.id), store.entry);
        if !key.given
            && let Some(print) = self.content_of.insert((key.owner, id), key.print)
        {
            self.seen.remove(&DedupKey { print, ..key });
        }
        self.seen.insert(key, store);
        self.ages.push_back(Age {
            at: now,
            key,
            id,
            entry,
        });
        while self.seen.len() > self.max_items && self.drop_oldest(&is_pending) {}
    }

    /// Forgets that `entry` was to store `id`.
    pub(crate) fn fail(&mut self, key: &DedupKey, entry: EntryKey, id: &MemoryId) {
        if self.seen.get(key).is_some_and(|seen| seen.entry == entry) {
            self.seen.remove(key);
            self.forget_id(key, hash_id(id));
        }
    }

    /// Notes that what is stored under `id` is about to change.
    pub(crate) fn invalidate(&mut self, owner: u64, id: &MemoryId) {
        if let Some(print) = self.content_of.remove(&(owner, hash_id(id))) {
            let given = false;
            self.seen.remove(&DedupKey { owner, print, given });
        }
    }

    fn expire(&mut self, now: Instant, is_pending: impl Fn(EntryKey) -> bool) {
        while let Some(age) = self.ages.front()
            && now.saturating_duration_since(age.at) >= self.window
        {
            if !self.drop_oldest(&is_pending) {
                break;
            }
        }
    }

    /// Drops the oldest entry that is not pending; false when every entry is.
    fn drop_oldest(&mut self, is_pending: impl Fn(EntryKey) -> bool) -> bool {
        for _ in 0..self.ages.len() {
            let Some(age) = self.ages.pop_front() else {
                return false;
            };
            let MapEntry::Occupied(found) = self.seen.entry(age.key) else {
                return true;
            };
            if found.get().entry != age.entry {
                return true;
            }
            if is_pending(age.entry) {
                self.ages.push_back(age);
                continue;
            }
            found.remove();
            self.forget_id(&age.key, age.id);
            return true;
        }
        false
    }

    fn forget_id(&mut self, key: &DedupKey, id: u64) {
        if !key.given
            && let MapEntry::Occupied(found) = self.content_of.entry((key.owner, id))
            && *found.get() == key.print
        {
            found.remove();
        }
    }
}

fn hash_id(id: &MemoryId) -> u64 {
    xxh3_64(id.as_str().as_bytes())
}

/// 128 bits of a key that the caller gave.
pub(crate) fn print_of_key(key: &IdempotencyKey) -> Print {
    xxh3_128(key.0.as_bytes()).into()
}

/// 128 bits of everything in a record but its id. Within an owner and a window, a chance collision of
/// two different records is less likely than a wrong bit in memory; one made on purpose would cost its maker
/// a memory of their own.
pub(crate) fn fingerprint(record: &MemoryRecord) -> Print {
    let mut content = Bytes(SCRATCH.take());
    content.0.clear();
    record.text.hash(&mut content);
    record.speaker.hash(&mut content);
    record.session.hash(&mut content);
    record.channel.hash(&mut content);
    record.sent_at.hash(&mut content);
    record.kind.hash(&mut content);
    (record.importance.to_bits(), record.trust.to_bits(), record.pinned).hash(&mut content);
    for (key, value) in &record.metadata {
        (key, mem::discriminant(value)).hash(&mut content);
        match value {
            MetadataValue::Bool(v) => v.hash(&mut content),
            MetadataValue::Int(v) => v.hash(&mut content),
            MetadataValue::Float(v) => v.to_bits().hash(&mut content),
            MetadataValue::Text(v) => v.hash(&mut content),
        }
    }
    if let Some(embedding) = &record.embedding {
        embedding.space().hash(&mut content);
        content.write_u64(fold(embedding.values()));
    }
    let print = xxh3_128(&content.0).into();
    SCRATCH.set(content.0);
    print
}

thread_local! {
    /// Where [`fingerprint`] gathers.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// 64 bits of an embedding, which its text all but decides anyway.
pub(crate) fn fold(values: &[f32]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    // One of each cache line first: asked for together, they come together.
    let ahead = values
        .iter()
        .step_by(16)
        .fold(0, |bits, value| bits ^ value.to_bits());
    let mut lanes = [1_u64, 2, 3, 4, 5, 6, 7, 8];
    let (chunks, rest) = values.as_chunks::<16>();
    let mut last = [0.0; 16];
    last[..rest.len()].copy_from_slice(rest);
    for chunk in chunks.iter().chain([&last]) {
        let (pairs, _) = chunk.as_chunks::<2>();
        for (lane, [low, high]) in lanes.iter_mut().zip(pairs) {
            let pair = u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32;
            *lane = (*lane ^ pair).wrapping_mul(ODD).rotate_left(29);
        }
    }
    let seed = values.len() as u64 ^ u64::from(ahead) << 32;
    lanes
        .iter()
        .fold(seed, |sum, lane| (sum ^ lane).wrapping_mul(ODD).rotate_left(31))
}

/// Gathers the bytes that a value hashes as.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn finish(&self) -> u64 {
        xxh3_64(&self.0)
    }
}

/// For keys that are hashes or serial numbers already.
#[derive(Debug, Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn finish(&self) -> u64 {
        #[cfg(test)]
        tests::count();
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use whisperengine_types::{Clock, SystemClock};

    use super::*;

    thread_local! {
        static HASHES: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        HASHES.set(HASHES.get() + 1);
    }

    /// The predecessor built its window anew for each operation.
    #[test]
    fn a_full_window_costs_a_store_no_more_than_an_empty_one() {
        const ITEMS: usize = 10_000;
        let now = SystemClock.instant();
        let mut window = DedupWindow::new(Duration::from_secs(300), ITEMS);
        let mut worst = 0;
        // Tables grow by doubling, which touches everything a few times; a full window grows no more.
        for n in 0..3 * ITEMS {
            let before = HASHES.get();
            let key = DedupKey {
                owner: n as u64 % 7,
                print: (n as u128)
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
                    .into(),
                given: false,
            };
            let (id, entry) = (MemoryId::from_number(n as u64), EntryKey::numbered(n as u64));
            assert!(window.find(&key, now, |_| false).is_none());
            window.begin(key, Seen { entry, id }, now, |_| false);
            if n > 2 * ITEMS {
                worst = worst.max(HASHES.get() - before);
            }
        }
        assert_eq!(window.seen.len(), ITEMS);
        let spent: usize = HASHES.get();
        assert!(spent < 20 * 3 * ITEMS, "{spent} hashes for {} stores", 3 * ITEMS);
        assert!(worst < 3 * ITEMS, "{worst} hashes for one store");
    }
}
