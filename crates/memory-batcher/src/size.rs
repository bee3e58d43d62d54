//! Estimated bytes of what is held in memory.

use std::mem::{size_of, size_of_val};

use whisperengine_types::{Embedding, MemoryPatch, MemoryRecord, MetadataValue, WriteOp};

/// Bytes that an operation holds while it waits, estimated.
pub fn estimated_bytes(op: &WriteOp) -> usize {
    let payload = match op {
        WriteOp::Store { record, .. } => record_bytes(record),
        WriteOp::Update { patch, .. } => patch_bytes(patch),
        WriteOp::PutState { state, .. } => state.len(),
        WriteOp::Delete { .. } | WriteOp::ForgetAll { .. } => 0,
    };
    payload + size_of::<WriteOp>()
}

pub(crate) fn record_bytes(record: &MemoryRecord) -> usize {
    let speaker = record.speaker.as_ref().map_or(0, String::len);
    size_of::<MemoryRecord>()
        + record.text.len()
        + speaker
        + embedding_bytes(record.embedding.as_ref())
        + metadata_bytes(record.metadata.iter())
}

pub(crate) fn embedding_bytes(embedding: Option<&Embedding>) -> usize {
    embedding.map_or(0, |embedding| size_of_val(embedding.values()))
}

fn patch_bytes(patch: &MemoryPatch) -> usize {
    let removed: usize = patch.remove_metadata.iter().map(String::len).sum();
    let text = patch.text.as_ref().map_or(0, String::len);
    size_of::<MemoryPatch>()
        + text
        + removed
        + embedding_bytes(patch.embedding.as_ref())
        + metadata_bytes(patch.metadata.iter())
}

fn metadata_bytes<'a>(entries: impl Iterator<Item = (&'a String, &'a MetadataValue)>) -> usize {
    let value = |value: &MetadataValue| match value {
        MetadataValue::Text(text) => text.len(),
        _ => 0,
    };
    let entry = size_of::<(String, MetadataValue)>();
    entries.map(|(key, v)| entry + key.len() + value(v)).sum()
}
