//! The scheduler as a [`tower::Service`]: `poll_ready` holds a real place in the queue.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tower::Service;
use whisperengine_types::SessionKey;

use crate::{
    RefusalReason, Refused, ScheduleError, Scheduler, Submission, SubmitOptions, Ticket, driver::Shared,
};

/// A [`Scheduler`] as a service of [`Submission`]s.
///
/// `poll_ready` is ready once a place in the queue is reserved for this clone, and pending while the
/// queue is full; so the call that follows is never refused with
/// [`QueueFull`](RefusalReason::QueueFull). The session's, the class's and the wait's limits are known
/// only with the request and can still refuse it. A clone has no place of its own yet; a dropped
/// service gives its place back.
pub struct SchedulerService<T: Send + 'static, R: Send + 'static> {
    scheduler: Scheduler<T, R>,
    place: Option<Place<T, R>>,
}

/// A reserved place in the queue, from [`Scheduler::poll_place`]. Dropped unused, it is given back.
pub struct Place<T, R> {
    shared: Arc<Shared<T, R>>,
    used: bool,
}

impl<T, R> Drop for Place<T, R> {
    fn drop(&mut self) {
        if !self.used {
            self.shared.release_place();
        }
    }
}

impl<T, R> fmt::Debug for Place<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

impl<T: Send + 'static, R: Send + 'static> Scheduler<T, R> {
    /// Reserves a place in the queue for [`submit_to`](Self::submit_to); pending while the queue is full. The
    /// task is woken when there may be room.
    ///
    /// # Errors
    /// [`RefusalReason::ShuttingDown`].
    pub fn poll_place(&self, cx: &mut Context<'_>) -> Poll<Result<Place<T, R>, Refused>> {
        match self.shared().reserve(cx.waker()) {
            Some(true) => Poll::Ready(Ok(Place {
                shared: Arc::clone(self.shared()),
                used: false,
            })),
            Some(false) => Poll::Pending,
            None => Poll::Ready(Err(Refused {
                reason: RefusalReason::ShuttingDown,
                retry_after: None,
            })),
        }
    }

    /// As [`submit`](Self::submit), into a reserved place, which is used up whatever the answer.
    ///
    /// # Errors
    /// [`Refused`], but never [`QueueFull`](RefusalReason::QueueFull).
    pub fn submit_to(
        &self,
        mut place: Place<T, R>,
        session: SessionKey,
        payload: T,
        options: impl Into<SubmitOptions>,
    ) -> Result<Ticket<R>, Refused> {
        place.used = true;
        self.submit_reserved(Submission::new(session, payload, ()).with(options))
    }

    /// This scheduler as a service.
    pub fn service(&self) -> SchedulerService<T, R> {
        SchedulerService {
            scheduler: self.clone(),
            place: None,
        }
    }
}

impl<T: Send + 'static, R: Send + 'static> SchedulerService<T, R> {
    /// Submits into the reserved place.
    ///
    /// # Panics
    /// Without a `poll_ready` that was ready before it, as the contract of `Service` allows.
    pub(crate) fn submit(&mut self, submission: Submission<T>) -> Result<Ticket<R>, Refused> {
        let place = self.place.take();
        place.expect("poll_ready must be ready before each call").used = true;
        self.scheduler.submit_reserved(submission)
    }
}

impl<T: Send + 'static, R: Send + 'static> Service<Submission<T>> for SchedulerService<T, R> {
    type Response = R;
    type Error = ScheduleError;
    type Future = ResponseFuture<R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ScheduleError>> {
        if self.place.is_none() {
            let place = ready!(self.scheduler.poll_place(cx));
            self.place = Some(place.map_err(ScheduleError::Refused)?);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, submission: Submission<T>) -> ResponseFuture<R> {
        ResponseFuture {
            ticket: self.submit(submission).map_err(Some),
        }
    }
}

impl<T: Send + 'static, R: Send + 'static> Clone for SchedulerService<T, R> {
    fn clone(&self) -> Self {
        self.scheduler.service()
    }
}

impl<T: Send + 'static, R: Send + 'static> fmt::Debug for SchedulerService<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerService")
            .field("has_place", &self.place.is_some())
            .finish_non_exhaustive()
    }
}

/// The answer of a request. Dropping it takes the turn back if it has not been started.
#[derive(Debug)]
pub struct ResponseFuture<R> {
    ticket: Result<Ticket<R>, Option<Refused>>,
}

impl<R> Future for ResponseFuture<R> {
    type Output = Result<R, ScheduleError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.ticket {
            Ok(ticket) => Pin::new(ticket).poll(cx).map_err(ScheduleError::Turn),
            Err(refused) => {
                let refused = refused.take().expect("a future is not polled after its end");
                Poll::Ready(Err(ScheduleError::Refused(refused)))
            }
        }
    }
}
