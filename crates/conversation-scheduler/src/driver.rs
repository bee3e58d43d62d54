//! Workers, wakers and a clock around the state machine. No decision is made here.
//!
//! One mutex guards the state machine; every holder does a bounded number of constant-time steps, and
//! answers, wakers and handlers run outside it. A worker is a future, on a thread of its own or among the
//! tasks of a runtime; callers' futures work on any executor.

mod host;
mod shared;
mod timer;
mod worker;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use hashbrown::DefaultHashBuilder;
use tokio::{runtime::Handle, sync::oneshot};
use whisperengine_types::{Clock, EmotionReading, Priority, SessionKey, SystemClock};

pub(crate) use self::shared::Shared;
use self::shared::Wake;
use crate::{
    Config, Error, Handler, Metrics, PriorityScore, Refused, Result, ScoreInput, SessionSignals, Submission,
    SubmitOptions, Ticket, Tickets, Turn,
    machine::{Incoming, Place, SchedulerCore},
    reply::{Answer, Group, ReplySlot},
};

/// Serves turns of payload `T` with results `R`, on worker threads of its own or on a runtime's.
///
/// Cheap to clone. When the last clone is dropped, what waits is answered
/// [`HandedBack`](crate::TurnError::HandedBack) and the threads end after the calls they are in;
/// [`shutdown`](Self::shutdown) is the graceful way.
pub struct Scheduler<T, R> {
    shared: Arc<Shared<T, R>>,
    hasher: DefaultHashBuilder,
    /// Closes the scheduler when the last clone goes; the threads hold `shared` too.
    closer: Arc<Closer<T, R>>,
}

struct Closer<T, R>(Arc<Shared<T, R>>);

impl<T, R> Drop for Closer<T, R> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What a [`shutdown`](Scheduler::shutdown) came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct DrainReport<T> {
    /// Turns that were answered by the handler while it drained.
    pub served: u64,
    /// Turns that were not started, in the order of classes and then of age; their callers were answered
    /// [`HandedBack`](crate::TurnError::HandedBack).
    pub handed_back: Vec<Turn<T>>,
    /// Turns that were still with the handler at the deadline; they get their answers when it returns.
    pub still_running: usize,
}

impl<T: Send + 'static, R: Send + 'static> Scheduler<T, R> {
    /// Starts the workers, on the machine's own clock.
    ///
    /// # Errors
    /// [`Error::Config`] when a setting is out of range, [`Error::Thread`] when there is no thread to be had.
    pub fn start(config: Config, handler: impl Handler<T, R> + 'static) -> Result<Self, Error> {
        Self::start_with_clock(config, Arc::new(SystemClock), handler)
    }

    /// Starts the workers as tasks of `runtime` instead of threads, for handlers that take microseconds or
    /// [`detach`](crate::Batch::detach) their turns: callers on the same runtime then get their answers without
    /// a change of threads. A handler that blocks or computes for long stops the runtime's other tasks.
    /// When the runtime ends first, what waits is answered [`HandedBack`](crate::TurnError::HandedBack).
    ///
    /// ```
    /// use tokio::runtime::Handle;
    /// use whisperengine_conversation_scheduler::{Batch, Config, Handler, Scheduler};
    /// # use whisperengine_types::{BotId, ChannelId, Priority, SessionKey, UserId};
    ///
    /// /// Leaves each turn to a task, which may wait for the network.
    /// struct Ask(Handle);
    ///
    /// impl Handler<String, usize> for Ask {
    ///     fn handle(&self, batch: &mut Batch<String, usize>) {
    ///         for index in 0..batch.len() {
    ///             let question = std::mem::take(&mut batch.turns_mut()[index].payload);
    ///             if let Some(reply) = batch.detach(index) {
    ///                 self.0.spawn(async move { reply.complete(question.len()) });
    ///             }
    ///         }
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (bot, user, channel) = (BotId::new("ember")?, UserId::new("ana")?, ChannelId::new("dm")?);
    /// # let session = SessionKey { bot, user, channel };
    /// let runtime = Handle::current();
    /// let scheduler = Scheduler::start_on(&runtime, Config::default(), Ask(runtime.clone()))?;
    /// let answer = scheduler.submit(session, "how are you?".to_owned(), Priority::Normal)?;
    /// assert_eq!(answer.await?, 12);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_on(
        runtime: &Handle,
        config: Config,
        handler: impl Handler<T, R> + 'static,
    ) -> Result<Self, Error> {
        Self::launch(config, Arc::new(SystemClock), Box::new(handler), Some(runtime))
    }

    /// Starts the workers on a given clock. With one that is moved by hand, call
    /// [`run_timers`](Self::run_timers) after moving it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with_clock(
        config: Config,
        clock: Arc<dyn Clock>,
        handler: impl Handler<T, R> + 'static,
    ) -> Result<Self, Error> {
        Self::launch(config, clock, Box::new(handler), None)
    }

    fn launch(
        mut config: Config,
        clock: Arc<dyn Clock>,
        handler: Box<dyn Handler<T, R>>,
        runtime: Option<&Handle>,
    ) -> Result<Self, Error> {
        let max_workers = *config.max_workers.get_or_insert_with(|| {
            std::thread::available_parallelism()
                .unwrap_or(config.min_workers)
                .max(config.min_workers)
        });
        let on_panic = config.on_panic;
        let core = SchedulerCore::new(config, clock.instant())?;
        let hasher = core.hasher().clone();
        let shared = Arc::new(Shared::new(core, clock, handler, on_panic));
        // Made first: if a thread cannot be started, dropping it ends those that were.
        let closer = Arc::new(Closer(Arc::clone(&shared)));
        shared.spawn_timer()?;
        for index in 0..max_workers.get() {
            shared.spawn_worker(index, runtime)?;
        }
        Ok(Self {
            shared,
            hasher,
            closer,
        })
    }

    /// Takes in a turn at the end of its session. The ticket is a future of its answer; drop it to take
    /// the turn back.
    ///
    /// # Errors
    /// [`Refused`] says which limit the turn met and when to try again; nothing is kept of it.
    pub fn submit(
        &self,
        session: SessionKey,
        payload: T,
        options: impl Into<SubmitOptions>,
    ) -> Result<Ticket<R>, Refused> {
        let (slot, receiver) = ReplySlot::one();
        let submission = Submission::new(session, payload, slot).with(options);
        self.take_in(submission, receiver, Place::Free)
    }

    /// The same into a place held by the service's `poll_ready`.
    pub(crate) fn submit_reserved(&self, submission: Submission<T>) -> Result<Ticket<R>, Refused> {
        let (slot, receiver) = ReplySlot::one();
        self.take_in(submission.with_token(slot), receiver, Place::Reserved)
    }

    fn take_in(
        &self,
        submission: Submission<T, ReplySlot<R>>,
        receiver: oneshot::Receiver<Answer<R>>,
        place: Place,
    ) -> Result<Ticket<R>, Refused> {
        // Outlives the lock: what a refused turn drops is the caller's.
        let mut turn = Incoming::new(&self.hasher, submission);
        let now = self.shared.clock.instant();
        let accepted = self.shared.with(Wake::One, |core| {
            if place == Place::Reserved {
                core.release();
            }
            core.take_in(&mut turn, place, now)
        })?;
        Ok(Ticket::new(accepted, receiver, self.canceller()))
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<T, R>> {
        &self.shared
    }

    /// Takes in many turns, in order, for the price of few locks and one allocation; each is accepted or
    /// refused by itself.
    pub fn submit_many(&self, submissions: impl IntoIterator<Item = Submission<T>>) -> Tickets<R> {
        let mut submissions = (0..).zip(submissions);
        let (expected, _) = submissions.size_hint();
        let group = Group::with_room(expected);
        let mut accepted = Vec::with_capacity(expected);
        let mut chunk = Vec::with_capacity(CHUNK.min(expected));
        loop {
            chunk.extend(submissions.by_ref().take(CHUNK).map(|(position, submission)| {
                let slot = ReplySlot::many(&group, position);
                Incoming::new(&self.hasher, submission.with_token(slot))
            }));
            if chunk.is_empty() {
                break;
            }
            let now = self.shared.clock.instant();
            self.shared.with(Wake::Many, |core| {
                core.look_up(&mut chunk);
                let turns = chunk.iter_mut();
                accepted.extend(turns.map(|turn| core.take_in(turn, Place::Free, now)));
            });
            chunk.clear();
        }
        group.close(accepted.len());
        Tickets::new(group, accepted, self.canceller())
    }

    /// Scores a message by its words, its session, its channel and its emotion; the score can be given as
    /// the priority of its turn.
    pub fn score(&self, session: &SessionKey, text: &str, emotion: Option<&EmotionReading>) -> PriorityScore {
        PriorityScore::of(&ScoreInput {
            text,
            signals: self.signals(session),
            emotion,
        })
    }

    /// What is known of a session at this moment.
    pub fn signals(&self, session: &SessionKey) -> SessionSignals {
        let now = self.shared.clock.instant();
        self.shared.with(Wake::None, |core| core.signals(session, now))
    }

    /// How long a new turn of this session and class would wait.
    pub fn estimated_wait(&self, session: &SessionKey, class: Priority) -> Duration {
        self.shared
            .with(Wake::None, |core| core.estimated_wait(session, class))
    }

    /// A snapshot of the metrics.
    pub fn metrics(&self) -> Metrics {
        let now = self.shared.clock.instant();
        self.shared.with(Wake::None, |core| core.metrics(now))
    }

    /// Does what is due by the clock, a bounded round of it; whether more is due already. The timer thread
    /// does it by itself on the machine's clock.
    pub fn run_timers(&self) -> bool {
        self.shared.run_timers()
    }

    /// Refuses new turns, serves what waits for at most `deadline`, hands back the rest, and ends the
    /// threads. It is under way from the call on; dropping the future gives up the report only. A second
    /// call joins the first, whose report has the turns.
    pub fn shutdown(&self, deadline: Duration) -> impl Future<Output = DrainReport<T>> + Send + use<T, R> {
        let until = self.shared.clock.instant() + deadline;
        let (sender, receiver) = oneshot::channel();
        self.shared.drain(until, sender);
        let shared = Arc::clone(&self.shared);
        async move {
            // An error means that the threads are gone, and with them the wait.
            let _ = receiver.await;
            shared.report()
        }
    }

    fn canceller(&self) -> Arc<dyn crate::ticket::Cancel> {
        Arc::clone(&self.shared) as _
    }
}

impl<T, R> Clone for Scheduler<T, R> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            hasher: self.hasher.clone(),
            closer: Arc::clone(&self.closer),
        }
    }
}

impl<T, R> fmt::Debug for Scheduler<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").finish_non_exhaustive()
    }
}

/// Turns taken in under one lock, which takes some 0.15 ms. Smaller pieces of a large group would
/// call the workers for each, and have them wait for the lock that the next piece needs.
const CHUNK: usize = 1_024;
