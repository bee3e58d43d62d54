//! Finds a record by its key without storing the key twice: tables of `u32` indices into a slab.

use hashbrown::HashTable;

/// A hash table in shards: a shard that grows moves a few thousand entries, not a million.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    shards: Vec<HashTable<u32>>,
}

const SHARD_BITS: u32 = 8;

impl KeyIndex {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..1 << SHARD_BITS).map(|_| HashTable::new()).collect(),
        }
    }

    /// The index whose record `is_key` accepts, among those with this hash.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is_key: impl FnMut(&u32) -> bool) -> Option<u32> {
        self.shards[shard(hash)].find(spread(hash), is_key).copied()
    }

    /// Adds an index that is not in it; `hash_of` reads the hash stored in a record.
    pub(crate) fn insert(&mut self, hash: u32, index: u32, hash_of: impl Fn(u32) -> u32) {
        self.shards[shard(hash)].insert_unique(spread(hash), index, |&other| spread(hash_of(other)));
    }

    pub(crate) fn remove(&mut self, hash: u32, index: u32) {
        let table = &mut self.shards[shard(hash)];
        if let Ok(entry) = table.find_entry(spread(hash), |&other| other == index) {
            entry.remove();
            if table.is_empty() {
                *table = HashTable::new();
            }
        }
    }
}

#[inline]
fn shard(hash: u32) -> usize {
    (hash >> (32 - SHARD_BITS)) as usize
}

/// The table takes its tag from the top bits and its place from the bottom ones; 32 bits must reach both.
#[inline]
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
