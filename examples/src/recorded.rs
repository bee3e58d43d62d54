//! Recorded memories of several people, and questions about them.

use std::collections::BTreeMap;

use serde::Deserialize;
use whisperengine::{IdError, MemoryId, MemoryKind, MemoryRecord, SessionId, Timestamp};

/// A line of a file of memories.
#[derive(Debug, Deserialize)]
pub struct MemoryLine {
    /// Whose memory it is.
    pub user: String,
    /// Its id, unique to the person.
    pub id: String,
    /// What was said.
    pub text: String,
    /// When it was said.
    pub timestamp: Timestamp,
    speaker: Option<String>,
    session: Option<String>,
    #[serde(default)]
    kind: MemoryKind,
    importance: Option<f32>,
    trust: Option<f32>,
}

/// A line of a file of questions.
#[derive(Debug, Deserialize)]
pub struct QueryLine {
    /// Who asks.
    pub user: String,
    /// The question's id.
    pub id: String,
    /// The question.
    pub text: String,
    /// Ids of the memories that answer it.
    #[serde(default)]
    pub relevant: Vec<String>,
}

/// When the last of the memories was said; the epoch without any.
pub fn last_said(memories: &[MemoryLine]) -> Timestamp {
    memories
        .iter()
        .map(|memory| memory.timestamp)
        .max()
        .unwrap_or_default()
}

/// The records of each person, in the order of the lines.
///
/// # Errors
/// [`IdError`] when the id of a memory or a session cannot be one.
pub fn records(memories: Vec<MemoryLine>) -> Result<BTreeMap<String, Vec<MemoryRecord>>, IdError> {
    let mut by_user: BTreeMap<String, Vec<MemoryRecord>> = BTreeMap::new();
    for line in memories {
        let mut record = MemoryRecord::new(MemoryId::new(&line.id)?, line.text, line.timestamp);
        record.speaker = line.speaker;
        record.session = line.session.map(SessionId::new).transpose()?;
        record.kind = line.kind;
        record.importance = line.importance.unwrap_or(record.importance);
        record.trust = line.trust.unwrap_or(record.trust);
        by_user.entry(line.user).or_default().push(record);
    }
    Ok(by_user)
}
