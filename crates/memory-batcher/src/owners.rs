//! What is known of each owner who has written lately.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use hashbrown::HashMap;
use whisperengine_types::MemoryOwner;

use crate::{buffer::EntryKey, lanes::LANES};

/// One owner's queue and bookkeeping.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) owner: MemoryOwner,
    /// Waiting operations, in the order they were handed in.
    pub(crate) queue: VecDeque<EntryKey>,
    /// Live waiting operations by class, and their bytes.
    pub(crate) live: [u32; LANES],
    pub(crate) live_bytes: usize,
    /// Operations in the commit in flight.
    pub(crate) in_flight: u32,
    /// Some operations are being committed: what waits has to follow them, in a later batch.
    pub(crate) busy: bool,
    /// Set while the first operation waits to be tried again.
    pub(crate) held_until: Option<Instant>,
    /// The lane the owner stands in, and the stamp of the ticket that is valid.
    pub(crate) lane: Option<usize>,
    pub(crate) stamp: u64,
    /// Number and time of the latest write handed in.
    pub(crate) last_write: u64,
    pub(crate) last_write_at: Instant,
    /// Serial numbers that scope deduplication; the second changes with `ForgetAll`.
    pub(crate) serial: u64,
    pub(crate) content_serial: u64,
    /// Queries waiting for writes up to a number.
    pub(crate) barriers: Vec<Barrier<T>>,
    /// The batch in which an operation of the owner last failed, so that later ones must follow it.
    pub(crate) failed_in: u64,
}

/// Someone who waits until every write up to `upto` is settled.
#[derive(Debug)]
pub(crate) struct Barrier<T> {
    pub(crate) id: u64,
    pub(crate) upto: u64,
    pub(crate) token: T,
}

impl<T> Slot<T> {
    pub(crate) fn live_items(&self) -> usize {
        self.live.iter().map(|&n| n as usize).sum()
    }

    /// Whether what waits may be taken now.
    pub(crate) fn is_open(&self) -> bool {
        self.held_until.is_none() && !self.busy
    }

    pub(crate) fn unsettled(&self) -> usize {
        self.live_items() + self.in_flight as usize
    }
}

/// The owners who have pending writes or wrote within `keep`.
///
/// An owner dropped after that raises `floor`: an upper bound of the last write of everyone unknown.
#[derive(Debug)]
pub(crate) struct Owners<T> {
    index: HashMap<MemoryOwner, u32>,
    slots: Vec<Option<Slot<T>>>,
    free: Vec<u32>,
    /// Everyone once, in the order they are looked at for dropping.
    round: VecDeque<u32>,
    keep: Duration,
    floor: u64,
    serial: u64,
}

impl<T> Owners<T> {
    pub(crate) fn new(keep: Duration) -> Self {
        Self {
            index: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            round: VecDeque::new(),
            keep,
            floor: 0,
            serial: 0,
        }
    }

    pub(crate) fn find(&self, owner: &MemoryOwner) -> Option<u32> {
        self.index.get(owner).copied()
    }

    pub(crate) fn slot(&self, slot: u32) -> &Slot<T> {
        self.slots[slot as usize]
            .as_ref()
            .expect("a slot in use is not dropped")
    }

    pub(crate) fn slot_mut(&mut self, slot: u32) -> &mut Slot<T> {
        self.slots[slot as usize]
            .as_mut()
            .expect("a slot in use is not dropped")
    }

    pub(crate) fn try_slot(&self, slot: u32) -> Option<&Slot<T>> {
        self.slots[slot as usize].as_ref()
    }

    /// Whether `stamp` is that of the slot's valid lane ticket.
    pub(crate) fn has_stamp(&self, slot: u32, stamp: u64) -> bool {
        self.slots[slot as usize]
            .as_ref()
            .is_some_and(|s| s.lane.is_some() && s.stamp == stamp)
    }

    pub(crate) fn find_or_insert(&mut self, owner: &MemoryOwner, now: Instant) -> u32 {
        if let Some(slot) = self.find(owner) {
            return slot;
        }
        self.sweep(now);
        self.serial += 1;
        let slot = Slot {
            owner: owner.clone(),
            queue: VecDeque::new(),
            live: [0; LANES],
            live_bytes: 0,
            in_flight: 0,
            busy: false,
            held_until: None,
            lane: None,
            stamp: 0,
            last_write: 0,
            last_write_at: now,
            serial: self.serial,
            content_serial: self.serial,
            barriers: Vec::new(),
            failed_in: 0,
        };
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[at as usize] = Some(slot);
        self.index.insert(owner.clone(), at);
        self.round.push_back(at);
        at
    }

    /// A new number for deduplication.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// An upper bound of the owner's last write; exact for everyone within `keep`.
    pub(crate) fn last_write(&self, owner: &MemoryOwner) -> u64 {
        match self.find(owner) {
            Some(slot) => self.slot(slot).last_write,
            None => self.floor,
        }
    }

    pub(crate) fn in_use(&self) -> Vec<u32> {
        self.round.iter().copied().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Looks at two owners and drops those that are idle: each new owner pays for two old ones, so the
    /// number of idle ones stays below that of the active ones.
    fn sweep(&mut self, now: Instant) {
        for _ in 0..2 {
            let Some(at) = self.round.pop_front() else {
                return;
            };
            let slot = self.slot(at);
            let idle = slot.queue.is_empty() && slot.in_flight == 0 && slot.barriers.is_empty();
            if idle && now.saturating_duration_since(slot.last_write_at) > self.keep {
                self.floor = self.floor.max(slot.last_write);
                let slot = self.slots[at as usize].take().expect("looked at above");
                self.index.remove(&slot.owner);
                self.free.push(at);
            } else {
                self.round.push_back(at);
            }
        }
    }
}
