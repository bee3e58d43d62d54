//! How the outcomes of a group of writes come back to its caller.

use std::{
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::sync::oneshot;
use whisperengine_types::Committed;

use crate::{BatcherError, Result};

/// The outcomes of writes that were submitted together, in their order.
///
/// Dropping it withdraws nothing: the writes are made all the same.
#[derive(Debug)]
#[must_use = "the outcomes tell whether the writes are durable"]
pub struct Submission {
    outcomes: oneshot::Receiver<Vec<Result<Committed>>>,
    join: Arc<Join>,
    items: usize,
}

impl Submission {
    /// Blocks until all are answered. Not for async code, which awaits it instead.
    ///
    /// # Panics
    /// Within an asynchronous runtime's thread.
    pub fn wait(self) -> Vec<Result<Committed>> {
        let items = self.items;
        self.outcomes.blocking_recv().unwrap_or_else(|_| closed(items))
    }

    /// Calls `conclude` with the outcomes once all are there: on the thread that committed the last of them, or
    /// on this one if they are there already. It saves waking a task that only passes the outcomes on.
    ///
    /// The committing thread makes its next commit only afterwards, so `conclude` should be brief and must
    /// not block. Its panic is printed and goes no further.
    pub fn then(mut self, conclude: impl FnOnce(Vec<Result<Committed>>) + Send + 'static) {
        if let Some(conclude) = self.join.redirect(Box::new(conclude)) {
            let outcomes = self.outcomes.try_recv().unwrap_or_else(|_| closed(self.items));
            guarded(conclude, outcomes);
        }
    }

    /// How many writes were submitted.
    pub fn len(&self) -> usize {
        self.items
    }

    /// Whether no write was submitted.
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }
}

impl Future for Submission {
    type Output = Vec<Result<Committed>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let items = self.items;
        let outcomes = Pin::new(&mut self.outcomes).poll(context);
        outcomes.map(|outcomes| outcomes.unwrap_or_else(|_| closed(items)))
    }
}

/// Where the outcome of one write goes: its place in its group. Dropped unused, because the batcher has ended,
/// it reads as closed.
#[derive(Debug)]
pub(crate) struct Reply {
    join: Option<Arc<Join>>,
    at: usize,
}

impl Reply {
    pub(crate) fn send(mut self, outcome: Result<Committed>) {
        self.put(outcome);
    }

    fn put(&mut self, outcome: Result<Committed>) {
        if let Some(join) = self.join.take() {
            join.put(self.at, outcome);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.put(Err(BatcherError::Closed));
    }
}

/// Collects the outcomes of writes that were submitted together.
#[derive(Debug)]
pub(crate) struct Join {
    state: Mutex<JoinState>,
}

#[derive(Debug)]
struct JoinState {
    outcomes: Vec<Result<Committed>>,
    missing: usize,
    /// Gets the outcomes when they are complete.
    caller: Option<Caller>,
}

enum Caller {
    Waits(oneshot::Sender<Vec<Result<Committed>>>),
    Calls(Conclusion),
}

type Conclusion = Box<dyn FnOnce(Vec<Result<Committed>>) + Send>;

impl Join {
    pub(crate) fn new(items: usize) -> (Arc<Self>, Submission) {
        let (caller, outcomes) = oneshot::channel();
        let mut state = JoinState {
            outcomes: closed(items),
            missing: items,
            caller: Some(Caller::Waits(caller)),
        };
        state.complete();
        let join = Arc::new(Self {
            state: Mutex::new(state),
        });
        let submission = Submission {
            outcomes,
            join: Arc::clone(&join),
            items,
        };
        (join, submission)
    }

    /// The reply to the write in place `at`.
    pub(crate) fn reply(self: &Arc<Self>, at: usize) -> Reply {
        Reply {
            join: Some(Arc::clone(self)),
            at,
        }
    }

    fn put(&self, at: usize, outcome: Result<Committed>) {
        let mut state = self.lock();
        state.outcomes[at] = outcome;
        state.missing -= 1;
        let complete = state.complete();
        drop(state);
        if let Some((conclude, outcomes)) = complete {
            guarded(conclude, outcomes);
        }
    }

    /// Has `conclude` called instead of waking the waiter; gives it back when the outcomes are in their channel.
    fn redirect(&self, conclude: Conclusion) -> Option<Conclusion> {
        match &mut self.lock().caller {
            Some(caller) => {
                *caller = Caller::Calls(conclude);
                None
            }
            None => Some(conclude),
        }
    }

    fn lock(&self) -> MutexGuard<'_, JoinState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JoinState {
    /// Once nothing is missing: sends the outcomes to the caller that waits, under the lock, so that
    /// [`Join::redirect`] finds them sent when it finds no caller; or gives what is to be called with them.
    fn complete(&mut self) -> Option<(Conclusion, Vec<Result<Committed>>)> {
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
fn guarded(conclude: Conclusion, outcomes: Vec<Result<Committed>>) {
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

fn closed(items: usize) -> Vec<Result<Committed>> {
    (0..items).map(|_| Err(BatcherError::Closed)).collect()
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    /// A conclusion may meet the outcomes between the moment they are complete and the one they are sent.
    #[test]
    fn a_conclusion_that_meets_the_outcomes_on_their_way_has_them() {
        const TIMES: usize = 20_000;
        let (give, take) = mpsc::sync_channel::<Reply>(0);
        let (heard, hears) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                for reply in take {
                    reply.send(Ok(Committed { id: None }));
                }
            });
            for _ in 0..TIMES {
                let (join, submission) = Join::new(1);
                give.send(join.reply(0)).expect("the other thread takes all");
                let heard = heard.clone();
                submission.then(move |outcomes| heard.send(outcomes[0].is_ok()).expect("somebody hears"));
            }
            drop(give);
        });
        assert!(hears.iter().take(TIMES).all(|durable| durable));
    }
}
