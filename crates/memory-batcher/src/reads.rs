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

use hashbrown::DefaultHashBuilder;
use tokio::sync::{Semaphore, oneshot};
use whisperengine_types::{MemoryOwner, Recall, RecallQuery};

use crate::{
    BatcherError, Config, Overload, QueryStats, Result,
    cache::QueryCache,
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
    hasher: DefaultHashBuilder,
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
    cache: QueryCache,
    idle: usize,
    closed: bool,
}

/// The slowest search of late, in nanoseconds: falls by an eighth with every faster one, so
/// that one which lost its processor for a moment is soon forgotten.
/// Before the first search it is endless.
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
            before - before / 8
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

/// Whether a query has its answer, waits for a search or makes it.
enum Step {
    Known(Arc<Recall>),
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
                cache: QueryCache::new(config),
                idle: 0,
                closed: false,
            }),
            work: Condvar::new(),
            room: Semaphore::new(config.query_queue_items.min(Semaphore::MAX_PERMITS)),
            threads: match config.readers {
                0 => processors(),
                n => n,
            },
            hasher: DefaultHashBuilder::default(),
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

    pub(crate) fn stats(&self) -> QueryStats {
        QueryStats {
            joined: self.joined.load(Relaxed),
            misses: self.misses.load(Relaxed),
            waited: self.waited.load(Relaxed),
            degraded: self.degraded.load(Relaxed),
            ..self.lock().cache.stats()
        }
    }

    /// Lets go of every answer of `owner`, all of whose memories have just been handed in for removal.
    pub(crate) fn forget(&self, owner: &MemoryOwner) {
        self.lock().cache.forget(owner);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A kept answer that is true as far as `view` goes.
    fn find(&mut self, key: &QueryKey, view: OwnerView) -> Option<Arc<Recall>> {
        if view.pending > 0 || !key.is_comparable() {
            return None;
        }
        self.cache.find(key, view.last_write, now)
    }
}

impl Shared {
    pub(crate) async fn query(&self, owner: &MemoryOwner, query: RecallQuery) -> Outcome {
        let key = QueryKey::new(&self.reads.hasher, owner, query);
        let mut view = self.look(|machine| machine.view(owner));
        let mut unseen = 0;
        if view.pending > 0 {
            let settled = self.await_writes(owner);
            unseen = settled.await.map_err(|_| BatcherError::Closed)?;
            view = self.look(|machine| machine.view(owner));
        }
        let room = &self.reads.room;
        let mut slot = room.try_acquire().ok();
        if slot.is_none() {
            if let Some(known) = self.reads.lock().find(&key, view) {
                return Ok(known);
            }
            if self.config.overload == Overload::Wait {
                slot = room.acquire().await.ok();
            }
        }
        let _slot = slot.ok_or(BatcherError::Full {
            what: "query",
            limit: self.config.query_queue_items,
        })?;
        // From joining to handing over there is no await: a dropped future leaves no search unmade.
        let answer = match self.find_or_join(key, view, unseen)? {
            Step::Known(recall) => return Ok(recall),
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
        let key = QueryKey::new(&self.reads.hasher, owner, query);
        let mut view = self.look(|machine| machine.view(owner));
        let mut unseen = 0;
        if view.pending > 0 {
            let settled = self.await_writes(owner);
            unseen = settled.blocking_recv().map_err(|_| BatcherError::Closed)?;
            view = self.look(|machine| machine.view(owner));
        }
        match self.find_or_join(key, view, unseen)? {
            Step::Known(recall) => Ok(recall),
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

    fn find_or_join(&self, key: QueryKey, view: OwnerView, unseen: usize) -> Result<Step> {
        let mut job = Job {
            key,
            view,
            flight: None,
            caller: None,
            unseen,
        };
        let mut state = self.reads.lock();
        if let Some(known) = state.find(&job.key, view) {
            return Ok(Step::Known(known));
        }
        if state.closed {
            return Err(BatcherError::Closed);
        }
        if view.pending > 0 || !job.key.is_comparable() {
            return Ok(Step::Lead(job));
        }
        let State { flights, cache, .. } = &mut *state;
        let is_near = |asked| cache.is_near(asked, job.key.query().now);
        match flights.join(&job.key, view.last_write, is_near, oneshot::channel) {
            Join::Follow(answer) => {
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
            self.conclude(job, Err(BatcherError::Closed), None);
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
        let mut keep = false;
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
            } else {
                keep = recall.degraded.is_none();
            }
        }
        self.conclude(job, outcome.clone(), keep.then_some(since));
        outcome
    }

    /// Ends a search: keeps an answer whose search began at `since` if it is still true, and tells everyone.
    fn conclude(&self, job: Job, outcome: Outcome, since: Option<Instant>) {
        let mut followers = Vec::new();
        if let Some(id) = job.flight {
            let mut state = self.reads.lock();
            if let (Ok(recall), Some(since)) = (&outcome, since) {
                // Looked at under this lock: `forget` comes after its write is handed in, and so finds it.
                let last_write = self.look(|machine| machine.view(job.key.owner()).last_write);
                if last_write <= job.view.as_of {
                    let State { cache, .. } = &mut *state;
                    cache.insert(&job.key, recall, job.view.as_of, last_write, since);
                }
            }
            followers = state.flights.finish(id, &job.key);
        }
        // A caller who no longer listens has given up its answer.
        for follower in followers {
            drop(follower.send(outcome.clone()));
        }
        if let Some(caller) = job.caller {
            drop(caller.send(outcome));
        }
    }
}
