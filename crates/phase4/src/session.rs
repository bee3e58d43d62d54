//! Sittings: when one began, where, and who spoke last.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use whisperengine_types::{Audience, Timestamp};

use crate::{
    lexicon::Cue,
    text::{Utterance, hash64},
    thread::Scope,
};

/// What is known of the present sitting.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Session {
    /// Counted from 1.
    pub(crate) number: u32,
    pub(crate) started: Timestamp,
    /// The person's messages in it.
    pub(crate) messages: u32,
    /// When the person last wrote; `None` before the first message.
    pub(crate) last_message: Option<Timestamp>,
    /// When the bot last replied, if the caller says so at all.
    pub(crate) last_reply: Option<Timestamp>,
    /// The bot owes a reply: the person spoke last. Known only where replies are fed back.
    pub(crate) owes_reply: bool,
    /// The person said goodbye.
    pub(crate) closed: bool,
    pub(crate) scope: Scope,
}

/// What the session makes of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sitting {
    /// Time since the message before; `None` at the very first.
    pub(crate) gap: Option<Duration>,
    /// Whether the message opens a session.
    pub(crate) opens: bool,
    /// Minutes and messages of the session before, when the message opens a new one.
    pub(crate) ended: Option<(f32, f32)>,
}

impl Session {
    pub(crate) fn enter(
        &mut self,
        utterance: &Utterance<'_>,
        at: Timestamp,
        scope: Scope,
        session_gap: Duration,
    ) -> Sitting {
        let gap = self.last_message.map(|last| at.since(last));
        let opens = gap.is_none_or(|gap| gap >= session_gap);
        let ended = self.last_message.filter(|_| opens).map(|last| {
            (
                last.since(self.started).as_secs_f32() / 60.0,
                self.messages as f32,
            )
        });
        if opens {
            self.number = self.number.saturating_add(1);
            self.started = at;
            self.messages = 0;
        }
        self.messages = self.messages.saturating_add(1);
        self.last_message = Some(at);
        self.owes_reply = self.last_reply.is_some();
        self.closed = utterance.has(Cue::Farewell) && !utterance.is_question();
        self.scope = scope;
        Sitting { gap, opens, ended }
    }

    /// Time from the bot's reply to a message at `at`, within a session.
    pub(crate) fn latency(&self, at: Timestamp, session_gap: Duration) -> Option<Duration> {
        let reply = self.last_reply.filter(|_| !self.owes_reply)?;
        Some(at.since(reply)).filter(|&latency| latency < session_gap)
    }

    pub(crate) fn reply(&mut self, at: Timestamp) {
        self.last_reply = Some(at);
        self.owes_reply = false;
    }
}

/// Who can read what is said to an audience.
pub(crate) fn scope(audience: &Audience) -> Scope {
    match audience {
        Audience::Private => Scope::Private,
        Audience::Group(group) => Scope::Channel(hash64(group.as_str().as_bytes())),
    }
}
