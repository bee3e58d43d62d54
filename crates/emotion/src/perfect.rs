//! A perfect hash of a fixed set of keys: each has a place that no other key has, so that finding it is one
//! look at one cache line (Belazzougui, Botelho and Dietzfelbinger, "Hash, Displace, and Compress", ESA 2009).

/// Where the keys of a table lie. Keys are divided into small buckets, and each bucket has a pilot: a number
/// that sends its keys to places of their own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Places {
    pilots: Vec<u16>,
    count: u32,
    shift: u32,
}

/// Keys in a bucket, on average; the pilots are so few that they stay in the nearest cache.
const BUCKET: usize = 4;

impl Places {
    /// Places for keys with these 64-bit hashes, a quarter more than there are keys. `None` when two hashes
    /// are equal.
    pub(crate) fn new(hashes: &[u64]) -> Option<Self> {
        let bits = hashes.len().div_ceil(BUCKET).next_power_of_two().max(2).ilog2();
        let mut places = Self {
            pilots: vec![0; 1 << bits],
            count: (hashes.len() + hashes.len() / 4 + 1) as u32,
            shift: 64 - bits,
        };
        let mut buckets: Vec<Vec<u64>> = vec![Vec::new(); places.pilots.len()];
        for &hash in hashes {
            buckets[(hash >> places.shift) as usize].push(hash);
        }
        let mut order: Vec<usize> = (0..buckets.len()).collect();
        // The largest first, while there is room; equal ones by number, so that the result is always the same.
        order.sort_by_key(|&bucket| (std::cmp::Reverse(buckets[bucket].len()), bucket));
        let mut taken = vec![false; places.len()];
        for bucket in order {
            let hashes = &buckets[bucket];
            places.pilots[bucket] = (0..=u16::MAX).find(|&pilot| places.settle(hashes, pilot, &mut taken))?;
        }
        Some(places)
    }

    /// Takes the places to which `pilot` sends `hashes` if all are free.
    fn settle(&self, hashes: &[u64], pilot: u16, taken: &mut [bool]) -> bool {
        for (index, &hash) in hashes.iter().enumerate() {
            let place = self.reduce(hash, pilot);
            if std::mem::replace(&mut taken[place], true) {
                for &hash in &hashes[..index] {
                    taken[self.reduce(hash, pilot)] = false;
                }
                return false;
            }
        }
        true
    }

    /// How many places there are.
    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// The place of the key with this hash; any place for one that was not among the keys.
    #[inline]
    pub(crate) fn of(&self, hash: u64) -> usize {
        self.reduce(hash, self.pilots[(hash >> self.shift) as usize])
    }

    #[inline]
    fn reduce(&self, hash: u64, pilot: u16) -> usize {
        let sent =
            (hash ^ u64::from(pilot).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (((sent >> 32) * u64::from(self.count)) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_keys_share_a_place() {
        let hash = |n: u64| {
            (n + 1)
                .wrapping_mul(0xD6E8_FEB8_6659_FD93)
                .rotate_left(29)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        };
        for count in [0, 1, 2, 7, 100, 20_000] {
            let hashes: Vec<u64> = (0..count).map(hash).collect();
            let places = Places::new(&hashes).unwrap();
            let used: HashSet<usize> = hashes.iter().map(|&hash| places.of(hash)).collect();
            assert_eq!(used.len(), hashes.len(), "{count}");
            assert!(used.iter().all(|&place| place < places.len()), "{count}");
            assert!(places.of(hash(count)) < places.len(), "{count}");
        }
    }

    #[test]
    fn equal_hashes_are_refused() {
        assert_eq!(Places::new(&[5, 7, 5]), None);
    }
}
