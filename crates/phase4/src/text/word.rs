use std::{fmt, hash::Hash};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A word kept in place, without an allocation: at most [`Word::MAX_BYTES`] bytes, longer ones cut at a
/// character.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct Word {
    bytes: [u8; Self::MAX_BYTES],
    len: u8,
}

impl Word {
    pub(crate) const MAX_BYTES: usize = 19;

    pub(crate) fn new(text: &str) -> Self {
        let whole = text.len() <= Self::MAX_BYTES;
        let cut = |len: &usize| text.is_char_boundary(*len);
        let len = if whole {
            text.len()
        } else {
            (0..=Self::MAX_BYTES).rev().find(cut).unwrap_or(0)
        };
        let mut bytes = [0; Self::MAX_BYTES];
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        Self {
            bytes,
            len: len as u8,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("cut at a character")
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word::new(text))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}
