//! An owner's cell as bytes: kept beside the memories as the owner's state.
//!
//! `WEOC`, version, CRC-32 of the rest, then the fields in the postcard format.

use serde::{Deserialize, Serialize};
use whisperengine_types::{ChannelId, ConversationError, Feedback, Language, SessionId, Timestamp, ZoneId};

/// What is saved of a cell.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Frame {
    /// The place of the last record that is included; every later one is replayed.
    pub(crate) included: u64,
    pub(crate) settings: Settings,
    pub(crate) sessions: Vec<Session>,
    /// Places of the latest turns that have a recorded reply, oldest first.
    pub(crate) replied: Vec<u64>,
    pub(crate) conversation: Vec<u8>,
    pub(crate) profile: Vec<u8>,
    pub(crate) dialogue: Vec<(ChannelId, Vec<u8>)>,
}

/// What the person or the app decided, which no message says again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Whether messages on the bot's own initiative are welcome; `None` if nobody said.
    pub(crate) proactive: Option<bool>,
    pub(crate) zone: Option<ZoneId>,
    /// The language that the person wrote last, where it was clear.
    pub(crate) language: Option<Language>,
}

/// A session that is under way in a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) channel: ChannelId,
    pub(crate) id: SessionId,
    pub(crate) last: Timestamp,
}

impl Settings {
    /// Takes over what the person or the app decided.
    pub(crate) fn note(&mut self, feedback: &Feedback) {
        match feedback {
            Feedback::Proactive { allowed } => self.proactive = Some(*allowed),
            Feedback::TimeZone { name } => self.zone = ZoneId::new(name).ok(),
            _ => {}
        }
    }

    /// The decisions, for a conversation that does not know of them.
    pub(crate) fn feedback(&self) -> Vec<Feedback> {
        let proactive = self.proactive.map(|allowed| Feedback::Proactive { allowed });
        let zone = self.zone.as_ref().map(|zone| Feedback::TimeZone {
            name: zone.as_str().to_owned(),
        });
        proactive.into_iter().chain(zone).collect()
    }
}

impl Frame {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let size = 256 + self.conversation.len() + self.profile.len();
        let mut bytes = Vec::with_capacity(size);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([0; 4]);
        let mut bytes =
            postcard::to_extend(self, bytes).expect("a frame has no field that the format cannot hold");
        let sum = crc32fast::hash(&bytes[HEADER..]);
        bytes[HEADER - 4..HEADER].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ConversationError> {
        let invalid = |reason: &str| ConversationError::InvalidState {
            reason: reason.to_owned(),
        };
        let (header, body) = bytes
            .split_at_checked(HEADER)
            .ok_or_else(|| invalid("shorter than its header"))?;
        if header[..4] != MAGIC {
            return Err(invalid("not the state of an owner"));
        }
        if header[4..6] != VERSION.to_le_bytes() {
            return Err(invalid("of another version"));
        }
        if header[6..] != crc32fast::hash(body).to_le_bytes() {
            return Err(invalid("checksum differs"));
        }
        postcard::from_bytes(body).map_err(|error| invalid(&error.to_string()))
    }
}

const MAGIC: [u8; 4] = *b"WEOC";
const VERSION: u16 = 1;
const HEADER: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error() {
        let frame = Frame {
            included: 77,
            settings: Settings {
                proactive: Some(false),
                zone: Some(ZoneId::new("Europe/Berlin").unwrap()),
                language: Some(Language::ENGLISH),
            },
            replied: vec![1, 2],
            conversation: vec![7; 40],
            ..Frame::default()
        };
        let bytes = frame.encode();
        assert_eq!(Frame::decode(&bytes).unwrap(), frame);
        for len in 0..bytes.len() {
            assert!(Frame::decode(&bytes[..len]).is_err(), "{len}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Frame::decode(&damaged).is_err(), "{bit}");
        }
    }
}
