//! Everybody's cells: opened from the store when a person first writes, saved beside the memories, and brought
//! up to date from the stored messages after a crash.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use whisperengine_profile::{Profile, Statement};
use whisperengine_reply_context::{DialogueWindow, WindowLimits};
use whisperengine_types::{
    ChannelId, Component, ConversationEngine, ConversationError, DialogueLine, Embedder, Embedding,
    EmotionAnalyzer, EmotionReading, Feedback, MemoryError, MemoryOwner, MemoryRecord, MemoryStore,
    MetadataValue, OfferedMoment, SafetyLevel, Suggestion, Timestamp, TurnInput, WriteOp,
};

use crate::{
    cell::{Cell, CellMap, Deliveries, Loaded, OwnerCell},
    fallback::{guarded, isolate},
    frame::Frame,
    turn::{self, Order, Role},
};

/// When conversation states are saved and dropped from memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StateConfig {
    /// Turns after which a state is saved; default 64. The first time it is after fewer, down to half, by who
    /// it is, so that people who began together are spread. Fewer means less to replay after a crash and
    /// more to write.
    pub save_after_turns: u32,
    /// Seconds of silence after which a changed state is saved; default 30.
    pub save_after_idle_secs: u64,
    /// Seconds of silence after which a saved state leaves memory; default 1800.
    pub unload_after_idle_secs: u64,
    /// Minutes of silence that end a session, at most 525,600; default 30. Memories of one session are each
    /// other's context.
    pub session_gap_minutes: u64,
    /// People not in memory whom each [`tick`](crate::WhisperEngine::tick) looks at, in turn; default
    /// 256, at most some 20 ms. With so many at every tick, everyone has been looked at after
    /// `people / tick_stored_people` ticks. 0 leaves people alone who were silent for longer than
    /// `unload_after_idle_secs`.
    pub tick_stored_people: usize,
    /// Stored messages of a person that a conversation is rebuilt from at most, when its saved state cannot be
    /// read or one of its messages is edited or deleted; default 2,000, the latest. What was learnt from
    /// earlier ones is lost then.
    pub replay_messages: usize,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            save_after_turns: 64,
            save_after_idle_secs: 30,
            unload_after_idle_secs: 1800,
            session_gap_minutes: 30,
            tick_stored_people: 256,
            replay_messages: 2_000,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) engine: Arc<dyn ConversationEngine>,
    pub(crate) emotion: Arc<dyn EmotionAnalyzer>,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) store: Arc<dyn MemoryStore>,
    pub(crate) config: StateConfig,
    map: CellMap,
    /// The stored person that was looked at last.
    looked_at: Mutex<Option<MemoryOwner>>,
}

/// What becomes of the facts known of a person when their conversation is rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facts {
    /// They stay; those of a deleted message are gone already.
    Keep,
    /// They are read anew from the stored messages.
    Reread,
}

/// A state that is being written, and how many changes it covers.
#[derive(Debug)]
#[must_use = "a state is saved again only after this save has ended"]
pub(crate) struct Save {
    cell: Arc<Cell>,
    changes: u32,
}

impl Cells {
    pub(crate) fn new(
        engine: Arc<dyn ConversationEngine>,
        emotion: Arc<dyn EmotionAnalyzer>,
        embedder: Arc<dyn Embedder>,
        store: Arc<dyn MemoryStore>,
        config: StateConfig,
    ) -> Self {
        Self {
            engine,
            emotion,
            embedder,
            store,
            config,
            map: CellMap::new(),
            looked_at: Mutex::default(),
        }
    }

    /// The cell of `owner`; made, but not loaded, if there is none.
    pub(crate) fn cell(&self, owner: &MemoryOwner) -> Arc<Cell> {
        if let Some(cell) = self.map.get(owner) {
            return Arc::clone(&cell);
        }
        Arc::clone(&self.map.entry(owner.clone()).or_default())
    }

    /// How many owners are in memory.
    pub(crate) fn len(&self) -> usize {
        self.map.len()
    }

    /// How many owners have a state that is not saved as it is, those in use at the moment included.
    pub(crate) fn unsaved(&self) -> usize {
        let is_unsaved = |cell: &Cell| {
            cell.try_lock()
                .is_none_or(|cell| cell.loaded.is_some() && cell.unsaved > 0)
        };
        self.map.iter().filter(|entry| is_unsaved(entry.value())).count()
    }

    /// The loaded part of a cell, read from the store if need be. A failure leaves the cell as it was.
    pub(crate) fn load<'c>(
        &self,
        owner: &MemoryOwner,
        cell: &'c mut OwnerCell,
    ) -> Result<&'c mut Loaded, ConversationError> {
        if cell.loaded.is_none() {
            let opened = self.open(owner)?;
            cell.last = cell.last.max(opened.last);
            cell.unsaved += opened.replayed;
            cell.save_at = cell.unsaved + first_save(owner, self.config.save_after_turns);
            cell.loaded = Some(Loaded {
                opened: cell.last,
                ..opened.loaded
            });
        }
        Ok(cell.loaded.as_mut().expect("it was loaded just now"))
    }

    /// Opens the conversation anew from the stored messages, for one of them was changed or removed. The
    /// profile keeps what it has of the others, or is rebuilt, too.
    pub(crate) fn rebuild(
        &self,
        owner: &MemoryOwner,
        cell: &mut OwnerCell,
        facts: Facts,
    ) -> Result<(), ConversationError> {
        let loaded = self.load(owner, cell)?;
        let (settings, profile) = (loaded.settings.clone(), loaded.profile.clone());
        let mut opened = self.replay_from(owner, Frame::default())?;
        if facts == Facts::Keep {
            opened.loaded.profile = profile;
        }
        for feedback in settings.feedback() {
            opened.loaded.conversation.record_feedback(&feedback)?;
        }
        opened.loaded.settings = settings;
        cell.unsaved += 1;
        cell.loaded = Some(Loaded {
            opened: cell.last,
            ..opened.loaded
        });
        Ok(())
    }

    /// The messages of `owner` with a platform's number, of the last week or the last 10,000.
    pub(crate) fn deliveries<'c>(
        &self,
        owner: &MemoryOwner,
        cell: &'c mut OwnerCell,
        now: Timestamp,
    ) -> Result<&'c mut Deliveries, MemoryError> {
        if cell.deliveries.is_none() {
            let mut known = Deliveries::default();
            let from = Order::at(now - Duration::from_secs(DELIVERY_DAYS * 86_400));
            self.scan(owner, from, |page| {
                for record in page {
                    if let (Some(channel), Some(id)) = (&record.channel, record.platform_id()) {
                        known.note(channel, &id, record.id.clone());
                    }
                }
                Ok(())
            })?;
            cell.deliveries = Some(known);
        }
        Ok(cell.deliveries.as_mut().expect("they were looked up just now"))
    }

    /// The work for a turn that its reply does not wait for; whether the state should be saved now.
    pub(crate) fn after_turn(&self, cell: &Cell) -> bool {
        // In use, it has its next turn, which makes up for this one's work.
        let Some(mut cell) = cell.try_lock() else {
            return false;
        };
        let Some(loaded) = &mut cell.loaded else {
            return false;
        };
        loaded.conversation.after_turn();
        let is_due = cell.unsaved >= cell.save_at;
        if is_due {
            // Once more only after as many again, should the store be away.
            cell.save_at = cell.unsaved + self.config.save_after_turns;
        }
        is_due
    }

    /// What is due to be said to `owner` on the bot's own initiative.
    pub(crate) fn tick_one(
        &self,
        owner: &MemoryOwner,
        now: Timestamp,
    ) -> Result<Vec<Suggestion>, ConversationError> {
        let cell = self.cell(owner);
        let mut cell = cell.lock();
        let suggestions = self.load(owner, &mut cell)?.conversation.tick(now);
        if !suggestions.is_empty() {
            // The conversation knows its suggestions until they are sent; so the state has to be kept.
            cell.changed(now);
        }
        Ok(suggestions)
    }

    /// [`tick_one`](Self::tick_one) for the owners in memory and for the next few of those who are not. Who
    /// has nothing due leaves memory again with the next upkeep.
    pub(crate) fn tick(&self, now: Timestamp) -> Vec<(MemoryOwner, Suggestion)> {
        let mut owners = self.owners();
        owners.extend(self.next_stored());
        let mut due = Vec::new();
        for owner in owners {
            let ticked = isolate(Component::Conversation, || self.tick_one(&owner, now));
            match ticked {
                Ok(suggestions) => due.extend(suggestions.into_iter().map(|said| (owner.clone(), said))),
                Err(missing) => tracing::warn!(reason = missing.reason, "a conversation was not looked at"),
            }
        }
        due
    }

    /// The next owners who have a stored state and are not in memory; after the last, the first again.
    fn next_stored(&self) -> Vec<MemoryOwner> {
        let limit = self.config.tick_stored_people;
        let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        let page = self.store.owners_with_state(looked_at.as_ref(), limit);
        let mut page = page.unwrap_or_else(|error| {
            tracing::warn!(%error, "people who are away could not be listed");
            Vec::new()
        });
        *looked_at = (page.len() == limit).then(|| page.last().cloned()).flatten();
        page.retain(|owner| matches!(owner, MemoryOwner::Person { .. }) && !self.map.contains_key(owner));
        page
    }

    /// The owners in memory.
    pub(crate) fn owners(&self) -> Vec<MemoryOwner> {
        self.map.iter().map(|entry| entry.key().clone()).collect()
    }

    /// As [`save`](Self::save), but not while the cell is in use, perhaps to read from a store that hangs.
    pub(crate) fn try_save<T>(
        &self,
        owner: &MemoryOwner,
        is_due: impl FnOnce(&OwnerCell) -> bool,
        submit: impl FnOnce(WriteOp) -> T,
    ) -> Option<(Save, T)> {
        let cell = Arc::clone(&*self.map.get(owner)?);
        let locked = cell.try_lock()?;
        Self::submit_save(&cell, locked, owner, is_due, submit)
    }

    /// The state of `owner`, if it was changed since it was saved and `is_due`. `submit` runs under the
    /// owner's lock, so that the state is written in its order among the owner's writes.
    pub(crate) fn save<T>(
        &self,
        owner: &MemoryOwner,
        is_due: impl FnOnce(&OwnerCell) -> bool,
        submit: impl FnOnce(WriteOp) -> T,
    ) -> Option<(Save, T)> {
        let cell = Arc::clone(&*self.map.get(owner)?);
        let locked = cell.lock();
        Self::submit_save(&cell, locked, owner, is_due, submit)
    }

    fn submit_save<T>(
        cell: &Arc<Cell>,
        mut locked: MutexGuard<'_, OwnerCell>,
        owner: &MemoryOwner,
        is_due: impl FnOnce(&OwnerCell) -> bool,
        submit: impl FnOnce(WriteOp) -> T,
    ) -> Option<(Save, T)> {
        let loaded = locked.loaded.as_ref()?;
        if locked.unsaved == 0 || locked.saving || !is_due(&locked) {
            return None;
        }
        // A conversation that cannot be written costs nobody else's state.
        let state = match guarded(|| loaded.frame(locked.last).encode()) {
            Ok(state) => state.into(),
            Err(panic) => {
                tracing::error!(panic, "a state could not be exported");
                return None;
            }
        };
        let owner = owner.clone();
        let op = WriteOp::PutState { owner, state };
        let submitted = submit(op);
        locked.saving = true;
        let changes = locked.unsaved;
        drop(locked);
        let cell = Arc::clone(cell);
        Some((Save { cell, changes }, submitted))
    }

    /// Whether nobody has used the cell for a while.
    pub(crate) fn is_idle(&self, cell: &OwnerCell, now: Timestamp) -> bool {
        now.since(cell.last_used) >= Duration::from_secs(self.config.save_after_idle_secs)
    }

    /// Drops saved states that nobody used for long.
    pub(crate) fn unload_idle(&self, now: Timestamp) {
        let idle = Duration::from_secs(self.config.unload_after_idle_secs);
        self.map.retain(|_, cell| {
            // A second holder is about to use the cell; the map is the only other way to it.
            if Arc::strong_count(cell) > 1 {
                return true;
            }
            let Some(cell) = cell.try_lock() else {
                return true;
            };
            cell.unsaved > 0 || now.since(cell.last_used) < idle
        });
    }

    /// Restores the saved state and replays the messages stored after it; a state that cannot be read is set
    /// aside, and everything is replayed.
    fn open(&self, owner: &MemoryOwner) -> Result<Opened, ConversationError> {
        let saved = self.store.state(owner).map_err(unavailable)?;
        let frame = saved.map_or_else(|| Ok(Frame::default()), |bytes| Frame::decode(&bytes));
        let opened = frame.and_then(|frame| self.replay_from(owner, frame));
        match opened {
            Err(error @ ConversationError::InvalidState { .. }) => {
                tracing::warn!(%error, "a saved state cannot be read and is rebuilt from the stored messages");
                self.replay_from(owner, Frame::default())
            }
            opened => opened,
        }
    }

    fn replay_from(&self, owner: &MemoryOwner, frame: Frame) -> Result<Opened, ConversationError> {
        let saved = (!frame.conversation.is_empty()).then_some(frame.conversation.as_slice());
        let mut opened = Opened {
            loaded: Loaded {
                opened: Order::default(),
                conversation: self.engine.open(owner, saved)?,
                settings: frame.settings,
                sessions: frame.sessions,
                replied: frame.replied.into(),
                profile: profile(&frame.profile)?,
                dialogues: dialogues(frame.dialogue)?,
            },
            last: Order::from_bits(frame.included),
            replayed: 0,
        };
        let mut records: Vec<Arc<MemoryRecord>> = Vec::new();
        self.scan(owner, opened.last, |page| {
            records.extend(
                page.iter()
                    .filter(|record| turn::role(&record.id).is_some())
                    .cloned(),
            );
            let surplus = records.len().saturating_sub(self.config.replay_messages);
            records.drain(..surplus);
            Ok(())
        })
        .map_err(unavailable)?;
        for page in records.chunks(PAGE) {
            self.replay(owner, page, &mut opened)?;
        }
        Ok(opened)
    }

    /// Calls `take` with the records of `owner` after `from`, page by page.
    fn scan(
        &self,
        owner: &MemoryOwner,
        from: Order,
        mut take: impl FnMut(&[Arc<MemoryRecord>]) -> Result<(), MemoryError>,
    ) -> Result<(), MemoryError> {
        let mut after = from.bound();
        loop {
            let page = self.store.scan(owner, Some(&after), PAGE)?;
            take(&page)?;
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.id.clone(),
                _ => return Ok(()),
            }
        }
    }

    fn replay(
        &self,
        owner: &MemoryOwner,
        records: &[Arc<MemoryRecord>],
        opened: &mut Opened,
    ) -> Result<(), ConversationError> {
        let texts: Vec<&str> = records.iter().map(|record| record.text.as_str()).collect();
        let emotions =
            self.emotion
                .analyze_batch(&texts)
                .map_err(|error| ConversationError::Unavailable {
                    reason: error.to_string(),
                })?;
        let embeddings = self.embedder.embed_batch(&texts).ok();
        for (at, (record, emotion)) in records.iter().zip(&emotions).enumerate() {
            let embedding = embeddings.as_ref().map(|embeddings| &embeddings[at]);
            opened.replay(owner, record, emotion, embedding, self.session_gap())?;
        }
        Ok(())
    }

    pub(crate) fn session_gap(&self) -> Duration {
        Duration::from_secs(self.config.session_gap_minutes.saturating_mul(60))
    }
}

/// A cell's content, read from the store.
#[derive(Debug)]
struct Opened {
    loaded: Loaded,
    last: Order,
    replayed: u32,
}

impl Opened {
    fn replay(
        &mut self,
        owner: &MemoryOwner,
        record: &MemoryRecord,
        emotion: &EmotionReading,
        embedding: Option<&Embedding>,
        session_gap: Duration,
    ) -> Result<(), ConversationError> {
        let (Some(role), Some(order), Some(channel)) =
            (turn::role(&record.id), Order::of(&record.id), &record.channel)
        else {
            return Ok(());
        };
        let loaded = &mut self.loaded;
        match role {
            Role::Bot => {
                if let Some(turn) = replied_turn(record) {
                    loaded.note_reply(turn);
                }
                if record.audience().is_private() {
                    loaded.dialogue(channel).push(line_of(record, true), None);
                }
                loaded.conversation.record_feedback(&Feedback::Replied {
                    text: record.text.clone(),
                    moment: moment_of(record),
                    at: record.sent_at,
                })?;
            }
            Role::Person => {
                loaded.session(channel, record.sent_at, session_gap);
                if let Some(zone) = text_of(record, ZONE) {
                    loaded.settings.zone = whisperengine_types::ZoneId::new(zone).ok();
                }
                let offered = offered_of(record);
                loaded.settings.language = emotion.language.or(loaded.settings.language);
                if record.audience().is_private() {
                    loaded.dialogue(channel).push(line_of(record, false), None);
                }
                let audience = record.audience();
                loaded.profile.learn(&Statement {
                    zone: loaded.settings.zone.as_ref(),
                    language: emotion.language,
                    audience: audience.clone(),
                    crisis: emotion.safety.level == SafetyLevel::Crisis,
                    ..Statement::new(record.id.clone(), &record.text, record.sent_at)
                });
                let facts = loaded.facts(record.sent_at, &audience);
                loaded.conversation.plan_turn(&TurnInput {
                    owner,
                    channel,
                    audience: &audience,
                    message: &record.id,
                    text: &record.text,
                    emotion,
                    embedding,
                    recalled: &[],
                    facts: &facts,
                    sent_at: record.sent_at,
                    replay: Some(&offered),
                })?;
            }
        }
        self.last = self.last.max(order);
        self.replayed += 1;
        Ok(())
    }
}

impl Save {
    /// Notes the end of the save.
    pub(crate) fn done(&self, durable: bool) {
        let mut cell = self.cell.lock();
        cell.saving = false;
        if !durable {
            return;
        }
        cell.unsaved = cell.unsaved.saturating_sub(self.changes);
        cell.save_at = cell.save_at.saturating_sub(self.changes);
    }
}

/// The metadata key of the moments that the plan of a message offered, as JSON: replaying needs them.
pub(crate) const MOMENTS: &str = "moments";
/// The metadata key of the writer's time zone, where it is another than before.
pub(crate) const ZONE: &str = "zone";
/// The metadata key of the turn that a reply belongs to.
pub(crate) const REPLY_TO: &str = "reply_to";
/// The metadata key of the moment that a reply brought up.
pub(crate) const MOMENT: &str = "moment";

/// A record as a line of the dialogue.
pub(crate) fn line_of(record: &MemoryRecord, from_bot: bool) -> DialogueLine {
    DialogueLine {
        id: Some(record.id.clone()),
        from_bot,
        name: None,
        text: record.text.clone(),
        at: record.sent_at,
    }
}

/// The profile of a saved state.
fn profile(saved: &[u8]) -> Result<Profile, ConversationError> {
    if saved.is_empty() {
        return Ok(Profile::new());
    }
    Profile::from_bytes(saved).map_err(|error| ConversationError::InvalidState {
        reason: error.to_string(),
    })
}

/// The dialogues of a saved state.
fn dialogues(
    saved: Vec<(ChannelId, Vec<u8>)>,
) -> Result<Vec<(ChannelId, DialogueWindow)>, ConversationError> {
    let open = |(channel, bytes): (ChannelId, Vec<u8>)| {
        let window = DialogueWindow::from_bytes(&bytes, WindowLimits::default()).map_err(|error| {
            ConversationError::InvalidState {
                reason: error.to_string(),
            }
        })?;
        Ok((channel, window))
    };
    saved.into_iter().map(open).collect()
}

fn text_of<'r>(record: &'r MemoryRecord, key: &str) -> Option<&'r str> {
    match record.metadata.get(key) {
        Some(MetadataValue::Text(text)) => Some(text),
        _ => None,
    }
}

fn offered_of(record: &MemoryRecord) -> Vec<OfferedMoment> {
    text_of(record, MOMENTS)
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

fn moment_of(record: &MemoryRecord) -> Option<String> {
    text_of(record, MOMENT).map(str::to_owned)
}

fn replied_turn(record: &MemoryRecord) -> Option<Order> {
    let id = whisperengine_types::MemoryId::new(text_of(record, REPLY_TO)?).ok()?;
    Order::of(&id)
}

/// The turns after which an owner's state is saved for the first time: between half of `most` and all of it,
/// by who it is, so that people who began together are not all written at once.
fn first_save(owner: &MemoryOwner, most: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    owner.hash(&mut hasher);
    most - (hasher.finish() % (u64::from(most) / 2 + 1)) as u32
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of the error")]
fn unavailable(error: MemoryError) -> ConversationError {
    ConversationError::Unavailable {
        reason: error.to_string(),
    }
}

const PAGE: usize = 256;
const DELIVERY_DAYS: u64 = 7;
