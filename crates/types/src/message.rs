//! What comes in: one message of one person, and where it belongs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{BotId, ChannelId, MemoryOwner, Timestamp, UserId};

/// A message as the platform delivers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Whom it is addressed to.
    pub bot: BotId,
    /// Who wrote it.
    pub user: UserId,
    /// Where.
    pub channel: ChannelId,
    /// The text; [`Message::validate`] says what is accepted.
    pub text: String,
    /// The class to serve it in; `None` lets the scheduler score it.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// Who else can read the channel.
    #[serde(default)]
    pub visibility: Visibility,
    /// When it was written.
    pub sent_at: Timestamp,
}

impl Message {
    /// A message in a private channel, its priority left to the scheduler.
    pub fn new(
        bot: BotId,
        user: UserId,
        channel: ChannelId,
        text: impl Into<String>,
        sent_at: Timestamp,
    ) -> Self {
        Self {
            bot,
            user,
            channel,
            text: text.into(),
            priority: None,
            visibility: Visibility::Private,
            sent_at,
        }
    }

    /// Whose memories the message belongs to.
    pub fn owner(&self) -> MemoryOwner {
        MemoryOwner::person(self.bot.clone(), self.user.clone())
    }

    /// The session the message belongs to.
    pub fn session(&self) -> SessionKey {
        SessionKey {
            bot: self.bot.clone(),
            user: self.user.clone(),
            channel: self.channel.clone(),
        }
    }

    /// Checks the text: it has a visible character, at most `limit_bytes` bytes, and no control
    /// characters but tab, line feed and carriage return. Joiners and direction marks are text.
    ///
    /// # Errors
    /// [`MessageError`] says which of these does not hold.
    pub fn validate(&self, limit_bytes: usize) -> Result<(), MessageError> {
        let bytes = self.text.len();
        if bytes > limit_bytes {
            return Err(MessageError::TooLong {
                bytes,
                limit: limit_bytes,
            });
        }
        if self.text.trim().is_empty() {
            return Err(MessageError::Empty);
        }
        let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        match self.text.char_indices().find(|&(_, c)| control(c)) {
            Some((at, c)) => Err(MessageError::ControlCharacter {
                at,
                code: u32::from(c),
            }),
            None => Ok(()),
        }
    }
}

/// Why a message is refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Nothing but white space.
    #[error("message text is empty")]
    Empty,
    /// More bytes than the engine accepts.
    #[error("message text has {bytes} bytes, more than {limit}")]
    TooLong {
        /// The text's length in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A control character such as NUL or escape.
    #[error("message text holds the control character U+{code:04X} at byte {at}")]
    ControlCharacter {
        /// Its byte position.
        at: usize,
        /// Its code point.
        code: u32,
    },
}

/// A conversation of one person with one bot in one channel: what keeps its order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionKey {
    /// The bot.
    pub bot: BotId,
    /// The person.
    pub user: UserId,
    /// The channel.
    pub channel: ChannelId,
}

/// Who can read a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only the person and the bot.
    #[default]
    Private,
    /// Others too: nothing private is brought up here.
    Public,
}

/// The four classes of service, most urgent first in the order of `Ord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Priority {
    /// Someone needs help now.
    Critical,
    /// Urgent.
    High,
    /// Everyday talk.
    #[default]
    Normal,
    /// Can wait.
    Low,
}

impl Priority {
    /// Every class, most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// The lower-case name.
    pub fn name(self) -> &'static str {
        ["critical", "high", "normal", "low"][self as usize]
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.name() == text)
            .ok_or_else(|| UnknownPriority {
                text: text.chars().take(40).collect(),
            })
    }
}

/// A word that is no [`Priority`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown priority {text:?}: expected critical, high, normal or low")]
pub struct UnknownPriority {
    /// The first 40 characters of the word.
    pub text: String,
}
