//! Memories whose embedding is still to be made.
//!
//! When the embedder fails, a memory is stored without an embedding and found by its words. Its key stands in
//! a list in the store until [`VectorMemory::embed_missing`] has made the embedding, also after a restart.

use std::{
    ops::ControlFlow,
    sync::{PoisonError, atomic::Ordering},
};

use whisperengine_types::MemoryError;

use crate::{
    memory::{Shared, VectorMemory},
    record::{self, Coordinates, Encoder},
    store::{Bytes, Change, OwnerKey, Storage, Table},
    text,
};

impl VectorMemory {
    /// Embeds up to `limit` of the memories that were stored while the embedder failed; returns how many.
    /// To be called in the background now and then; nothing happens when none is missing.
    ///
    /// # Errors
    /// [`MemoryError::Embedding`] while the embedder still fails, [`MemoryError::ReadOnly`] or
    /// [`MemoryError::Unavailable`]; what was embedded before the error stays.
    pub fn embed_missing(&self, limit: usize) -> Result<usize, MemoryError> {
        self.shared.embed_missing(limit)
    }

    /// How many memories have no embedding yet, about: one that is replaced meanwhile may count twice.
    pub fn missing_embeddings(&self) -> usize {
        self.shared.missing.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn embed_missing(&self, limit: usize) -> Result<usize, MemoryError> {
        if self.missing.load(Ordering::Relaxed) == 0 {
            return Ok(0);
        }
        let keys = listed(&*self.storage, limit)?;
        let all = keys.len() < limit;
        let mut embedded = 0;
        for key in keys {
            embedded += usize::from(self.embed_one(&key)?);
        }
        if all {
            let rest = listed(&*self.storage, usize::MAX)?.len();
            self.missing.store(rest, Ordering::Relaxed);
        } else {
            let _ = self
                .missing
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |missing| {
                    Some(missing.saturating_sub(embedded).max(1))
                });
        }
        Ok(embedded)
    }

    /// Embeds the record with this key, if it is there still.
    fn embed_one(&self, key: &[u8]) -> Result<bool, MemoryError> {
        let Some((owner, _)) = OwnerKey::parse(key) else {
            return Ok(false);
        };
        let owner = OwnerKey::new(&owner);
        let off_the_list = || Change {
            table: Table::Meta,
            key: key_of(key),
            value: None,
        };
        let slot = self.partitions.slot(&owner);
        let done = {
            let _turn = slot.writing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = self.storage.read(Table::Records, key)? {
                let stored = record::decode(&value)?;
                let (body, mut rows) = (stored.body.to_vec(), stored.rows);
                let parsed = record::Body::parse(&body)?;
                if !stored.words_are_current {
                    text::analyze_rows(parsed.text, &mut rows, &self.config);
                }
                let parts = if rows.len() > 1 {
                    text::chunks(parsed.text, &self.config)
                } else {
                    vec![parsed.text]
                };
                let names: Vec<&str> = parsed.speaker.into_iter().collect();
                let texts: Vec<_> = parts
                    .iter()
                    .map(|part| text::text_to_embed(part, &names))
                    .collect();
                let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
                let embeddings = self.embed(&texts)?;
                for (row, embedding) in rows.iter_mut().zip(&embeddings) {
                    if row.coordinates.is_missing() {
                        row.coordinates = Coordinates::round(embedding.values());
                    }
                }
                let encoded = Encoder::default().encode(&body, self.embedder.space().dim(), &rows);
                let put = Change {
                    table: Table::Records,
                    key: Bytes::new(key),
                    value: Some(encoded.value),
                };
                self.commits.commit(vec![put, off_the_list()])?;
                self.partitions.change(&slot, |partition| {
                    partition.insert(&body, &rows)?;
                    partition.number_words(&self.lexicon);
                    Ok(())
                });
                true
            } else {
                self.commits.commit(vec![off_the_list()])?;
                false
            }
        };
        self.partitions.release(&owner, slot);
        Ok(done)
    }
}

/// The keys of up to `limit` records on the list.
pub(crate) fn listed(storage: &dyn Storage, limit: usize) -> Result<Vec<Vec<u8>>, MemoryError> {
    let mut keys = Vec::new();
    if limit == 0 {
        return Ok(keys);
    }
    storage.visit(Table::Meta, LIST, None, &mut |key, _| {
        keys.push(key[LIST.len()..].to_vec());
        Ok(if keys.len() < limit {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
    Ok(keys)
}

/// The place of a record on the list.
pub(crate) fn key_of(record: &[u8]) -> Bytes {
    [LIST, record].concat().into()
}

const LIST: &[u8] = b"missing\0";
