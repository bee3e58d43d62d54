//! A write as it is handed in, and what is said of it once it is durable.

use std::{mem, sync::Arc, time::Duration};

use whisperengine_types::{MemoryId, MemoryPatch, MemoryRecord, MetadataValue, Priority, WriteOp};

use crate::{BatcherError, Result};

/// One operation and how to treat it. A [`WriteOp`] converts into one of everyday treatment.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Write {
    /// The operation.
    pub op: WriteOp,
    /// Its lane. Within an owner order comes before priority: earlier writes go first, at this urgency.
    pub priority: Priority,
    /// How a repeat of it is recognised; only stores are deduplicated.
    pub dedup: Dedup,
    /// How long it may wait to be written; `None` takes [`Config::timeout`](crate::Config::timeout).
    pub timeout: Option<Duration>,
}

impl Write {
    /// `op` at normal priority, deduplicated by content.
    pub fn new(op: WriteOp) -> Self {
        Self {
            op,
            priority: Priority::default(),
            dedup: Dedup::default(),
            timeout: None,
        }
    }

    /// Sets the lane.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets how a repeat is recognised.
    #[must_use]
    pub fn dedup(mut self, dedup: Dedup) -> Self {
        self.dedup = dedup;
        self
    }

    /// Sets how long it may wait.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Estimated bytes it holds in a queue and in a commit.
    pub fn bytes(&self) -> usize {
        let payload = match &self.op {
            WriteOp::Store { record, .. } => record_bytes(record),
            WriteOp::Update { patch, .. } => patch_bytes(patch),
            WriteOp::PutState { state, .. } => state.len(),
            WriteOp::Delete { .. } | WriteOp::ForgetAll { .. } => 0,
        };
        payload + mem::size_of::<Self>()
    }
}

impl From<WriteOp> for Write {
    fn from(op: WriteOp) -> Self {
        Self::new(op)
    }
}

/// How a repeated store is recognised, always within one owner and within
/// [`Config::dedup_window`](crate::Config::dedup_window). A repeat is not written; it is answered with the
/// first one's outcome and id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Dedup {
    /// Equal in everything but the id: the same words said again at another time are another memory.
    /// Forgotten as soon as a later operation may change what is stored under the first one's id.
    #[default]
    Content,
    /// The same operation by the caller's word, whatever else it says.
    Key(IdempotencyKey),
    /// Never a repeat.
    Off,
}

/// The caller's name for an operation: 1 to 256 bytes, unique within the owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub(crate) Arc<str>);

impl IdempotencyKey {
    /// Checks and wraps `text`.
    ///
    /// # Errors
    /// [`BatcherError::InvalidKey`] when it is empty or too long.
    pub fn new(text: impl AsRef<str>) -> Result<Self> {
        let text = text.as_ref();
        if text.is_empty() || text.len() > 256 {
            return Err(BatcherError::InvalidKey { bytes: text.len() });
        }
        Ok(Self(text.into()))
    }
}

/// A write of any kind is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The record concerned: for a repeat, the id the first one is stored under. `None` for operations
    /// on the whole owner.
    pub id: Option<MemoryId>,
    /// Whether it was a repeat and nothing new was written.
    pub duplicate: bool,
}

/// A record is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// The id it is stored under: for a repeat, that of the first one.
    pub id: MemoryId,
    /// Whether it was a repeat and nothing new was written.
    pub duplicate: bool,
}

pub(crate) fn record_bytes(record: &MemoryRecord) -> usize {
    let embedding = record
        .embedding
        .as_ref()
        .map_or(0, |e| mem::size_of_val(e.values()));
    let speaker = record.speaker.as_ref().map_or(0, String::len);
    mem::size_of::<MemoryRecord>()
        + record.text.len()
        + speaker
        + embedding
        + metadata_bytes(record.metadata.iter())
}

fn patch_bytes(patch: &MemoryPatch) -> usize {
    let embedding = patch
        .embedding
        .as_ref()
        .map_or(0, |e| mem::size_of_val(e.values()));
    let removed: usize = patch.remove_metadata.iter().map(String::len).sum();
    let text = patch.text.as_ref().map_or(0, String::len);
    mem::size_of::<MemoryPatch>() + text + embedding + removed + metadata_bytes(patch.metadata.iter())
}

fn metadata_bytes<'a>(entries: impl Iterator<Item = (&'a String, &'a MetadataValue)>) -> usize {
    let value = |value: &MetadataValue| match value {
        MetadataValue::Text(text) => text.len(),
        _ => 0,
    };
    let entry = mem::size_of::<(String, MetadataValue)>();
    entries.map(|(key, v)| entry + key.len() + value(v)).sum()
}
