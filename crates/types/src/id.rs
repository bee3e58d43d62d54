//! Identifiers that cannot be mistaken for one another: the kind is part of the type.

mod text;

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Serialize};

use self::text::Text;

/// An identifier of one kind: 1 to [`Id::MAX_BYTES`] bytes of text without control characters.
///
/// Cheap to clone: a text of up to 22 bytes, as chat platforms number people and channels, stands in the
/// id itself, a longer one is shared. Two ids are equal when their text is equal to the byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "")]
pub struct Id<K: Kind> {
    text: Text,
    kind: PhantomData<K>,
}

/// Which character or bot speaks.
pub type BotId = Id<kind::Bot>;
/// A person, as the platform names them.
pub type UserId = Id<kind::User>;
/// A channel, room or direct conversation of the platform.
pub type ChannelId = Id<kind::Channel>;
/// One sitting of a conversation: what a memory's neighbours share.
pub type SessionId = Id<kind::Session>;
/// A memory, unique within its owner.
pub type MemoryId = Id<kind::Memory>;
/// A conversation thread, unique within its owner.
pub type ThreadId = Id<kind::Thread>;
/// A body of knowledge that several people share.
pub type SpaceId = Id<kind::Space>;
/// A message, as the platform numbers it; unique within its channel.
pub type PlatformId = Id<kind::Platform>;
/// People who can read the same channels: a guild, a group of channels.
pub type AudienceId = Id<kind::Audience>;
/// A time zone: an IANA name such as `Europe/Berlin`, or an offset such as `+02:00`.
pub type ZoneId = Id<kind::Zone>;

/// What an [`Id`] names; sealed by [`kind`]'s unit types.
pub trait Kind: Copy + Ord + std::hash::Hash + 'static {
    /// The word used in errors: `user`, `memory`, ...
    const NAME: &'static str;
}

/// The kinds of [`Id`].
pub mod kind {
    pub use super::Kind;

    /// Names a bot.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Bot {}
    /// Names a person.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum User {}
    /// Names a channel.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Channel {}
    /// Names a session.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Session {}
    /// Names a memory.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Memory {}
    /// Names a thread.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Thread {}
    /// Names a shared space.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Space {}
    /// Names a message of a platform.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Platform {}
    /// Names an audience.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Audience {}
    /// Names a time zone.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Zone {}

    impl Kind for Bot {
        const NAME: &'static str = "bot";
    }
    impl Kind for User {
        const NAME: &'static str = "user";
    }
    impl Kind for Channel {
        const NAME: &'static str = "channel";
    }
    impl Kind for Session {
        const NAME: &'static str = "session";
    }
    impl Kind for Memory {
        const NAME: &'static str = "memory";
    }
    impl Kind for Thread {
        const NAME: &'static str = "thread";
    }
    impl Kind for Space {
        const NAME: &'static str = "space";
    }
    impl Kind for Platform {
        const NAME: &'static str = "platform message";
    }
    impl Kind for Audience {
        const NAME: &'static str = "audience";
    }
    impl Kind for Zone {
        const NAME: &'static str = "time zone";
    }
}

impl<K: Kind> Id<K> {
    /// The longest accepted id, in bytes.
    pub const MAX_BYTES: usize = 256;

    /// Checks and wraps `text`.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, longer than [`Id::MAX_BYTES`] or holds a control character.
    pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(IdError::Empty { kind: K::NAME });
        }
        if text.len() > Self::MAX_BYTES {
            return Err(IdError::TooLong {
                kind: K::NAME,
                bytes: text.len(),
                limit: Self::MAX_BYTES,
            });
        }
        if text.chars().any(char::is_control) {
            return Err(IdError::ControlCharacter { kind: K::NAME });
        }
        Ok(Self {
            text: text.into(),
            kind: PhantomData,
        })
    }

    /// The id of number `n`: its decimal digits.
    pub fn from_number(n: u64) -> Self {
        Self {
            text: n.to_string().as_str().into(),
            kind: PhantomData,
        }
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        self.text.as_str()
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", K::NAME, self.as_str())
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl<K: Kind> TryFrom<String> for Id<K> {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl<K: Kind> From<Id<K>> for String {
    fn from(id: Id<K>) -> Self {
        id.as_str().to_owned()
    }
}

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text has no characters.
    #[error("{kind} id is empty")]
    Empty {
        /// What the id would name.
        kind: &'static str,
    },
    /// The text is longer than [`Id::MAX_BYTES`].
    #[error("{kind} id has {bytes} bytes, more than {limit}")]
    TooLong {
        /// What the id would name.
        kind: &'static str,
        /// Its length in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The text holds a control character.
    #[error("{kind} id holds a control character")]
    ControlCharacter {
        /// What the id would name.
        kind: &'static str,
    },
}
