//! A scheduler in front of any asynchronous service: order, fairness and admission as a
//! [`tower::Layer`].

use std::{
    fmt,
    future::{Future, poll_fn},
    num::NonZeroUsize,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{runtime::Handle, sync::oneshot};
use tower::{Layer, Service};
use whisperengine_types::SessionKey;

use crate::{
    Batch, Config, Error, Handler, Reply, Result, ScheduleError, Scheduler, SchedulerService, Submission,
    SubmitOptions, Ticket, TurnError,
};

/// Puts a [`Scheduler`] in front of services.
///
/// Requests of one session reach the inner service one at a time and in order; those of different
/// sessions reach it together, at most `max_in_flight`, in the order of the weighted queue. Every
/// service that one layer makes shares its scheduler. Scheduler and inner calls run as tasks of the tokio
/// runtime that was current when the layer was made.
pub struct SchedulerLayer<Q> {
    tasks: Scheduler<Task, ()>,
    runtime: Handle,
    classify: Arc<Classify<Q>>,
}

type Classify<Q> = dyn Fn(&Q) -> (SessionKey, SubmitOptions) + Send + Sync;

/// Starts the inner call and answers when it has ended.
type Start = Box<dyn FnOnce(Reply<()>) + Send>;

/// A request on its way; empty once it was started.
struct Task(Option<Start>);

/// Starts tasks; their inner calls run elsewhere.
struct Starter;

impl Handler<Task, ()> for Starter {
    fn handle(&self, batch: &mut Batch<Task, ()>) {
        for index in 0..batch.len() {
            let start = batch.turns_mut()[index].payload.0.take();
            if let (Some(start), Some(reply)) = (start, batch.detach(index)) {
                start(reply);
            }
        }
    }
}

impl<Q> SchedulerLayer<Q> {
    /// A layer with its own scheduler; `classify` names the session of a request and how it is queued.
    /// Of the configuration, the number of workers has no effect: one of the runtime's tasks starts every call.
    ///
    /// # Errors
    /// As [`Scheduler::start`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(
        mut config: Config,
        classify: impl Fn(&Q) -> (SessionKey, SubmitOptions) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        config.min_workers = NonZeroUsize::MIN;
        config.max_workers = Some(NonZeroUsize::MIN);
        let runtime = Handle::current();
        Ok(Self {
            tasks: Scheduler::start_on(&runtime, config, Starter)?,
            runtime,
            classify: Arc::new(classify),
        })
    }

    /// A snapshot of the scheduler's metrics.
    pub fn metrics(&self) -> crate::Metrics {
        self.tasks.metrics()
    }
}

impl<Q, S> Layer<S> for SchedulerLayer<Q> {
    type Service = Scheduled<S, Q>;

    fn layer(&self, inner: S) -> Self::Service {
        Scheduled {
            inner,
            tasks: self.tasks.service(),
            runtime: self.runtime.clone(),
            classify: Arc::clone(&self.classify),
        }
    }
}

impl<Q> Clone for SchedulerLayer<Q> {
    fn clone(&self) -> Self {
        Self {
            tasks: self.tasks.clone(),
            runtime: self.runtime.clone(),
            classify: Arc::clone(&self.classify),
        }
    }
}

impl<Q> fmt::Debug for SchedulerLayer<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerLayer").finish_non_exhaustive()
    }
}

/// A service behind a scheduler; made by [`SchedulerLayer`].
pub struct Scheduled<S, Q> {
    inner: S,
    tasks: SchedulerService<Task, ()>,
    runtime: Handle,
    classify: Arc<Classify<Q>>,
}

impl<S, Q> Service<Q> for Scheduled<S, Q>
where
    S: Service<Q> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    Q: Send + 'static,
{
    type Response = S::Response;
    type Error = LayerError<S::Error>;
    type Future = ScheduledFuture<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.tasks.poll_ready(cx).map_err(LayerError::Schedule)
    }

    fn call(&mut self, request: Q) -> Self::Future {
        let (session, options) = (self.classify)(&request);
        let (sender, response) = oneshot::channel();
        let mut inner = self.inner.clone();
        let runtime = self.runtime.clone();
        let start = move |reply: Reply<()>| {
            runtime.spawn(async move {
                let result = match poll_fn(|cx| inner.poll_ready(cx)).await {
                    Ok(()) => inner.call(request).await,
                    Err(error) => Err(error),
                };
                // An error means that the caller has gone; the turn is done all the same.
                let _ = sender.send(result);
                reply.complete(());
            });
        };
        let task = Task(Some(Box::new(start)));
        let submission = Submission::new(session, task, ()).with(options);
        ScheduledFuture {
            ticket: Some(self.tasks.submit(submission).map_err(ScheduleError::Refused)),
            response,
        }
    }
}

impl<S: Clone, Q> Clone for Scheduled<S, Q> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            tasks: self.tasks.clone(),
            runtime: self.runtime.clone(),
            classify: Arc::clone(&self.classify),
        }
    }
}

impl<S: fmt::Debug, Q> fmt::Debug for Scheduled<S, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduled")
            .field("inner", &self.inner)
            .field("tasks", &self.tasks)
            .finish_non_exhaustive()
    }
}

/// Why a request through [`Scheduled`] failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError<E> {
    /// It was refused, or never reached the inner service, or the inner service panicked.
    #[error(transparent)]
    Schedule(ScheduleError),
    /// The inner service failed.
    #[error("the scheduled service failed")]
    Inner(#[source] E),
}

/// The answer of the inner service. Dropping it takes the request back if it was not started.
pub struct ScheduledFuture<S, E> {
    ticket: Option<Result<Ticket<()>, ScheduleError>>,
    response: oneshot::Receiver<Result<S, E>>,
}

impl<S, E> Unpin for ScheduledFuture<S, E> {}

impl<S, E> Future for ScheduledFuture<S, E> {
    type Output = Result<S, LayerError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(ticket) = &mut self.ticket {
            let answer = match ticket {
                Ok(ticket) => ready!(Pin::new(ticket).poll(cx)).map_err(ScheduleError::Turn),
                Err(refused) => Err(refused.clone()),
            };
            self.ticket = None;
            if let Err(error) = answer {
                return Poll::Ready(Err(LayerError::Schedule(error)));
            }
        }
        let response = ready!(Pin::new(&mut self.response).poll(cx));
        Poll::Ready(match response {
            Ok(result) => result.map_err(LayerError::Inner),
            Err(_) => Err(LayerError::Schedule(TurnError::NoResult.into())),
        })
    }
}

impl<S, E> fmt::Debug for ScheduledFuture<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScheduledFuture").finish_non_exhaustive()
    }
}
