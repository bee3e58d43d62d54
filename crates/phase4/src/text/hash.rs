//! Hashes of words that are the same on every machine and in every run, because states keep them.

use std::hash::{BuildHasherDefault, Hasher};

/// FNV-1a over `bytes`, finished so that the low bits are usable as they are.
pub(crate) fn hash64(bytes: &[u8]) -> u64 {
    let mut hash = Fnv::new();
    bytes.iter().for_each(|&byte| hash.feed(byte));
    hash.finish()
}

/// [`hash64`] byte by byte.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    #[inline]
    pub(crate) fn feed(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }

    pub(crate) fn finish(self) -> u64 {
        finish(self.0)
    }
}

/// FNV-1a with 128 bits: enough that no two owners of a deployment meet by chance.
pub(crate) fn hash128(parts: &[&[u8]]) -> u128 {
    let mut hash = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let mut feed = |byte: u8| {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    };
    for part in parts {
        (part.len() as u64).to_le_bytes().into_iter().for_each(&mut feed);
        part.iter().copied().for_each(&mut feed);
    }
    hash
}

/// 128 bits that tell texts apart, eight bytes at a time; the two halves mix independently.
pub(crate) fn fingerprint(seed: u64, bytes: &[u8]) -> u128 {
    let mut halves = [seed ^ 0x9e37_79b9_7f4a_7c15, !seed ^ bytes.len() as u64];
    let mut feed = |word: u64| {
        halves[0] = (halves[0] ^ word)
            .wrapping_mul(0x0000_0100_0000_01b3_u64 | 1 << 63)
            .rotate_left(29);
        halves[1] = (halves[1].rotate_left(23) ^ word).wrapping_mul(0xd6e8_feb8_6659_fd93);
    };
    let (words, rest) = bytes.as_chunks::<8>();
    words.iter().for_each(|word| feed(u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    feed(u64::from_le_bytes(last));
    u128::from(finish(halves[0])) << 64 | u128::from(finish(halves[1]))
}

/// Folds a 64-bit hash into the 32 bits that a term is kept by.
pub(crate) fn fold32(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

fn finish(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// A map from keys that already are hashes.
pub(crate) type HashedMap<V> = std::collections::HashMap<u64, V, BuildHasherDefault<Identity>>;

/// Hands a 64-bit key through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash64(bytes);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
