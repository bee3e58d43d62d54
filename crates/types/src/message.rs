//! What comes in: one message of one person, and where it belongs.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    AudienceId, BotId, ChannelId, MemoryOwner, MetadataValue, PlatformId, Timestamp, UserId, ZoneId,
};

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
    /// The platform's number of the message; a second delivery of it is recognised by this.
    #[serde(default)]
    pub platform_id: Option<PlatformId>,
    /// The message that this one replies to.
    #[serde(default)]
    pub reply_to: Option<PlatformId>,
    /// What the writer is called where others read along; the user id when absent.
    #[serde(default)]
    pub display_name: Option<String>,
    /// The class to serve it in; `None` lets the scheduler score it.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// Who can read the channel.
    #[serde(default)]
    pub audience: Audience,
    /// The writer's time zone, where the platform knows it.
    #[serde(default)]
    pub zone: Option<ZoneId>,
    /// Kept with the message as a memory.
    #[serde(default)]
    pub metadata: BTreeMap<String, MetadataValue>,
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
            platform_id: None,
            reply_to: None,
            display_name: None,
            priority: None,
            audience: Audience::Private,
            zone: None,
            metadata: BTreeMap::new(),
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

    /// Checks the text: at most `limit_bytes` bytes, and a visible character among them.
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
        if self.text.chars().all(is_invisible) {
            return Err(MessageError::Empty);
        }
        Ok(())
    }

    /// Replaces control characters other than tab, line feed and carriage return by spaces. Joiners and
    /// direction marks are text and stay.
    pub fn clean(&mut self) {
        let is_stray = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        if self.text.contains(is_stray) {
            self.text = self.text.replace(is_stray, " ");
        }
    }
}

/// White space, controls, characters that Unicode says to ignore where they cannot be shown
/// (`Default_Ignorable_Code_Point` of Unicode 16), and the blank Braille pattern.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
            | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Why a message is refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Nothing that can be seen.
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

/// Who can read a channel. What is said to one audience is never brought up before another; what is said
/// to an audience may be brought up in private.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Only the person and the bot.
    #[default]
    Private,
    /// Everyone who reads the channels of this group, such as the members of a guild.
    Group(AudienceId),
}

impl Audience {
    /// The group; `None` in private.
    pub fn group(&self) -> Option<&AudienceId> {
        match self {
            Self::Private => None,
            Self::Group(group) => Some(group),
        }
    }

    /// Whether only the person and the bot read it.
    pub fn is_private(&self) -> bool {
        matches!(self, Self::Private)
    }
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
