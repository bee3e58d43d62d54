//! The operations that wait: one queue per owner, and the line that the owners stand in.
//!
//! Invariants: an owner's operations leave in the order they came, in one batch at a time; an owner with
//! something to write that is neither held nor in a batch stands in the line.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Instant,
};

use hashbrown::HashMap;
use whisperengine_types::{Committed, MemoryOwner, WriteOp};

use crate::{DeadLetterId, dead_letter::supersedes};

/// One accepted operation.
#[derive(Debug)]
pub(crate) struct Entry<T> {
    pub(crate) op: WriteOp,
    pub(crate) bytes: usize,
    /// Its number in the order of submission; a replayed letter keeps that of its write.
    pub(crate) seq: u64,
    pub(crate) origin: Origin<T>,
    pub(crate) attempts: u32,
    /// The result of an application that has to be made again because an earlier operation failed, or whose
    /// outcome is unknown.
    pub(crate) applied: Option<Committed>,
    /// Committed alone, because a batch with it made the store panic.
    pub(crate) alone: bool,
}

/// Where an operation came from.
#[derive(Debug)]
pub(crate) enum Origin<T> {
    Caller(T),
    /// A dead letter, taken out by this replay.
    Letter {
        replay: u64,
    },
}

impl<T> Entry<T> {
    pub(crate) fn new(op: WriteOp, bytes: usize, seq: u64, origin: Origin<T>) -> Self {
        Self {
            op,
            bytes,
            seq,
            origin,
            attempts: 0,
            applied: None,
            alone: false,
        }
    }

    pub(crate) fn letter_id(&self) -> DeadLetterId {
        DeadLetterId(self.seq)
    }
}

/// Operations and their bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amount {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

impl Amount {
    fn add(&mut self, items: usize, bytes: usize) {
        self.items += items;
        self.bytes += bytes;
    }

    fn sub(&mut self, items: usize, bytes: usize) {
        self.items -= items;
        self.bytes -= bytes;
    }
}

#[derive(Debug)]
struct Owner<T> {
    key: MemoryOwner,
    queue: VecDeque<Entry<T>>,
    bytes: usize,
    /// Some of its operations are being committed: what waits follows in a later batch.
    busy: bool,
    /// Set while its first operation waits to be tried again.
    held_until: Option<Instant>,
    in_line: bool,
    /// The batch in which an operation last failed, so that later ones must follow it.
    failed_in: u64,
    /// The number of the latest `ForgetAll` that is over.
    forgotten: u64,
}

impl<T> Owner<T> {
    /// Whether what waits may be taken now.
    fn is_open(&self) -> bool {
        self.held_until.is_none() && !self.busy
    }
}

#[derive(Debug)]
pub(crate) struct Queue<T> {
    index: HashMap<MemoryOwner, u32>,
    owners: Vec<Option<Owner<T>>>,
    free: Vec<u32>,
    line: VecDeque<u32>,
    held: BinaryHeap<Reverse<(Instant, u32)>>,
    ready: Amount,
    waiting: Amount,
}

/// Operations taken from one owner before the next one's turn.
const QUANTUM: usize = 16;

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            index: HashMap::new(),
            owners: Vec::new(),
            free: Vec::new(),
            line: VecDeque::new(),
            held: BinaryHeap::new(),
            ready: Amount::default(),
            waiting: Amount::default(),
        }
    }

    /// What may be committed now.
    pub(crate) fn ready(&self) -> Amount {
        self.ready
    }

    /// What waits, held operations included.
    pub(crate) fn waiting(&self) -> Amount {
        self.waiting
    }

    /// Owners with something waiting or in a batch.
    pub(crate) fn owners(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn push(&mut self, entry: Entry<T>) {
        let at = self.find_or_insert(entry.op.owner());
        let bytes = entry.bytes;
        let owner = self.owner(at);
        owner.bytes += bytes;
        owner.queue.push_back(entry);
        let is_open = owner.is_open();
        self.waiting.add(1, bytes);
        if is_open {
            self.ready.add(1, bytes);
        }
        self.join_line(at);
    }

    /// Takes the next batch, in commit order; its owners are busy until they have [landed](Self::land).
    pub(crate) fn take(&mut self, limits: Amount) -> Vec<Entry<T>> {
        let mut batch = Vec::with_capacity(self.ready.items.min(limits.items));
        let mut bytes = 0;
        let mut owners = Vec::new();
        while let Some(at) = self.line.pop_front() {
            let owner = self.owner(at);
            owner.in_line = false;
            if !owner.is_open() || owner.queue.is_empty() {
                self.drop_unused(at);
                continue;
            }
            let before = batch.len();
            let is_full = self.take_from(at, limits, &mut batch, &mut bytes);
            let owner = self.owner(at);
            let rest = !owner.queue.is_empty();
            owner.in_line = rest;
            if batch.len() == before {
                self.line.push_front(at);
            } else {
                owners.push(at);
                if rest {
                    self.line.push_back(at);
                }
            }
            if is_full {
                break;
            }
        }
        owners.into_iter().for_each(|at| self.begin(at));
        batch
    }

    /// Takes up to a quantum of one owner's operations; whether the batch can take no more.
    fn take_from(&mut self, at: u32, limits: Amount, batch: &mut Vec<Entry<T>>, bytes: &mut usize) -> bool {
        for _ in 0..QUANTUM {
            let owner = self.owner(at);
            let Some(first) = owner.queue.front() else {
                return false;
            };
            let is_full = batch.len() >= limits.items || *bytes + first.bytes > limits.bytes || first.alone;
            if !batch.is_empty() && is_full {
                return true;
            }
            let entry = owner.queue.pop_front().expect("there is a first one");
            owner.bytes -= entry.bytes;
            *bytes += entry.bytes;
            self.ready.sub(1, entry.bytes);
            self.waiting.sub(1, entry.bytes);
            let alone = entry.alone;
            batch.push(entry);
            if alone {
                return true;
            }
        }
        batch.len() >= limits.items
    }

    fn begin(&mut self, at: u32) {
        let owner = self.owner(at);
        if !std::mem::replace(&mut owner.busy, true) {
            let (items, bytes) = (owner.queue.len(), owner.bytes);
            self.ready.sub(items, bytes);
        }
    }

    /// The batch of these owners is no longer in flight; `again` goes back to the front of their queues.
    pub(crate) fn land(&mut self, owners: &[MemoryOwner], again: Vec<Entry<T>>) {
        for entry in again.into_iter().rev() {
            let at = self.index[entry.op.owner()];
            self.waiting.add(1, entry.bytes);
            let owner = self.owner(at);
            owner.bytes += entry.bytes;
            owner.queue.push_front(entry);
        }
        for key in owners {
            let at = self.index[key];
            let owner = self.owner(at);
            if std::mem::replace(&mut owner.busy, false) && owner.held_until.is_none() {
                let (items, bytes) = (owner.queue.len(), owner.bytes);
                self.ready.add(items, bytes);
            }
            self.join_line(at);
        }
    }

    /// Holds back everything of a busy owner until `until`.
    pub(crate) fn hold(&mut self, owner: &MemoryOwner, until: Instant) {
        let at = self.index[owner];
        self.owner(at).held_until = Some(until);
        self.held.push(Reverse((until, at)));
    }

    /// When the next held owner is to be released.
    pub(crate) fn held_until(&self) -> Option<Instant> {
        self.held.peek().map(|Reverse((until, _))| *until)
    }

    pub(crate) fn release_due(&mut self, now: Instant) {
        while let Some(&Reverse((until, at))) = self.held.peek()
            && until <= now
        {
            self.held.pop();
            let Some(owner) = self.owners[at as usize].as_mut() else {
                continue;
            };
            if owner.held_until != Some(until) {
                continue;
            }
            owner.held_until = None;
            if owner.is_open() {
                let (items, bytes) = (owner.queue.len(), owner.bytes);
                self.ready.add(items, bytes);
            }
            self.join_line(at);
        }
    }

    /// Notes that an operation of `owner`, whose batch has landed, failed in `batch`; its later ones follow it.
    pub(crate) fn fail(&mut self, owner: &MemoryOwner, batch: u64) {
        let at = self.index[owner];
        self.owner(at).failed_in = batch;
    }

    pub(crate) fn has_failed(&self, owner: &MemoryOwner, batch: u64) -> bool {
        self.find(owner).is_some_and(|owner| owner.failed_in == batch)
    }

    /// Notes that the `ForgetAll` of this number is over.
    pub(crate) fn forgotten(&mut self, owner: &MemoryOwner, seq: u64) {
        if let Some(&at) = self.index.get(owner) {
            self.owner(at).forgotten = seq;
        }
    }

    /// Whether a `ForgetAll` that was submitted later is over.
    pub(crate) fn is_forgotten(&self, entry: &Entry<T>) -> bool {
        self.find(entry.op.owner())
            .is_some_and(|owner| owner.forgotten > entry.seq)
    }

    /// Whether an operation waits that would make `op` void.
    pub(crate) fn would_supersede(&self, op: &WriteOp) -> bool {
        let owner = self.find(op.owner());
        owner.is_some_and(|owner| owner.queue.iter().any(|entry| supersedes(&entry.op, op)))
    }

    /// Takes everything out, each owner's operations in order.
    pub(crate) fn clear(&mut self) -> Vec<Entry<T>> {
        let mut entries = Vec::with_capacity(self.waiting.items);
        for owner in self.owners.iter_mut().flatten() {
            entries.extend(owner.queue.drain(..));
            owner.bytes = 0;
            owner.held_until = None;
            owner.in_line = false;
        }
        self.line.clear();
        self.held.clear();
        (self.ready, self.waiting) = <(Amount, Amount)>::default();
        for at in 0..self.owners.len() as u32 {
            self.drop_unused(at);
        }
        entries
    }

    fn find(&self, owner: &MemoryOwner) -> Option<&Owner<T>> {
        let &at = self.index.get(owner)?;
        self.owners[at as usize].as_ref()
    }

    fn find_or_insert(&mut self, key: &MemoryOwner) -> u32 {
        if let Some(&at) = self.index.get(key) {
            return at;
        }
        let at = self.free.pop().unwrap_or_else(|| {
            self.owners.push(None);
            (self.owners.len() - 1) as u32
        });
        self.owners[at as usize] = Some(Owner {
            key: key.clone(),
            queue: VecDeque::new(),
            bytes: 0,
            busy: false,
            held_until: None,
            in_line: false,
            failed_in: 0,
            forgotten: 0,
        });
        self.index.insert(key.clone(), at);
        at
    }

    fn owner(&mut self, at: u32) -> &mut Owner<T> {
        self.owners[at as usize]
            .as_mut()
            .expect("indexes lead to owners in use")
    }

    fn join_line(&mut self, at: u32) {
        let owner = self.owner(at);
        if owner.in_line {
            return;
        }
        if owner.is_open() && !owner.queue.is_empty() {
            owner.in_line = true;
            self.line.push_back(at);
        } else {
            self.drop_unused(at);
        }
    }

    /// Forgets an owner with nothing waiting or in a batch.
    fn drop_unused(&mut self, at: u32) {
        let is_unused = |owner: &Owner<T>| owner.queue.is_empty() && !owner.busy && !owner.in_line;
        if let Some(owner) = self.owners[at as usize].take_if(|owner| is_unused(owner)) {
            self.index.remove(&owner.key);
            self.free.push(at);
        }
    }
}
