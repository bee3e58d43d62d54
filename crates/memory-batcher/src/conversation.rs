//! What a companion stores most: exchanges and facts, as records whose ids follow from their content.
//!
//! An id that follows from the content makes storing idempotent for good, not only within the
//! deduplication window: the same exchange stored twice is one record.

use std::collections::BTreeMap;

use whisperengine_types::{
    ChannelId, MemoryId, MemoryKind, MemoryRecord, MetadataValue, SessionId, Timestamp,
};

/// A message and the reply to it, to be remembered as one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Exchange {
    /// What the person said.
    pub message: String,
    /// What was answered.
    pub reply: String,
    /// When the person said it.
    pub sent_at: Timestamp,
    /// Who said it, as the platform names them.
    pub speaker: Option<String>,
    /// The sitting.
    pub session: Option<SessionId>,
    /// The channel.
    pub channel: Option<ChannelId>,
    /// How much it matters, `0..=1`; 0.5 is ordinary.
    pub importance: f32,
    /// Anything else.
    pub metadata: BTreeMap<String, MetadataValue>,
}

impl Exchange {
    /// An ordinary exchange.
    pub fn new(message: impl Into<String>, reply: impl Into<String>, sent_at: Timestamp) -> Self {
        Self {
            message: message.into(),
            reply: reply.into(),
            sent_at,
            speaker: None,
            session: None,
            channel: None,
            importance: 0.5,
            metadata: BTreeMap::new(),
        }
    }

    /// The record of it: the message, a line feed and the reply as text, so that both are searched, and
    /// under [`REPLY_AT`](Self::REPLY_AT) where the reply begins.
    pub fn into_record(self) -> MemoryRecord {
        let place = self.session.as_ref().map_or("", SessionId::as_str);
        let id = content_id(
            "x",
            &[
                &self.message,
                &self.reply,
                place,
                &self.sent_at.as_millis().to_string(),
            ],
        );
        let text = format!("{}\n{}", self.message, self.reply);
        let mut record = MemoryRecord::new(id, text, self.sent_at);
        let reply_at = MetadataValue::Int((self.message.len() + 1) as i64);
        record.kind = MemoryKind::Exchange;
        record.speaker = self.speaker;
        record.session = self.session;
        record.channel = self.channel;
        record.importance = self.importance;
        record.metadata = self.metadata;
        record.metadata.insert(Self::REPLY_AT.to_owned(), reply_at);
        record
    }

    /// The metadata key of the byte position where the reply begins in the record's text.
    pub const REPLY_AT: &str = "reply_at";

    /// The message and the reply of a record made by [`into_record`](Self::into_record).
    pub fn parts(record: &MemoryRecord) -> Option<(&str, &str)> {
        let Some(MetadataValue::Int(at)) = record.metadata.get(Self::REPLY_AT) else {
            return None;
        };
        let at = usize::try_from(*at).ok()?;
        let message = record.text.get(..at.checked_sub(1)?)?;
        Some((message, record.text.get(at..)?))
    }
}

/// Something known to be so of a person.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Fact {
    /// What is known: "allergic to nuts".
    pub text: String,
    /// When it became known.
    pub learned_at: Timestamp,
    /// Where it comes from, in words; kept as metadata `context`.
    pub context: Option<String>,
    /// How much it matters, `0..=1`.
    pub importance: f32,
    /// How far its source is trusted, `0..=1`; 1 is the person's own words.
    pub trust: f32,
    /// Anything else.
    pub metadata: BTreeMap<String, MetadataValue>,
}

impl Fact {
    /// A fact of importance 0.8 in the person's own words.
    pub fn new(text: impl Into<String>, learned_at: Timestamp) -> Self {
        Self {
            text: text.into(),
            learned_at,
            context: None,
            importance: 0.8,
            trust: 1.0,
            metadata: BTreeMap::new(),
        }
    }

    /// The record of it. Its id follows from the text alone: learning a fact again renews it.
    pub fn into_record(self) -> MemoryRecord {
        let id = content_id("fact", &[&self.text]);
        let mut record = MemoryRecord::new(id, self.text, self.learned_at);
        record.kind = MemoryKind::Fact;
        record.importance = self.importance;
        record.trust = self.trust;
        record.metadata = self.metadata;
        if let Some(context) = self.context {
            record
                .metadata
                .insert("context".to_owned(), MetadataValue::Text(context));
        }
        record
    }
}

/// `prefix-` and 32 hexadecimal digits: FNV-1a, 128 bits, over the parts and their lengths. The same on
/// every machine and in every version.
fn content_id(prefix: &str, parts: &[&str]) -> MemoryId {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut hash = OFFSET;
    for part in parts {
        let len = (part.len() as u64).to_le_bytes();
        for byte in len.iter().chain(part.as_bytes()) {
            hash = (hash ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }
    MemoryId::new(format!("{prefix}-{hash:032x}")).expect("hexadecimal digits are an id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchange_gives_back_its_parts() {
        for (message, reply) in [("hi", "hello"), ("", ""), ("two\nlines", "über\n"), ("é", "")] {
            let record = Exchange::new(message, reply, Timestamp::from_millis(5)).into_record();
            assert_eq!(Exchange::parts(&record), Some((message, reply)));
        }
        let plain = MemoryRecord::new(MemoryId::from_number(1), "no exchange", Timestamp::from_millis(5));
        assert_eq!(Exchange::parts(&plain), None);
    }

    #[test]
    fn ids_follow_from_content_and_stay_the_same_for_ever() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let id = |message, reply, at| Exchange::new(message, reply, at).into_record().id;
        assert_eq!(id("hi", "hello", at), id("hi", "hello", at));
        assert_ne!(
            id("hi", "hello", at),
            id("hi", "hello", Timestamp::from_millis(1))
        );
        assert_ne!(id("ab", "c", at), id("a", "bc", at));
        let fact = Fact::new("allergic to nuts", at).into_record();
        assert_eq!(
            fact.id,
            Fact::new("allergic to nuts", Timestamp::from_millis(1))
                .into_record()
                .id
        );
        assert_eq!(fact.id.as_str(), "fact-9ac32ba0563fab2eb1796877a771e973");
    }
}
