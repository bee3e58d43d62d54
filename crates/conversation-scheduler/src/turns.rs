//! Queued turns: each is in two lists at once, its session's and its class's, so that it can be taken
//! from the front, cancelled in the middle or shed as the oldest of its class in constant time.

use whisperengine_types::Priority;

use crate::{
    options::PriorityChoice,
    slab::{NIL, Slab},
};

/// First and last index of a list that runs through the records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self {
        first: NIL,
        last: NIL,
    };

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.first == NIL
    }
}

#[derive(Debug, Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
}

/// Which of the two lists.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Chain {
    Session,
    Class,
}

#[derive(Debug)]
pub(crate) struct QueuedTurn<T, K> {
    pub(crate) serial: u64,
    pub(crate) session: u32,
    pub(crate) class: Priority,
    pub(crate) choice: PriorityChoice,
    pub(crate) sequence: u32,
    /// Nanoseconds since the scheduler's base time.
    pub(crate) submitted: u64,
    /// The same; `u64::MAX` for none.
    pub(crate) deadline: u64,
    pub(crate) payload: T,
    pub(crate) earlier: Vec<T>,
    pub(crate) token: K,
    pub(crate) links: Links,
}

/// The turn's place in its two lists.
#[derive(Debug)]
pub(crate) struct Links([Link; 2]);

impl Links {
    pub(crate) const NONE: Self = Self(
        [Link {
            previous: NIL,
            next: NIL,
        }; 2],
    );
}

#[derive(Debug)]
pub(crate) struct Turns<T, K> {
    records: Slab<QueuedTurn<T, K>>,
}

impl<T, K> Turns<T, K> {
    pub(crate) fn new() -> Self {
        Self { records: Slab::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    #[inline]
    pub(crate) fn insert(&mut self, turn: QueuedTurn<T, K>) -> u32 {
        self.records.insert(turn)
    }

    #[inline]
    pub(crate) fn remove(&mut self, index: u32) -> QueuedTurn<T, K> {
        self.records
            .remove(index)
            .expect("a list names only turns that are queued")
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&QueuedTurn<T, K>> {
        self.records.get(index)
    }

    pub(crate) fn set_earlier(&mut self, index: u32, earlier: Vec<T>) {
        self.records[index].earlier = earlier;
    }

    #[inline]
    pub(crate) fn push_back(&mut self, chain: Chain, list: &mut List, index: u32) {
        let link = &mut self.records[index].links.0[chain as usize];
        link.previous = list.last;
        link.next = NIL;
        if list.last == NIL {
            list.first = index;
        } else {
            self.records[list.last].links.0[chain as usize].next = index;
        }
        list.last = index;
    }

    #[inline]
    pub(crate) fn unlink(&mut self, chain: Chain, list: &mut List, index: u32) {
        let Link { previous, next } = self.records[index].links.0[chain as usize];
        if previous == NIL {
            list.first = next;
        } else {
            self.records[previous].links.0[chain as usize].next = next;
        }
        if next == NIL {
            list.last = previous;
        } else {
            self.records[next].links.0[chain as usize].previous = previous;
        }
    }
}
