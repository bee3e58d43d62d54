//! The engine as its users see it.

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
    PriorityChoice, RefusalReason, Refused, Scheduler, SubmitOptions,
};
use whisperengine_types::{
    BotId, ChannelId, Clock, Feedback, IdError, MemoryError, MemoryId, MemoryOwner, MemoryRecall,
    MemoryRecord, MemoryStore, Message, Recall, RecallQuery, Responder, Suggestion, TurnOutcome, UserId,
    WriteOp,
};

use crate::{
    aftermath,
    builder::WhisperEngineBuilder,
    error::{Error, Result},
    health::{Health, Status},
    inline::InlineTurns,
    metrics,
    pipeline::Pipeline,
    report::CapabilityReport,
    ticket::Ticket,
    turn::{self, Turn, TurnIds},
    writer::Path,
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
    pub(crate) dispatch: Dispatch,
    pub(crate) store: Arc<dyn MemoryStore>,
    pub(crate) recall: Arc<dyn MemoryRecall>,
    pub(crate) responder: Arc<dyn Responder>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: TurnIds,
    pub(crate) message_limit_bytes: usize,
    pub(crate) shutdown_deadline: Duration,
    pub(crate) report: CapabilityReport,
    pub(crate) shutting_down: AtomicBool,
    pub(crate) aftermath: Mutex<Option<JoinHandle<()>>>,
}

/// Who decides when a turn is worked on.
#[derive(Debug)]
pub(crate) enum Dispatch {
    Scheduled(Scheduler<Turn, TurnOutcome>),
    Inline(InlineTurns),
}

/// A message's outcome and the reply to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// What the engine made of the message.
    pub outcome: TurnOutcome,
    /// What the responder wrote.
    pub reply: String,
}

/// What a shutdown came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Accepted turns that were finished while draining.
    pub turns_finished: u64,
    /// Accepted turns that were given back unfinished; their callers were told.
    pub turns_given_back: usize,
    /// Conversation states that were written.
    pub states_saved: usize,
    /// Conversation states that could not be written; they are rebuilt from the stored messages.
    pub states_unsaved: usize,
    /// Writes that never became durable; their callers were told `Volatile` or `NotStored`.
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
    /// # Errors
    /// [`Error::InvalidMessage`], [`Error::Busy`] or [`Error::ShuttingDown`]; nothing is kept of it.
    pub fn submit(&self, message: Message) -> Result<Ticket> {
        let inner = &*self.inner;
        if self.is_shutting_down() {
            return Err(Error::ShuttingDown);
        }
        message.validate(inner.message_limit_bytes)?;
        let turn = Turn {
            id: inner.ids.next(inner.clock.now()),
            priority: message.priority.unwrap_or_default(),
            sequence: inner.ids.issued(),
            accepted: inner.clock.instant(),
            message,
        };
        match &inner.dispatch {
            Dispatch::Inline(turns) => turns.submit(turn).map(Ticket::inline),
            Dispatch::Scheduled(scheduler) => {
                let session = turn.message.session();
                let choice = turn.message.priority.map_or_else(
                    || PriorityChoice::Scored(scheduler.score(&session, &turn.message.text, None)),
                    PriorityChoice::Class,
                );
                let ticket = scheduler
                    .submit(session, turn, SubmitOptions::new(choice))
                    .map_err(|refused| refusal(&refused))?;
                Ok(Ticket::scheduled(ticket))
            }
        }
    }

    /// [`handle`](Self::handle), the responder's reply, and [`record_reply`](Self::record_reply).
    ///
    /// # Errors
    /// As those three; [`Error::NoReply`] when the responder fails and so does the template.
    pub async fn converse(&self, message: Message) -> Result<Exchange> {
        let mut outcome = self.handle(message.clone()).await?;
        let mark = self.inner.pipeline.gates.responder_mark();
        let reply = self.respond(&message, &outcome).await?;
        outcome
            .degraded
            .extend(self.inner.pipeline.gates.responder_degraded(mark));
        match self.record_reply(&outcome, &reply, None).await {
            // The reply can still be said; there is just nobody to remember it for.
            Ok(()) | Err(Error::Forgotten) => Ok(Exchange { outcome, reply }),
            Err(error) => Err(error),
        }
    }

    /// The configured responder's reply.
    ///
    /// # Errors
    /// [`Error::NoReply`] when there is none.
    pub async fn respond(&self, message: &Message, outcome: &TurnOutcome) -> Result<String> {
        Ok(self.inner.responder.respond(message, outcome).await?)
    }

    /// Stores the reply that was sent and feeds it back, so that the engine learns what works. `moment`
    /// names the moment of the plan that the reply brought up, if it did.
    ///
    /// # Errors
    /// [`Error::NotStored`] when the reply could not be made safe, [`Error::Forgotten`] when the person
    /// was forgotten in the meantime.
    pub async fn record_reply(&self, outcome: &TurnOutcome, text: &str, moment: Option<&str>) -> Result<()> {
        let (inner, owner) = (&*self.inner, outcome.owner());
        let at = inner.clock.now();
        if text.trim().is_empty() {
            return Ok(());
        }
        let feedback = Feedback::Replied {
            text: text.to_owned(),
            moment: moment.map(str::to_owned),
            at,
        };
        let mut record = MemoryRecord::new(turn::reply(&outcome.turn), text, at);
        record.speaker = Some(outcome.session.bot.as_str().to_owned());
        record.channel = Some(outcome.session.channel.clone());
        record.importance = REPLY_IMPORTANCE;
        let writing = {
            let remembering = inner.pipeline.forgetting.remember();
            if remembering.is_forgotten(&owner, &outcome.turn) {
                return Err(Error::Forgotten);
            }
            record.session = inner.pipeline.states.sitting_of(&owner, &outcome.session.channel);
            if let Err(error) = inner.pipeline.states.feed_back(&owner, &feedback) {
                tracing::warn!(%error, "feedback was not taken");
            }
            let record = Arc::new(record);
            inner
                .pipeline
                .writer
                .begin(vec![WriteOp::Store { owner, record }])
        };
        let stored = inner.pipeline.writer.finish(writing).await;
        match stored.into_iter().next() {
            Some(whisperengine_types::Durability::NotStored { reason }) => Err(Error::NotStored { reason }),
            _ => Ok(()),
        }
    }

    /// Tells the conversation engine something that no message says: consent, time zone, a suggestion
    /// that was sent.
    ///
    /// # Errors
    /// [`Error::Conversation`] when it names something unknown.
    pub async fn feed_back(&self, owner: &MemoryOwner, feedback: Feedback) -> Result<()> {
        let (states, owner) = (Arc::clone(&self.inner.pipeline.states), owner.clone());
        Ok(blocking(move || states.feed_back(&owner, &feedback)).await?)
    }

    /// What is due to be said on the bot's own initiative. Say it, then report
    /// [`Feedback::SuggestionSent`].
    ///
    /// Call it every minute or so: it looks at everyone whose conversation is in memory and, in turn, at
    /// [`StateConfig::tick_stored_people`](crate::StateConfig::tick_stored_people) of those who have been
    /// away for longer.
    pub async fn tick(&self) -> Vec<(MemoryOwner, Suggestion)> {
        let (states, now) = (Arc::clone(&self.inner.pipeline.states), self.inner.clock.now());
        blocking(move || states.tick(now)).await
    }

    /// The memories of `owner` that answer `query` best.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn recall(&self, owner: &MemoryOwner, query: RecallQuery) -> Result<Recall> {
        let (recall, owner) = (Arc::clone(&self.inner.recall), owner.clone());
        Ok(blocking(move || recall.recall(&owner, &query)).await?)
    }

    /// Every memory of `owner`, in the order of their ids. Blocks on the store.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn memories(&self, owner: &MemoryOwner) -> Result<Vec<Arc<MemoryRecord>>> {
        let mut memories: Vec<Arc<MemoryRecord>> = Vec::new();
        loop {
            let after = memories.last().map(|record| record.id.clone());
            let page = self.inner.store.scan(owner, after.as_ref(), PAGE)?;
            let is_last = page.len() < PAGE;
            memories.extend(page);
            if is_last {
                return Ok(memories);
            }
        }
    }

    /// The memories with these ids, `None` where there is none. Blocks on the store.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn memories_by_id(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>> {
        Ok(self.inner.store.get(owner, ids)?)
    }

    /// Stores memories that did not come from a conversation: facts, documents, an export.
    ///
    /// # Errors
    /// [`Error::Memory`] of the first that failed; the others are stored.
    pub async fn remember(&self, owner: &MemoryOwner, records: Vec<MemoryRecord>) -> Result<()> {
        let (store, owner) = (Arc::clone(&self.inner.store), owner.clone());
        let ops = records.into_iter().map(move |record| WriteOp::Store {
            owner: owner.clone(),
            record: record.into(),
        });
        let ops: Vec<WriteOp> = ops.collect();
        let answers = blocking(move || store.commit(&ops)).await;
        Ok(answers
            .into_iter()
            .collect::<Result<Vec<_>, MemoryError>>()
            .map(drop)?)
    }

    /// Everything stored of `owner`, one JSON object a line. Blocks on the store.
    ///
    /// # Errors
    /// [`Error::Memory`], or [`Error::Io`] from `out`.
    pub fn export_user(&self, owner: &MemoryOwner, mut out: impl std::io::Write) -> Result<usize> {
        let memories = self.memories(owner)?;
        for record in &memories {
            serde_json::to_writer(&mut out, &**record).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        Ok(memories.len())
    }

    /// Deletes everything known of `owner`: memories, conversation state, waiting writes. When this
    /// returns, it is gone for good: turns accepted before are answered but not stored, and replies to
    /// them are refused with [`Error::Forgotten`]. What the person writes afterwards is kept as usual.
    ///
    /// # Errors
    /// [`Error::Memory`] when the deletion could not be made durable.
    pub async fn forget_user(&self, owner: &MemoryOwner) -> Result<()> {
        let (inner, owner) = (Arc::clone(&self.inner), owner.clone());
        blocking(move || {
            let pipeline = &inner.pipeline;
            pipeline.forgetting.forget(&owner, inner.ids.mark(), || {
                pipeline.writer.forget_blocking(&owner)?;
                pipeline.states.forget(&owner);
                if let Some(embedded) = &pipeline.embedded {
                    embedded.clear();
                }
                Ok(())
            })
        })
        .await
    }

    /// What works and what does not.
    pub fn health(&self) -> Health {
        let pipeline = &self.inner.pipeline;
        let components = pipeline.gates.components();
        Health {
            status: Status::of(&components),
            components,
            outbox: pipeline.writer.waiting(),
            conversations: pipeline.states.len(),
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

    /// Refuses new messages, finishes what was accepted within the configured time, saves every
    /// conversation, and says what came of it. A second call reports nothing.
    pub async fn shutdown(&self) -> ShutdownReport {
        let inner = &self.inner;
        let mut report = ShutdownReport::default();
        if inner.shutting_down.swap(true, Ordering::AcqRel) {
            return report;
        }
        match &inner.dispatch {
            Dispatch::Inline(turns) => turns.drain(inner.shutdown_deadline).await,
            Dispatch::Scheduled(scheduler) => {
                let drained = scheduler.shutdown(inner.shutdown_deadline).await;
                report.turns_finished = drained.served;
                report.turns_given_back = drained.handed_back.len() + drained.still_running;
            }
        }
        let thread = inner
            .aftermath
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let pipeline = Arc::clone(&inner.pipeline);
        let (saved, due) = blocking(move || {
            pipeline.aftermath.stop();
            // A panic in the thread was printed where it happened; the states are saved all the same.
            let _ = thread.map(JoinHandle::join);
            let _remembering = pipeline.forgetting.remember();
            pipeline.writer.retry();
            let saves = pipeline.states.all_saves();
            (
                aftermath::save(&pipeline.states, &pipeline.writer, &saves),
                saves.len(),
            )
        })
        .await;
        report.states_saved = saved;
        report.states_unsaved = due - saved;
        report.writes_lost = inner.pipeline.writer.waiting();
        if let Path::Batched(batcher, _) = &inner.pipeline.writer.path
            && let Ok(drained) = batcher.shutdown(inner.shutdown_deadline).await
        {
            report.writes_lost += drained.unwritten.len() + drained.in_doubt.len();
        }
        report
    }
}

/// Runs work that may block, off the asynchronous threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn refusal(refused: &Refused) -> Error {
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

const PAGE: usize = 1024;
const REPLY_IMPORTANCE: f32 = 0.3;
const RETRY_AFTER: Duration = Duration::from_secs(1);
