//! The batcher as a [`MemoryStore`] in front of another.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use whisperengine_types::{Committed, MemoryError, MemoryStore, MemoryStoreLayer, WriteOp};

use crate::{BatcherError, MemoryBatcher, dead_letter::record_id};

/// Blocks until every operation is answered, for callers with threads of their own. Reads go to the store, which
/// has all that was acknowledged.
///
/// A failed operation whose letter is [kept](MemoryBatcher::dead_letters) may be committed again all the same.
impl MemoryStoreLayer for MemoryBatcher {
    fn inner(&self) -> &dyn MemoryStore {
        self.underneath()
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        let outcomes = wait(self.write_many(ops.iter().cloned()));
        let pairs = outcomes.into_iter().zip(ops);
        pairs
            .map(|(outcome, op)| outcome.map_err(|error| of_write(error, op)))
            .collect()
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
    match (record_id(op), &error) {
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
