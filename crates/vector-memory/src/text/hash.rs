//! Words as numbers, and maps by them.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// The hash that stands for a word: FNV-1a, folded to 32 bits.
///
/// Two words of one owner share a hash about once in 2^32 pairs; then they count as one word.
pub(crate) fn word_hash(word: &str) -> u32 {
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)) as u32
}

/// A map by the hash of a word, or by its number.
pub(crate) type WordMap<V> = HashMap<u32, V, BuildHasherDefault<HashOfHash>>;

/// A hash of what is a hash already: the factor brings it into the high bits, which a map looks at first.
#[derive(Debug, Default, Clone)]
pub(crate) struct HashOfHash(u64);

impl Hasher for HashOfHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, hash: u32) {
        self.0 = (self.0 ^ u64::from(hash)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
