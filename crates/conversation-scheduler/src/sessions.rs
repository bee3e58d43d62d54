//! Who is talking: one compact record per session, found by one hash of its key, and the channels the
//! sessions are in.
//!
//! A record is about 100 bytes plus the key's own text. Channels hold no text and no set: a channel is
//! the head of a list threaded through its sessions, and ends with the last of them.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use whisperengine_types::{BotId, ChannelId, Priority, SessionKey};

use crate::{
    key_index::KeyIndex,
    slab::{NIL, Slab},
    turns::List,
};

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) key: SessionKey,
    /// Nanoseconds since the scheduler's base time.
    pub(crate) last_message: u64,
    /// Its queued turns, first come first.
    pub(crate) turns: List,
    /// Its queued turns by class.
    pub(crate) queued: [u16; 4],
    /// Names its one live entry in the weighted queue; 0 when it has none.
    pub(crate) ready_token: u32,
    /// The round of `ready_class` in which it was last served.
    pub(crate) served_round: u32,
    /// Turns accepted so far.
    pub(crate) sequence: u32,
    hash: u32,
    channel: u32,
    previous_member: u32,
    next_member: u32,
    pub(crate) ready_class: Priority,
    pub(crate) served_class: Option<Priority>,
    pub(crate) in_flight: bool,
}

impl Session {
    pub(crate) fn depth(&self) -> usize {
        self.queued.iter().map(|&n| usize::from(n)).sum()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight || !self.turns.is_empty()
    }

    /// The most urgent class among its queued turns: what the whole session waits in.
    pub(crate) fn most_urgent(&self) -> Option<Priority> {
        Priority::ALL
            .into_iter()
            .find(|&class| self.queued[class as usize] > 0)
    }
}

/// One (bot, channel) and how many sessions - people - are in it.
#[derive(Debug)]
struct Channel {
    head: u32,
    members: u32,
    hash: u32,
}

#[derive(Debug)]
pub(crate) struct Sessions {
    records: Slab<Session>,
    by_key: KeyIndex,
    channels: Slab<Channel>,
    channel_by_key: KeyIndex,
    hasher: DefaultHashBuilder,
    /// The bot of the last new session: sessions of one bot share its text.
    last_bot: Option<BotId>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self {
            records: Slab::new(),
            by_key: KeyIndex::new(),
            channels: Slab::new(),
            channel_by_key: KeyIndex::new(),
            hasher: DefaultHashBuilder::default(),
            last_bot: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    pub(crate) fn hasher(&self) -> &DefaultHashBuilder {
        &self.hasher
    }

    #[inline]
    pub(crate) fn find(&self, hash: u32, key: &SessionKey) -> Option<u32> {
        self.by_key.find(hash, |&index| self.records[index].key == *key)
    }

    /// Adds a session for a key that [`find`](Self::find) does not know.
    pub(crate) fn insert(&mut self, hash: u32, key: &SessionKey, now: u64) -> u32 {
        let channel_hash = hash_of(&self.hasher, &(&key.bot, &key.channel));
        let known = self.find_channel(channel_hash, &key.bot, &key.channel);
        let (bot, channel_id) = match known {
            Some(channel) => {
                let member = &self.records[self.channels[channel].head].key;
                (member.bot.clone(), member.channel.clone())
            }
            None => (self.shared_bot(&key.bot), key.channel.clone()),
        };
        let channel = known.unwrap_or_else(|| {
            self.channels.insert(Channel {
                head: NIL,
                members: 0,
                hash: channel_hash,
            })
        });
        let head = self.channels[channel].head;
        let index = self.records.insert(Session {
            key: SessionKey {
                bot,
                user: key.user.clone(),
                channel: channel_id,
            },
            last_message: now,
            turns: List::EMPTY,
            queued: [0; 4],
            ready_token: 0,
            served_round: 0,
            sequence: 0,
            hash,
            channel,
            previous_member: NIL,
            next_member: head,
            ready_class: Priority::Low,
            served_class: None,
            in_flight: false,
        });
        if head != NIL {
            self.records[head].previous_member = index;
        }
        let record = &mut self.channels[channel];
        record.head = index;
        record.members += 1;
        if known.is_none() {
            let channels = &self.channels;
            self.channel_by_key
                .insert(channel_hash, channel, |other| channels[other].hash);
        }
        let records = &self.records;
        self.by_key.insert(hash, index, |other| records[other].hash);
        index
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<SessionKey> {
        let session = self.records.remove(index)?;
        self.by_key.remove(session.hash, index);
        if session.previous_member != NIL {
            self.records[session.previous_member].next_member = session.next_member;
        }
        if session.next_member != NIL {
            self.records[session.next_member].previous_member = session.previous_member;
        }
        let channel = &mut self.channels[session.channel];
        channel.members -= 1;
        if channel.head == index {
            channel.head = session.next_member;
        }
        if channel.members == 0 {
            let hash = channel.hash;
            self.channel_by_key.remove(hash, session.channel);
            self.channels.remove(session.channel);
        }
        Some(session.key)
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> &mut Session {
        &mut self.records[index]
    }

    pub(crate) fn get(&self, index: u32) -> &Session {
        &self.records[index]
    }

    /// The session that now has this index, if one has.
    #[inline]
    pub(crate) fn find_live(&self, index: u32) -> Option<&Session> {
        self.records.get(index)
    }

    /// People with a live session in the channel.
    pub(crate) fn members(&self, bot: &BotId, channel: &ChannelId) -> usize {
        let hash = hash_of(&self.hasher, &(bot, channel));
        self.find_channel(hash, bot, channel)
            .map_or(0, |index| self.channels[index].members as usize)
    }

    fn find_channel(&self, hash: u32, bot: &BotId, channel: &ChannelId) -> Option<u32> {
        self.channel_by_key.find(hash, |&index| {
            let key = &self.records[self.channels[index].head].key;
            key.channel == *channel && key.bot == *bot
        })
    }

    fn shared_bot(&mut self, bot: &BotId) -> BotId {
        match &self.last_bot {
            Some(last) if last == bot => last.clone(),
            _ => {
                self.last_bot = Some(bot.clone());
                bot.clone()
            }
        }
    }
}

/// The 32 bits under which a key is found.
#[inline]
pub(crate) fn hash_of(hasher: &DefaultHashBuilder, key: &impl std::hash::Hash) -> u32 {
    (hasher.hash_one(key) >> 32) as u32
}
