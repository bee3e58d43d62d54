//! One owner's memories and settings, and the way to change or remove them.

use std::{io::Write, sync::Arc};

use serde::{Deserialize, Serialize};
use whisperengine_profile::Statement;
use whisperengine_types::{
    Audience, ConversationError, Fact, FactSource, Feedback, MemoryError, MemoryId, MemoryOwner, MemoryPatch,
    MemoryRecord, PlatformId, Recall, RecallQuery, Slot, Suggestion, WriteOp,
};

use crate::{
    WhisperEngine,
    cell::Loaded,
    cells::Facts,
    engine::blocking,
    error::{Error, Result},
    frame::Settings,
    recall::audience_owner,
    turn,
};

/// What one bot knows of one person, or a shared space of its lore.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use whisperengine::{BotId, UserId, WhisperEngine};
///
/// let engine = WhisperEngine::builder().build()?;
/// engine.handle(engine.message("ember", "ana", "direct", "My locker code is 4471.")?).await?;
/// let ana = engine.owner(BotId::new("ember")?, UserId::new("ana")?);
/// let memories = ana.memories(None, 10).await?;
/// assert_eq!(memories[0].text, "My locker code is 4471.");
/// ana.delete(&memories[0].id).await?;
/// assert!(ana.memories(None, 10).await?.is_empty());
/// # engine.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OwnerHandle {
    engine: WhisperEngine,
    owner: MemoryOwner,
}

/// One line of an export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum ExportLine {
    /// The first line.
    Header {
        /// The version of the format: 1.
        version: u32,
        /// Whose export it is.
        owner: MemoryOwner,
    },
    /// What the person or the app decided.
    Settings {
        /// Whether messages on the bot's own initiative are welcome; absent if nobody said.
        proactive: Option<bool>,
        /// The person's time zone.
        zone: Option<String>,
    },
    /// A fact that the app set; what the person said is known from the memories.
    Fact {
        /// The fact.
        fact: Box<Fact>,
    },
    /// A memory.
    Memory {
        /// The record; its embedding is left out and made anew on import.
        record: Box<MemoryRecord>,
    },
}

impl OwnerHandle {
    pub(crate) fn new(engine: WhisperEngine, owner: MemoryOwner) -> Self {
        Self { engine, owner }
    }

    /// Whose memories these are.
    pub fn owner(&self) -> &MemoryOwner {
        &self.owner
    }

    /// Up to `limit` memories in the order of their ids, those after `after` only.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn memories(&self, after: Option<&MemoryId>, limit: usize) -> Result<Vec<Arc<MemoryRecord>>> {
        let after = after.cloned();
        self.on_store(move |handle| {
            handle
                .engine
                .inner
                .store
                .scan(&handle.owner, after.as_ref(), limit)
        })
        .await
    }

    /// The memories with these ids, `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn get(&self, ids: &[MemoryId]) -> Result<Vec<Option<Arc<MemoryRecord>>>> {
        let ids = ids.to_vec();
        self.on_store(move |handle| handle.engine.inner.store.get(&handle.owner, &ids))
            .await
    }

    /// The memory of the message that the platform numbers so, among those of the last seven days.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn find_platform_id(
        &self,
        channel: &whisperengine_types::ChannelId,
        id: &PlatformId,
    ) -> Result<Option<MemoryId>> {
        let (channel, id) = (channel.clone(), id.clone());
        self.on_store(move |handle| {
            let inner = &handle.engine.inner;
            let cell = inner.pipeline.cells.cell(&handle.owner);
            let mut cell = cell.lock();
            let known = inner
                .pipeline
                .cells
                .deliveries(&handle.owner, &mut cell, inner.clock.now())?;
            Ok(known.turn(&channel, &id).cloned())
        })
        .await
    }

    /// The memories that answer `query` best.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn recall(&self, query: RecallQuery) -> Result<Recall> {
        self.on_store(move |handle| {
            let port = &handle.engine.inner.pipeline.recall.port;
            let found = port.call(
                |port| port.recall(&handle.owner, &query),
                MemoryError::is_unavailable,
            );
            found.map(|found| found.value)
        })
        .await
    }

    /// Stores memories that did not come from a conversation: facts, documents, lore.
    ///
    /// # Errors
    /// [`Error::Memory`] of the first that failed; the others are stored.
    pub async fn remember(&self, records: Vec<MemoryRecord>) -> Result<()> {
        let writes = records.into_iter().map(|record| WriteOp::Store {
            owner: self.owner.clone(),
            record: record.into(),
        });
        self.engine.inner.pipeline.recall.note_written(&self.owner);
        self.write(writes).await
    }

    /// Changes a memory. Where its text changes, what was learnt from the old one goes: the conversation is
    /// rebuilt from the stored messages, at most
    /// [`StateConfig::replay_messages`](crate::StateConfig::replay_messages) of them.
    ///
    /// # Errors
    /// [`Error::Memory`], with [`MemoryError::NotFound`] inside when there is no such memory.
    pub async fn edit(&self, id: &MemoryId, patch: MemoryPatch) -> Result<()> {
        let learns_anew = patch.text.is_some();
        let patch = Arc::new(patch);
        let change = |owner: MemoryOwner| WriteOp::Update {
            owner,
            id: id.clone(),
            patch: Arc::clone(&patch),
        };
        self.change(id, change, learns_anew).await
    }

    /// Removes a memory and what was learnt from it; as [`edit`](Self::edit) says.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub async fn delete(&self, id: &MemoryId) -> Result<()> {
        let delete = |owner: MemoryOwner| WriteOp::Delete {
            owner,
            id: id.clone(),
        };
        self.change(id, delete, true).await
    }

    /// Pins a memory, so that it never decays and is never evicted, or unpins it.
    ///
    /// # Errors
    /// As [`edit`](Self::edit).
    pub async fn pin(&self, id: &MemoryId, pinned: bool) -> Result<()> {
        let patch = MemoryPatch {
            pinned: Some(pinned),
            ..MemoryPatch::default()
        };
        self.edit(id, patch).await
    }

    /// Notes something that no message says: consent, time zone, a suggestion that was sent. Durable when it
    /// returns.
    ///
    /// # Errors
    /// [`Error::Conversation`] when it names something unknown, [`Error::Memory`] when it could not be kept.
    pub async fn feed_back(&self, feedback: Feedback) -> Result<()> {
        self.change_loaded(move |loaded, _| {
            loaded.conversation.record_feedback(&feedback)?;
            loaded.settings.note(&feedback);
            Ok(())
        })
        .await
    }

    /// The facts that are known of the person and hold now.
    ///
    /// # Errors
    /// [`Error::Conversation`] when what is known of the person cannot be read.
    pub async fn facts(&self) -> Result<Vec<Fact>> {
        let now = self.engine.inner.clock.now();
        self.with_loaded(move |loaded| loaded.facts(now, &Audience::Private))
            .await
    }

    /// All that was ever known of a slot, in the order in which it was said.
    ///
    /// # Errors
    /// As [`facts`](Self::facts).
    pub async fn history(&self, slot: Slot) -> Result<Vec<Fact>> {
        self.with_loaded(move |loaded| loaded.profile.history(slot).cloned().collect())
            .await
    }

    /// Sets a fact; like any other it ends what it replaces. Durable when it returns.
    ///
    /// # Errors
    /// As [`facts`](Self::facts), and [`Error::Memory`] when it could not be kept.
    pub async fn set_fact(&self, slot: Slot, value: &str) -> Result<()> {
        let (now, value) = (self.engine.inner.clock.now(), value.to_owned());
        self.change_loaded(move |loaded, id| {
            let mut fact = Fact::new(slot, value, id, now);
            fact.told_by = FactSource::App;
            loaded.profile.set_fact(fact);
            Ok(())
        })
        .await
    }

    /// Ends the facts of `slot` with this value; they stay as history. Durable when it returns.
    ///
    /// # Errors
    /// As [`set_fact`](Self::set_fact).
    pub async fn end_fact(&self, slot: Slot, value: &str) -> Result<()> {
        let (now, value) = (self.engine.inner.clock.now(), value.to_owned());
        self.change_loaded(move |loaded, id| {
            loaded.profile.end_fact(slot, &value, &id, now);
            Ok(())
        })
        .await
    }

    /// Marks the facts of `slot` with this value as sure. Durable when it returns.
    ///
    /// # Errors
    /// As [`set_fact`](Self::set_fact).
    pub async fn confirm(&self, slot: Slot, value: &str) -> Result<()> {
        let (now, value) = (self.engine.inner.clock.now(), value.to_owned());
        self.change_loaded(move |loaded, _| {
            loaded.profile.confirm(slot, &value, now);
            Ok(())
        })
        .await
    }

    /// What is due to be said to this person on the bot's own initiative.
    ///
    /// # Errors
    /// [`Error::Conversation`] when the conversation cannot be loaded.
    pub async fn tick(&self) -> Result<Vec<Suggestion>> {
        let handle = self.clone();
        let tick = move || {
            let inner = &handle.engine.inner;
            inner.pipeline.cells.tick_one(&handle.owner, inner.clock.now())
        };
        Ok(blocking(tick).await?)
    }

    /// Removes everything known of the person, durably: memories, state, settings, what they said to audiences,
    /// and what is under way. Turns and replies that were accepted before are answered and not stored.
    ///
    /// Deleted bytes stay in the files of the data folder until [`compact`](WhisperEngine::compact).
    ///
    /// # Errors
    /// [`Error::Memory`] when the store does not confirm it. The person's state in memory is gone all the same,
    /// and the call has to be made again.
    pub async fn forget(&self) -> Result<()> {
        let handle = self.clone();
        let (heard, submission) = blocking(move || handle.submit_forget()).await?;
        let writer = &self.engine.inner.pipeline.writer;
        for submission in heard.into_iter().chain([submission]) {
            writer.committed(submission).await?;
        }
        Ok(())
    }

    /// Writes everything that is kept: a header, the settings and every memory, one JSON object a line (see
    /// [`ExportLine`]).
    ///
    /// # Errors
    /// [`Error::Memory`], or [`Error::Io`] of `out`.
    pub async fn export(&self, out: &mut (impl Write + Send)) -> Result<()> {
        let mut line = |line: &ExportLine| -> Result<()> {
            serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
            Ok(out.write_all(b"\n")?)
        };
        line(&ExportLine::Header {
            version: EXPORT_VERSION,
            owner: self.owner.clone(),
        })?;
        let settings = self.with_loaded(|loaded| loaded.settings.clone()).await?;
        line(&ExportLine::Settings {
            proactive: settings.proactive,
            zone: settings.zone.map(|zone| zone.as_str().to_owned()),
        })?;
        let is_set = |fact: &&Fact| fact.told_by == FactSource::App;
        let set = move |loaded: &Loaded| {
            loaded
                .profile
                .all()
                .filter(is_set)
                .cloned()
                .collect::<Vec<Fact>>()
        };
        for fact in self.with_loaded(set).await? {
            line(&ExportLine::Fact { fact: Box::new(fact) })?;
        }
        let mut after = None;
        loop {
            let page = self.memories(after.as_ref(), PAGE).await?;
            for record in &page {
                let mut record = (**record).clone();
                record.embedding = None;
                line(&ExportLine::Memory {
                    record: Box::new(record),
                })?;
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id.clone()),
                _ => return Ok(()),
            }
        }
    }

    /// Takes in what [`export`](Self::export) wrote, for this owner, whoever it was exported of; memories of the
    /// same id are replaced. Returns how many memories were taken in.
    ///
    /// # Errors
    /// [`Error::Io`] at the first line that is not of the format; what came before is kept. [`Error::Memory`].
    pub async fn import(&self, lines: impl Iterator<Item = std::io::Result<String>> + Send) -> Result<usize> {
        let mut taken = 0;
        let (mut waiting, mut facts, mut settings) = (Vec::new(), Vec::new(), Settings::default());
        for line in lines {
            match serde_json::from_str(&line?).map_err(std::io::Error::from)? {
                ExportLine::Header { version, .. } if version != EXPORT_VERSION => {
                    let reason = format!("export of version {version}, not {EXPORT_VERSION}");
                    return Err(Error::Io(std::io::Error::other(reason)));
                }
                ExportLine::Header { .. } => {}
                ExportLine::Settings { proactive, zone } => {
                    settings.proactive = proactive;
                    settings.zone = zone.and_then(|zone| whisperengine_types::ZoneId::new(zone).ok());
                }
                ExportLine::Fact { fact } => facts.push(*fact),
                ExportLine::Memory { record } => {
                    waiting.push(*record);
                    taken += 1;
                }
            }
            if waiting.len() == PAGE {
                self.remember(std::mem::take(&mut waiting)).await?;
            }
        }
        self.remember(waiting).await?;
        self.rebuild(Facts::Reread).await?;
        for feedback in settings.feedback() {
            self.feed_back(feedback).await?;
        }
        for fact in facts {
            self.change_loaded(move |loaded, _| {
                loaded.profile.set_fact(fact);
                Ok(())
            })
            .await?;
        }
        Ok(taken)
    }

    /// Looks at what is loaded of the person.
    async fn with_loaded<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Loaded) -> T + Send + 'static,
    ) -> Result<T> {
        let handle = self.clone();
        let look = move || {
            let cells = &handle.engine.inner.pipeline.cells;
            let cell = cells.cell(&handle.owner);
            let mut cell = cell.lock();
            cells.load(&handle.owner, &mut cell).map(|loaded| work(loaded))
        };
        Ok(blocking(look).await?)
    }

    /// Changes what is loaded of the person and saves it; `work` is given an id for the change.
    async fn change_loaded(
        &self,
        work: impl FnOnce(&mut Loaded, MemoryId) -> Result<(), ConversationError> + Send + 'static,
    ) -> Result<()> {
        let handle = self.clone();
        let saving = blocking(move || handle.submit_change(work)).await?;
        if let Some((save, submission)) = saving {
            let kept = self.engine.inner.pipeline.writer.committed(submission).await;
            save.done(kept.is_ok());
            kept?;
        }
        Ok(())
    }

    fn submit_change(
        &self,
        work: impl FnOnce(&mut Loaded, MemoryId) -> Result<(), ConversationError>,
    ) -> Result<Option<(crate::cells::Save, Submission)>> {
        let inner = &self.engine.inner;
        let pipeline = &inner.pipeline;
        let cell = pipeline.cells.cell(&self.owner);
        {
            let (now, mut cell) = (inner.clock.now(), cell.lock());
            pipeline.cells.load(&self.owner, &mut cell)?;
            let id = cell.issue(pipeline.planner.ids, &self.owner, now, turn::Role::Person);
            work(pipeline.cells.load(&self.owner, &mut cell)?, id)?;
            cell.changed(now);
            // A save under way lacks this change.
            cell.saving = false;
        }
        Ok(pipeline
            .cells
            .save(&self.owner, |_| true, |op| pipeline.writer.submit_one(op)))
    }

    /// Removes a person's words from the audiences that heard them, and raises the epoch.
    fn submit_forget(&self) -> Result<(Vec<Submission>, Submission)> {
        let inner = &self.engine.inner;
        let pipeline = &inner.pipeline;
        let heard = self.said_to_audiences()?;
        let heard = heard
            .into_iter()
            .map(|op| pipeline.writer.submit_one(op))
            .collect();
        let owner = self.owner.clone();
        let cell = pipeline.cells.cell(&self.owner);
        let forgotten = cell.forget(|| pipeline.writer.submit_one(WriteOp::ForgetAll { owner }));
        if let MemoryOwner::Person { bot, user } = &self.owner {
            pipeline.planner.channels.forget(bot, user);
        }
        inner.caches.clear();
        Ok((heard, forgotten))
    }

    fn said_to_audiences(&self) -> Result<Vec<WriteOp>> {
        let mut deletes = Vec::new();
        let mut after = None;
        loop {
            let page = self.engine.inner.store.scan(&self.owner, after.as_ref(), PAGE)?;
            for record in &page {
                if let Some(group) = record.audience().group() {
                    deletes.push(WriteOp::Delete {
                        owner: audience_owner(self.owner.bot(), group),
                        id: record.id.clone(),
                    });
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id.clone()),
                _ => return Ok(deletes),
            }
        }
    }

    /// Applies a change to a memory, and to its copy where it was said to an audience.
    async fn change(
        &self,
        id: &MemoryId,
        change: impl Fn(MemoryOwner) -> WriteOp,
        learns_anew: bool,
    ) -> Result<()> {
        let record = self
            .get(std::slice::from_ref(id))
            .await?
            .into_iter()
            .flatten()
            .next();
        let said_at = record.as_ref().map(|record| record.sent_at).unwrap_or_default();
        let audience = record.map(|record| record.audience()).unwrap_or_default();
        let op = change(self.owner.clone());
        let text = match &op {
            WriteOp::Update { patch, .. } => patch.text.clone(),
            _ => None,
        };
        self.write([op]).await?;
        if let Some(group) = audience.group() {
            let copy = change(audience_owner(self.owner.bot(), group));
            self.write([copy]).await?;
            if learns_anew {
                let channels = &self.engine.inner.pipeline.planner.channels;
                channels.change(self.owner.bot(), group, id, text.as_deref());
            }
        }
        if learns_anew {
            let (source, text) = (id.clone(), text);
            self.change_loaded(move |loaded, _| {
                loaded.profile.forget_source(&source);
                if let Some(text) = text {
                    loaded.profile.learn(&Statement::new(source, &text, said_at));
                }
                Ok(())
            })
            .await?;
        }
        if learns_anew && turn::role(id).is_some() {
            self.rebuild(Facts::Keep).await?;
        }
        Ok(())
    }

    async fn rebuild(&self, facts: Facts) -> Result<()> {
        let handle = self.clone();
        let rebuild = move || {
            let cells = &handle.engine.inner.pipeline.cells;
            let cell = cells.cell(&handle.owner);
            let mut cell = cell.lock();
            cells.rebuild(&handle.owner, &mut cell, facts)
        };
        Ok(blocking(rebuild).await?)
    }

    async fn write(&self, ops: impl IntoIterator<Item = WriteOp>) -> Result<()> {
        let writer = &self.engine.inner.pipeline.writer;
        let mut first = Ok(());
        for outcome in writer.batcher().write_many(ops).await {
            first = first.and(outcome.map(drop).map_err(crate::writer::as_memory_error));
        }
        Ok(first?)
    }

    async fn on_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, MemoryError> + Send + 'static,
    ) -> Result<T> {
        let handle = self.clone();
        Ok(blocking(move || work(&handle)).await?)
    }
}

type Submission = whisperengine_memory_batcher::Submission;

const EXPORT_VERSION: u32 = 1;
const PAGE: usize = 1024;
