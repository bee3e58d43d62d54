//! Nobody is remembered without having agreed to it.
//!
//! The consent is a pinned memory of the person's own, so that forgetting them forgets it too.

use whisperengine::{
    Error, Feedback, MemoryId, MemoryKind, MemoryOwner, MemoryRecord, MetadataValue, Timestamp, WhisperEngine,
};

/// What a person agreed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Nothing: their messages are not looked at.
    None,
    /// To be remembered.
    Remember,
    /// To be remembered and written to first.
    WriteFirst,
}

impl Consent {
    /// The consent of `owner` as last given.
    pub(crate) async fn of(engine: &WhisperEngine, owner: &MemoryOwner) -> Result<Self, Error> {
        let found = engine.handle_of(owner.clone()).get(&[id()]).await?;
        Ok(match found.into_iter().flatten().next() {
            None => Self::None,
            Some(record) if record.metadata.get(WRITE_FIRST) == Some(&MetadataValue::Bool(true)) => {
                Self::WriteFirst
            }
            Some(_) => Self::Remember,
        })
    }

    /// Notes that `owner` agreed to be remembered, and whether also to be written to first.
    pub(crate) async fn give(
        engine: &WhisperEngine,
        owner: &MemoryOwner,
        write_first: bool,
        at: Timestamp,
    ) -> Result<(), Error> {
        let text = if write_first {
            "Agreed to be remembered and to be written to first."
        } else {
            "Agreed to be remembered, but not to be written to first."
        };
        let record = MemoryRecord {
            kind: MemoryKind::Preference,
            pinned: true,
            metadata: [(WRITE_FIRST.to_owned(), MetadataValue::from(write_first))].into(),
            ..MemoryRecord::new(id(), text, at)
        };
        let known = engine.handle_of(owner.clone());
        known.remember(vec![record]).await?;
        known
            .feed_back(Feedback::Proactive { allowed: write_first })
            .await
    }
}

fn id() -> MemoryId {
    MemoryId::new("consent").expect("seven letters")
}

const WRITE_FIRST: &str = "write_first";
