//! The read path: cache, then an equal search in flight, then a search of its own.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, oneshot};
use whisperengine_types::{MemoryOwner, Recall, RecallQuery};

use crate::{
    BatcherError, Config, Overload, QueryStats, Result,
    driver::{Shared, Token, now, panic_message},
    machine::{Input, OwnerView},
    query_key::QueryKey,
    single_flight::{Join, SingleFlight},
};

type Outcome = Result<Arc<Recall>>;

#[derive(Debug)]
pub(crate) struct Reads {
    state: Mutex<State>,
    work: Condvar,
    /// One permit for each query that may wait for a thread.
    room: Semaphore,
    threads: usize,
    pace: Pace,
    joined: AtomicU64,
    misses: AtomicU64,
    waited: AtomicU64,
    degraded: AtomicU64,
}

#[derive(Debug)]
struct State {
    jobs: VecDeque<Job>,
    flights: SingleFlight<oneshot::Sender<Outcome>>,
    idle: usize,
    closed: bool,
}

/// The slowest search of late, in nanoseconds: falls by one part in 64 with every faster one. Before the
/// first search it is endless.
#[derive(Debug)]
struct Pace(AtomicU64);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Pace {
    fn note(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let before = self.0.load(Relaxed);
        let faded = if before == u64::MAX {
            0
        } else {
            before - before / 64
        };
        self.0.store(faded.max(took), Relaxed);
    }

    fn is_below(&self, limit: Duration) -> bool {
        u128::from(self.0.load(Relaxed)) < limit.as_nanos()
    }
}

/// A search to be made.
#[derive(Debug)]
struct Job {
    key: QueryKey,
    view: OwnerView,
    /// The number of the flight, if others may join.
    flight: Option<u64>,
    caller: Option<oneshot::Sender<Outcome>>,
    /// Pending writes that the answer will lack because they took too long.
    unseen: usize,
}

/// Whether a query waits for a search or makes it.
enum Step {
    Follow(oneshot::Receiver<Outcome>),
    Lead(Job),
}

impl Reads {
    pub(crate) fn new(config: &Config) -> Self {
        let processors = || thread::available_parallelism().map_or(1, |n| n.get().min(8));
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                flights: SingleFlight::new(),
                idle: 0,
                closed: false,
            }),
            work: Condvar::new(),
            room: Semaphore::new(config.query_queue_items.min(Semaphore::MAX_PERMITS)),
            threads: match config.readers {
                0 => processors(),
                n => n,
            },
            pace: Pace::default(),
            joined: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            waited: AtomicU64::new(0),
            degraded: AtomicU64::new(0),
        }
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Refuses further searches; those that wait are answered with [`BatcherError::Closed`].
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        let mut followers = Vec::new();
        for job in &jobs {
            followers.extend(job.flight.map(|id| state.flights.finish(id, &job.key)));
        }
        drop(state);
        self.work.notify_all();
        let callers = jobs.into_iter().filter_map(|job| job.caller);
        for caller in callers.chain(followers.into_iter().flatten()) {
            drop(caller.send(Err(BatcherError::Closed)));
        }
    }

    pub(crate) fn count(&self, stats: &mut QueryStats) {
        stats.joined = self.joined.load(Relaxed);
        stats.misses = self.misses.load(Relaxed);
        stats.waited = self.waited.load(Relaxed);
        stats.degraded = self.degraded.load(Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    pub(crate) async fn query(&self, owner: &MemoryOwner, query: RecallQuery) -> Outcome {
        let key = QueryKey::new(owner, query);
        let mut view = self.look(|machine| machine.view(owner));
        let mut unseen = 0;
        if view.pending > 0 {
            let settled = self.await_writes(owner);
            unseen = settled.await.map_err(|_| BatcherError::Closed)?;
            view = self.look(|machine| machine.view(owner));
        }
        if let Some(recall) = self.find(&key, view) {
            return Ok(recall);
        }
        let room = &self.reads.room;
        let slot = match self.config.overload {
            Overload::Wait => room.acquire().await.ok(),
            Overload::Refuse => room.try_acquire().ok(),
        };
        let _slot = slot.ok_or(BatcherError::Full {
            what: "query",
            limit: self.config.query_queue_items,
        })?;
        // From joining to handing over there is no await: a dropped future leaves no search unmade.
        let answer = match self.join(key, view, unseen)? {
            Step::Follow(answer) => answer,
            Step::Lead(job) if self.reads.pace.is_below(self.config.inline_search) => {
                return self.search(job);
            }
            Step::Lead(job) => self.enqueue(job),
        };
        answer.await.unwrap_or(Err(BatcherError::Closed))
    }

    /// As [`query`](Self::query), on the calling thread.
    pub(crate) fn query_blocking(&self, owner: &MemoryOwner, query: RecallQuery) -> Outcome {
        let key = QueryKey::new(owner, query);
        let mut view = self.look(|machine| machine.view(owner));
        let mut unseen = 0;
        if view.pending > 0 {
            let settled = self.await_writes(owner);
            unseen = settled.blocking_recv().map_err(|_| BatcherError::Closed)?;
            view = self.look(|machine| machine.view(owner));
        }
        if let Some(recall) = self.find(&key, view) {
            return Ok(recall);
        }
        match self.join(key, view, unseen)? {
            Step::Follow(answer) => answer.blocking_recv().unwrap_or(Err(BatcherError::Closed)),
            Step::Lead(job) => self.search(job),
        }
    }

    /// Resolves once the owner's writes handed in so far are answered, or their time is up.
    fn await_writes(&self, owner: &MemoryOwner) -> oneshot::Receiver<usize> {
        self.reads.waited.fetch_add(1, Relaxed);
        let (sender, settled) = oneshot::channel();
        self.feed([Input::Await {
            owner: owner.clone(),
            until: now() + self.config.read_wait,
            token: Token::Await(sender),
        }]);
        settled
    }

    fn find(&self, key: &QueryKey, view: OwnerView) -> Option<Arc<Recall>> {
        if view.pending > 0 || !key.is_comparable() {
            return None;
        }
        self.cache.find(key, view.last_write, now())
    }

    fn join(&self, key: QueryKey, view: OwnerView, unseen: usize) -> Result<Step> {
        let mut job = Job {
            key,
            view,
            flight: None,
            caller: None,
            unseen,
        };
        let mut state = self.reads.lock();
        if state.closed {
            return Err(BatcherError::Closed);
        }
        if view.pending > 0 || !job.key.is_comparable() {
            return Ok(Step::Lead(job));
        }
        let (sender, answer) = oneshot::channel();
        let is_near = |asked| self.cache.is_near(asked, job.key.query().now);
        match state.flights.join(&job.key, view.last_write, is_near, sender) {
            Join::Follow => {
                self.reads.joined.fetch_add(1, Relaxed);
                Ok(Step::Follow(answer))
            }
            Join::Lead { id } => {
                job.flight = Some(id);
                Ok(Step::Lead(job))
            }
        }
    }

    fn enqueue(&self, mut job: Job) -> oneshot::Receiver<Outcome> {
        let (sender, answer) = oneshot::channel();
        job.caller = Some(sender);
        let mut state = self.reads.lock();
        if state.closed {
            drop(state);
            self.conclude(job, Err(BatcherError::Closed));
            return answer;
        }
        state.jobs.push_back(job);
        let wake = state.idle > 0;
        drop(state);
        if wake {
            self.reads.work.notify_one();
        }
        answer
    }

    pub(crate) fn recall_loop(&self) {
        let mut state = self.reads.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                drop(self.search(job));
                state = self.reads.lock();
                continue;
            }
            if state.closed {
                return;
            }
            state.idle += 1;
            state = self
                .reads
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Makes a search, keeps its answer if that is still true, and tells everyone who waits for it.
    fn search(&self, job: Job) -> Outcome {
        self.reads.misses.fetch_add(1, Relaxed);
        let since = now();
        let owner = job.key.owner();
        let found = catch_unwind(AssertUnwindSafe(|| self.recall.recall(owner, job.key.query())));
        self.reads.pace.note(now().saturating_duration_since(since));
        let mut outcome = match found {
            Ok(Ok(recall)) => Ok(Arc::new(recall)),
            Ok(Err(error)) => Err(BatcherError::Memory(error)),
            Err(panic) => Err(BatcherError::Panicked {
                reason: panic_message(&*panic),
                letter: None,
            }),
        };
        if let Ok(recall) = &mut outcome {
            if job.unseen > 0 {
                self.reads.degraded.fetch_add(1, Relaxed);
                let note = format!("{} writes of the owner are not yet stored", job.unseen);
                let recall = Arc::make_mut(recall);
                recall.degraded = Some(match recall.degraded.take() {
                    Some(before) => format!("{before}; {note}"),
                    None => note,
                });
            } else if job.flight.is_some() && recall.degraded.is_none() {
                self.keep(&job, recall, since);
            }
        }
        self.conclude(job, outcome.clone());
        outcome
    }

    fn keep(&self, job: &Job, recall: &Arc<Recall>, since: Instant) {
        let owner = job.key.owner();
        let is_true = || self.look(|machine| machine.view(owner).last_write) <= job.view.as_of;
        let forgets = self.cache.forgets();
        if is_true() {
            self.cache.insert(&job.key, recall, job.view.as_of, since);
            // Whoever was forgotten meanwhile was swept out of the cache before this came into it.
            if self.cache.forgets() != forgets && !is_true() {
                self.cache.remove(&job.key);
            }
        }
    }

    fn conclude(&self, job: Job, outcome: Outcome) {
        let followers = match job.flight {
            Some(id) => self.reads.lock().flights.finish(id, &job.key),
            None => Vec::new(),
        };
        // A caller who no longer listens has given up its answer.
        for follower in followers {
            drop(follower.send(outcome.clone()));
        }
        if let Some(caller) = job.caller {
            drop(caller.send(outcome));
        }
    }
}
