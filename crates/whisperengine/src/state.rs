//! Conversation states: loaded when a person first writes, saved beside the memories, and brought up to
//! date from the stored messages after a crash.
//!
//! Invariant: the conversation engine is only called for an owner while that owner's entry is locked, so
//! its calls come one at a time and never meet an unloaded state.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dashmap::DashMap;
use serde::{Deserialize, Serialize};
use whisperengine_types::{
    ChannelId, ConversationEngine, ConversationError, EmotionAnalyzer, Feedback, MemoryError, MemoryId,
    MemoryOwner, MemoryRecord, MemoryStore, SessionId, Suggestion, Timestamp, TurnInput, TurnPlan,
    Visibility, WriteOp,
};

use crate::turn;

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
    /// Minutes of silence that end a sitting; default 30. Memories of one sitting are each other's
    /// context.
    pub sitting_gap_minutes: u64,
    /// People not in memory whom each [`tick`](crate::WhisperEngine::tick) looks at, in turn; default
    /// 256, at most some 20 ms. With so many at every tick, everyone has been looked at after
    /// `people / tick_stored_people` ticks. 0 leaves people alone who were silent for longer than
    /// `unload_after_idle_secs`.
    pub tick_stored_people: usize,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            save_after_turns: 64,
            save_after_idle_secs: 30,
            unload_after_idle_secs: 1800,
            sitting_gap_minutes: 30,
            tick_stored_people: 256,
        }
    }
}

#[derive(Debug)]
pub(crate) struct ConversationStates {
    engine: Arc<dyn ConversationEngine>,
    emotion: Arc<dyn EmotionAnalyzer>,
    store: Arc<dyn MemoryStore>,
    owners: DashMap<MemoryOwner, Arc<Mutex<OwnerState>>>,
    /// The stored person that was looked at last.
    looked_at: Mutex<Option<MemoryOwner>>,
    config: StateConfig,
}

#[derive(Debug, Default)]
struct OwnerState {
    loaded: bool,
    last_turn: Option<MemoryId>,
    /// By the engine's clock, whatever time messages bear.
    last_used: Timestamp,
    unsaved_turns: u32,
    /// As many of these make it due to be written; 0 while it is not loaded.
    save_at_turns: u32,
    sittings: Vec<Sitting>,
}

#[derive(Debug)]
struct Sitting {
    channel: ChannelId,
    id: SessionId,
    last: Timestamp,
}

/// A state to be written, and how many turns it covers.
#[derive(Debug)]
pub(crate) struct Save {
    pub(crate) op: WriteOp,
    turns: u32,
}

impl ConversationStates {
    pub(crate) fn new(
        engine: Arc<dyn ConversationEngine>,
        emotion: Arc<dyn EmotionAnalyzer>,
        store: Arc<dyn MemoryStore>,
        config: StateConfig,
    ) -> Self {
        Self {
            engine,
            emotion,
            store,
            owners: DashMap::new(),
            looked_at: Mutex::default(),
            config,
        }
    }

    /// Plans one turn at `now` and says which sitting it belongs to.
    pub(crate) fn plan(
        &self,
        input: &TurnInput<'_>,
        now: Timestamp,
    ) -> Result<(TurnPlan, SessionId), ConversationError> {
        let entry = self.entry(input.owner);
        let mut state = lock(&entry);
        self.load(input.owner, &mut state)?;
        let sitting = state.sitting(input.channel, input.sent_at, self.config.sitting_gap_minutes);
        let plan = self.engine.plan_turn(input)?;
        state.last_turn = Some(input.message.clone());
        state.last_used = state.last_used.max(now);
        state.unsaved_turns += 1;
        Ok((plan, sitting))
    }

    /// What to recall memories by: `text`, and more where it says little by itself.
    pub(crate) fn recall_text<'a>(&self, owner: &MemoryOwner, text: &'a str) -> Cow<'a, str> {
        self.with_loaded(owner, |_| self.engine.recall_text(owner, text))
            .unwrap_or(Cow::Borrowed(text))
    }

    /// The work for a turn that its reply does not wait for; whether the state has changed so much that it
    /// should be written.
    pub(crate) fn after_turn(&self, owner: &MemoryOwner, now: Timestamp) -> bool {
        let work = |state: &mut OwnerState| {
            self.engine.after_turn(owner, now);
            let is_due = state.unsaved_turns >= state.save_at_turns;
            if is_due {
                // Once more only after as many again, should the store be away.
                state.save_at_turns = state.unsaved_turns + self.config.save_after_turns;
            }
            is_due
        };
        self.with_loaded(owner, work).unwrap_or(false)
    }

    pub(crate) fn feed_back(
        &self,
        owner: &MemoryOwner,
        feedback: &Feedback,
    ) -> Result<(), ConversationError> {
        let entry = self.entry(owner);
        let mut state = lock(&entry);
        self.load(owner, &mut state)?;
        state.unsaved_turns += 1;
        self.engine.record_feedback(owner, feedback)
    }

    /// The sitting that is under way in `channel`.
    pub(crate) fn sitting_of(&self, owner: &MemoryOwner, channel: &ChannelId) -> Option<SessionId> {
        let entry = self.owners.get(owner).map(|entry| Arc::clone(&entry))?;
        let state = lock(&entry);
        state
            .sittings
            .iter()
            .find(|sitting| sitting.channel == *channel)
            .map(|sitting| sitting.id.clone())
    }

    /// What is due to be said on the bot's own initiative, to the owners in memory and to the next few
    /// of those who are not. Who has nothing due leaves memory again with the next upkeep.
    pub(crate) fn tick(&self, now: Timestamp) -> Vec<(MemoryOwner, Suggestion)> {
        let mut owners = self.loaded_owners();
        owners.extend(self.next_stored());
        let mut due = Vec::new();
        for owner in owners {
            let entry = self.entry(&owner);
            let mut state = lock(&entry);
            if let Err(error) = self.load(&owner, &mut state) {
                tracing::warn!(%error, "a conversation could not be loaded");
                continue;
            }
            let suggestions = self.engine.tick(&owner, now);
            if !suggestions.is_empty() {
                // The engine knows its suggestions until they are sent; so the state has to stay.
                state.last_used = state.last_used.max(now);
            }
            due.extend(
                suggestions
                    .into_iter()
                    .map(|suggestion| (owner.clone(), suggestion)),
            );
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
        page.retain(|owner| !self.owners.contains_key(owner));
        page
    }

    /// The states of `owners` that were changed since they were written.
    pub(crate) fn saves_of(&self, owners: impl IntoIterator<Item = MemoryOwner>) -> Vec<Save> {
        self.saves(owners, |_| true)
    }

    /// The changed states that nobody has used for a while.
    pub(crate) fn idle_saves(&self, now: Timestamp) -> Vec<Save> {
        let idle = Duration::from_secs(self.config.save_after_idle_secs);
        self.saves(self.loaded_owners(), |state| now.since(state.last_used) >= idle)
    }

    /// Every state that was changed since it was written.
    pub(crate) fn all_saves(&self) -> Vec<Save> {
        self.saves_of(self.loaded_owners())
    }

    /// Notes that `save` is durable.
    pub(crate) fn saved(&self, save: &Save) {
        if let Some(entry) = self.owners.get(save.op.owner()).map(|entry| Arc::clone(&entry)) {
            let mut state = lock(&entry);
            state.unsaved_turns = state.unsaved_turns.saturating_sub(save.turns);
            state.save_at_turns = state.save_at_turns.saturating_sub(save.turns);
        }
    }

    /// Drops saved states that nobody used for long.
    pub(crate) fn unload_idle(&self, now: Timestamp) {
        let idle = Duration::from_secs(self.config.unload_after_idle_secs);
        self.owners.retain(|owner, entry| {
            // A second holder is about to use the entry; the map is the only other way to it.
            let Some(entry) = Arc::get_mut(entry) else {
                return true;
            };
            let state = entry.get_mut().unwrap_or_else(PoisonError::into_inner);
            let keep = state.unsaved_turns > 0 || now.since(state.last_used) < idle;
            if !keep {
                self.engine.forget(owner);
            }
            keep
        });
    }

    /// Drops everything known of `owner`.
    pub(crate) fn forget(&self, owner: &MemoryOwner) {
        let entry = self.entry(owner);
        let mut state = lock(&entry);
        self.engine.forget(owner);
        *state = OwnerState::default();
        drop(state);
        self.owners.remove(owner);
    }

    /// How many owners are in memory.
    pub(crate) fn len(&self) -> usize {
        self.owners.len()
    }

    fn entry(&self, owner: &MemoryOwner) -> Arc<Mutex<OwnerState>> {
        if let Some(entry) = self.owners.get(owner) {
            return Arc::clone(&entry);
        }
        Arc::clone(&self.owners.entry(owner.clone()).or_default())
    }

    fn loaded_owners(&self) -> Vec<MemoryOwner> {
        self.owners.iter().map(|entry| entry.key().clone()).collect()
    }

    fn with_loaded<T>(&self, owner: &MemoryOwner, work: impl FnOnce(&mut OwnerState) -> T) -> Option<T> {
        let entry = self.owners.get(owner).map(|entry| Arc::clone(&entry))?;
        let mut state = lock(&entry);
        state.loaded.then(|| work(&mut state))
    }

    fn saves(
        &self,
        owners: impl IntoIterator<Item = MemoryOwner>,
        is_due: impl Fn(&OwnerState) -> bool,
    ) -> Vec<Save> {
        let save = |owner: MemoryOwner| {
            let entry = self.owners.get(&owner).map(|entry| Arc::clone(&entry))?;
            let state = lock(&entry);
            if !state.loaded || state.unsaved_turns == 0 || !is_due(&state) {
                return None;
            }
            let bytes = frame(state.last_turn.as_ref(), &self.engine.export_state(&owner)?);
            Some(Save {
                turns: state.unsaved_turns,
                op: WriteOp::PutState {
                    owner,
                    state: bytes.into(),
                },
            })
        };
        owners.into_iter().filter_map(save).collect()
    }

    /// Restores the saved state and replays the messages stored after it.
    fn load(&self, owner: &MemoryOwner, state: &mut OwnerState) -> Result<(), ConversationError> {
        if state.loaded {
            return Ok(());
        }
        let unavailable = |error: MemoryError| ConversationError::Unavailable {
            reason: error.to_string(),
        };
        let saved = self.store.state(owner).map_err(unavailable)?;
        let mut after = None;
        if let Some(bytes) = saved {
            let (last_turn, bytes) = unframe(&bytes)?;
            self.engine.restore_state(owner, bytes)?;
            after = last_turn;
        }
        let mut after = after.unwrap_or_else(turn::before_the_first);
        loop {
            let page = self
                .store
                .scan(owner, Some(&after), REPLAY_PAGE)
                .map_err(unavailable)?;
            if !page.is_empty() {
                self.replay(owner, &page, state)?;
            }
            match page.last() {
                Some(last) if page.len() == REPLAY_PAGE => after = last.id.clone(),
                _ => break,
            }
        }
        state.loaded = true;
        state.save_at_turns = first_save(owner, self.config.save_after_turns);
        Ok(())
    }

    fn replay(
        &self,
        owner: &MemoryOwner,
        records: &[Arc<MemoryRecord>],
        state: &mut OwnerState,
    ) -> Result<(), ConversationError> {
        let texts: Vec<&str> = records.iter().map(|record| record.text.as_str()).collect();
        let emotions =
            self.emotion
                .analyze_batch(&texts)
                .map_err(|error| ConversationError::Unavailable {
                    reason: error.to_string(),
                })?;
        for (record, emotion) in records.iter().zip(&emotions) {
            let (Some(role), Some(channel)) = (turn::role(&record.id), &record.channel) else {
                continue;
            };
            if role == turn::Role::Bot {
                let text = record.text.clone();
                let feedback = Feedback::Replied {
                    text,
                    moment: None,
                    at: record.sent_at,
                };
                self.engine.record_feedback(owner, &feedback)?;
                continue;
            }
            self.engine.plan_turn(&TurnInput {
                owner,
                channel,
                visibility: if record.metadata.contains_key(crate::PUBLIC) {
                    Visibility::Public
                } else {
                    Visibility::Private
                },
                message: &record.id,
                text: &record.text,
                emotion,
                embedding: record.embedding.as_ref(),
                recalled: &[],
                sent_at: record.sent_at,
            })?;
            state.last_turn = Some(record.id.clone());
            state.unsaved_turns += 1;
        }
        Ok(())
    }
}

impl OwnerState {
    fn sitting(&mut self, channel: &ChannelId, now: Timestamp, gap_minutes: u64) -> SessionId {
        let gap = Duration::from_secs(gap_minutes * 60);
        let is_under_way =
            |sitting: &&mut Sitting| sitting.channel == *channel && now.since(sitting.last) < gap;
        if let Some(sitting) = self.sittings.iter_mut().find(is_under_way) {
            sitting.last = sitting.last.max(now);
            return sitting.id.clone();
        }
        self.sittings
            .retain(|sitting| sitting.channel != *channel && now.since(sitting.last) < gap);
        let id = turn::sitting(channel, now);
        self.sittings.push(Sitting {
            channel: channel.clone(),
            id: id.clone(),
            last: now,
        });
        id
    }
}

/// The turns after which an owner's state is written for the first time: between half of `most` and all of it,
/// by who it is, so that people who began together are not all written at once.
fn first_save(owner: &MemoryOwner, most: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    owner.hash(&mut hasher);
    most - (hasher.finish() % (u64::from(most) / 2 + 1)) as u32
}

/// The engine's state behind the turn it includes last: version, length, id, state.
fn frame(last_turn: Option<&MemoryId>, state: &[u8]) -> Vec<u8> {
    let id = last_turn.map_or("", MemoryId::as_str);
    let mut bytes = Vec::with_capacity(3 + id.len() + state.len());
    bytes.push(FRAME_VERSION);
    bytes.extend_from_slice(&(id.len() as u16).to_le_bytes());
    bytes.extend_from_slice(id.as_bytes());
    bytes.extend_from_slice(state);
    bytes
}

fn unframe(bytes: &[u8]) -> Result<(Option<MemoryId>, &[u8]), ConversationError> {
    let invalid = |reason: &str| ConversationError::InvalidState {
        reason: reason.to_owned(),
    };
    let [FRAME_VERSION, low, high, rest @ ..] = bytes else {
        return Err(invalid("unknown frame"));
    };
    let len = usize::from(u16::from_le_bytes([*low, *high]));
    let (id, state) = rest
        .split_at_checked(len)
        .ok_or_else(|| invalid("truncated frame"))?;
    let id = std::str::from_utf8(id).map_err(|_| invalid("turn id is not text"))?;
    let id = if id.is_empty() {
        None
    } else {
        Some(MemoryId::new(id).map_err(|e| invalid(&e.to_string()))?)
    };
    Ok((id, state))
}

fn lock(entry: &Mutex<OwnerState>) -> MutexGuard<'_, OwnerState> {
    entry.lock().unwrap_or_else(PoisonError::into_inner)
}

const FRAME_VERSION: u8 = 1;
const REPLAY_PAGE: usize = 256;

#[cfg(test)]
mod tests {
    use whisperengine_phase4::Conversations;
    use whisperengine_types::{BotId, EmotionReading, NoEmotion, UserId};
    use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

    use super::*;

    #[test]
    fn a_state_in_use_is_not_written_or_dropped_because_its_messages_bear_old_times() {
        let embedder = Arc::new(whisperengine_text_embedding::HashingEmbedder::default());
        let states = ConversationStates::new(
            Arc::new(Conversations::default()),
            Arc::new(NoEmotion),
            Arc::new(VectorMemory::in_memory(embedder, VectorMemoryConfig::default())),
            StateConfig::default(),
        );
        let owner = MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new("ana").unwrap());
        let mut now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let mut written = Vec::new();
        for turn in 1..=130_u64 {
            now = now + Duration::from_secs(1);
            let message = MemoryId::from_number(turn);
            let input = TurnInput {
                owner: &owner,
                channel: &ChannelId::new("direct").unwrap(),
                visibility: Visibility::Private,
                message: &message,
                text: "we walked along the river",
                emotion: &EmotionReading::neutral(),
                embedding: None,
                recalled: &[],
                sent_at: "2025-03-01T12:00:00Z".parse().unwrap(),
            };
            states.plan(&input, now).unwrap();
            if states.after_turn(&owner, now) {
                written.push(turn);
                for save in states.saves_of([owner.clone()]) {
                    states.saved(&save);
                }
            }
            assert!(states.idle_saves(now).is_empty());
            states.unload_idle(now);
            assert_eq!(states.len(), 1);
        }
        assert!((32..=64).contains(&written[0]), "{written:?}");
        assert_eq!(written, [written[0], written[0] + 64]);
        let later = now + Duration::from_secs(30);
        assert_eq!(states.idle_saves(later).len(), 1);
    }
}
