//! The record without its embedding.

use std::collections::BTreeMap;

use whisperengine_types::{Id, MemoryError, MemoryKind, MemoryRecord, MetadataValue, Timestamp, kind::Kind};

use super::{Reader, Writer, corrupt};

/// The fixed part of a body, and where the rest is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: MemoryKind,
    pub(crate) pinned: bool,
    /// The embedding was given, not made by the store's embedder.
    pub(crate) embedding_given: bool,
    /// Position in the order of first storing; survives replacement.
    pub(crate) seq: u64,
    pub(crate) sent_at: Timestamp,
    pub(crate) importance: f32,
    pub(crate) trust: f32,
    pub(crate) speaker: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
    pub(crate) text: &'a str,
    metadata: Reader<'a>,
}

impl<'a> Body<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, MemoryError> {
        let mut input = Reader::new(bytes);
        let id = input.text()?;
        let flags = input.u8()?;
        let kind = kind_of(input.u8()?)?;
        let seq = input.varint()?;
        let sent_at = Timestamp::from_millis(input.i64()?);
        let (importance, trust) = (input.f32()?, input.f32()?);
        let mut optional = |flag| {
            if flags & flag == 0 {
                Ok(None)
            } else {
                input.text().map(Some)
            }
        };
        let (speaker, session, channel) = (optional(SPEAKER)?, optional(SESSION)?, optional(CHANNEL)?);
        let text = input.text()?;
        Ok(Self {
            id,
            kind,
            pinned: flags & PINNED != 0,
            embedding_given: flags & EMBEDDING_GIVEN != 0,
            seq,
            sent_at,
            importance,
            trust,
            speaker,
            session,
            channel,
            text,
            metadata: input,
        })
    }

    /// Calls `visit` with each metadata entry, in the order of keys, until it answers.
    pub(crate) fn find_metadata(&self, key: &str) -> Result<Option<Value<'a>>, MemoryError> {
        let mut input = self.metadata;
        for _ in 0..input.varint()? {
            let (name, value) = (input.text()?, Value::decode(&mut input)?);
            if name == key {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn metadata(&self) -> Result<BTreeMap<String, MetadataValue>, MemoryError> {
        let mut input = self.metadata;
        let mut metadata = BTreeMap::new();
        for _ in 0..input.varint()? {
            let (name, value) = (input.text()?, Value::decode(&mut input)?);
            metadata.insert(name.to_owned(), value.to_owned());
        }
        input.end()?;
        Ok(metadata)
    }

    /// The record, without an embedding.
    pub(crate) fn to_record(self) -> Result<MemoryRecord, MemoryError> {
        let metadata = self.metadata()?;
        Ok(MemoryRecord {
            id: id_of(self.id)?,
            text: self.text.to_owned(),
            speaker: self.speaker.map(str::to_owned),
            session: self.session.map(id_of).transpose()?,
            channel: self.channel.map(id_of).transpose()?,
            sent_at: self.sent_at,
            kind: self.kind,
            importance: self.importance,
            trust: self.trust,
            pinned: self.pinned,
            metadata,
            embedding: None,
        })
    }
}

/// A metadata value that is not copied yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
}

impl<'a> Value<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, MemoryError> {
        Ok(match input.u8()? {
            0 => Self::Bool(false),
            1 => Self::Bool(true),
            2 => Self::Int(input.i64()?),
            3 => Self::Float(input.f64()?),
            4 => Self::Text(input.text()?),
            _ => return Err(corrupt("has metadata of an unknown type")),
        })
    }

    fn to_owned(self) -> MetadataValue {
        match self {
            Self::Bool(value) => MetadataValue::Bool(value),
            Self::Int(value) => MetadataValue::Int(value),
            Self::Float(value) => MetadataValue::Float(value),
            Self::Text(value) => MetadataValue::Text(value.to_owned()),
        }
    }
}

impl<'a> From<&'a MetadataValue> for Value<'a> {
    fn from(value: &'a MetadataValue) -> Self {
        match value {
            MetadataValue::Bool(value) => Self::Bool(*value),
            MetadataValue::Int(value) => Self::Int(*value),
            MetadataValue::Float(value) => Self::Float(*value),
            MetadataValue::Text(value) => Self::Text(value),
        }
    }
}

/// Writes the body of `record`.
pub(crate) fn encode_body(record: &MemoryRecord, seq: u64, embedding_given: bool, out: &mut Writer) {
    let flag = |on: bool, flag: u8| if on { flag } else { 0 };
    out.text(record.id.as_str());
    out.u8(flag(record.pinned, PINNED)
        | flag(embedding_given, EMBEDDING_GIVEN)
        | flag(record.speaker.is_some(), SPEAKER)
        | flag(record.session.is_some(), SESSION)
        | flag(record.channel.is_some(), CHANNEL));
    out.u8(record.kind as u8);
    out.varint(seq);
    out.raw(&record.sent_at.as_millis().to_le_bytes());
    out.raw(&record.importance.to_le_bytes());
    out.raw(&record.trust.to_le_bytes());
    let session = record.session.as_ref().map(Id::as_str);
    let channel = record.channel.as_ref().map(Id::as_str);
    for text in [record.speaker.as_deref(), session, channel]
        .into_iter()
        .flatten()
    {
        out.text(text);
    }
    out.text(&record.text);
    out.varint(record.metadata.len() as u64);
    for (key, value) in &record.metadata {
        out.text(key);
        match value {
            MetadataValue::Bool(value) => out.u8(u8::from(*value)),
            MetadataValue::Int(value) => {
                out.u8(2);
                out.raw(&value.to_le_bytes());
            }
            MetadataValue::Float(value) => {
                out.u8(3);
                out.raw(&value.to_le_bytes());
            }
            MetadataValue::Text(value) => {
                out.u8(4);
                out.text(value);
            }
        }
    }
}

/// The record that `body` holds, without an embedding.
pub(crate) fn decode_body(body: &[u8]) -> Result<MemoryRecord, MemoryError> {
    Body::parse(body)?.to_record()
}

/// The id that a body names.
pub(crate) fn id_of<K: Kind>(text: &str) -> Result<Id<K>, MemoryError> {
    let id = text.parse();
    id.map_err(|error| corrupt(&format!("names something impossible: {error}")))
}

fn kind_of(byte: u8) -> Result<MemoryKind, MemoryError> {
    KINDS
        .into_iter()
        .find(|&kind| kind as u8 == byte)
        .ok_or_else(|| corrupt("is of an unknown kind"))
}

const KINDS: [MemoryKind; 6] = [
    MemoryKind::Message,
    MemoryKind::Exchange,
    MemoryKind::Fact,
    MemoryKind::Preference,
    MemoryKind::Summary,
    MemoryKind::Document,
];

const PINNED: u8 = 1;
const EMBEDDING_GIVEN: u8 = 2;
const SPEAKER: u8 = 4;
const SESSION: u8 = 8;
const CHANNEL: u8 = 16;
