//! The operations that wait: one queue per owner, and the lanes the owners stand in.
//!
//! Invariants: an owner's operations leave in the order they came, in one batch at a time; an owner with
//! something to write that is neither held nor in a batch stands in exactly one lane.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    time::{Duration, Instant},
};

use whisperengine_types::{Committed, MemoryOwner, Priority, WriteOp};

use crate::{
    Dedup, Write,
    dedup::DedupKey,
    lanes::{Lanes, Ticket},
    owners::{Barrier, Owners, Slot},
};

/// Names an entry; a number that was freed and given again differs in `seq`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct EntryKey {
    at: u32,
    pub(crate) seq: u64,
}

#[cfg(test)]
impl EntryKey {
    pub(crate) fn numbered(seq: u64) -> Self {
        Self { at: 0, seq }
    }
}

/// One accepted operation and everyone who waits for it.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    pub(crate) op: WriteOp,
    pub(crate) slot: u32,
    pub(crate) priority: Priority,
    pub(crate) dedup: Dedup,
    pub(crate) dedup_key: Option<DedupKey>,
    pub(crate) bytes: usize,
    pub(crate) submitted: Instant,
    /// Whoever handed it in, until answered, and whoever handed in the same again.
    pub(crate) first: Option<Waiter<T>>,
    pub(crate) repeats: Vec<Waiter<T>>,
    pub(crate) attempts: u32,
    /// The result of an application that has to be made again because an earlier operation failed, or
    /// that nobody knows the outcome of.
    pub(crate) applied: Option<Committed>,
    /// To be committed alone, since a batch with it made the store panic.
    pub(crate) alone: bool,
    /// Part of a commit in flight.
    pub(crate) in_flight: bool,
}

/// Someone who waits for an answer.
#[derive(Debug)]
pub(crate) struct Waiter<T> {
    pub(crate) token: T,
    pub(crate) deadline: Option<Instant>,
}

impl<T> Entry<T> {
    /// The write as it was handed in, without its deadline.
    pub(crate) fn to_write(&self) -> Write {
        Write::new(self.op.clone())
            .priority(self.priority)
            .dedup(self.dedup.clone())
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.first.is_none() && self.repeats.is_empty()
    }
}

/// How much a batch may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Buffer<T> {
    pub(crate) owners: Owners<T>,
    entries: Vec<Option<Entry<T>>>,
    seqs: Vec<u64>,
    free: Vec<u32>,
    lanes: Lanes,
    held: BinaryHeap<Reverse<(Instant, u32)>>,
    next_seq: u64,
    next_barrier: u64,
    ready: Limits,
    live: Limits,
}

/// Operations taken from one owner before the next one's turn.
const QUANTUM: usize = 16;

impl<T> Buffer<T> {
    pub(crate) fn new(aging: Duration, keep: Duration) -> Self {
        let none = Limits { items: 0, bytes: 0 };
        Self {
            owners: Owners::new(keep),
            entries: Vec::new(),
            seqs: Vec::new(),
            free: Vec::new(),
            lanes: Lanes::new(aging),
            held: BinaryHeap::new(),
            next_seq: 1,
            next_barrier: 1,
            ready: none,
            live: none,
        }
    }

    /// Operations that may be committed now, and their bytes.
    pub(crate) fn ready(&self) -> Limits {
        self.ready
    }

    /// Operations waiting, held ones too, and their bytes.
    pub(crate) fn live(&self) -> Limits {
        self.live
    }

    /// The number of the latest operation.
    pub(crate) fn last_seq(&self) -> u64 {
        self.next_seq - 1
    }

    /// Puts an operation at the end of its owner's queue.
    pub(crate) fn push(&mut self, entry: Entry<T>, now: Instant) -> EntryKey {
        let slot_at = entry.slot;
        let key = self.admit(entry, now);
        self.owners.slot_mut(slot_at).queue.push_back(key);
        self.count_in(key);
        self.reschedule(slot_at);
        key
    }

    /// As [`push`](Self::push) and [`take`](Self::take), for an operation before which nothing waits.
    pub(crate) fn push_in_flight(&mut self, mut entry: Entry<T>, now: Instant) -> EntryKey {
        entry.in_flight = true;
        let slot = self.owners.slot_mut(entry.slot);
        slot.in_flight += 1;
        slot.busy = true;
        self.admit(entry, now)
    }

    fn admit(&mut self, entry: Entry<T>, now: Instant) -> EntryKey {
        let seq = self.next_seq;
        self.next_seq += 1;
        let at = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.seqs.push(0);
            (self.entries.len() - 1) as u32
        });
        let slot = self.owners.slot_mut(entry.slot);
        slot.last_write = seq;
        slot.last_write_at = now;
        self.entries[at as usize] = Some(entry);
        self.seqs[at as usize] = seq;
        EntryKey { at, seq }
    }

    pub(crate) fn entry(&mut self, key: EntryKey) -> Option<&mut Entry<T>> {
        if self.seqs[key.at as usize] != key.seq {
            return None;
        }
        self.entries[key.at as usize].as_mut()
    }

    pub(crate) fn waiters(&mut self) -> impl Iterator<Item = &mut Waiter<T>> {
        let entries = self.entries.iter_mut().flatten();
        entries.flat_map(|entry| entry.first.iter_mut().chain(&mut entry.repeats))
    }

    pub(crate) fn contains(&self, key: EntryKey) -> bool {
        self.seqs[key.at as usize] == key.seq
    }

    /// Whether the barrier still waits.
    pub(crate) fn is_awaited(&self, slot_at: u32, id: u64) -> bool {
        let slot = self.owners.try_slot(slot_at);
        slot.is_some_and(|slot| slot.barriers.iter().any(|barrier| barrier.id == id))
    }

    /// Removes an entry that is in no queue.
    pub(crate) fn remove(&mut self, key: EntryKey) -> Entry<T> {
        let entry = self.entries[key.at as usize]
            .take()
            .expect("entries are removed once");
        self.seqs[key.at as usize] = 0;
        self.free.push(key.at);
        entry
    }

    /// Takes the next batch into `batch`, in commit order; its owners are busy until it has
    /// [landed](Self::land).
    pub(crate) fn take(&mut self, now: Instant, limits: Limits, batch: &mut Vec<EntryKey>) {
        batch.clear();
        batch.reserve(self.ready.items.min(limits.items));
        let mut bytes = 0;
        while batch.len() < limits.items {
            let owners = &self.owners;
            let Some((lane, ticket)) = self.lanes.pop(now, |t| owners.has_stamp(t.slot, t.stamp)) else {
                break;
            };
            let before = batch.len();
            let go_on = self.take_from(ticket.slot, limits, batch, &mut bytes);
            if batch.len() == before && !self.owners.slot(ticket.slot).queue.is_empty() {
                self.lanes.push_front(lane, ticket);
            } else {
                self.owners.slot_mut(ticket.slot).lane = None;
                self.reschedule(ticket.slot);
            }
            if !go_on {
                break;
            }
        }
        for &key in &*batch {
            self.set_busy(self.slot_of(key), true);
        }
    }

    /// Takes up to a quantum of one owner's operations; false when the batch can take no more.
    fn take_from(
        &mut self,
        slot_at: u32,
        limits: Limits,
        batch: &mut Vec<EntryKey>,
        bytes: &mut usize,
    ) -> bool {
        for _ in 0..QUANTUM {
            self.drop_abandoned(slot_at);
            let Some(&key) = self.owners.slot(slot_at).queue.front() else {
                return true;
            };
            let entry = self.entries[key.at as usize]
                .as_mut()
                .expect("queued entries exist");
            let (size, alone) = (entry.bytes, entry.alone);
            let full = batch.len() >= limits.items || *bytes + size > limits.bytes;
            if !batch.is_empty() && (full || alone) {
                return false;
            }
            entry.in_flight = true;
            self.count_out(key);
            let slot = self.owners.slot_mut(slot_at);
            slot.queue.pop_front();
            slot.in_flight += 1;
            batch.push(key);
            *bytes += size;
            if alone {
                return false;
            }
        }
        true
    }

    /// Puts operations that were taken back to the front of their owners' queues, in their order.
    pub(crate) fn put_back(&mut self, keys: &[EntryKey]) {
        for &key in keys.iter().rev() {
            let entry = self.entries[key.at as usize].as_mut().expect("the entry exists");
            entry.in_flight = false;
            let slot_at = entry.slot;
            self.owners.slot_mut(slot_at).queue.push_front(key);
            self.count_in(key);
        }
        for &key in keys {
            self.reschedule(self.slot_of(key));
        }
    }

    /// Notes that the batch of these is no longer in flight.
    pub(crate) fn land(&mut self, keys: &[EntryKey]) {
        for &key in keys {
            let slot_at = self.slot_of(key);
            self.owners.slot_mut(slot_at).in_flight -= 1;
            self.set_busy(slot_at, false);
        }
    }

    fn set_busy(&mut self, slot_at: u32, busy: bool) {
        let slot = self.owners.slot_mut(slot_at);
        if slot.busy == busy {
            return;
        }
        slot.busy = busy;
        let (items, bytes) = (slot.live_items(), slot.live_bytes);
        if slot.held_until.is_some() {
            return;
        }
        if busy {
            self.ready.items -= items;
            self.ready.bytes -= bytes;
        } else {
            self.ready.items += items;
            self.ready.bytes += bytes;
        }
        self.reschedule(slot_at);
    }

    /// Lets nothing of an owner be taken before `until`.
    pub(crate) fn hold(&mut self, slot_at: u32, until: Instant) {
        let slot = self.owners.slot_mut(slot_at);
        let (items, bytes) = (slot.live_items(), slot.live_bytes);
        let was_open = slot.is_open();
        slot.held_until = Some(until);
        if was_open {
            self.ready.items -= items;
            self.ready.bytes -= bytes;
        }
        self.held.push(Reverse((until, slot_at)));
        self.reschedule(slot_at);
    }

    /// When the next held owner is to be released.
    pub(crate) fn held_until(&self) -> Option<Instant> {
        self.held.peek().map(|Reverse((until, _))| *until)
    }

    pub(crate) fn release_due(&mut self, now: Instant) {
        while let Some(&Reverse((until, slot_at))) = self.held.peek()
            && until <= now
        {
            self.held.pop();
            let slot = self.owners.slot_mut(slot_at);
            if slot.held_until == Some(until) {
                slot.held_until = None;
                if slot.is_open() {
                    self.ready.items += slot.live_items();
                    self.ready.bytes += slot.live_bytes;
                }
                self.reschedule(slot_at);
            }
        }
    }

    /// Notes that nobody waits for `key` any more: it will not be taken.
    pub(crate) fn abandon(&mut self, key: EntryKey) {
        self.count_out(key);
        let slot_at = self.slot_of(key);
        self.drop_abandoned(slot_at);
        self.reschedule(slot_at);
    }

    /// Lets `token` wait for the owner's pending writes, ahead of other owners' writes; gives it back
    /// when there are none.
    pub(crate) fn wait_for(&mut self, owner: &MemoryOwner, token: T) -> Result<(u32, u64), T> {
        let Some(slot_at) = self.owners.find(owner) else {
            return Err(token);
        };
        let id = self.next_barrier;
        let slot = self.owners.slot_mut(slot_at);
        if slot.unsettled() == 0 {
            return Err(token);
        }
        self.next_barrier += 1;
        let upto = slot.last_write;
        slot.barriers.push(Barrier { id, upto, token });
        self.reschedule(slot_at);
        Ok((slot_at, id))
    }

    /// Takes a barrier out before its time; with it the number of writes it still waited for.
    pub(crate) fn give_up(&mut self, slot_at: u32, id: u64) -> Option<(T, usize)> {
        self.owners.try_slot(slot_at)?;
        let slot = self.owners.slot_mut(slot_at);
        let at = slot.barriers.iter().position(|barrier| barrier.id == id)?;
        let barrier = slot.barriers.swap_remove(at);
        Some((barrier.token, slot.unsettled()))
    }

    /// The barriers of an owner behind which nothing is pending any more.
    pub(crate) fn settled_barriers(&mut self, slot_at: u32) -> Vec<T> {
        self.drop_abandoned(slot_at);
        let slot = self.owners.slot_mut(slot_at);
        if slot.barriers.is_empty() || slot.in_flight > 0 {
            return Vec::new();
        }
        let oldest = slot.queue.front().map_or(u64::MAX, |key| key.seq);
        let done = slot.barriers.extract_if(.., |barrier| barrier.upto < oldest);
        let tokens = done.map(|barrier| barrier.token).collect();
        self.reschedule(slot_at);
        tokens
    }

    /// Takes everything out, in the order it was handed in, and every barrier with it.
    pub(crate) fn clear(&mut self) -> (Vec<EntryKey>, Vec<(T, usize)>) {
        let mut keys = Vec::new();
        let mut tokens = Vec::new();
        for slot_at in self.owners.in_use() {
            self.drop_abandoned(slot_at);
            let slot = self.owners.slot_mut(slot_at);
            let unsettled = slot.unsettled();
            tokens.extend(slot.barriers.drain(..).map(|barrier| (barrier.token, unsettled)));
            keys.extend(slot.queue.drain(..));
            slot.live = Default::default();
            slot.live_bytes = 0;
            slot.lane = None;
        }
        self.ready = Limits { items: 0, bytes: 0 };
        self.live = self.ready;
        keys.sort_unstable_by_key(|key| key.seq);
        (keys, tokens)
    }

    fn slot_of(&self, key: EntryKey) -> u32 {
        self.entries[key.at as usize]
            .as_ref()
            .expect("the entry exists")
            .slot
    }

    fn drop_abandoned(&mut self, slot_at: u32) {
        while let Some(&key) = self.owners.slot(slot_at).queue.front()
            && self.entries[key.at as usize]
                .as_ref()
                .is_some_and(Entry::is_abandoned)
        {
            self.owners.slot_mut(slot_at).queue.pop_front();
            self.remove(key);
        }
    }

    fn count_in(&mut self, key: EntryKey) {
        let entry = self.entries[key.at as usize].as_ref().expect("the entry exists");
        let slot = self.owners.slot_mut(entry.slot);
        slot.live[entry.priority as usize] += 1;
        slot.live_bytes += entry.bytes;
        self.live.items += 1;
        self.live.bytes += entry.bytes;
        if slot.is_open() {
            self.ready.items += 1;
            self.ready.bytes += entry.bytes;
        }
    }

    fn count_out(&mut self, key: EntryKey) {
        let entry = self.entries[key.at as usize].as_ref().expect("the entry exists");
        let slot = self.owners.slot_mut(entry.slot);
        slot.live[entry.priority as usize] -= 1;
        slot.live_bytes -= entry.bytes;
        self.live.items -= 1;
        self.live.bytes -= entry.bytes;
        if slot.is_open() {
            self.ready.items -= 1;
            self.ready.bytes -= entry.bytes;
        }
    }

    /// Puts the owner into the lane where it belongs, if it is not there.
    fn reschedule(&mut self, slot_at: u32) {
        let slot = self.owners.slot_mut(slot_at);
        let lane = lane_of(slot);
        if lane == slot.lane {
            return;
        }
        slot.lane = lane;
        slot.stamp += 1;
        let stamp = slot.stamp;
        if let (Some(lane), Some(&front)) = (lane, slot.queue.front()) {
            let since = self.entries[front.at as usize]
                .as_ref()
                .expect("queued entries exist")
                .submitted;
            let ticket = Ticket {
                slot: slot_at,
                stamp,
                since,
            };
            self.lanes.push_back(lane, ticket);
        }
    }
}

/// The most urgent class among what waits; whoever asks for the owner's memories makes it urgent.
fn lane_of<T>(slot: &Slot<T>) -> Option<usize> {
    let class = slot.live.iter().position(|&n| n > 0)?;
    if !slot.is_open() {
        return None;
    }
    Some(if slot.barriers.is_empty() { class } else { 0 })
}
