//! The batcher as its users see it.

use std::{mem, sync::Arc, time::Duration};

use tokio::sync::{SemaphorePermit, oneshot};
use whisperengine_types::{
    Committed, MemoryId, MemoryOwner, MemoryPatch, MemoryRecall, MemoryRecord, MemoryStore, Recall,
    RecallQuery, WriteOp,
};

use crate::{
    BatcherError, Config, DeadLetter, DrainReport, Exchange, Fact, Overload, Prepared, Replay, Result, Stats,
    Stored, Submission, Write, Written,
    commits::Fed,
    driver::{Shared, Token, now},
    machine::Input,
    submission::{Gather, Reply},
};

/// Writes in batches, remembers answers, and leaves no caller without one. Cheap to clone.
///
/// Dropping a future of a write withdraws nothing: once accepted, the write is made. Dropping one that
/// still waits for room hands nothing in. Dropping the last handle ends the batcher after everything
/// accepted is written; [`shutdown`](Self::shutdown) does so with a deadline and a report.
#[derive(Debug, Clone)]
pub struct MemoryBatcher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let until = now() + Duration::from_secs(365 * 86_400);
        self.shared.feed([Input::Drain {
            until,
            token: Token::Drain(None),
        }]);
    }
}

impl MemoryBatcher {
    /// Starts the threads in front of `store` and `recall`, which may be one object.
    ///
    /// # Errors
    /// [`BatcherError::Config`] or [`BatcherError::NoThread`].
    pub fn start(store: Arc<dyn MemoryStore>, recall: Arc<dyn MemoryRecall>, config: Config) -> Result<Self> {
        let shared = Arc::new(Shared::new(store, recall, config)?);
        shared.start()?;
        Ok(Self {
            inner: Arc::new(Inner { shared }),
        })
    }

    /// Stores a record and returns once it is durable.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn store(
        &self,
        owner: &MemoryOwner,
        record: MemoryRecord,
    ) -> impl Future<Output = Result<Stored>> + Send {
        let id = record.id.clone();
        let writing = self.write(WriteOp::Store {
            owner: owner.clone(),
            record: Arc::new(record),
        });
        async { writing.await.map(|written| stored(written, id)) }
    }

    /// Stores many records, in order; one result for each.
    pub async fn store_many(&self, owner: &MemoryOwner, records: Vec<MemoryRecord>) -> Vec<Result<Stored>> {
        let ids: Vec<MemoryId> = records.iter().map(|record| record.id.clone()).collect();
        let ops = records.into_iter().map(|record| WriteOp::Store {
            owner: owner.clone(),
            record: Arc::new(record),
        });
        let outcomes = self.write_many(ops).await;
        let pairs = outcomes.into_iter().zip(ids);
        pairs
            .map(|(outcome, id)| outcome.map(|written| stored(written, id)))
            .collect()
    }

    /// Stores a message and the reply to it as one memory.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn store_exchange(
        &self,
        owner: &MemoryOwner,
        exchange: Exchange,
    ) -> impl Future<Output = Result<Stored>> + Send {
        self.store(owner, exchange.into_record())
    }

    /// Stores a fact about a person; learning it again renews it.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn store_fact(&self, owner: &MemoryOwner, fact: Fact) -> impl Future<Output = Result<Stored>> + Send {
        self.store(owner, fact.into_record())
    }

    /// Changes a record.
    ///
    /// # Errors
    /// As [`write`](Self::write), with [`MemoryError::NotFound`](whisperengine_types::MemoryError) inside
    /// when there is no such record.
    pub fn update(
        &self,
        owner: &MemoryOwner,
        id: MemoryId,
        patch: MemoryPatch,
    ) -> impl Future<Output = Result<Committed>> + Send {
        self.change(WriteOp::Update {
            owner: owner.clone(),
            id,
            patch: Arc::new(patch),
        })
    }

    /// Removes a record.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn delete(
        &self,
        owner: &MemoryOwner,
        id: MemoryId,
    ) -> impl Future<Output = Result<Committed>> + Send {
        let owner = owner.clone();
        self.change(WriteOp::Delete { owner, id })
    }

    /// Removes everything of an owner: from the store, from the cache, and from the dead letters.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn forget_all(&self, owner: &MemoryOwner) -> impl Future<Output = Result<Committed>> + Send {
        let owner = owner.clone();
        self.change(WriteOp::ForgetAll { owner })
    }

    /// Keeps the owner's conversation state, replacing the one before.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn put_state(
        &self,
        owner: &MemoryOwner,
        state: impl Into<Arc<[u8]>>,
    ) -> impl Future<Output = Result<Committed>> + Send {
        self.change(WriteOp::PutState {
            owner: owner.clone(),
            state: state.into(),
        })
    }

    fn change(&self, op: WriteOp) -> impl Future<Output = Result<Committed>> + Send {
        let writing = self.write(op);
        async { writing.await.map(|Written { id, .. }| Committed { id }) }
    }

    /// Makes one write and returns once it is durable.
    ///
    /// # Errors
    /// Any [`BatcherError`] but [`InvalidKey`](BatcherError::InvalidKey), [`Config`](BatcherError::Config)
    /// and [`NoThread`](BatcherError::NoThread).
    pub fn write(&self, write: impl Into<Write>) -> impl Future<Output = Result<Written>> + Send {
        let write = Prepared::new(write);
        let coming = self.inner.shared.coming();
        async move {
            let slots = self.slots(write.bytes)?;
            self.make_room(slots).await?;
            let forgotten = forgotten(&write);
            let fed = self.inner.shared.feed_one(write, slots, coming);
            if let Some(owner) = forgotten {
                self.inner.shared.reads.forget(&owner);
            }
            match fed {
                Fed::Answered(outcome) => outcome,
                Fed::Waits(answer) => answer.await.unwrap_or(Err(BatcherError::Closed)),
            }
        }
    }

    /// Makes many writes, in order, and waits for room where there is none; one result for each.
    pub async fn write_many<W: Into<Write>>(
        &self,
        writes: impl IntoIterator<Item = W>,
    ) -> Vec<Result<Written>> {
        let prepared: Vec<Prepared> = writes.into_iter().map(Prepared::new).collect();
        let (gather, submission) = Gather::new(prepared.len());
        let mut batch = Vec::new();
        for (at, write) in prepared.into_iter().enumerate() {
            let reply = gather.reply(at);
            let slots = match self.slots(write.bytes) {
                Ok(slots) => slots,
                Err(error) => {
                    reply.send(Err(error));
                    continue;
                }
            };
            if self
                .inner
                .shared
                .room
                .try_acquire_many(slots)
                .map(SemaphorePermit::forget)
                .is_err()
            {
                self.hand_in(mem::take(&mut batch));
                if let Err(error) = self.make_room(slots).await {
                    reply.send(Err(error));
                    continue;
                }
            }
            batch.push((write, reply, slots));
        }
        self.hand_in(batch);
        submission.await
    }

    /// Hands in writes that are ready together, in order and without waiting: all of them, or none.
    ///
    /// The way for a pipeline that works in batches; it may be called from any thread.
    ///
    /// # Errors
    /// [`BatcherError::Full`] when there is no room for all, whatever
    /// [`Config::overload`](crate::Config::overload) says; [`BatcherError::TooLarge`].
    pub fn submit_many<W: Into<Write>>(&self, writes: impl IntoIterator<Item = W>) -> Result<Submission> {
        let prepared: Vec<Prepared> = writes.into_iter().map(Prepared::new).collect();
        let slots = prepared
            .iter()
            .map(|write| self.slots(write.bytes))
            .collect::<Result<Vec<u32>>>()?;
        let shared = &self.inner.shared;
        let needed: u64 = slots.iter().map(|&n| u64::from(n)).sum();
        let room = u32::try_from(needed)
            .ok()
            .and_then(|n| shared.room.try_acquire_many(n).ok());
        room.ok_or_else(|| self.full())?.forget();
        let (gather, submission) = Gather::new(prepared.len());
        let writes = prepared.into_iter().zip(slots).enumerate();
        self.hand_in(writes.map(|(at, (write, slots))| (write, gather.reply(at), slots)));
        Ok(submission)
    }

    /// A group of at most `items` writes that are submitted one by one and answered together.
    pub fn group(&self, items: usize) -> WriteGroup {
        let (gather, submission) = Gather::new(items);
        WriteGroup {
            batcher: self.clone(),
            gather,
            submission,
            submitted: 0,
        }
    }

    /// The owner's memories that answer `query` best. Sees every write of the owner that was
    /// acknowledged or handed in before the call.
    ///
    /// # Errors
    /// [`BatcherError::Memory`], [`BatcherError::Panicked`], [`BatcherError::Full`] or
    /// [`BatcherError::Closed`].
    pub async fn query(&self, owner: &MemoryOwner, query: RecallQuery) -> Result<Arc<Recall>> {
        self.inner.shared.query(owner, query).await
    }

    /// As [`query`](Self::query), with the search on the calling thread: for pipelines that run on
    /// worker threads of their own.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    ///
    /// # Panics
    /// Within an asynchronous runtime's thread, if it has to wait.
    pub fn query_blocking(&self, owner: &MemoryOwner, query: RecallQuery) -> Result<Arc<Recall>> {
        self.inner.shared.query_blocking(owner, query)
    }

    /// The writes that were given up, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.inner
            .shared
            .look(|machine| machine.dead_letters().cloned().collect())
    }

    /// Hands all dead letters in again, oldest first, as new writes; those that a later operation has
    /// superseded are dropped. What fails again becomes a dead letter anew.
    pub async fn replay_dead_letters(&self) -> Replay {
        let letters = self.inner.shared.look(|machine| {
            if machine.is_closed() {
                Vec::new()
            } else {
                machine.take_dead_letters()
            }
        });
        let (superseded, writes): (Vec<_>, Vec<_>) = letters.into_iter().partition(|l| l.superseded);
        let outcomes = self
            .write_many(writes.into_iter().map(|letter| letter.write))
            .await;
        let written = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        Replay {
            written,
            failed: outcomes.len() - written,
            superseded: superseded.len(),
        }
    }

    /// The store that it writes to.
    pub(crate) fn underneath(&self) -> &dyn MemoryStore {
        &*self.inner.shared.store
    }

    /// Counters of both paths.
    pub fn stats(&self) -> Stats {
        let shared = &self.inner.shared;
        Stats {
            writes: shared.look(|machine| machine.stats()),
            queries: shared.reads.stats(),
        }
    }

    /// Accepts no more writes, writes what was accepted, and reports; after `deadline` it reports what
    /// could not be written instead. Every caller has its answer before the report comes. All handles
    /// are closed by it.
    ///
    /// # Errors
    /// [`BatcherError::Closed`] when the batcher is shut down already.
    pub async fn shutdown(&self, deadline: Duration) -> Result<DrainReport> {
        let (caller, report) = oneshot::channel();
        self.inner.shared.feed([Input::Drain {
            until: now() + deadline,
            token: Token::Drain(Some(caller)),
        }]);
        report.await.map_err(|_| BatcherError::Closed)
    }

    /// The queue slots that a write of so many bytes takes.
    fn slots(&self, bytes: usize) -> Result<u32> {
        let config = &self.inner.shared.config;
        let slots = bytes.div_ceil(config.queue_bytes / config.queue_items).max(1);
        match u32::try_from(slots) {
            Ok(slots) if slots as usize <= config.queue_items => Ok(slots),
            _ => Err(BatcherError::TooLarge {
                bytes,
                limit: config.queue_bytes,
            }),
        }
    }

    async fn make_room(&self, slots: u32) -> Result<()> {
        let shared = &self.inner.shared;
        let permit = match shared.room.try_acquire_many(slots) {
            Ok(permit) => permit,
            Err(_) if shared.config.overload == Overload::Refuse => return Err(self.full()),
            Err(_) => shared
                .room
                .acquire_many(slots)
                .await
                .map_err(|_| BatcherError::Closed)?,
        };
        permit.forget();
        Ok(())
    }

    fn full(&self) -> BatcherError {
        BatcherError::Full {
            what: "write",
            limit: self.inner.shared.config.queue_items,
        }
    }

    fn hand_in(&self, writes: impl IntoIterator<Item = (Prepared, Reply, u32)>) {
        let shared = &self.inner.shared;
        let mut forgotten = Vec::new();
        shared.feed(writes.into_iter().map(|(write, reply, slots)| {
            forgotten.extend(self::forgotten(&write));
            Input::Write {
                write,
                token: Token::Write { reply, slots },
            }
        }));
        for owner in forgotten {
            shared.reads.forget(&owner);
        }
    }
}

/// Writes that are submitted one by one, each in its order among the writes of its owner, and answered together.
#[derive(Debug)]
pub struct WriteGroup {
    batcher: MemoryBatcher,
    gather: Arc<Gather>,
    submission: Submission,
    submitted: usize,
}

impl WriteGroup {
    /// Submits a write without waiting and gives its place among the outcomes.
    ///
    /// # Errors
    /// [`BatcherError::Full`] when there is no room, whatever [`Config::overload`](crate::Config::overload)
    /// says; [`BatcherError::TooLarge`].
    ///
    /// # Panics
    /// When more writes are submitted than the group was made for.
    pub fn submit(&mut self, write: impl Into<Write>) -> Result<usize> {
        let at = self.submitted;
        assert!(at < self.submission.len(), "the group was made for {at} writes");
        let write = Prepared::new(write);
        let slots = self.batcher.slots(write.bytes)?;
        let room = self.batcher.inner.shared.room.try_acquire_many(slots);
        room.map_err(|_| self.batcher.full())?.forget();
        self.submitted += 1;
        self.batcher.hand_in([(write, self.gather.reply(at), slots)]);
        Ok(at)
    }

    /// The outcomes to come, in the order of submission; places that were not used are
    /// [`BatcherError::Closed`].
    pub fn finish(self) -> Submission {
        let unused = self.submitted..self.submission.len();
        unused.for_each(|at| drop(self.gather.reply(at)));
        self.submission
    }
}

/// Whose memories `write` removes altogether.
fn forgotten(write: &Prepared) -> Option<MemoryOwner> {
    match &write.write.op {
        WriteOp::ForgetAll { owner } => Some(owner.clone()),
        _ => None,
    }
}

fn stored(written: Written, id: MemoryId) -> Stored {
    Stored {
        id: written.id.unwrap_or(id),
        duplicate: written.duplicate,
    }
}
