//! How answers come back: to one caller, or to a caller of many.

use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
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
    gather: Weak<Gather>,
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

    /// Calls `conclude` with the outcomes as soon as all are there: on the thread that committed the last of
    /// them, or on this one if they are there already. What would otherwise wake a task that only passes the
    /// outcomes on saves that change of threads.
    ///
    /// The committing thread makes its next commit only afterwards, so `conclude` should be brief and must
    /// not block. Its panic is printed and goes no further.
    pub fn then(mut self, conclude: impl FnOnce(Vec<Result<Written>>) + Send + 'static) {
        let caller = Caller::Calls(Box::new(conclude));
        let answered = match self.gather.upgrade() {
            Some(gather) => gather.redirect(caller),
            None => Some(caller),
        };
        if let Some(caller) = answered {
            let outcomes = self.outcomes.try_recv();
            caller.tell(outcomes.unwrap_or_else(|_| closed(self.items)));
        }
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
    caller: Option<Caller>,
}

/// Who learns the outcomes.
enum Caller {
    Waits(oneshot::Sender<Vec<Result<Written>>>),
    Calls(Box<dyn FnOnce(Vec<Result<Written>>) + Send>),
}

impl Gather {
    pub(crate) fn new(items: usize) -> (Arc<Self>, Submission) {
        let (caller, outcomes) = oneshot::channel();
        let mut state = GatherState {
            outcomes: closed(items),
            missing: items,
            caller: Some(Caller::Waits(caller)),
        };
        if let Some((caller, outcomes)) = state.finished() {
            caller.tell(outcomes);
        }
        let gather = Arc::new(Self {
            state: Mutex::new(state),
        });
        let submission = Submission {
            outcomes,
            gather: Arc::downgrade(&gather),
            items,
        };
        (gather, submission)
    }

    fn put(&self, at: usize, outcome: Result<Written>) {
        let mut state = self.lock();
        state.outcomes[at] = outcome;
        state.missing -= 1;
        let finished = state.finished();
        drop(state);
        if let Some((caller, outcomes)) = finished {
            caller.tell(outcomes);
        }
    }

    /// Has `caller` told instead; gives it back when the outcomes are given already.
    fn redirect(&self, caller: Caller) -> Option<Caller> {
        let mut state = self.lock();
        match &mut state.caller {
            Some(known) => {
                *known = caller;
                None
            }
            None => Some(caller),
        }
    }

    fn lock(&self) -> MutexGuard<'_, GatherState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GatherState {
    /// Whom to tell what, once nothing is missing.
    fn finished(&mut self) -> Option<(Caller, Vec<Result<Written>>)> {
        let caller = self.caller.take_if(|_| self.missing == 0)?;
        Some((caller, std::mem::take(&mut self.outcomes)))
    }
}

impl Drop for GatherState {
    /// Writes that are never answered, because the batcher has ended.
    fn drop(&mut self) {
        if let Some(caller) = self.caller.take() {
            caller.tell(std::mem::take(&mut self.outcomes));
        }
    }
}

impl Caller {
    fn tell(self, outcomes: Vec<Result<Written>>) {
        match self {
            // A caller who no longer listens has given up its answer.
            Self::Waits(caller) => drop(caller.send(outcomes)),
            // The panic was printed where it happened; the thread goes on with others' writes.
            Self::Calls(conclude) => drop(catch_unwind(AssertUnwindSafe(|| conclude(outcomes)))),
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waits(_) => "Waits",
            Self::Calls(_) => "Calls",
        })
    }
}

fn closed(items: usize) -> Vec<Result<Written>> {
    (0..items).map(|_| Err(BatcherError::Closed)).collect()
}
