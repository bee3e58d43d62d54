//! The public [`MemoryBatcher`] handle.

use std::{mem, sync::Arc, time::Duration};

use tokio::sync::{SemaphorePermit, oneshot};
use whisperengine_types::{Committed, MemoryOwner, MemoryRecord, MemoryStore, WriteOp};

use crate::{
    BatcherError, Config, DeadLetter, DrainReport, Overload, Replay, Result, Stats, Submission,
    driver::{Shared, Token, now},
    estimated_bytes,
    machine::{Input, Machine},
    submission::{Join, Reply},
};

/// Writes in batches, and leaves no caller without an answer. Cheap to clone.
///
/// Dropping a future of a write withdraws nothing: once accepted, the write is made. Dropping one that still
/// waits for room submits nothing. Dropping the last handle ends the batcher after everything accepted is
/// written; [`shutdown`](Self::shutdown) does so with a deadline and a report.
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
    /// Starts [`Config::parallel_commits`] threads in front of `store`.
    ///
    /// # Errors
    /// [`BatcherError::Config`] or [`BatcherError::NoThread`].
    pub fn start(store: Arc<dyn MemoryStore>, config: Config) -> Result<Self> {
        let shared = Arc::new(Shared::new(store, config)?);
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
    ) -> impl Future<Output = Result<Committed>> + Send {
        self.write(WriteOp::Store {
            owner: owner.clone(),
            record: Arc::new(record),
        })
    }

    /// Makes one write and returns once it is durable; waits for room as [`Config::overload`] says.
    ///
    /// # Errors
    /// Any [`BatcherError`] but [`Config`](BatcherError::Config) and [`NoThread`](BatcherError::NoThread).
    pub fn write(&self, op: WriteOp) -> impl Future<Output = Result<Committed>> + Send {
        let bytes = estimated_bytes(&op);
        async move {
            let slots = self.slots(bytes)?;
            self.make_room(slots).await?;
            let (join, submission) = Join::new(1);
            self.submit([(op, bytes, join.reply(0), slots)]);
            let mut outcomes = submission.await;
            outcomes.pop().unwrap_or(Err(BatcherError::Closed))
        }
    }

    /// Makes many writes, in order, and waits for room as [`Config::overload`] says; one result for each.
    pub async fn write_many(&self, ops: impl IntoIterator<Item = WriteOp>) -> Vec<Result<Committed>> {
        let ops: Vec<WriteOp> = ops.into_iter().collect();
        let (join, submission) = Join::new(ops.len());
        let mut batch = Vec::new();
        for (at, op) in ops.into_iter().enumerate() {
            let (reply, bytes) = (join.reply(at), estimated_bytes(&op));
            let slots = match self.slots(bytes) {
                Ok(slots) => slots,
                Err(error) => {
                    reply.send(Err(error));
                    continue;
                }
            };
            if self.take_room(slots).is_err() {
                // What waits here may be what takes the room.
                self.submit(mem::take(&mut batch));
                if let Err(error) = self.make_room(slots).await {
                    reply.send(Err(error));
                    continue;
                }
            }
            batch.push((op, bytes, reply, slots));
        }
        self.submit(batch);
        submission.await
    }

    /// Submits writes together, in order and without waiting: all of them, or none.
    ///
    /// # Errors
    /// [`BatcherError::Full`] when there is no room for all, whatever [`Config::overload`] says;
    /// [`BatcherError::TooLarge`].
    pub fn submit_many(&self, ops: impl IntoIterator<Item = WriteOp>) -> Result<Submission> {
        let measure = |op: WriteOp| {
            let bytes = estimated_bytes(&op);
            Ok((op, bytes, self.slots(bytes)?))
        };
        let ops = ops.into_iter().map(measure).collect::<Result<Vec<_>>>()?;
        let needed: u64 = ops.iter().map(|&(_, _, slots)| u64::from(slots)).sum();
        self.take_room(u32::try_from(needed).unwrap_or(u32::MAX))?;
        let (join, submission) = Join::new(ops.len());
        let writes = ops.into_iter().enumerate();
        self.submit(writes.map(|(at, (op, bytes, slots))| (op, bytes, join.reply(at), slots)));
        Ok(submission)
    }

    /// A group of at most `items` writes that are submitted one by one and answered together.
    pub fn group(&self, items: usize) -> WriteGroup {
        let (join, submission) = Join::new(items);
        WriteGroup {
            batcher: self.clone(),
            join,
            submission,
            submitted: 0,
        }
    }

    /// The writes that were given up, in the order of their submission.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        let shared = &self.inner.shared;
        shared.look(|machine| machine.dead_letters().cloned().collect())
    }

    /// How many writes were given up and are not written yet, those that are being replayed included.
    pub fn dead_letter_count(&self) -> usize {
        self.inner.shared.look(Machine::dead_letter_count)
    }

    /// Submits the dead letters again, in their order. A letter whose record or state has a newer write under
    /// way stays where it is, and while the store is known to be away at most one is tried.
    pub async fn replay_dead_letters(&self) -> Replay {
        let (caller, replay) = oneshot::channel();
        self.inner.shared.feed([Input::Replay {
            token: Token::Replay(caller),
        }]);
        replay.await.unwrap_or_default()
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        self.inner.shared.look(Machine::stats)
    }

    /// Accepts no more writes, writes what was accepted, and reports; after `deadline` it reports what could
    /// not be written instead. Every caller has its answer before the report comes. All handles are closed by
    /// it; a second call gets the same report.
    ///
    /// # Errors
    /// [`BatcherError::NoThread`] when the deadline cannot be watched: the batcher is then not closed.
    pub async fn shutdown(&self, deadline: Duration) -> Result<DrainReport> {
        let (caller, report) = oneshot::channel();
        let until = now() + deadline;
        let shared = &self.inner.shared;
        shared.watch_drain(until)?;
        shared.feed([Input::Drain {
            until,
            token: Token::Drain(Some(caller)),
        }]);
        report.await.map_err(|_| BatcherError::Closed)
    }

    /// The store that it writes to.
    pub(crate) fn underneath(&self) -> &dyn MemoryStore {
        &*self.inner.shared.store
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

    fn take_room(&self, slots: u32) -> Result<()> {
        let shared = &self.inner.shared;
        let room = shared.room.try_acquire_many(slots);
        room.map(SemaphorePermit::forget).map_err(|_| BatcherError::Full {
            what: "write",
            limit: shared.config.queue_items,
        })
    }

    async fn make_room(&self, slots: u32) -> Result<()> {
        let shared = &self.inner.shared;
        match self.take_room(slots) {
            Err(_) if shared.config.overload == Overload::Wait => {
                let room = shared.room.acquire_many(slots).await;
                room.map(SemaphorePermit::forget)
                    .map_err(|_| BatcherError::Closed)
            }
            taken => taken,
        }
    }

    fn submit(&self, writes: impl IntoIterator<Item = (WriteOp, usize, Reply, u32)>) {
        let input = |(op, bytes, reply, slots)| Input::Write {
            op,
            bytes,
            token: Token::Write { reply, slots },
        };
        self.inner.shared.feed(writes.into_iter().map(input));
    }
}

/// Writes that are submitted one by one, each in its order among the writes of its owner, and answered together.
#[derive(Debug)]
pub struct WriteGroup {
    batcher: MemoryBatcher,
    join: Arc<Join>,
    submission: Submission,
    submitted: usize,
}

impl WriteGroup {
    /// Submits a write and gives its place among the outcomes. Never waits and never commits on this thread, so
    /// it may be called under a lock.
    ///
    /// # Errors
    /// [`BatcherError::Full`] when there is no room, whatever [`Config::overload`] says;
    /// [`BatcherError::TooLarge`].
    ///
    /// # Panics
    /// When more writes are submitted than the group was made for.
    pub fn submit(&mut self, op: WriteOp) -> Result<usize> {
        let at = self.submitted;
        assert!(at < self.submission.len(), "the group was made for {at} writes");
        let bytes = estimated_bytes(&op);
        let slots = self.batcher.slots(bytes)?;
        self.batcher.take_room(slots)?;
        self.submitted += 1;
        self.batcher.submit([(op, bytes, self.join.reply(at), slots)]);
        Ok(at)
    }

    /// The outcomes to come, in the order of submission; places that were not used are
    /// [`BatcherError::Closed`].
    pub fn finish(self) -> Submission {
        let unused = self.submitted..self.submission.len();
        unused.for_each(|at| drop(self.join.reply(at)));
        self.submission
    }
}
