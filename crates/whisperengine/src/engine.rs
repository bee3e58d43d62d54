//! The public [`WhisperEngine`] handle.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use serde::Serialize;
use tokio::task::spawn_blocking;
use whisperengine_conversation_scheduler::{
    Place, PriorityChoice, RefusalReason, Refused, Scheduler, SubmitOptions,
};
use whisperengine_types::{
    BotId, ChannelId, Clock, IdError, MemoryOwner, MemoryStore, Message, ReplyContext, Suggestion,
    TurnOutcome, UserId,
};
use whisperengine_vector_memory::VectorMemory;

use crate::{
    assembly::Caches,
    builder::WhisperEngineBuilder,
    converse::Replies,
    error::{Error, Result},
    health::{Gates, Health, Status},
    metrics,
    owner::OwnerHandle,
    pipeline::Pipeline,
    report::CapabilityReport,
    ticket::Ticket,
    turn::Turn,
};

/// A conversation engine for many people; cheap to clone, shared between tasks.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use whisperengine::WhisperEngine;
///
/// let engine = WhisperEngine::builder().build()?;
/// let turn = engine.handle(engine.message("ember", "ana", "direct", "I am so happy about it!")?).await?;
/// assert!(turn.emotion.valence > 0.0);
/// engine.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WhisperEngine {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) scheduler: Scheduler<Turn, TurnOutcome>,
    pub(crate) store: Arc<dyn MemoryStore>,
    /// The store, where it is the built-in one.
    pub(crate) built_in: Option<Arc<VectorMemory>>,
    pub(crate) caches: Caches,
    pub(crate) replies: Replies,
    pub(crate) gates: Gates,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) message_limit_bytes: usize,
    pub(crate) shutdown_deadline: Duration,
    pub(crate) report: CapabilityReport,
    pub(crate) shutting_down: AtomicBool,
    pub(crate) upkeep: Mutex<Option<JoinHandle<()>>>,
}

/// What a shutdown came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Accepted turns that were finished while draining.
    pub turns_finished: u64,
    /// Accepted turns that were given back unfinished; their callers have an error.
    pub turns_given_back: usize,
    /// Replies that were still being written when time was up.
    pub replies_given_up: usize,
    /// Conversation states that were written.
    pub states_saved: usize,
    /// Conversation states that could not be written; they are rebuilt from the stored messages.
    pub states_unsaved: usize,
    /// Writes that never became durable; their callers had `Volatile` or `NotStored`.
    pub writes_lost: usize,
}

impl WhisperEngine {
    /// Starts describing an engine.
    pub fn builder() -> WhisperEngineBuilder {
        WhisperEngineBuilder::default()
    }

    /// A message to `bot` as of now, in a private channel.
    ///
    /// # Errors
    /// [`IdError`] when a name is empty, too long or holds control characters.
    pub fn message(&self, bot: &str, user: &str, channel: &str, text: &str) -> Result<Message, IdError> {
        let (bot, user, channel) = (BotId::new(bot)?, UserId::new(user)?, ChannelId::new(channel)?);
        Ok(Message::new(bot, user, channel, text, self.inner.clock.now()))
    }

    /// What `bot` knows of `user`: their memories, facts, settings; and the way to change or remove them.
    pub fn owner(&self, bot: BotId, user: UserId) -> OwnerHandle {
        self.handle_of(MemoryOwner::person(bot, user))
    }

    /// As [`owner`](Self::owner), for any owner: shared spaces hold lore.
    pub fn handle_of(&self, owner: MemoryOwner) -> OwnerHandle {
        OwnerHandle::new(self.clone(), owner)
    }

    /// Takes a message all the way: emotion, memories, plan, durable storage.
    ///
    /// Cancel-safe: dropping the future before it resolves gives the turn up if it was not started.
    ///
    /// # Errors
    /// As [`submit`](Self::submit), and [`Error::TurnFailed`].
    pub async fn handle(&self, message: Message) -> Result<TurnOutcome> {
        self.submit(message)?.await
    }

    /// Accepts a message or refuses it, without waiting. Messages of one session are worked on in the
    /// order in which they were submitted.
    ///
    /// Stray control characters in the text become spaces. A message whose
    /// [`platform_id`](Message::platform_id) was seen in its channel in the last seven days is not stored
    /// again; its outcome says [`redelivered`](TurnOutcome::redelivered).
    ///
    /// # Errors
    /// [`Error::InvalidMessage`], [`Error::Busy`] or [`Error::ShuttingDown`]; nothing is kept of it.
    pub fn submit(&self, message: Message) -> Result<Ticket> {
        self.submit_to(None, message)
    }

    pub(crate) fn submit_to(
        &self,
        place: Option<Place<Turn, TurnOutcome>>,
        mut message: Message,
    ) -> Result<Ticket> {
        let inner = &*self.inner;
        if self.is_shutting_down() {
            return Err(Error::ShuttingDown);
        }
        message.validate(inner.message_limit_bytes)?;
        message.clean();
        let session = message.session();
        let choice = message.priority.map_or_else(
            || PriorityChoice::Scored(inner.scheduler.score(&session, &message.text, None)),
            PriorityChoice::Class,
        );
        let (turn, options) = (self.turn(message), SubmitOptions::new(choice));
        let ticket = match place {
            Some(place) => inner.scheduler.submit_to(place, session, turn, options),
            None => inner.scheduler.submit(session, turn, options),
        };
        Ok(Ticket::new(ticket.map_err(|refused| refusal(&refused))?))
    }

    /// What a language model would be given to answer `message`, without a turn: nothing is stored, planned or
    /// learnt. `budget_tokens` takes the place of the configured budget.
    ///
    /// # Errors
    /// [`Error::InvalidMessage`], and [`Error::Conversation`] when what is known of the person cannot be read.
    pub async fn context(&self, mut message: Message, budget_tokens: Option<u32>) -> Result<ReplyContext> {
        message.validate(self.inner.message_limit_bytes)?;
        message.clean();
        let pipeline = Arc::clone(&self.inner.pipeline);
        let turn = self.turn(message);
        Ok(blocking(move || pipeline.context(turn, budget_tokens)).await?)
    }

    fn turn(&self, message: Message) -> Turn {
        let owner = message.owner();
        let cell = self.inner.pipeline.cells.cell(&owner);
        Turn {
            epoch: cell.epoch(),
            merged: Vec::new(),
            cell,
            owner,
            priority: message.priority.unwrap_or_default(),
            sequence: 0,
            accepted: self.inner.clock.instant(),
            message,
        }
    }

    /// What is due to be said on the bot's own initiative. Say it, then report
    /// [`Feedback::SuggestionSent`](crate::Feedback::SuggestionSent) with [`OwnerHandle::feed_back`].
    ///
    /// Call it every minute or so: it looks at everyone whose conversation is in memory and, in turn, at
    /// [`StateConfig::tick_stored_people`](crate::StateConfig::tick_stored_people) of those who have been
    /// away for longer.
    pub async fn tick(&self) -> Vec<(MemoryOwner, Suggestion)> {
        let (cells, now) = (Arc::clone(&self.inner.pipeline.cells), self.inner.clock.now());
        blocking(move || cells.tick(now)).await
    }

    /// Rewrites the files of the data folder, so that nothing deleted, replaced or forgotten is left in any of
    /// them. Writing waits meanwhile; it takes time and, for a while, space in proportion to the whole folder. A
    /// store that was given to the builder sees to itself.
    ///
    /// # Errors
    /// [`Error::Memory`] when a file cannot be written.
    pub async fn compact(&self) -> Result<()> {
        let Some(memory) = self.inner.built_in.clone() else {
            return Ok(());
        };
        Ok(blocking(move || memory.compact()).await?)
    }

    /// What works and what does not.
    pub fn health(&self) -> Health {
        let pipeline = &self.inner.pipeline;
        let components = self.inner.gates.components();
        Health {
            status: Status::of(&components),
            components,
            waiting_writes: pipeline.writer.waiting(),
            lost_writes: pipeline.writer.lost(),
            conversations: pipeline.cells.len(),
            recall_cache: pipeline.recall.cache.stats().into(),
        }
    }

    /// What the engine found and chose at start.
    pub fn report(&self) -> &CapabilityReport {
        &self.inner.report
    }

    /// Whether [`shutdown`](Self::shutdown) was called.
    pub fn is_shutting_down(&self) -> bool {
        self.inner.shutting_down.load(Ordering::Acquire)
    }

    /// Refuses new messages, finishes what was accepted within the configured time, replies included, saves
    /// every conversation, and says what came of it. A second call reports nothing.
    pub async fn shutdown(&self) -> ShutdownReport {
        let inner = &self.inner;
        let mut report = ShutdownReport::default();
        if inner.shutting_down.swap(true, Ordering::AcqRel) {
            return report;
        }
        let until = tokio::time::Instant::now() + inner.shutdown_deadline;
        let left = || until.saturating_duration_since(tokio::time::Instant::now());

        let drained = inner.scheduler.shutdown(left()).await;
        report.turns_finished = drained.served;
        report.turns_given_back = drained.handed_back.len() + drained.still_running;
        report.replies_given_up = inner.replies.drain(left()).await;
        let thread = inner.upkeep.lock().unwrap_or_else(PoisonError::into_inner).take();
        let pipeline = Arc::clone(&inner.pipeline);
        let stopped = spawn_blocking(move || {
            pipeline.upkeep.stop();
            // A panic in the thread was printed where it happened; the states are saved all the same.
            let _ = thread.map(JoinHandle::join);
        });
        // The thread never waits for the store; past the deadline nobody waits for the thread.
        let _ = tokio::time::timeout(left(), stopped).await;

        let pipeline = &inner.pipeline;
        // What the store would not take before, it may take now.
        let _ = tokio::time::timeout(left(), pipeline.writer.batcher().replay_dead_letters()).await;
        let saving = Arc::clone(pipeline);
        let saving = spawn_blocking(move || saving.save_all());
        // A cell may be in use by a turn that waits for a store that hangs.
        let saving = match tokio::time::timeout(left(), saving).await {
            Ok(Ok(saving)) => saving,
            _ => {
                report.states_unsaved = pipeline.cells.len();
                Vec::new()
            }
        };
        for (save, submission) in saving {
            let saved = tokio::time::timeout(left(), pipeline.writer.committed(submission)).await;
            let durable = matches!(saved, Ok(Ok(())));
            save.done(durable);
            report.states_saved += usize::from(durable);
            report.states_unsaved += usize::from(!durable);
        }
        report.writes_lost = pipeline.writer.waiting() + pipeline.writer.lost();
        let closing = pipeline.writer.batcher().shutdown(left());
        if let Ok(Ok(drained)) = tokio::time::timeout(left() + GRACE, closing).await {
            report.writes_lost += drained.unwritten.len() + drained.in_doubt.len();
        }
        report
    }
}

/// Runs work that may block, off the asynchronous threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

pub(crate) fn refusal(refused: &Refused) -> Error {
    let (label, shutting_down) = match &refused.reason {
        RefusalReason::ShuttingDown => ("shutting_down", true),
        RefusalReason::Overloaded { .. } | RefusalReason::DeadlineTooShort { .. } => ("overloaded", false),
        _ => ("full", false),
    };
    metrics::record_refusal(label);
    if shutting_down {
        return Error::ShuttingDown;
    }
    Error::Busy {
        reason: refused.reason.to_string(),
        retry_after: refused.retry_after.unwrap_or(RETRY_AFTER),
    }
}

const RETRY_AFTER: Duration = Duration::from_secs(1);
/// What the batcher has to report once its deadline is over.
const GRACE: Duration = Duration::from_millis(100);
