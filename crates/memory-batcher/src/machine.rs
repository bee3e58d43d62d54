//! The write path as a state machine: no thread, no clock, no store.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::{Duration, Instant},
};

use whisperengine_types::{Committed, MemoryError, MemoryId, MemoryOwner, WriteOp};

use crate::{
    BatcherError, Config, DeadLetter, Dedup, Result, Write, WriteStats, Written,
    buffer::{Buffer, Entry, EntryKey, Limits, Waiter},
    dead_letter::DeadLetters,
    dedup::{DedupKey, DedupWindow, Print, Seen, fingerprint, print_of_key},
    policy::FlushPolicy,
    retry::RetryPolicy,
};

mod completion;
mod drain;

pub use drain::DrainReport;

/// An event. `T` is what the driver recognises a caller by.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<T> {
    /// A caller hands in a write; it will get exactly one [`Output::Answer`].
    Write {
        /// The write.
        write: Prepared,
        /// The caller.
        token: T,
    },
    /// A caller waits until every write of `owner` handed in so far is answered; it will get exactly one
    /// [`Output::Settled`].
    Await {
        /// Whose writes.
        owner: MemoryOwner,
        /// Until when at most.
        until: Instant,
        /// The caller.
        token: T,
    },
    /// A commit in flight returned these results.
    Committed {
        /// Which commit, as [`Output::Commit`] named it.
        batch: u64,
        /// One for each operation; missing ones count as [`MemoryError::Unavailable`].
        results: Vec<Result<Committed, MemoryError>>,
    },
    /// A commit in flight panicked.
    Panicked {
        /// Which commit.
        batch: u64,
        /// The panic's message.
        reason: String,
    },
    /// No more writes are accepted; what was accepted is written until `until`. The caller will get
    /// exactly one [`Output::Drained`].
    Drain {
        /// The drain's deadline.
        until: Instant,
        /// The caller.
        token: T,
    },
}

/// Something to be done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output<T> {
    /// Commit these operations and hand in [`Input::Committed`] or [`Input::Panicked`].
    Commit {
        /// The commit's name.
        batch: u64,
        /// The operations, in order.
        ops: Vec<WriteOp>,
    },
    /// Tell a caller the outcome of its write.
    Answer {
        /// The caller.
        token: T,
        /// The outcome.
        outcome: Result<Written>,
    },
    /// Tell a caller that the writes it waited for are answered.
    Settled {
        /// The caller.
        token: T,
        /// How many are still pending because the time was up.
        pending: usize,
    },
    /// Tell a caller that the drain is over.
    Drained {
        /// The caller.
        token: T,
        /// What became of everything accepted.
        report: DrainReport,
    },
}

/// A write with its size and its content's fingerprint, computed before any lock is taken.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(crate) write: Write,
    pub(crate) bytes: usize,
    print: Option<Print>,
}

impl Prepared {
    /// Measures `write`.
    pub fn new(write: impl Into<Write>) -> Self {
        let write = write.into();
        let print = match (&write.op, &write.dedup) {
            (WriteOp::Store { record, .. }, Dedup::Content) => Some(fingerprint(record)),
            (WriteOp::Store { .. }, Dedup::Key(key)) => Some(print_of_key(key)),
            _ => None,
        };
        Self {
            bytes: write.bytes(),
            print,
            write,
        }
    }
}

/// What a reader has to know of an owner before it answers from a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerView {
    /// The number of the owner's latest write, or an upper bound of it if that is long ago.
    pub last_write: u64,
    /// The number of the latest write of anyone.
    pub as_of: u64,
    /// The owner's writes that are not answered yet.
    pub pending: usize,
}

/// The write path as a state machine: no thread, no clock, no store.
///
/// Whoever drives it hands in events with the time they happened at, carries out what comes out, and calls
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says so. Spurious calls
/// do nothing. Up to [`Config::parallel_commits`] commits are in flight at a time, each of other owners;
/// while they are, the next batch gathers.
#[derive(Debug)]
pub struct Machine<T> {
    timeout: Option<Duration>,
    limits: Limits,
    buffer: Buffer<T>,
    dedup: DedupWindow,
    policy: FlushPolicy,
    retry: RetryPolicy,
    letters: DeadLetters,
    in_flight: Vec<InFlight>,
    /// Room for the keys of the next batch.
    spare: Vec<EntryKey>,
    parallel: Parallel,
    batches: u64,
    outputs: VecDeque<Output<T>>,
    alarms: BinaryHeap<Reverse<(Instant, Alarm)>>,
    closed: bool,
    drain: Option<drain::Drain<T>>,
    stats: WriteStats,
}

#[derive(Debug)]
struct InFlight {
    batch: u64,
    keys: Vec<EntryKey>,
    since: Instant,
}

/// How many commits may be in flight at a time, and how many operations make it worth another one.
#[derive(Debug, Clone, Copy)]
struct Parallel {
    commits: usize,
    items: usize,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    Entry(EntryKey),
    Barrier { slot: u32, id: u64 },
    Drain,
}

impl<T> Machine<T> {
    /// An empty one.
    ///
    /// # Errors
    /// [`BatcherError::Config`].
    pub fn new(config: &Config) -> Result<Self> {
        config.validate()?;
        let keep = config.dedup_window.max(config.cache_ttl);
        Ok(Self {
            timeout: config.timeout,
            limits: Limits {
                items: config.max_batch_items,
                bytes: config.max_batch_bytes,
            },
            buffer: Buffer::new(config.aging, keep),
            dedup: DedupWindow::new(config.dedup_window, config.dedup_items),
            policy: FlushPolicy::new(config),
            retry: RetryPolicy::new(config.retry.clone()),
            letters: DeadLetters::new(config.dead_letter_items),
            in_flight: Vec::new(),
            spare: Vec::new(),
            parallel: Parallel {
                commits: config.parallel_commits,
                items: config.parallel_items,
            },
            batches: 0,
            outputs: VecDeque::new(),
            alarms: BinaryHeap::new(),
            closed: false,
            drain: None,
            stats: WriteStats::default(),
        })
    }

    /// Takes an event in.
    pub fn handle(&mut self, input: Input<T>, now: Instant) {
        match input {
            Input::Write { write, token } => {
                self.submit(write, token, now, Buffer::push);
            }
            Input::Await { owner, until, token } => self.wait_for(&owner, until, token),
            Input::Committed { batch, results } => self.committed(batch, results, now),
            Input::Panicked { batch, reason } => self.panicked(batch, &reason, now),
            Input::Drain { until, token } => self.start_drain(until, token, now),
        }
    }

    /// The next thing to be done, if there is one at `now`.
    pub fn poll_output(&mut self, now: Instant) -> Option<Output<T>> {
        if let Some(output) = self.poll_answer() {
            return Some(output);
        }
        let commit = self.poll_commit(now);
        commit.map(|(batch, ops)| Output::Commit { batch, ops })
    }

    /// The next thing to be told to a caller.
    pub fn poll_answer(&mut self) -> Option<Output<T>> {
        self.outputs.pop_front()
    }

    /// The next batch to be committed and its name, if one is due at `now`.
    pub fn poll_commit(&mut self, now: Instant) -> Option<(u64, Vec<WriteOp>)> {
        self.buffer.release_due(now);
        if !self.is_due(now) {
            return None;
        }
        let mut limits = self.limits;
        limits.items = limits.items.min(self.policy.share());
        if self.retry.is_probing() {
            limits.items = 1;
        }
        let mut keys = std::mem::take(&mut self.spare);
        self.buffer.take(now, limits, &mut keys);
        if keys.is_empty() {
            self.spare = keys;
            return None;
        }
        Some(self.begin(keys, now))
    }

    /// Takes a write in and gives out the batch that is due then, if one is: what [`handle`](Self::handle) and
    /// [`poll_commit`](Self::poll_commit) do one after the other, without the queues where nothing else waits.
    pub fn handle_and_poll_commit(
        &mut self,
        write: Prepared,
        token: T,
        now: Instant,
    ) -> Option<(u64, Vec<WriteOp>)> {
        if !self.goes_ahead(&write, now) {
            self.submit(write, token, now, Buffer::push);
            return self.poll_commit(now);
        }
        let key = self.submit(write, token, now, Buffer::push_in_flight)?;
        let mut keys = std::mem::take(&mut self.spare);
        keys.clear();
        keys.push(key);
        Some(self.begin(keys, now))
    }

    /// Whether `write` would be a batch of its own, at once.
    pub(crate) fn goes_ahead(&self, write: &Prepared, now: Instant) -> bool {
        self.is_idle()
            && !self.closed
            && !self.retry.is_probing()
            && self.buffer.held_until().is_none()
            && self.policy.is_due(now, 1, write.bytes, 0)
    }

    /// Those who wait for an answer.
    pub(crate) fn tokens(&mut self) -> impl Iterator<Item = &mut T> {
        self.buffer.waiters().map(|waiter| &mut waiter.token)
    }

    /// Has these committed as one batch.
    fn begin(&mut self, keys: Vec<EntryKey>, now: Instant) -> (u64, Vec<WriteOp>) {
        let mut ops = Vec::with_capacity(keys.len());
        for &key in &keys {
            ops.push(self.entry(key).op.clone());
        }
        self.stats.commits += 1;
        self.stats.committed_items += keys.len() as u64;
        self.stats.largest_batch = self.stats.largest_batch.max(keys.len());
        self.batches += 1;
        let batch = self.batches;
        let since = now;
        self.in_flight.push(InFlight { batch, keys, since });
        (batch, ops)
    }

    /// Whether a batch is to be committed at `now`.
    pub fn is_due(&self, now: Instant) -> bool {
        let ready = self.buffer.ready();
        self.may_commit()
            && self.retry.paused_until().is_none_or(|until| until <= now)
            && (self.closed && ready.items > 0
                || self
                    .policy
                    .is_due(now, ready.items, ready.bytes, self.items_in_flight()))
    }

    /// Whether nothing waits and nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.buffer.live().items == 0
    }

    /// Whether what is in flight leaves room for what is ready.
    fn may_commit(&self) -> bool {
        match self.in_flight.len() {
            0 => true,
            n if n >= self.parallel.commits || self.retry.is_probing() => false,
            _ => self.buffer.ready().items >= self.parallel.items,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, or sooner. Changes with every event.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let times = [self.next_alarm(), self.next_commit()];
        times.into_iter().flatten().min()
    }

    /// When the next caller's time is up.
    pub fn next_alarm(&self) -> Option<Instant> {
        self.alarms.peek().map(|Reverse((at, _))| *at)
    }

    /// When the next batch may be due, if nothing is handed in before.
    pub fn next_commit(&self) -> Option<Instant> {
        if self.buffer.live().items == 0 || !self.may_commit() {
            return None;
        }
        let held = self.buffer.held_until();
        let due = match self.buffer.ready().items {
            0 => held,
            _ => [self.policy.due_at(), held].into_iter().flatten().min(),
        };
        due.max(self.retry.paused_until())
    }

    /// Lets the time be `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.buffer.release_due(now);
        while let Some(Reverse((at, _))) = self.alarms.peek()
            && *at <= now
            && let Some(Reverse((_, alarm))) = self.alarms.pop()
        {
            match alarm {
                Alarm::Entry(key) => self.expire(key, now),
                Alarm::Barrier { slot, id } => {
                    if let Some((token, pending)) = self.buffer.give_up(slot, id) {
                        self.outputs.push_back(Output::Settled { token, pending });
                    }
                }
                Alarm::Drain => self.end_drain(),
            }
        }
        while let Some(Reverse((_, alarm))) = self.alarms.peek()
            && self.is_void(alarm)
        {
            self.alarms.pop();
        }
        self.finish_drain();
    }

    /// What a reader has to know of `owner`.
    pub fn view(&self, owner: &MemoryOwner) -> OwnerView {
        let owners = &self.buffer.owners;
        OwnerView {
            last_write: owners.last_write(owner),
            as_of: self.buffer.last_seq(),
            pending: owners.find(owner).map_or(0, |slot| owners.slot(slot).unsettled()),
        }
    }

    /// The writes that were given up, oldest first.
    pub fn dead_letters(&self) -> impl Iterator<Item = &DeadLetter> {
        self.letters.list()
    }

    /// Takes out the writes that were given up, oldest first.
    pub fn take_dead_letters(&mut self) -> Vec<DeadLetter> {
        self.letters.take().into()
    }

    /// Whether writes are refused because a drain has begun.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Counters.
    pub fn stats(&self) -> WriteStats {
        WriteStats {
            commit_time: self.policy.usual(),
            waiting_items: self.buffer.live().items,
            waiting_bytes: self.buffer.live().bytes,
            in_flight_items: self.items_in_flight(),
            owners: self.buffer.owners.len(),
            dead_letters: self.letters.len(),
            dead_letters_dropped: self.letters.dropped(),
            ..self.stats.clone()
        }
    }

    /// The moving average of a commit's duration.
    pub(crate) fn commit_time(&self) -> Duration {
        self.policy.usual()
    }

    fn items_in_flight(&self) -> usize {
        self.in_flight.iter().map(|commit| commit.keys.len()).sum()
    }

    /// Takes a write in, which `admit` puts where it belongs; `None` if it is not to be made.
    fn submit(
        &mut self,
        prepared: Prepared,
        token: T,
        now: Instant,
        admit: impl FnOnce(&mut Buffer<T>, Entry<T>, Instant) -> EntryKey,
    ) -> Option<EntryKey> {
        if self.closed {
            self.answer(token, Err(BatcherError::Closed));
            return None;
        }
        self.stats.accepted += 1;
        let Prepared { write, bytes, print } = prepared;
        let deadline = write.timeout.or(self.timeout).map(|timeout| now + timeout);
        let slot = self.buffer.owners.find_or_insert(write.op.owner(), now);
        let dedup_key = print.and_then(|print| self.dedup_key(slot, &write.dedup, print));
        let is_pending = |key| self.buffer.contains(key);
        if let Some(seen) = dedup_key
            .as_ref()
            .and_then(|key| self.dedup.find(key, now, is_pending))
            .cloned()
        {
            self.stats.duplicates += 1;
            self.repeat(seen, token, deadline);
            return None;
        }
        let id = record_id(&write.op).cloned();
        // A store that is remembered by its content tells the window what it replaces when it begins.
        if dedup_key.is_none_or(|key| key.given) {
            self.invalidate(slot, &write.op);
        }
        let entry = Entry {
            op: write.op,
            slot,
            priority: write.priority,
            dedup: write.dedup,
            dedup_key,
            bytes,
            submitted: now,
            first: Some(Waiter { token, deadline }),
            repeats: Vec::new(),
            attempts: 0,
            applied: None,
            alone: false,
            in_flight: false,
        };
        let key = admit(&mut self.buffer, entry, now);
        if let (Some(dedup_key), Some(id)) = (dedup_key, id) {
            let is_pending = |key| self.buffer.contains(key);
            let store = Seen { entry: key, id };
            self.dedup.begin(dedup_key, store, now, is_pending);
        }
        if let Some(deadline) = deadline {
            self.alarms.push(Reverse((deadline, Alarm::Entry(key))));
        }
        Some(key)
    }

    fn dedup_key(&self, slot: u32, dedup: &Dedup, print: Print) -> Option<DedupKey> {
        let slot = self.buffer.owners.slot(slot);
        let given = matches!(dedup, Dedup::Key(_));
        let owner = if given { slot.serial } else { slot.content_serial };
        (!self.dedup.is_off()).then_some(DedupKey { owner, print, given })
    }

    /// Answers a repeat, now or together with the store it repeats.
    fn repeat(&mut self, seen: Seen, token: T, deadline: Option<Instant>) {
        let Seen { entry: key, id } = seen;
        let Some(entry) = self.buffer.entry(key) else {
            let written = Written {
                id: Some(id),
                duplicate: true,
            };
            return self.answer(token, Ok(written));
        };
        entry.repeats.push(Waiter { token, deadline });
        if let Some(deadline) = deadline {
            self.alarms.push(Reverse((deadline, Alarm::Entry(key))));
        }
    }

    /// Forgets the content of records that `op` may change.
    fn invalidate(&mut self, slot: u32, op: &WriteOp) {
        match op {
            WriteOp::ForgetAll { .. } => {
                let serial = self.buffer.owners.next_serial();
                self.buffer.owners.slot_mut(slot).content_serial = serial;
            }
            _ => {
                if let Some(id) = record_id(op) {
                    let serial = self.buffer.owners.slot(slot).content_serial;
                    self.dedup.invalidate(serial, id);
                }
            }
        }
    }

    fn wait_for(&mut self, owner: &MemoryOwner, until: Instant, token: T) {
        match self.buffer.wait_for(owner, token) {
            Ok((slot, id)) => self.alarms.push(Reverse((until, Alarm::Barrier { slot, id }))),
            Err(token) => self.outputs.push_back(Output::Settled { token, pending: 0 }),
        }
    }

    /// Answers those whose time is up, and drops the write if nobody is left. What is in flight, or was
    /// applied once and only waits for its turn, gets its true outcome instead.
    fn expire(&mut self, key: EntryKey, now: Instant) {
        let is_late = |waiter: &Waiter<T>| waiter.deadline.is_some_and(|deadline| deadline <= now);
        let Some(entry) = self.buffer.entry(key) else {
            return;
        };
        if entry.in_flight || entry.applied.is_some() {
            return;
        }
        let mut late: Vec<T> = entry
            .repeats
            .extract_if(.., |w| is_late(w))
            .map(|w| w.token)
            .collect();
        if entry.first.as_ref().is_some_and(is_late) {
            late.extend(entry.first.take().map(|waiter| waiter.token));
        }
        let slot = entry.slot;
        if entry.is_abandoned() && !late.is_empty() {
            self.forget_store(key);
            self.stats.expired += 1;
            self.buffer.abandon(key);
        }
        for token in late {
            self.answer(token, Err(BatcherError::DeadlineExceeded));
        }
        self.tell_settled(slot);
    }

    /// Takes a store that will not be made out of the dedup window.
    fn forget_store(&mut self, key: EntryKey) {
        let entry = self.buffer.entry(key).expect("callers hold a live key");
        if let (Some(dedup_key), Some(id)) = (&entry.dedup_key, record_id(&entry.op)) {
            self.dedup.fail(dedup_key, key, id);
        }
    }

    fn is_void(&self, alarm: &Alarm) -> bool {
        match *alarm {
            Alarm::Entry(key) => !self.buffer.contains(key),
            Alarm::Barrier { slot, id } => !self.buffer.is_awaited(slot, id),
            Alarm::Drain => false,
        }
    }

    fn tell_settled(&mut self, slot: u32) {
        for token in self.buffer.settled_barriers(slot) {
            self.outputs.push_back(Output::Settled { token, pending: 0 });
        }
    }

    fn answer(&mut self, token: T, outcome: Result<Written>) {
        self.outputs.push_back(Output::Answer { token, outcome });
    }

    fn entry(&mut self, key: EntryKey) -> &mut Entry<T> {
        self.buffer.entry(key).expect("pending entries are in the buffer")
    }
}

fn record_id(op: &WriteOp) -> Option<&MemoryId> {
    match op {
        WriteOp::Store { record, .. } => Some(&record.id),
        WriteOp::Update { id, .. } | WriteOp::Delete { id, .. } => Some(id),
        WriteOp::ForgetAll { .. } | WriteOp::PutState { .. } => None,
    }
}
