//! The batcher in the place of the store it stands in front of.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use whisperengine_types::{
    Committed, MemoryError, MemoryOwner, MemoryRecall, MemoryStore, MemoryStoreLayer, Recall, RecallQuery,
    WriteOp,
};

use crate::{BatcherError, Dedup, MemoryBatcher, Write};

/// Blocks until every operation is answered, for callers with threads of their own. Nothing is taken for a
/// repeat. Reads go to the store, which has all that was acknowledged.
///
/// A failed operation whose letter is [kept](MemoryBatcher::dead_letters) may be committed again all the same.
impl MemoryStoreLayer for MemoryBatcher {
    fn inner(&self) -> &dyn MemoryStore {
        self.underneath()
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        let writes = ops.iter().map(|op| Write::new(op.clone()).dedup(Dedup::Off));
        let outcomes = wait(self.write_many(writes));
        let pairs = outcomes.into_iter().zip(ops);
        pairs
            .map(|(outcome, op)| match outcome {
                Ok(written) => Ok(Committed { id: written.id }),
                Err(error) => Err(of_write(error, op)),
            })
            .collect()
    }
}

/// As [`query_blocking`](MemoryBatcher::query_blocking).
impl MemoryRecall for MemoryBatcher {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        let answer = self.query_blocking(owner, query.clone())?;
        Ok(Arc::unwrap_or_clone(answer))
    }
}

/// What the store itself said, where it did; what is the batcher's own is
/// [`Unavailable`](MemoryError::Unavailable).
impl From<BatcherError> for MemoryError {
    fn from(error: BatcherError) -> Self {
        match error {
            BatcherError::Memory(error) | BatcherError::Failed { source: error, .. } => error,
            other => Self::Unavailable {
                reason: other.to_string(),
                source: Some(Arc::new(other)),
            },
        }
    }
}

fn of_write(error: BatcherError, op: &WriteOp) -> MemoryError {
    let id = match op {
        WriteOp::Store { record, .. } => Some(&record.id),
        WriteOp::Update { id, .. } => Some(id),
        _ => None,
    };
    match (id, &error) {
        (Some(id), BatcherError::TooLarge { .. }) => MemoryError::InvalidRecord {
            id: id.clone(),
            reason: error.to_string(),
        },
        _ => error.into(),
    }
}

/// Blocks this thread until `future` has its outcome.
fn wait<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    // A runtime's budget is renewed between polls of its own only.
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => return outcome,
            Poll::Pending => thread::park(),
        }
    }
}
