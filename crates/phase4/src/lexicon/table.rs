use crate::text::HashedMap;

/// A map from hashes of words that says quickly that a word is not in it, as most words are not.
#[derive(Debug)]
pub(crate) struct Table<V> {
    /// Places in `values`; small, so that looking up touches little memory.
    map: HashedMap<u16>,
    values: Vec<V>,
    /// One bit for each value of the lowest bits of a key.
    filter: Box<[u64; FILTER_BITS / 64]>,
}

const FILTER_BITS: usize = 1 << 15;

/// Where a table has a word, if it does.
pub(crate) type Place = Option<u16>;

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self {
            map: HashedMap::default(),
            values: Vec::new(),
            filter: Box::new([0; FILTER_BITS / 64]),
        }
    }
}

impl<V> Table<V> {
    #[inline]
    pub(crate) fn place(&self, key: u64) -> Place {
        let (place, bit) = bit(key);
        if self.filter[place] & bit == 0 {
            return None;
        }
        self.map.get(&key).copied()
    }

    /// The value at a place of this table.
    pub(crate) fn at(&self, place: u16) -> &V {
        &self.values[usize::from(place)]
    }

    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        self.place(key).map(|place| self.at(place))
    }

    /// The value of a key, a default one at first.
    pub(super) fn slot(&mut self, key: u64) -> &mut V
    where
        V: Default,
    {
        let (place, bit) = bit(key);
        self.filter[place] |= bit;
        let next = u16::try_from(self.values.len()).expect("a language has fewer words");
        let index = usize::from(*self.map.entry(key).or_insert(next));
        if index == self.values.len() {
            self.values.push(V::default());
        }
        &mut self.values[index]
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.values.iter_mut()
    }
}

fn bit(key: u64) -> (usize, u64) {
    let bit = key as usize % FILTER_BITS;
    (bit / 64, 1 << (bit % 64))
}
