//! Records under dense `u32` indices, in chunks: a million sessions grow without one large copy.

use std::ops::{Index, IndexMut};

/// Marks "no record" wherever an index is stored.
pub(crate) const NIL: u32 = u32::MAX;

/// Indices are reused after `remove`; memory is kept at its highest level.
#[derive(Debug)]
pub(crate) struct Slab<V> {
    chunks: Vec<Vec<Slot<V>>>,
    free: u32,
    len: usize,
}

#[derive(Debug)]
enum Slot<V> {
    Vacant { next: u32 },
    Occupied(V),
}

const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;

impl<V> Slab<V> {
    pub(crate) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: NIL,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn insert(&mut self, value: V) -> u32 {
        self.len += 1;
        if self.free != NIL {
            let index = self.free;
            let slot = self
                .slot_mut(index)
                .expect("the free list names slots that exist");
            if let Slot::Vacant { next } = std::mem::replace(slot, Slot::Occupied(value)) {
                self.free = next;
            }
            return index;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let chunks = self.chunks.len();
        let chunk = &mut self.chunks[chunks - 1];
        chunk.push(Slot::Occupied(value));
        ((chunks - 1) << CHUNK_BITS) as u32 + chunk.len() as u32 - 1
    }

    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> Option<V> {
        let free = self.free;
        let slot = self.slot_mut(index)?;
        if matches!(slot, Slot::Vacant { .. }) {
            return None;
        }
        match std::mem::replace(slot, Slot::Vacant { next: free }) {
            Slot::Occupied(value) => {
                self.free = index;
                self.len -= 1;
                Some(value)
            }
            Slot::Vacant { .. } => None,
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&V> {
        let chunk = self.chunks.get((index >> CHUNK_BITS) as usize)?;
        match chunk.get(index as usize & (CHUNK - 1))? {
            Slot::Occupied(value) => Some(value),
            Slot::Vacant { .. } => None,
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut V> {
        match self.slot_mut(index)? {
            Slot::Occupied(value) => Some(value),
            Slot::Vacant { .. } => None,
        }
    }

    #[inline]
    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<V>> {
        self.chunks
            .get_mut((index >> CHUNK_BITS) as usize)?
            .get_mut(index as usize & (CHUNK - 1))
    }
}

impl<V> Index<u32> for Slab<V> {
    type Output = V;

    #[inline]
    fn index(&self, index: u32) -> &V {
        self.get(index)
            .expect("an index is kept only while its record lives")
    }
}

impl<V> IndexMut<u32> for Slab<V> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut V {
        self.get_mut(index)
            .expect("an index is kept only while its record lives")
    }
}
