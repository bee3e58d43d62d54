//! A bit map that says of most keys that they are not in a table, without touching the table: it is small
//! enough to stay in the nearest cache (Bloom, Commun. ACM 13(7), 1970, with one hash).

/// One bit per place of a hash; knows the upper bits of every hash it was given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    bits: Vec<u64>,
    shift: u32,
}

/// At most one key in so many that are not there gets through.
const SPARSITY: usize = 8;

impl Filter {
    /// A filter for `items` hashes whose upper bits are random.
    pub(crate) fn for_items(items: usize) -> Self {
        let bits = (SPARSITY * items).next_power_of_two().max(64).ilog2();
        Self {
            bits: vec![0; 1 << (bits - 6)],
            shift: 64 - bits,
        }
    }

    pub(crate) fn insert(&mut self, hash: u64) {
        let place = (hash >> self.shift) as usize;
        self.bits[place / 64] |= 1 << (place % 64);
    }

    /// Whether the hash may have been inserted; never `false` for one that was.
    #[inline]
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let place = (hash >> self.shift) as usize;
        (self.bits[place / 64] >> (place % 64)) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_and_little_else() {
        let hash = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for items in [0, 1, 6, 7, 5_000] {
            let mut filter = Filter::for_items(items as usize);
            (0..items).for_each(|n| filter.insert(hash(n)));
            assert!((0..items).all(|n| filter.may_hold(hash(n))), "{items}");
            let others = (items..items + 1_000).filter(|&n| filter.may_hold(hash(n)));
            assert!(others.count() <= 150, "{items}");
        }
    }
}
