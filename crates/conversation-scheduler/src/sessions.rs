//! Who is talking: two compact records per session, found by one hash of its key, and the channels the
//! sessions are in.
//!
//! What every turn changes is one line of the processor's cache, because callers and workers pass it to
//! and fro; who the session is lies apart, is only read, and stays in both caches. Channels hold no text
//! and no set: a channel is the head of a list threaded through its sessions, and ends with the last of them.
//!
//! A session that ends keeps its key until another session takes its place. Memory stays at its highest
//! level either way, and a million sessions that end together give nothing back: glibc would gather as
//! many small pieces in one go some time later, and stop the threads that allocate meanwhile for 30 ms.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use whisperengine_types::{BotId, ChannelId, Priority, SessionKey};

use crate::{
    key_index::KeyIndex,
    slab::{NIL, Slab},
    turns::List,
};

/// What its turns change.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Session {
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
    pub(crate) ready_class: Priority,
    pub(crate) served_class: Option<Priority>,
    pub(crate) in_flight: bool,
    has_ended: bool,
}

/// Who it is, for as long as it lives.
#[derive(Debug)]
struct Identity {
    key: SessionKey,
    hash: u32,
    channel: u32,
    previous_member: u32,
    /// Of a session that has ended: the one that ended before it.
    next_member: u32,
}

impl Session {
    #[inline]
    pub(crate) fn depth(&self) -> usize {
        self.queued.iter().map(|&n| usize::from(n)).sum()
    }

    #[inline]
    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight || !self.turns.is_empty()
    }

    /// The most urgent class among its queued turns: what the whole session waits in.
    #[inline]
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
    /// By the same index: neither gives a place back.
    records: Slab<Session>,
    identities: Slab<Identity>,
    /// The session that ended last, and how many have that no new session has taken over.
    last_ended: u32,
    ended: usize,
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
            identities: Slab::new(),
            last_ended: NIL,
            ended: 0,
            by_key: KeyIndex::new(),
            channels: Slab::new(),
            channel_by_key: KeyIndex::new(),
            hasher: DefaultHashBuilder::default(),
            last_bot: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len() - self.ended
    }

    pub(crate) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    pub(crate) fn hasher(&self) -> &DefaultHashBuilder {
        &self.hasher
    }

    #[inline]
    pub(crate) fn find(&self, hash: u32, key: &SessionKey) -> Option<u32> {
        self.by_key
            .find(hash, |&index| self.identities[index].key == *key)
    }

    /// A session that may be the one with this hash: nearly always, and without a look at its record.
    #[inline]
    pub(crate) fn guess(&self, hash: u32) -> Option<u32> {
        self.by_key.find(hash, |_| true)
    }

    /// Adds a session for a key that [`find`](Self::find) does not know.
    pub(crate) fn insert(&mut self, hash: u32, key: &SessionKey, now: u64) -> u32 {
        let channel_hash = hash_of(&self.hasher, &(&key.bot, &key.channel));
        let known = self.find_channel(channel_hash, &key.bot, &key.channel);
        let (bot, channel_id) = match known {
            Some(channel) => {
                let member = self.key(self.channels[channel].head);
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
        let identity = Identity {
            key: SessionKey {
                bot,
                user: key.user.clone(),
                channel: channel_id,
            },
            hash,
            channel,
            previous_member: NIL,
            next_member: head,
        };
        let session = Session {
            last_message: now,
            turns: List::EMPTY,
            queued: [0; 4],
            ready_token: 0,
            served_round: 0,
            sequence: 0,
            ready_class: Priority::Low,
            served_class: None,
            in_flight: false,
            has_ended: false,
        };
        let index = self.place(identity, session);
        if head != NIL {
            self.identities[head].previous_member = index;
        }
        let record = &mut self.channels[channel];
        record.head = index;
        record.members += 1;
        if known.is_none() {
            let channels = &self.channels;
            self.channel_by_key
                .insert(channel_hash, channel, |other| channels[other].hash);
        }
        let identities = &self.identities;
        self.by_key.insert(hash, index, |other| identities[other].hash);
        index
    }

    /// Stores a new session, where one has ended if there is such a place.
    fn place(&mut self, identity: Identity, session: Session) -> u32 {
        let index = self.last_ended;
        if index == NIL {
            self.identities.insert(identity);
            return self.records.insert(session);
        }
        let ended = std::mem::replace(&mut self.identities[index], identity);
        self.records[index] = session;
        self.last_ended = ended.next_member;
        self.ended -= 1;
        index
    }

    /// Ends a session that lives. Its key is shared with the record, which keeps it.
    pub(crate) fn end(&mut self, index: u32) -> SessionKey {
        let before = self.last_ended;
        let identity = &mut self.identities[index];
        let (previous, next) = (identity.previous_member, identity.next_member);
        let (hash, place, key) = (identity.hash, identity.channel, identity.key.clone());
        identity.next_member = before;
        self.records[index].has_ended = true;
        self.last_ended = index;
        self.ended += 1;
        self.by_key.remove(hash, index);
        if previous != NIL {
            self.identities[previous].next_member = next;
        }
        if next != NIL {
            self.identities[next].previous_member = previous;
        }
        let channel = &mut self.channels[place];
        channel.members -= 1;
        if channel.head == index {
            channel.head = next;
        }
        if channel.members == 0 {
            let hash = channel.hash;
            self.channel_by_key.remove(hash, place);
            self.channels.remove(place);
        }
        key
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> &mut Session {
        &mut self.records[index]
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> &Session {
        &self.records[index]
    }

    /// Whose session it is.
    #[inline]
    pub(crate) fn key(&self, index: u32) -> &SessionKey {
        &self.identities[index].key
    }

    /// The session that now has this index, if one has.
    #[inline]
    pub(crate) fn find_live(&self, index: u32) -> Option<&Session> {
        self.records.get(index).filter(|session| !session.has_ended)
    }

    /// People with a live session in the channel.
    pub(crate) fn members(&self, bot: &BotId, channel: &ChannelId) -> usize {
        let hash = hash_of(&self.hasher, &(bot, channel));
        self.find_channel(hash, bot, channel)
            .map_or(0, |index| self.channels[index].members as usize)
    }

    fn find_channel(&self, hash: u32, bot: &BotId, channel: &ChannelId) -> Option<u32> {
        self.channel_by_key.find(hash, |&index| {
            let key = self.key(self.channels[index].head);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use whisperengine_types::UserId;

    use super::*;

    fn key(user: u64, channel: u64) -> SessionKey {
        SessionKey {
            bot: BotId::new("ember").unwrap(),
            user: UserId::from_number(user),
            channel: ChannelId::new(format!("c{channel}")).unwrap(),
        }
    }

    proptest! {
        /// Against a map: who lives is found, who has ended is not, and places are used again.
        #[test]
        fn agree_with_a_map(steps in prop::collection::vec((0..6_u64, 0..3_u64), 1..200)) {
            let mut sessions = Sessions::new();
            let mut living: BTreeMap<SessionKey, u32> = BTreeMap::new();
            let mut most = 0;
            for (user, channel) in steps {
                let key = key(user, channel);
                let hash = hash_of(&sessions.hasher, &key);
                if let Some(index) = living.remove(&key) {
                    prop_assert_eq!(&sessions.end(index), &key);
                    prop_assert!(sessions.find_live(index).is_none());
                } else {
                    living.insert(key.clone(), sessions.insert(hash, &key, 0));
                }
                most = most.max(living.len());
                prop_assert_eq!(sessions.len(), living.len());
                prop_assert_eq!(sessions.records.len(), most);
                prop_assert_eq!(sessions.find(hash, &key), living.get(&key).copied());
                for (key, &index) in &living {
                    prop_assert!(sessions.find_live(index).is_some());
                    prop_assert_eq!(sessions.key(index), key);
                    let there = living.keys().filter(|other| other.channel == key.channel).count();
                    prop_assert_eq!(sessions.members(&key.bot, &key.channel), there);
                }
            }
        }
    }
}
