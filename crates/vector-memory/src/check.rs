//! What a record may hold; checked before anything is embedded or stored.

use std::collections::BTreeMap;

use whisperengine_types::{MemoryError, MemoryId, MemoryPatch, MemoryRecord, MetadataValue};

/// Checks a record that is to be stored.
pub(crate) fn record(record: &MemoryRecord, max_text_bytes: usize) -> Result<(), MemoryError> {
    let refuse = |reason| Err(invalid(&record.id, reason));
    if record.text.trim().is_empty() && record.embedding.is_none() {
        return refuse("it has neither text nor embedding".to_owned());
    }
    if let Some(speaker) = &record.speaker
        && (speaker.is_empty() || speaker.len() > MAX_NAME_BYTES)
    {
        return refuse(format!(
            "the speaker's name has {} bytes, not 1 to {MAX_NAME_BYTES}",
            speaker.len()
        ));
    }
    text(&record.id, &record.text, max_text_bytes)?;
    share(&record.id, "importance", record.importance)?;
    share(&record.id, "trust", record.trust)?;
    metadata(&record.id, &record.metadata)
}

/// Checks a patch of the record `id`.
pub(crate) fn patch(id: &MemoryId, patch: &MemoryPatch, max_text_bytes: usize) -> Result<(), MemoryError> {
    if let Some(new) = &patch.text {
        if new.trim().is_empty() && patch.embedding.is_none() {
            return Err(invalid(id, "the new text is empty".to_owned()));
        }
        text(id, new, max_text_bytes)?;
    }
    patch
        .importance
        .map_or(Ok(()), |value| share(id, "importance", value))?;
    patch.trust.map_or(Ok(()), |value| share(id, "trust", value))?;
    metadata(id, &patch.metadata)
}

fn text(id: &MemoryId, text: &str, limit: usize) -> Result<(), MemoryError> {
    if text.len() > limit {
        return Err(invalid(
            id,
            format!("the text has {} bytes, more than {limit}", text.len()),
        ));
    }
    Ok(())
}

fn share(id: &MemoryId, name: &str, value: f32) -> Result<(), MemoryError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(invalid(id, format!("{name} is {value}, not within 0 to 1")))
}

fn metadata(id: &MemoryId, metadata: &BTreeMap<String, MetadataValue>) -> Result<(), MemoryError> {
    if metadata.len() > MAX_METADATA_ITEMS {
        let reason = format!(
            "{} metadata entries, more than {MAX_METADATA_ITEMS}",
            metadata.len()
        );
        return Err(invalid(id, reason));
    }
    for (key, value) in metadata {
        let bytes = key.len()
            + match value {
                MetadataValue::Text(text) => text.len(),
                _ => 8,
            };
        if bytes > MAX_METADATA_BYTES {
            let reason = format!("a metadata entry has {bytes} bytes, more than {MAX_METADATA_BYTES}");
            return Err(invalid(id, reason));
        }
        if matches!(value, MetadataValue::Float(value) if !value.is_finite()) {
            return Err(invalid(id, format!("metadata {key:?} is not finite")));
        }
    }
    Ok(())
}

fn invalid(id: &MemoryId, reason: String) -> MemoryError {
    MemoryError::InvalidRecord {
        id: id.clone(),
        reason,
    }
}

const MAX_NAME_BYTES: usize = 256;
const MAX_METADATA_ITEMS: usize = 256;
const MAX_METADATA_BYTES: usize = 64 << 10;
