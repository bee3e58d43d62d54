//! What a caller holds while its turns wait and are served.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::sync::oneshot;

use crate::{
    Accepted, Refused, ScheduleError, TurnError, TurnId,
    reply::{Answer, Group, WakeWhen},
};

/// Takes back turns that were not started.
pub(crate) trait Cancel: Send + Sync {
    /// Whether each one was still waiting is known by its answer.
    fn cancel(&self, ids: &mut dyn Iterator<Item = TurnId>);
}

/// An accepted turn: a future of its one answer, on any executor.
///
/// Dropping it takes the turn back if it has not been started; a started turn runs to its end, unseen.
#[must_use = "dropping a ticket takes the turn back"]
pub struct Ticket<R> {
    accepted: Accepted,
    receiver: oneshot::Receiver<Answer<R>>,
    scheduler: Arc<dyn Cancel>,
    open: bool,
}

impl<R> Ticket<R> {
    pub(crate) fn new(
        accepted: Accepted,
        receiver: oneshot::Receiver<Answer<R>>,
        scheduler: Arc<dyn Cancel>,
    ) -> Self {
        Self {
            accepted,
            receiver,
            scheduler,
            open: true,
        }
    }

    /// The turn's name, position in its session and estimated wait.
    pub fn accepted(&self) -> Accepted {
        self.accepted
    }

    /// Takes the turn back if it has not been started: the answer is then [`TurnError::Cancelled`].
    pub fn cancel(&self) {
        self.scheduler.cancel(&mut std::iter::once(self.accepted.id));
    }

    /// Waits for the answer in the current thread; not for use inside an async task.
    ///
    /// # Errors
    /// As the future.
    ///
    /// # Panics
    /// When called within an asynchronous execution context of tokio.
    pub fn wait(mut self) -> Result<R, TurnError> {
        self.open = false;
        let (_, closed) = oneshot::channel();
        let receiver = std::mem::replace(&mut self.receiver, closed);
        receiver.blocking_recv().unwrap_or(Err(TurnError::NoResult))
    }
}

impl<R> Future for Ticket<R> {
    type Output = Result<R, TurnError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.receiver).poll(cx));
        self.open = false;
        Poll::Ready(answer.unwrap_or(Err(TurnError::NoResult)))
    }
}

impl<R> Drop for Ticket<R> {
    fn drop(&mut self) {
        let waiting = |answer| matches!(answer, Err(oneshot::error::TryRecvError::Empty));
        if self.open && waiting(self.receiver.try_recv()) {
            self.cancel();
        }
    }
}

impl<R> fmt::Debug for Ticket<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("accepted", &self.accepted)
            .finish_non_exhaustive()
    }
}

/// The turns of one [`submit_many`](crate::Scheduler::submit_many), accepted or refused.
///
/// Take the answers one by one as they come with [`next`](Self::next), or all with
/// [`all`](Self::all). Dropping it takes back the turns that have not been started.
#[must_use = "dropping tickets takes the turns back"]
pub struct Tickets<R> {
    group: Arc<Group<R>>,
    accepted: Vec<Result<Accepted, Refused>>,
    scheduler: Arc<dyn Cancel>,
}

impl<R> Tickets<R> {
    pub(crate) fn new(
        group: Arc<Group<R>>,
        accepted: Vec<Result<Accepted, Refused>>,
        scheduler: Arc<dyn Cancel>,
    ) -> Self {
        Self {
            group,
            accepted,
            scheduler,
        }
    }

    /// Which turns were accepted, in the order of submission.
    pub fn accepted(&self) -> &[Result<Accepted, Refused>] {
        &self.accepted
    }

    /// Takes back the turns that have not been started.
    pub fn cancel(&self) {
        let accepted = self.accepted.iter().filter_map(|turn| turn.as_ref().ok());
        self.scheduler.cancel(&mut accepted.map(|accepted| accepted.id));
    }

    /// The next answer with the position of its turn in the submission; `None` after the last. Refused
    /// turns have no answer. Cancel-safe.
    pub async fn next(&mut self) -> Option<(usize, Result<R, TurnError>)> {
        poll_fn(|cx| {
            let mut state = self.group.lock();
            while let Some((position, answer)) = state.done.pop_front() {
                // The slot of a refused turn was dropped, which reads as an answer.
                if self.accepted[position as usize].is_ok() {
                    return Poll::Ready(Some((position as usize, answer)));
                }
            }
            if state.missing == 0 {
                return Poll::Ready(None);
            }
            state.waiting = Some((cx.waker().clone(), WakeWhen::Any));
            Poll::Pending
        })
        .await
    }

    /// Every answer that was not taken by [`next`](Self::next), in the order of submission, refused turns
    /// included.
    pub async fn all(self) -> Vec<Result<R, ScheduleError>> {
        poll_fn(|cx| {
            let mut state = self.group.lock();
            if state.missing == 0 {
                return Poll::Ready(());
            }
            state.waiting = Some((cx.waker().clone(), WakeWhen::All));
            Poll::Pending
        })
        .await;
        let done = std::mem::take(&mut self.group.lock().done);
        let mut answers: Vec<Option<Result<R, ScheduleError>>> = Vec::new();
        answers.resize_with(self.accepted.len(), || None);
        for (position, answer) in done {
            answers[position as usize] = Some(answer.map_err(ScheduleError::from));
        }
        for (answer, turn) in answers.iter_mut().zip(&self.accepted) {
            if let Err(refused) = turn {
                *answer = Some(Err(refused.clone().into()));
            }
        }
        answers.into_iter().flatten().collect()
    }
}

impl<R> Drop for Tickets<R> {
    fn drop(&mut self) {
        let missing = self.group.lock().missing;
        if missing > 0 {
            self.cancel();
        }
    }
}

impl<R> fmt::Debug for Tickets<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets")
            .field("accepted", &self.accepted.len())
            .finish_non_exhaustive()
    }
}
