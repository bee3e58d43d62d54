//! All that belongs to one person, behind one lock.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use whisperengine_profile::Profile;
use whisperengine_reply_context::{DialogueWindow, WindowLimits};
use whisperengine_types::{
    Audience, ChannelId, Conversation, Fact, MemoryId, MemoryOwner, PlatformId, SessionId, Timestamp,
};

use crate::{
    frame::{Frame, Session, Settings},
    turn::{self, Ids, Order, Role},
};

/// The lock around an [`OwnerCell`], and the owner's epoch.
///
/// Forgetting raises the epoch; what was begun in an older one is refused. No lock spans two owners.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    epoch: AtomicU64,
    inner: Mutex<OwnerCell>,
}

/// What the engine holds of one owner.
#[derive(Debug, Default)]
pub(crate) struct OwnerCell {
    /// `None` until it is loaded.
    pub(crate) loaded: Option<Loaded>,
    /// The last place that was issued.
    pub(crate) last: Order,
    /// By the engine's clock, whatever time messages bear.
    pub(crate) last_used: Timestamp,
    /// Changes since the state was saved.
    pub(crate) unsaved: u32,
    /// As many of these make it due to be saved.
    pub(crate) save_at: u32,
    /// A save is under way.
    pub(crate) saving: bool,
    /// Latest deliveries; `None` until they are looked up.
    pub(crate) deliveries: Option<Deliveries>,
}

/// What is saved and replayed.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The last place when it was loaded: every later turn was planned since.
    pub(crate) opened: Order,
    pub(crate) conversation: Box<dyn Conversation>,
    pub(crate) settings: Settings,
    pub(crate) sessions: Vec<Session>,
    pub(crate) replied: VecDeque<u64>,
    pub(crate) profile: Profile,
    /// The private dialogues, the one with the latest line last.
    pub(crate) dialogues: Vec<(ChannelId, DialogueWindow)>,
}

/// The messages of the last days that bear a number of their platform.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    known: HashMap<(ChannelId, PlatformId), MemoryId>,
    order: VecDeque<(ChannelId, PlatformId)>,
}

impl Cell {
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, OwnerCell> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cell, unless somebody uses it, perhaps to read from a store that hangs.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, OwnerCell>> {
        match self.inner.try_lock() {
            Ok(cell) => Some(cell),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Drops everything, and with it the right of whatever was begun before to change or store anything.
    /// `submit` runs under the lock: no write of the old epoch is submitted after it.
    pub(crate) fn forget<T>(&self, submit: impl FnOnce() -> T) -> T {
        let mut cell = self.lock();
        self.epoch.fetch_add(1, Ordering::AcqRel);
        *cell = OwnerCell {
            last: cell.last,
            ..OwnerCell::default()
        };
        submit()
    }
}

impl OwnerCell {
    /// Issues the next id.
    pub(crate) fn issue(&mut self, ids: Ids, owner: &MemoryOwner, now: Timestamp, role: Role) -> MemoryId {
        self.last = self.last.next(now);
        ids.id(self.last, owner, role)
    }

    /// Whether the turn was planned since the cell was loaded.
    pub(crate) fn knows(&self, turn: Order) -> bool {
        self.loaded
            .as_ref()
            .is_some_and(|loaded| turn > loaded.opened && turn <= self.last)
    }

    /// Notes a change of what is saved.
    pub(crate) fn changed(&mut self, now: Timestamp) {
        self.unsaved += 1;
        self.last_used = self.last_used.max(now);
    }
}

impl Loaded {
    /// The session of a message in `channel` at `at`; a silence of `gap` begins a new one.
    pub(crate) fn session(&mut self, channel: &ChannelId, at: Timestamp, gap: Duration) -> SessionId {
        let is_under_way =
            |session: &&mut Session| session.channel == *channel && at.since(session.last) < gap;
        if let Some(session) = self.sessions.iter_mut().find(is_under_way) {
            session.last = session.last.max(at);
            return session.id.clone();
        }
        self.sessions
            .retain(|session| session.channel != *channel && at.since(session.last) < gap);
        let id = turn::session_id(channel, at);
        if self.sessions.len() == MAX_SESSIONS {
            self.sessions.remove(0);
        }
        self.sessions.push(Session {
            channel: channel.clone(),
            id: id.clone(),
            last: at,
        });
        id
    }

    /// The facts that hold at `now` and may be brought up before `audience`.
    pub(crate) fn facts(&self, now: Timestamp, audience: &Audience) -> Vec<Fact> {
        self.profile
            .facts_for(now, audience)
            .into_iter()
            .cloned()
            .collect()
    }

    /// The dialogue of a private channel; opened if there is none.
    pub(crate) fn dialogue(&mut self, channel: &ChannelId) -> &mut DialogueWindow {
        if let Some(at) = self.dialogues.iter().position(|(known, _)| known == channel) {
            self.dialogues[at..].rotate_left(1);
        } else {
            if self.dialogues.len() == MAX_DIALOGUES {
                self.dialogues.remove(0);
            }
            let window = DialogueWindow::new(WindowLimits::default());
            self.dialogues.push((channel.clone(), window));
        }
        let (_, window) = self.dialogues.last_mut().expect("one was found or pushed");
        window
    }

    /// Notes that the turn at `order` has its reply; whether it had none before.
    pub(crate) fn note_reply(&mut self, order: Order) -> bool {
        if self.replied.contains(&order.to_bits()) {
            return false;
        }
        if self.replied.len() == MAX_REPLIED {
            self.replied.pop_front();
        }
        self.replied.push_back(order.to_bits());
        true
    }

    /// What is saved, everything up to `included` being part of it.
    pub(crate) fn frame(&self, included: Order) -> Frame {
        Frame {
            included: included.to_bits(),
            settings: self.settings.clone(),
            sessions: self.sessions.clone(),
            replied: self.replied.iter().copied().collect(),
            conversation: self.conversation.export(),
            profile: self.profile.to_bytes(),
            dialogue: self
                .dialogues
                .iter()
                .map(|(channel, window)| (channel.clone(), window.to_bytes()))
                .collect(),
        }
    }
}

impl Deliveries {
    pub(crate) fn turn(&self, channel: &ChannelId, id: &PlatformId) -> Option<&MemoryId> {
        self.known.get(&(channel.clone(), id.clone()))
    }

    pub(crate) fn note(&mut self, channel: &ChannelId, id: &PlatformId, turn: MemoryId) {
        let key = (channel.clone(), id.clone());
        if self.known.insert(key.clone(), turn).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > MAX_DELIVERIES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

/// Cells by owner.
pub(crate) type CellMap = dashmap::DashMap<MemoryOwner, Arc<Cell>>;

/// Private channels whose dialogue is kept, at most.
const MAX_DIALOGUES: usize = 8;
/// Channels with a session under way, at most.
const MAX_SESSIONS: usize = 64;
/// Turns whose reply is known to be recorded, at most.
const MAX_REPLIED: usize = 32;
/// Deliveries kept of an owner, at most.
const MAX_DELIVERIES: usize = 10_000;
