//! How answers come back: to one caller, or to a caller of many.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use crate::{BatcherError, Result, Written};

/// The outcomes of writes that were handed in together, in their order.
///
/// Dropping it withdraws nothing: the writes are made all the same.
#[derive(Debug)]
#[must_use = "the outcomes tell whether the writes are durable"]
pub struct Submission {
    outcomes: oneshot::Receiver<Vec<Result<Written>>>,
    items: usize,
}

impl Submission {
    /// Blocks until all are answered. Not for async code, which awaits it instead.
    ///
    /// # Panics
    /// Within an asynchronous runtime's thread.
    pub fn wait(self) -> Vec<Result<Written>> {
        let items = self.items;
        self.outcomes.blocking_recv().unwrap_or_else(|_| closed(items))
    }

    /// How many writes were handed in.
    pub fn len(&self) -> usize {
        self.items
    }

    /// Whether no write was handed in.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }
}

impl Future for Submission {
    type Output = Vec<Result<Written>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let items = self.items;
        let outcomes = Pin::new(&mut self.outcomes).poll(context);
        outcomes.map(|outcomes| outcomes.unwrap_or_else(|_| closed(items)))
    }
}

/// Where the outcome of one write goes.
#[derive(Debug)]
pub(crate) enum Reply {
    One(oneshot::Sender<Result<Written>>),
    Many { gather: Arc<Gather>, at: u32 },
}

impl Reply {
    pub(crate) fn send(self, outcome: Result<Written>) {
        match self {
            // A caller who no longer listens has given up its answer.
            Self::One(caller) => drop(caller.send(outcome)),
            Self::Many { gather, at } => gather.put(at as usize, outcome),
        }
    }
}

/// Collects the outcomes of writes that were handed in together.
#[derive(Debug)]
pub(crate) struct Gather {
    state: Mutex<GatherState>,
}

#[derive(Debug)]
struct GatherState {
    outcomes: Vec<Result<Written>>,
    missing: usize,
    caller: Option<oneshot::Sender<Vec<Result<Written>>>>,
}

impl Gather {
    pub(crate) fn new(items: usize) -> (Arc<Self>, Submission) {
        let (caller, outcomes) = oneshot::channel();
        let mut state = GatherState {
            outcomes: closed(items),
            missing: items,
            caller: Some(caller),
        };
        state.finish();
        let gather = Arc::new(Self {
            state: Mutex::new(state),
        });
        (gather, Submission { outcomes, items })
    }

    fn put(&self, at: usize, outcome: Result<Written>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outcomes[at] = outcome;
        state.missing -= 1;
        state.finish();
    }
}

impl GatherState {
    fn finish(&mut self) {
        if self.missing == 0
            && let Some(caller) = self.caller.take()
        {
            drop(caller.send(std::mem::take(&mut self.outcomes)));
        }
    }
}

fn closed(items: usize) -> Vec<Result<Written>> {
    (0..items).map(|_| Err(BatcherError::Closed)).collect()
}
