//! The write path as a state machine: no thread, no clock, no store.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Instant,
};

use whisperengine_types::{Committed, MemoryError, MemoryOwner, WriteOp};

use crate::{
    BatcherError, Config, DeadLetter, Replay, Result, Stats,
    dead_letter::{DeadLetters, supersedes},
    policy::FlushPolicy,
    queue::{Amount, Entry, Origin, Queue},
    retry::RetryPolicy,
};

mod drain;
mod landing;

pub use drain::DrainReport;

/// An event. `T` is what the driver recognises a caller by.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<T> {
    /// A caller submits a write; it gets exactly one [`Output::Answer`].
    Write {
        /// The operation.
        op: WriteOp,
        /// Its [`estimated_bytes`](crate::estimated_bytes).
        bytes: usize,
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
    /// A caller has the dead letters tried again; it gets exactly one [`Output::Replayed`].
    Replay {
        /// The caller.
        token: T,
    },
    /// No more writes are accepted; what was accepted is written until `until`. The caller gets exactly one
    /// [`Output::Drained`].
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
    /// Commit these operations and report [`Input::Committed`] or [`Input::Panicked`].
    Commit {
        /// The commit's name.
        batch: u64,
        /// The operations, in order.
        ops: Vec<WriteOp>,
    },
    /// A caller's write has this outcome.
    Answer {
        /// The caller.
        token: T,
        /// The outcome.
        outcome: Result<Committed>,
    },
    /// A caller's replay is over.
    Replayed {
        /// The caller.
        token: T,
        /// What became of the letters.
        replay: Replay,
    },
    /// A caller's drain is over.
    Drained {
        /// The caller.
        token: T,
        /// What became of everything accepted.
        report: DrainReport,
    },
}

/// The write path as a state machine: no thread, no clock, no store.
///
/// A driver feeds it events with the time they happened at, carries out its outputs, and calls
/// [`handle_timeout`](Self::handle_timeout) at the time that [`poll_timeout`](Self::poll_timeout) names.
/// Spurious calls do nothing. Up to [`Config::parallel_commits`] commits are in flight at a time, each of
/// other owners; while they are, the next batch gathers.
#[derive(Debug)]
pub struct Machine<T> {
    limits: Amount,
    parallel_commits: usize,
    dead_letter_items: usize,
    queue: Queue<T>,
    policy: FlushPolicy,
    retry: RetryPolicy,
    letters: DeadLetters,
    replays: HashMap<u64, ReplayRun<T>>,
    in_flight: Vec<InFlight<T>>,
    last_batch: u64,
    last_seq: u64,
    outputs: VecDeque<Output<T>>,
    closed: bool,
    drain: Option<drain::Drain<T>>,
    stats: Stats,
}

#[derive(Debug)]
struct InFlight<T> {
    batch: u64,
    entries: Vec<Entry<T>>,
    since: Instant,
}

/// A replay under way.
#[derive(Debug)]
struct ReplayRun<T> {
    token: T,
    missing: usize,
    replay: Replay,
}

/// Fewest operations in a commit that runs beside another; fewer wait, and share its sync.
pub(crate) const PARALLEL_ITEMS: usize = 16;

impl<T> Machine<T> {
    /// An empty one.
    ///
    /// # Errors
    /// [`BatcherError::Config`].
    pub fn new(config: &Config) -> Result<Self> {
        config.validate()?;
        Ok(Self {
            limits: Amount {
                items: config.max_batch_items,
                bytes: config.max_batch_bytes,
            },
            parallel_commits: config.parallel_commits,
            dead_letter_items: config.dead_letter_items,
            queue: Queue::new(),
            policy: FlushPolicy::new(config),
            retry: RetryPolicy::new(config.retry.clone()),
            letters: DeadLetters::new(config.dead_letter_items),
            replays: HashMap::new(),
            in_flight: Vec::new(),
            last_batch: 0,
            last_seq: 0,
            outputs: VecDeque::new(),
            closed: false,
            drain: None,
            stats: Stats::default(),
        })
    }

    /// Takes an event in.
    pub fn handle(&mut self, input: Input<T>, now: Instant) {
        match input {
            Input::Write { op, bytes, token } => self.submit(op, bytes, token, now),
            Input::Committed { batch, results } => self.committed(batch, results, now),
            Input::Panicked { batch, reason } => self.panicked(batch, &reason, now),
            Input::Replay { token } => self.replay(token, now),
            Input::Drain { until, token } => self.start_drain(until, token, now),
        }
    }

    /// The next thing to be done, if there is one at `now`.
    pub fn poll_output(&mut self, now: Instant) -> Option<Output<T>> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        self.queue.release_due(now);
        if !self.is_due(now) {
            return None;
        }
        let mut limits = self.limits;
        limits.items = limits.items.min(self.policy.share());
        if self.retry.is_probing() {
            limits.items = 1;
        }
        let entries = self.queue.take(limits);
        (!entries.is_empty()).then(|| self.begin(entries, now))
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called. Changes with every event.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let drain = self.drain.as_ref().and_then(drain::Drain::until);
        [drain, self.next_commit()].into_iter().flatten().min()
    }

    /// Advances the clock to `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.queue.release_due(now);
        let drain = self.drain.as_ref().and_then(drain::Drain::until);
        if drain.is_some_and(|until| until <= now) {
            self.end_drain();
        }
    }

    /// The writes that were given up, in the order of their submission, but for those that are being replayed.
    pub fn dead_letters(&self) -> impl Iterator<Item = &DeadLetter> {
        self.letters.list()
    }

    /// How many writes were given up and are not written yet.
    pub fn dead_letter_count(&self) -> usize {
        self.letters.len()
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let Amount { items, bytes } = self.queue.waiting();
        Stats {
            commit_time: self.policy.usual(),
            waiting_items: items,
            waiting_bytes: bytes,
            in_flight_items: self.items_in_flight(),
            owners: self.queue.owners(),
            dead_letters: self.letters.len(),
            ..self.stats.clone()
        }
    }

    fn submit(&mut self, op: WriteOp, bytes: usize, token: T, now: Instant) {
        if self.closed {
            return self.answer(token, Err(BatcherError::Closed));
        }
        let in_trouble = self.retry.is_probing() || self.queue.held_until().is_some();
        let pending = self.queue.waiting().items + self.items_in_flight();
        // What the store may not take must find room among the dead letters.
        let keeps = !matches!(op, WriteOp::ForgetAll { .. });
        if keeps && in_trouble && !self.letters.has_room(pending + 1) {
            self.stats.refused += 1;
            return self.answer(token, Err(self.no_room()));
        }
        self.stats.accepted += 1;
        self.last_seq += 1;
        let entry = Entry::new(op, bytes, self.last_seq, Origin::Caller(token));
        let paused = self.retry.paused_until().is_some_and(|until| now < until);
        match self.retry.down().cloned() {
            Some(error) if paused => self.give_up(entry, error),
            _ => self.queue.push(entry),
        }
    }

    fn begin(&mut self, entries: Vec<Entry<T>>, now: Instant) -> Output<T> {
        let ops = entries.iter().map(|entry| entry.op.clone()).collect();
        self.stats.commits += 1;
        self.stats.committed_items += entries.len() as u64;
        self.stats.largest_batch = self.stats.largest_batch.max(entries.len());
        self.last_batch += 1;
        let batch = self.last_batch;
        self.in_flight.push(InFlight {
            batch,
            entries,
            since: now,
        });
        Output::Commit { batch, ops }
    }

    /// Submits the dead letters again, oldest first: while the store is away only one, as a probe. A letter
    /// whose record or state has a newer write under way stays where it is.
    fn replay(&mut self, token: T, now: Instant) {
        let mut limit = usize::MAX;
        if self.closed {
            limit = 0;
        } else if let Some(until) = self.retry.paused_until() {
            limit = usize::from(until <= now);
        }
        let (queue, in_flight) = (&self.queue, &self.in_flight);
        let letters = self.letters.take(limit, |op| {
            let mut flying = in_flight.iter().flat_map(|commit| &commit.entries);
            !queue.would_supersede(op)
                && !flying.any(|entry| entry.op.owner() == op.owner() && supersedes(&entry.op, op))
        });
        self.last_seq += 1;
        let run = self.last_seq;
        let replay = Replay::default();
        if letters.is_empty() {
            return self.outputs.push_back(Output::Replayed { token, replay });
        }
        let missing = letters.len();
        self.replays.insert(
            run,
            ReplayRun {
                token,
                missing,
                replay,
            },
        );
        for DeadLetter { id, op, .. } in letters {
            let bytes = crate::estimated_bytes(&op);
            self.queue
                .push(Entry::new(op, bytes, id.0, Origin::Letter { replay: run }));
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        let ready = self.queue.ready();
        let paused = self.retry.paused_until().is_some_and(|until| now < until);
        let due = self
            .policy
            .is_due(now, ready.items, ready.bytes, self.items_in_flight());
        self.may_commit() && !paused && (due || self.closed && ready.items > 0)
    }

    fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.queue.waiting().items == 0
    }

    /// Whether what is in flight leaves room for what is ready.
    fn may_commit(&self) -> bool {
        match self.in_flight.len() {
            0 => true,
            n if n >= self.parallel_commits || self.retry.is_probing() => false,
            _ => self.queue.ready().items >= PARALLEL_ITEMS,
        }
    }

    /// When the next batch may be due, if nothing is submitted before.
    fn next_commit(&self) -> Option<Instant> {
        if self.queue.waiting().items == 0 || !self.may_commit() {
            return None;
        }
        let held = self.queue.held_until();
        let due = match self.queue.ready().items {
            0 => held,
            _ => [self.policy.due_at(), held].into_iter().flatten().min(),
        };
        due.max(self.retry.paused_until())
    }

    fn items_in_flight(&self) -> usize {
        self.in_flight.iter().map(|commit| commit.entries.len()).sum()
    }

    fn answer(&mut self, token: T, outcome: Result<Committed>) {
        self.outputs.push_back(Output::Answer { token, outcome });
    }

    fn no_room(&self) -> BatcherError {
        BatcherError::Full {
            what: "dead letter",
            limit: self.dead_letter_items,
        }
    }
}

/// The owners of a batch, each once; a batch has an owner's operations in runs.
fn owners_of<T>(entries: &[Entry<T>]) -> Vec<MemoryOwner> {
    let mut known = HashSet::new();
    let owners = entries.iter().map(|entry| entry.op.owner());
    // An owner with more than a quantum has several places in one batch.
    owners.filter(|owner| known.insert(*owner)).cloned().collect()
}

/// A letter of what was given up.
fn letter<T>(entry: &Entry<T>, reason: String) -> DeadLetter {
    DeadLetter {
        id: entry.letter_id(),
        op: entry.op.clone(),
        attempts: entry.attempts,
        reason,
    }
}
