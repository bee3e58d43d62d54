//! Where a worker runs: on a thread of its own, or as a task among the others of a runtime.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    Thread,
    Task,
}

impl Host {
    /// Lets others run first.
    pub(super) async fn give_way(self) {
        match self {
            Self::Thread => thread::yield_now(),
            Self::Task => tokio::task::yield_now().await,
        }
    }
}

/// Waits until the task's waker is called, or it is polled again for another reason.
pub(super) async fn sleep() {
    let mut has_slept = false;
    poll_fn(|_| {
        if std::mem::replace(&mut has_slept, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

pub(super) fn spawn_thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map(drop).map_err(Error::Thread)
}

/// Runs a worker to its end on this thread, which sleeps while it does. A thread that wakes by itself only
/// polls once too often.
pub(super) fn block_on(worker: impl Future<Output = ()>) {
    let waker = Waker::from(Arc::new(Alarm(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut worker = pin!(worker);
    while worker.as_mut().poll(&mut context).is_pending() {
        thread::park();
    }
}

/// Wakes a thread, also one that is about to go to sleep.
struct Alarm(Thread);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
