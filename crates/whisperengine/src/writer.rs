//! How turns become durable: through the batcher's group commit, or straight to the store.

use std::sync::Arc;

use tokio::runtime::Handle;
use whisperengine_memory_batcher::{BatcherError, Dedup, MemoryBatcher, Submission, Write};
use whisperengine_types::{Committed, Durability, MemoryError, MemoryOwner, MemoryStore, WriteOp};

use crate::{fallback::Gate, outbox::Outbox};

/// Writes turns and says how safe they are. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) path: Path,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) gate: Arc<Gate>,
    /// What an acknowledged write is: durable, or volatile when the store is in memory.
    pub(crate) acknowledged: Durability,
}

#[derive(Debug, Clone)]
pub(crate) enum Path {
    Direct(Arc<dyn MemoryStore>),
    Batched(MemoryBatcher, Handle),
}

/// Writes that were handed in, in an order that is fixed from now on.
#[derive(Debug)]
pub(crate) struct Writing {
    ops: Vec<WriteOp>,
    answers: Answers,
}

#[derive(Debug)]
enum Answers {
    Given(Vec<Result<(), Failure>>),
    Awaited(Submission),
}

/// What became of a write that was not made.
#[derive(Debug)]
enum Failure {
    /// The store would not take it; it may later.
    StoreAway(String),
    /// As before, and the batcher keeps it.
    Kept(String),
    /// It will not be made.
    Final(String),
}

impl Writer {
    /// Hands `ops` in. Straight to the store, this is where the disk is waited for.
    pub(crate) fn begin(&self, ops: Vec<WriteOp>) -> Writing {
        let answers = match &self.path {
            Path::Direct(store) => Answers::Given(store.commit(&ops).into_iter().map(of_store).collect()),
            Path::Batched(batcher, _) => {
                let writes = ops.iter().map(|op| Write::new(op.clone()).dedup(Dedup::Off));
                match batcher.submit_many(writes) {
                    Ok(submission) => Answers::Awaited(submission),
                    Err(error) => {
                        Answers::Given(ops.iter().map(|_| Err(of_batcher(error.clone()))).collect())
                    }
                }
            }
        };
        Writing { ops, answers }
    }

    /// Waits for the answers; one [`Durability`] for each write, in order.
    pub(crate) async fn finish(&self, writing: Writing) -> Vec<Durability> {
        let answers = match writing.answers {
            Answers::Given(answers) => answers,
            Answers::Awaited(submission) => from_batcher(submission.await),
        };
        self.settle(writing.ops, answers)
    }

    /// As [`finish`](Self::finish), from a thread that may block.
    pub(crate) fn finish_blocking(&self, writing: Writing) -> Vec<Durability> {
        self.settle(writing.ops, answers_blocking(writing.answers))
    }

    /// Calls `tell` with one [`Durability`] for each write, in order, once they are known: on this thread or
    /// the one that commits them. `tell` must not block.
    pub(crate) fn finish_then(
        self,
        Writing { ops, answers }: Writing,
        tell: impl FnOnce(Vec<Durability>) + Send + 'static,
    ) {
        match answers {
            Answers::Given(answers) => tell(self.settle(ops, answers)),
            Answers::Awaited(submission) => {
                submission.then(move |answers| tell(self.settle(ops, from_batcher(answers))));
            }
        }
    }

    /// Writes that are made again later if they fail now, such as states: whether each is safe.
    pub(crate) fn commit_blocking(&self, ops: Vec<WriteOp>) -> Vec<bool> {
        answers_blocking(self.begin(ops).answers)
            .into_iter()
            .map(|answer| answer.is_ok())
            .collect()
    }

    /// Tries once more what the store would not take.
    pub(crate) fn retry(&self) {
        let waiting = self.outbox.take(RETRY_WRITES);
        if !waiting.is_empty() {
            let answers = match &self.path {
                Path::Direct(store) => store.commit(&waiting).into_iter().map(of_store).collect(),
                Path::Batched(batcher, runtime) => {
                    from_batcher(runtime.block_on(batcher.write_many(waiting.iter().cloned())))
                }
            };
            let failed = waiting.into_iter().zip(answers);
            let failed = failed.filter(|(_, answer)| matches!(answer, Err(Failure::StoreAway(_))));
            self.outbox.put_back(failed.map(|(op, _)| op).collect());
        }
        if let Path::Batched(batcher, runtime) = &self.path
            && !batcher.dead_letters().is_empty()
        {
            runtime.block_on(batcher.replay_dead_letters());
        }
    }

    /// How many writes wait in memory for the store to come back.
    pub(crate) fn waiting(&self) -> usize {
        let letters = match &self.path {
            Path::Direct(_) => 0,
            Path::Batched(batcher, _) => batcher.dead_letters().len(),
        };
        self.outbox.len() + letters
    }

    /// Removes everything of `owner`, durably.
    pub(crate) fn forget_blocking(&self, owner: &MemoryOwner) -> Result<(), MemoryError> {
        self.outbox.forget(owner);
        let answers = answers_blocking(
            self.begin(vec![WriteOp::ForgetAll { owner: owner.clone() }])
                .answers,
        );
        answers.into_iter().try_for_each(|answer| match answer {
            Err(Failure::StoreAway(reason) | Failure::Kept(reason) | Failure::Final(reason)) => {
                Err(MemoryError::Unavailable { reason, source: None })
            }
            Ok(()) => Ok(()),
        })
    }

    fn settle(&self, ops: Vec<WriteOp>, answers: Vec<Result<(), Failure>>) -> Vec<Durability> {
        let settle = |(op, answer): (WriteOp, Result<(), Failure>)| {
            self.gate.note(answer.as_ref().err().and_then(Failure::reason));
            match answer {
                Ok(()) => self.acknowledged.clone(),
                Err(Failure::Kept(_)) => Durability::Volatile,
                Err(Failure::StoreAway(reason)) => match self.outbox.keep(op) {
                    Ok(()) => Durability::Volatile,
                    Err(_) => Durability::NotStored {
                        reason: format!("{reason}, and the outbox is full"),
                    },
                },
                Err(Failure::Final(reason)) => Durability::NotStored { reason },
            }
        };
        ops.into_iter().zip(answers).map(settle).collect()
    }
}

impl Failure {
    /// Why, if the store is to blame.
    fn reason(&self) -> Option<&str> {
        match self {
            Self::StoreAway(reason) | Self::Kept(reason) => Some(reason),
            Self::Final(_) => None,
        }
    }
}

fn answers_blocking(answers: Answers) -> Vec<Result<(), Failure>> {
    match answers {
        Answers::Given(answers) => answers,
        Answers::Awaited(submission) => from_batcher(submission.wait()),
    }
}

fn from_batcher<T>(answers: Vec<Result<T, BatcherError>>) -> Vec<Result<(), Failure>> {
    answers
        .into_iter()
        .map(|answer| answer.map(drop).map_err(of_batcher))
        .collect()
}

fn of_batcher(error: BatcherError) -> Failure {
    match error {
        BatcherError::Memory(error) => of_memory(&error),
        BatcherError::Failed { source, .. } => Failure::Kept(source.to_string()),
        BatcherError::Panicked {
            reason,
            letter: Some(_),
        } => Failure::Kept(reason),
        BatcherError::Full { .. } => Failure::StoreAway(error.to_string()),
        other => Failure::Final(other.to_string()),
    }
}

fn of_store(answer: Result<Committed, MemoryError>) -> Result<(), Failure> {
    answer.map(drop).map_err(|error| of_memory(&error))
}

fn of_memory(error: &MemoryError) -> Failure {
    let text = error.to_string();
    if error.is_unavailable() {
        Failure::StoreAway(text)
    } else {
        Failure::Final(text)
    }
}

const RETRY_WRITES: usize = 256;
