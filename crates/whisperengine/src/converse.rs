//! Replies: written by the responder in parts, recorded when they end, in the order of the conversation.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use dashmap::DashMap;
use futures_core::Stream;
use tokio::sync::{Notify, OwnedMutexGuard};
use whisperengine_types::{
    BoxStream, Component, Degradation, Durability, Feedback, MemoryRecord, Message, ReplyRequest, Responder,
    ResponderError, SessionKey, TurnOutcome, WriteOp,
};

use crate::{
    WhisperEngine,
    cells::{MOMENT, REPLY_TO, line_of},
    engine::blocking,
    error::{Error, Result},
    fallback::{Gate, guarded},
    metrics,
    recall::audience_owner,
    responder::TemplateResponder,
    turn::{Order, Role},
};

/// A message's outcome and the reply to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// What the engine made of the message.
    pub outcome: TurnOutcome,
    /// What the responder wrote.
    pub reply: String,
    /// Whether the reply is stored.
    pub reply_stored: Durability,
}

/// Who writes the replies, and the order in which conversations have theirs.
#[derive(Debug)]
pub(crate) struct Replies {
    responder: Arc<dyn Responder>,
    gate: Option<Arc<Gate>>,
    timeout: Duration,
    limit_bytes: usize,
    turns: DashMap<SessionKey, Arc<tokio::sync::Mutex<()>>>,
    writing: Arc<Writing>,
}

/// Replies that are being written.
#[derive(Debug, Default)]
struct Writing {
    count: AtomicUsize,
    ended: Notify,
}

/// Counts a reply as being written until it is dropped.
#[derive(Debug)]
struct Counted(Arc<Writing>);

impl Replies {
    pub(crate) fn new(
        responder: Arc<dyn Responder>,
        gate: Option<Arc<Gate>>,
        timeout: Duration,
        limit_bytes: usize,
    ) -> Self {
        Self {
            responder,
            gate,
            timeout,
            limit_bytes,
            turns: DashMap::new(),
            writing: Arc::default(),
        }
    }

    /// The configured responder's answer, a panic being one, too.
    fn ask(&self, request: ReplyRequest) -> Parts {
        let asked = guarded(|| self.responder.respond(request));
        asked.map_or_else(|panic| Parts(whole(Err(unavailable(panic)))), Parts)
    }

    /// Waits until no reply is being written, at most for `deadline`; how many still are.
    pub(crate) async fn drain(&self, deadline: Duration) -> usize {
        let ended = async {
            loop {
                let notified = self.writing.ended.notified();
                if self.writing.count.load(Ordering::Acquire) == 0 {
                    break;
                }
                notified.await;
            }
        };
        let _ = tokio::time::timeout(deadline, ended).await;
        self.writing.count.load(Ordering::Acquire)
    }

    /// Waits for the reply before in the same conversation.
    async fn turn(&self, session: &SessionKey) -> OwnedMutexGuard<()> {
        let turn = Arc::clone(&self.turns.entry(session.clone()).or_default());
        turn.lock_owned().await
    }

    /// Forgets a conversation in which no reply is waited for.
    fn tidy(&self, session: &SessionKey) {
        self.turns
            .remove_if(session, |_, turn| Arc::strong_count(turn) == 1);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::AcqRel);
        self.0.ended.notify_waiters();
    }
}

impl WhisperEngine {
    /// [`handle`](Self::handle), the responder's reply, and [`record_reply`](Self::record_reply). The next
    /// message of the same conversation waits until the reply to this one is recorded, so that it is answered
    /// with it in view.
    ///
    /// # Errors
    /// As [`handle`](Self::handle); [`Error::NoReply`] when the responder refuses the message. A responder that
    /// is away is stood in for by the template, and the outcome says so.
    pub async fn converse(&self, message: Message) -> Result<Exchange> {
        let mut replying = self.converse_stream(message).await?;
        while let Some(part) = poll_fn(|context| Pin::new(&mut replying).poll_next(context)).await {
            part?;
        }
        replying.finish().await
    }

    /// As [`converse`](Self::converse), with the reply in parts as they are written. What was written is
    /// recorded when the stream is [finished](ReplyStream::finish) or dropped.
    ///
    /// # Errors
    /// As [`handle`](Self::handle).
    pub async fn converse_stream(&self, message: Message) -> Result<ReplyStream> {
        let replies = &self.inner.replies;
        let session = message.session();
        let turn = replies.turn(&session).await;
        let outcome = self.handle(message.clone()).await?;
        replies.writing.count.fetch_add(1, Ordering::AcqRel);
        let counted = Counted(Arc::clone(&replies.writing));
        let request = ReplyRequest {
            message: Arc::new(message),
            outcome: Arc::new(outcome),
        };
        let recorded = if request.outcome.redelivered {
            self.recorded_reply(&request.outcome).await
        } else {
            None
        };
        Ok(ReplyStream::new(self.clone(), request, recorded, turn, counted))
    }

    /// The configured responder's reply to a turn, as a whole; it is not recorded.
    ///
    /// # Errors
    /// [`Error::NoReply`] when there is none.
    pub async fn respond(&self, message: &Message, outcome: &TurnOutcome) -> Result<String> {
        let mut parts = self.inner.replies.ask(ReplyRequest {
            message: Arc::new(message.clone()),
            outcome: Arc::new(outcome.clone()),
        });
        let mut reply = String::new();
        while let Some(part) = poll_fn(|context| parts.poll_next(context)).await {
            reply.push_str(&part?);
        }
        Ok(reply)
    }

    /// Stores the reply that was sent and feeds it back, so that the engine learns what works. `moment`
    /// names the moment of the plan that the reply brought up, if it did. A second reply to the same turn is not
    /// recorded.
    ///
    /// # Errors
    /// [`Error::Forgotten`] when the person was forgotten in the meantime.
    pub async fn record_reply(
        &self,
        outcome: &TurnOutcome,
        text: &str,
        moment: Option<&str>,
    ) -> Result<Durability> {
        let cell = self.inner.pipeline.cells.cell(&outcome.owner());
        let is_at_hand =
            Order::of(&outcome.turn).is_some_and(|turn| cell.try_lock().is_some_and(|cell| cell.knows(turn)));
        let submitted = if is_at_hand {
            self.submit_reply(outcome, text, moment)
        } else {
            let (engine, outcome) = (self.clone(), outcome.clone());
            let (text, moment) = (text.to_owned(), moment.map(str::to_owned));
            blocking(move || engine.submit_reply(&outcome, &text, moment.as_deref())).await
        };
        match submitted? {
            Some(submission) => Ok(self.inner.pipeline.writer.stored(submission).await),
            None => Ok(Durability::Durable),
        }
    }

    /// The recorded reply to a turn that was delivered again.
    async fn recorded_reply(&self, outcome: &TurnOutcome) -> Option<String> {
        let (inner, owner, turn) = (Arc::clone(&self.inner), outcome.owner(), outcome.turn.clone());
        let find = move || {
            let page = inner.store.scan(&owner, Some(&turn), REPLY_SEARCH).ok()?;
            let is_reply =
                |record: &&Arc<MemoryRecord>| record.metadata.get(REPLY_TO) == Some(&turn.as_str().into());
            page.iter().find(is_reply).map(|record| record.text.clone())
        };
        blocking(find).await
    }

    fn submit_reply(
        &self,
        outcome: &TurnOutcome,
        text: &str,
        moment: Option<&str>,
    ) -> Result<Option<whisperengine_memory_batcher::Submission>> {
        let (inner, owner) = (&*self.inner, outcome.owner());
        let at = inner.clock.now();
        let Some(turn) = Order::of(&outcome.turn).filter(|_| !text.trim().is_empty()) else {
            return Ok(None);
        };
        let cell = inner.pipeline.cells.cell(&owner);
        let mut locked = cell.lock();
        let pipeline = &inner.pipeline;
        if !locked.knows(turn) {
            // From before a restart or a forgetting: what is stored tells which.
            let stored = inner.store.get(&owner, std::slice::from_ref(&outcome.turn))?;
            if stored.iter().all(Option::is_none) {
                return Err(Error::Forgotten);
            }
        }
        let loaded = pipeline.cells.load(&owner, &mut locked)?;
        if !loaded.note_reply(turn) {
            return Ok(None);
        }
        let feedback = Feedback::Replied {
            text: text.to_owned(),
            moment: moment.map(str::to_owned),
            at,
        };
        if let Err(error) = loaded.conversation.record_feedback(&feedback) {
            tracing::warn!(%error, "feedback was not taken");
        }
        let session = loaded.session(&outcome.session.channel, at, pipeline.cells.session_gap());
        let id = locked.issue(pipeline.planner.ids, &owner, at, Role::Bot);
        locked.changed(at);
        let mut record = MemoryRecord::new(id, cut(text, inner.replies.limit_bytes), at);
        record.speaker = Some(outcome.session.bot.as_str().to_owned());
        record.channel = Some(outcome.session.channel.clone());
        record.importance = REPLY_IMPORTANCE;
        record.session = Some(session);
        record
            .metadata
            .insert(REPLY_TO.to_owned(), outcome.turn.as_str().into());
        if let Some(moment) = moment {
            record.metadata.insert(MOMENT.to_owned(), moment.into());
        }
        record.set_audience(&outcome.audience);
        let record = Arc::new(record);
        let channel = &outcome.session.channel;
        if let (true, Some(loaded)) = (outcome.audience.is_private(), &mut locked.loaded) {
            loaded.dialogue(channel).push(line_of(&record, true), None);
        }
        if let Some(group) = outcome.audience.group() {
            let key = (outcome.session.bot.clone(), group.clone(), channel.clone());
            pipeline.planner.channels.push(&key, line_of(&record, true), None);
            drop(pipeline.writer.submit_one(WriteOp::Store {
                owner: audience_owner(&outcome.session.bot, group),
                record: Arc::clone(&record),
            }));
        }
        Ok(Some(pipeline.writer.submit_one(WriteOp::Store { owner, record })))
    }
}

/// A reply that is being written: a stream of its parts.
///
/// The deadline for the whole reply is [`reply_timeout_ms`](crate::EngineConfig::reply_timeout_ms). A
/// responder that fails before its first part is stood in for by the template; one that fails later leaves the
/// parts that came, and the outcome says that the reply broke off.
#[derive(Debug)]
#[must_use = "a stream does nothing unless it is polled"]
pub struct ReplyStream {
    engine: WhisperEngine,
    request: ReplyRequest,
    parts: Option<Parts>,
    deadline: Pin<Box<tokio::time::Sleep>>,
    text: String,
    degraded: Option<Degradation>,
    recorded: bool,
    turn: Option<OwnedMutexGuard<()>>,
    _counted: Counted,
}

struct Parts(BoxStream<Result<String, ResponderError>>);

impl Parts {
    /// The next part; a panic is an error and the end.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<String, ResponderError>>> {
        match guarded(|| self.0.as_mut().poll_next(context)) {
            Ok(part) => part,
            Err(panic) => {
                self.0 = Box::pin(whisperengine_types::WholeReply::new(Ok(String::new())));
                Poll::Ready(Some(Err(unavailable(panic))))
            }
        }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

impl ReplyStream {
    fn new(
        engine: WhisperEngine,
        request: ReplyRequest,
        recorded: Option<String>,
        turn: OwnedMutexGuard<()>,
        counted: Counted,
    ) -> Self {
        let replies = &engine.inner.replies;
        let is_recorded = recorded.is_some();
        let (parts, degraded) = match recorded {
            Some(text) => (Parts(whole(Ok(text))), None),
            None => match &replies.gate {
                Some(gate) if !gate.may_enter() => (template(&request), Some(gate.degradation())),
                _ => (replies.ask(request.clone()), None),
            },
        };
        Self {
            deadline: Box::pin(tokio::time::sleep(replies.timeout)),
            parts: Some(parts),
            request,
            text: String::new(),
            degraded,
            recorded: is_recorded,
            turn: Some(turn),
            _counted: counted,
            engine,
        }
    }

    /// What the engine made of the message.
    pub fn outcome(&self) -> &TurnOutcome {
        &self.request.outcome
    }

    /// Ends the stream: records what was written so far and gives it with the outcome.
    ///
    /// # Errors
    /// [`Error::NoReply`] when nothing was written.
    pub async fn finish(mut self) -> Result<Exchange> {
        self.parts = None;
        let mut outcome = (*self.request.outcome).clone();
        outcome.degraded.extend(self.degraded.take());
        if self.text.trim().is_empty() {
            return Err(Error::NoReply(ResponderError::Refused {
                reason: "the reply is empty".to_owned(),
            }));
        }
        let reply = std::mem::take(&mut self.text);
        let reply_stored = if std::mem::replace(&mut self.recorded, true) {
            Durability::Durable
        } else {
            match self.engine.record_reply(&outcome, &reply, None).await {
                Ok(stored) => stored,
                // The reply was written all the same, and can be said.
                Err(error) => Durability::NotStored {
                    reason: error.to_string(),
                },
            }
        };
        Ok(Exchange {
            outcome,
            reply,
            reply_stored,
        })
    }

    /// Has the template answer where nothing was written yet. A refusal is the caller's to handle.
    fn fall_back(&mut self, error: ResponderError) -> Option<ResponderError> {
        self.parts = None;
        if matches!(error, ResponderError::Refused { .. }) {
            return Some(error);
        }
        let degraded = Degradation {
            component: Component::Responder,
            reason: error.to_string(),
            since: None,
        };
        let is_template = self.degraded.replace(degraded).is_some();
        if self.text.trim().is_empty() && !is_template {
            self.text.clear();
            self.parts = Some(template(&self.request));
        }
        None
    }

    /// As [`fall_back`](Self::fall_back), and the gate counts it where the responder is broken rather than busy.
    fn failed(&mut self, error: ResponderError) -> Option<ResponderError> {
        let is_broken = matches!(
            error,
            ResponderError::Unavailable { .. } | ResponderError::BrokenOff { .. }
        );
        // The template has no gate.
        if is_broken && self.degraded.is_none() {
            self.note(Some(&error.to_string()));
        }
        self.fall_back(error)
    }

    fn note(&self, error: Option<&str>) {
        if let Some(gate) = &self.engine.inner.replies.gate {
            gate.note(error);
        }
    }

    /// Notes the end of the reply.
    fn ended(&mut self) {
        if self.degraded.is_none() && !self.recorded {
            self.note(None);
        }
        metrics::record_reply(self.degraded.is_some());
        self.parts = None;
    }

    /// Takes a part as far as there is room.
    fn take(&mut self, part: &str) -> String {
        let room = self
            .engine
            .inner
            .replies
            .limit_bytes
            .saturating_sub(self.text.len());
        let kept = cut(part, room).to_owned();
        self.text.push_str(&kept);
        if kept.len() < part.len() {
            self.ended();
        }
        kept
    }
}

impl Stream for ReplyStream {
    type Item = Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        while let Some(parts) = &mut this.parts {
            let part = parts.poll_next(context);
            // The timer does not run while a stream is always ready.
            let is_late = this.degraded.is_none()
                && (this.deadline.as_mut().poll(context).is_ready()
                    || this.deadline.deadline() <= tokio::time::Instant::now());
            let failed = match part {
                Poll::Ready(None) if this.text.trim().is_empty() && this.degraded.is_none() => {
                    // A responder that says nothing is not broken.
                    this.fall_back(unavailable("the reply is empty"))
                }
                Poll::Ready(None) => {
                    this.ended();
                    None
                }
                Poll::Ready(Some(Err(error))) => this.failed(error),
                _ if is_late => this.failed(unavailable("the reply took too long")),
                Poll::Ready(Some(Ok(part))) => return Poll::Ready(Some(Ok(this.take(&part)))),
                Poll::Pending => return Poll::Pending,
            };
            if let Some(refusal) = failed {
                return Poll::Ready(Some(Err(refusal.into())));
            }
        }
        Poll::Ready(None)
    }
}

impl Drop for ReplyStream {
    fn drop(&mut self) {
        let session = self.request.outcome.session.clone();
        if !self.recorded && !self.text.trim().is_empty() {
            // What was said before the caller went away is part of the conversation.
            let recorded = self.engine.submit_reply(&self.request.outcome, &self.text, None);
            if let Err(error) = recorded {
                tracing::warn!(%error, "a reply could not be recorded");
            }
        }
        self.turn = None;
        self.engine.inner.replies.tidy(&session);
    }
}

fn whole(reply: Result<String, ResponderError>) -> BoxStream<Result<String, ResponderError>> {
    Box::pin(whisperengine_types::WholeReply::new(reply))
}

fn template(request: &ReplyRequest) -> Parts {
    Parts(TemplateResponder.respond(request.clone()))
}

fn unavailable(reason: impl Into<String>) -> ResponderError {
    ResponderError::Unavailable {
        reason: reason.into(),
    }
}

/// The longest beginning of `text` of at most `limit` bytes.
fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

const REPLY_IMPORTANCE: f32 = 0.3;
/// Records after a turn among which its reply is looked for.
const REPLY_SEARCH: usize = 64;
