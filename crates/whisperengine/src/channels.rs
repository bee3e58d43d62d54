//! The dialogues of channels that several people read: the last lines of everyone who spoke there.
//!
//! They belong to the audience, not to one person, and are rebuilt from what is stored of it. Forgetting a
//! person takes their lines out of all of them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dashmap::DashMap;
use whisperengine_reply_context::{DialogueWindow, WindowLimits};
use whisperengine_types::{
    AudienceId, BotId, ChannelId, DialogueLine, MemoryError, MemoryId, MemoryStore, Timestamp, UserId,
};

use crate::{
    cells::line_of,
    recall::audience_owner,
    turn::{self, Order, Role},
};

/// A channel of an audience, as one bot reads it.
type Key = (BotId, AudienceId, ChannelId);

#[derive(Debug)]
pub(crate) struct Channels {
    store: Arc<dyn MemoryStore>,
    map: DashMap<Key, Arc<Mutex<Channel>>>,
}

#[derive(Debug)]
struct Channel {
    window: DialogueWindow,
    loaded: bool,
    last_used: Timestamp,
}

impl Channels {
    pub(crate) fn new(store: Arc<dyn MemoryStore>) -> Self {
        Self {
            store,
            map: DashMap::new(),
        }
    }

    /// Looks at the dialogue of a channel and may add to it.
    pub(crate) fn with<T>(
        &self,
        key: &Key,
        now: Timestamp,
        work: impl FnOnce(&mut DialogueWindow) -> T,
    ) -> T {
        let channel = self.map.get(key).map(|channel| Arc::clone(&channel));
        let channel = channel.unwrap_or_else(|| Arc::clone(&self.map.entry(key.clone()).or_default()));
        let mut channel = lock(&channel);
        if !channel.loaded {
            match self.stored(key, now) {
                Ok(window) => {
                    channel.window = window;
                    channel.loaded = true;
                }
                Err(error) => tracing::warn!(%error, "the dialogue of a channel could not be read"),
            }
        }
        channel.last_used = channel.last_used.max(now);
        work(&mut channel.window)
    }

    /// Adds a line by `author`, or by the bot.
    pub(crate) fn push(&self, key: &Key, line: DialogueLine, author: Option<UserId>) {
        let at = line.at;
        self.with(key, at, |window| window.push(line, author));
    }

    /// Takes a message out of the audience's dialogues, or changes its text.
    pub(crate) fn change(&self, bot: &BotId, group: &AudienceId, id: &MemoryId, text: Option<&str>) {
        for entry in self
            .map
            .iter()
            .filter(|entry| entry.key().0 == *bot && entry.key().1 == *group)
        {
            let mut channel = lock(entry.value());
            match text {
                Some(text) => channel.window.edit(id, text),
                None => channel.window.remove(id),
            };
        }
    }

    /// Takes a person's lines out of every dialogue of `bot`.
    pub(crate) fn forget(&self, bot: &BotId, user: &UserId) {
        for entry in self.map.iter().filter(|entry| entry.key().0 == *bot) {
            lock(entry.value()).window.remove_author(user);
        }
    }

    /// Drops the dialogues that nobody used for long.
    pub(crate) fn unload_idle(&self, now: Timestamp, idle: Duration) {
        self.map
            .retain(|_, channel| Arc::strong_count(channel) > 1 || now.since(lock(channel).last_used) < idle);
    }

    /// The dialogue as far as it is stored: the lines of the last day.
    fn stored(&self, (bot, group, channel): &Key, now: Timestamp) -> Result<DialogueWindow, MemoryError> {
        let owner = audience_owner(bot, group);
        let mut window = DialogueWindow::new(WindowLimits::default());
        let mut after = Order::at(now - DAY).bound();
        loop {
            let page = self.store.scan(&owner, Some(&after), PAGE)?;
            for record in page
                .iter()
                .filter(|record| record.channel.as_ref() == Some(channel))
            {
                let Some(role) = turn::role(&record.id) else {
                    continue;
                };
                let mut line = line_of(record, role == Role::Bot);
                let mut author = None;
                if role == Role::Person {
                    line.name.clone_from(&record.speaker);
                    author = author_of(record);
                }
                window.push(line, author);
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.id.clone(),
                _ => return Ok(window),
            }
        }
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            window: DialogueWindow::new(WindowLimits::default()),
            loaded: false,
            last_used: Timestamp::MIN,
        }
    }
}

/// The metadata key of the user whose words an audience heard; `speaker` is what they are called.
pub(crate) const AUTHOR: &str = "author";

fn author_of(record: &whisperengine_types::MemoryRecord) -> Option<UserId> {
    match record.metadata.get(AUTHOR) {
        Some(whisperengine_types::MetadataValue::Text(author)) => UserId::new(author).ok(),
        _ => None,
    }
}

fn lock(channel: &Mutex<Channel>) -> MutexGuard<'_, Channel> {
    channel.lock().unwrap_or_else(PoisonError::into_inner)
}

const DAY: Duration = Duration::from_secs(86_400);
const PAGE: usize = 256;
