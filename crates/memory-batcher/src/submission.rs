//! How answers come back: to one caller, or to a caller of many.

use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    gather: Arc<Gather>,
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
        if let Some(conclude) = self.gather.redirect(Box::new(conclude)) {
            let outcomes = self.outcomes.try_recv().unwrap_or_else(|_| closed(self.items));
            guarded(conclude, outcomes);
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
    Many(Place),
}

impl Reply {
    pub(crate) fn send(self, outcome: Result<Written>) {
        match self {
            // A caller who no longer listens has given up its answer.
            Self::One(caller) => drop(caller.send(outcome)),
            Self::Many(mut place) => place.put(outcome),
        }
    }
}

/// The place of one write's outcome among those that it was handed in with. Left empty, because the batcher
/// has ended, it is closed.
#[derive(Debug)]
pub(crate) struct Place {
    gather: Option<Arc<Gather>>,
    at: usize,
}

impl Place {
    fn put(&mut self, outcome: Result<Written>) {
        if let Some(gather) = self.gather.take() {
            gather.put(self.at, outcome);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.put(Err(BatcherError::Closed));
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
    /// Who learns the outcomes, until they are complete.
    caller: Option<Caller>,
}

enum Caller {
    Waits(oneshot::Sender<Vec<Result<Written>>>),
    Calls(Conclusion),
}

type Conclusion = Box<dyn FnOnce(Vec<Result<Written>>) + Send>;

impl Gather {
    pub(crate) fn new(items: usize) -> (Arc<Self>, Submission) {
        let (caller, outcomes) = oneshot::channel();
        let mut state = GatherState {
            outcomes: closed(items),
            missing: items,
            caller: Some(Caller::Waits(caller)),
        };
        state.hand_over();
        let gather = Arc::new(Self {
            state: Mutex::new(state),
        });
        let submission = Submission {
            outcomes,
            gather: Arc::clone(&gather),
            items,
        };
        (gather, submission)
    }

    /// The reply to the write in place `at`.
    pub(crate) fn reply(self: &Arc<Self>, at: usize) -> Reply {
        Reply::Many(Place {
            gather: Some(Arc::clone(self)),
            at,
        })
    }

    fn put(&self, at: usize, outcome: Result<Written>) {
        let mut state = self.lock();
        state.outcomes[at] = outcome;
        state.missing -= 1;
        let handed_over = state.hand_over();
        drop(state);
        if let Some((conclude, outcomes)) = handed_over {
            guarded(conclude, outcomes);
        }
    }

    /// Has `conclude` called instead of whoever waits; gives it back when the outcomes are in their channel.
    fn redirect(&self, conclude: Conclusion) -> Option<Conclusion> {
        match &mut self.lock().caller {
            Some(caller) => {
                *caller = Caller::Calls(conclude);
                None
            }
            None => Some(conclude),
        }
    }

    fn lock(&self) -> MutexGuard<'_, GatherState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GatherState {
    /// Once nothing is missing: sends the outcomes to the caller that waits, under the lock, so that whoever
    /// finds no caller finds them sent; or says what is to be called with them when the lock is free.
    fn hand_over(&mut self) -> Option<(Conclusion, Vec<Result<Written>>)> {
        let caller = self.caller.take_if(|_| self.missing == 0)?;
        let outcomes = std::mem::take(&mut self.outcomes);
        match caller {
            // A caller who no longer listens has given up its answer.
            Caller::Waits(caller) => {
                drop(caller.send(outcomes));
                None
            }
            Caller::Calls(conclude) => Some((conclude, outcomes)),
        }
    }
}

/// A panic of `conclude` was printed where it happened; the thread goes on with others' writes.
fn guarded(conclude: Conclusion, outcomes: Vec<Result<Written>>) {
    drop(catch_unwind(AssertUnwindSafe(|| conclude(outcomes))));
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

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    /// The outcomes were once taken for lost between the moment they were complete and the one they were sent.
    #[test]
    fn a_conclusion_that_meets_the_outcomes_on_their_way_has_them() {
        const TIMES: usize = 20_000;
        let (give, take) = mpsc::sync_channel::<Reply>(0);
        let (told, hears) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                for reply in take {
                    reply.send(Ok(Written {
                        id: None,
                        duplicate: false,
                    }));
                }
            });
            for _ in 0..TIMES {
                let (gather, submission) = Gather::new(1);
                give.send(gather.reply(0)).expect("the other thread takes all");
                let told = told.clone();
                submission.then(move |outcomes| told.send(outcomes[0].is_ok()).expect("somebody hears"));
            }
            drop(give);
        });
        assert!(hears.iter().take(TIMES).all(|durable| durable));
    }
}
