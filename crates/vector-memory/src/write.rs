//! The way of a write: check, embed, order, make durable, index.
//!
//! Writers of one owner take turns; the turn lasts until the change is on disk and in the partition, so
//! an update always sees the write before it. What a batch does to one key is folded into one change,
//! and a partition changes only after its commit succeeded.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use whisperengine_types::{Committed, Embedding, MemoryError, MemoryId, MemoryPatch, MemoryRecord, WriteOp};

use crate::{
    check,
    lexicon::Lexicon,
    memory::{Shared, Spaces},
    missing,
    partition::Partition,
    partitions::{Partitions, Slot},
    record::{self, Coordinates, Encoded, Encoder, Row},
    store::{Bytes, Change, OwnerKey, Table},
    text,
};

impl Shared {
    pub(crate) fn write(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        if let Some(error) = self.commits.closed() {
            return ops.iter().map(|_| Err(error.clone())).collect();
        }
        let owners = owners_of(ops);
        let mut rows = self.rows_of(ops, &owners);
        let mut slots: BTreeMap<OwnerKey, Arc<Slot>> = BTreeMap::new();
        for owner in &owners {
            if !slots.contains_key(owner) {
                slots.insert(owner.clone(), self.partitions.slot(owner));
            }
        }
        let results = {
            // Taken in the order of owners, so that two batches cannot wait for each other.
            let _turns: Vec<_> = slots
                .values()
                .map(|slot| slot.writing.lock().unwrap_or_else(PoisonError::into_inner))
                .collect();
            let mut batch = Batch {
                shared: self,
                slots: &slots,
                changes: BTreeMap::new(),
                encoder: Encoder::default(),
                index: Vec::new(),
            };
            let results: Vec<_> = ops
                .iter()
                .zip(&owners)
                .zip(&mut rows)
                .map(|((op, owner), rows)| {
                    let rows = std::mem::replace(rows, Ok(Vec::new()))?;
                    batch.stage(op, owner, rows)
                })
                .collect();
            batch.finish(results)
        };
        for (owner, slot) in slots {
            self.partitions.release(&owner, slot);
        }
        self.partitions.set_aside(self.lexicon.bytes());
        self.partitions.evict();
        results
    }

    /// What is to be searched of each operation's text; an error for an operation that is not acceptable.
    fn rows_of(&self, ops: &[WriteOp], owners: &[OwnerKey]) -> Vec<Result<Vec<Row>, MemoryError>> {
        let mut rows: Vec<Result<Vec<Row>, MemoryError>> = Vec::with_capacity(ops.len());
        let names = names_in(ops, owners);
        let mut texts: Vec<Cow<'_, str>> = Vec::new();
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (at, op) in ops.iter().enumerate() {
            let (text, given) = match op {
                WriteOp::Store { record, .. } => (Some(record.text.as_str()), record.embedding.as_ref()),
                WriteOp::Update { patch, .. } => (patch.text.as_deref(), patch.embedding.as_ref()),
                _ => (None, None),
            };
            let Err(error) = self.check(op) else {
                let parts = match (text, given) {
                    (Some(text), None) => text::chunks(text, &self.config),
                    (Some(text), Some(_)) => vec![text],
                    (None, _) => Vec::new(),
                };
                let row_of = |part: &&str| Row {
                    coordinates: Coordinates::Exact(
                        given.map_or_else(Arc::default, Embedding::shared_values),
                    ),
                    words: self.lexicon.analyze(part),
                };
                if given.is_none() {
                    places.extend((0..parts.len()).map(|part| (at, part)));
                    let names = names.get(&owners[at]).map_or(&[][..], Vec::as_slice);
                    texts.extend(parts.iter().map(|part| text::text_to_embed(part, names)));
                }
                rows.push(Ok(parts.iter().map(row_of).collect()));
                continue;
            };
            rows.push(Err(error));
        }
        let texts: Vec<&str> = texts.iter().map(|text| &**text).collect();
        self.embed_rows(&mut rows, &texts, &places);
        rows
    }

    fn embed_rows(
        &self,
        rows: &mut [Result<Vec<Row>, MemoryError>],
        texts: &[&str],
        places: &[(usize, usize)],
    ) {
        if texts.is_empty() {
            return;
        }
        match self.embed(texts) {
            Ok(embeddings) => {
                for (&(op, part), embedding) in places.iter().zip(embeddings) {
                    if let Ok(rows) = &mut rows[op] {
                        rows[part].coordinates = Coordinates::round(embedding.values());
                    }
                }
            }
            Err(error) if self.spaces == Spaces::OwnersOwn => {
                for &(op, _) in places {
                    rows[op] = Err(error.clone());
                }
            }
            // A memory is not lost for a model that is away: it is stored, found by its words, and embedded later.
            Err(_) => {
                let dim = self.embedder.space().dim();
                for &(op, part) in places {
                    if let Ok(rows) = &mut rows[op] {
                        rows[part].coordinates = Coordinates::Missing { dim };
                    }
                }
            }
        }
    }

    fn check(&self, op: &WriteOp) -> Result<(), MemoryError> {
        let embedding = match op {
            WriteOp::Store { record, .. } => {
                check::record(record, self.config.max_text_bytes)?;
                record.embedding.as_ref()
            }
            WriteOp::Update { id, patch, .. } => {
                check::patch(id, patch, self.config.max_text_bytes)?;
                patch.embedding.as_ref()
            }
            _ => None,
        };
        embedding.map_or(Ok(()), |embedding| self.check_space(embedding))
    }
}

/// Operations on their way to the disk.
struct Batch<'a> {
    shared: &'a Shared,
    slots: &'a BTreeMap<OwnerKey, Arc<Slot>>,
    changes: BTreeMap<(Table, Bytes), Option<Bytes>>,
    encoder: Encoder,
    index: Vec<(OwnerKey, IndexChange)>,
}

/// What a commit changes in a partition.
enum IndexChange {
    Put { record: Encoded, rows: Vec<Row> },
    Remove(MemoryId),
    Clear,
}

impl Batch<'_> {
    fn stage(&mut self, op: &WriteOp, owner: &OwnerKey, rows: Vec<Row>) -> Result<Committed, MemoryError> {
        let id = match op {
            WriteOp::Store { record, .. } => {
                let key = (Table::Records, owner.memory(&record.id));
                let seq = self.seq_of(owner, &record.id, &key)?;
                let given = record.embedding.is_some();
                let encoded = self.encoder.encode_record(record, seq, given, &rows);
                self.put(owner, key, encoded, rows);
                Some(record.id.clone())
            }
            WriteOp::Update { id, patch, .. } => {
                self.update(owner, id, patch, rows)?;
                Some(id.clone())
            }
            WriteOp::Delete { id, .. } => {
                self.changes.insert((Table::Records, owner.memory(id)), None);
                self.forget_missing(&owner.memory(id));
                self.index.push((owner.clone(), IndexChange::Remove(id.clone())));
                Some(id.clone())
            }
            WriteOp::ForgetAll { .. } => {
                self.forget_all(owner)?;
                None
            }
            WriteOp::PutState { state, .. } => {
                let key = (Table::States, owner.bytes().into());
                self.changes.insert(key, Some(Bytes::new(state)));
                None
            }
        };
        Ok(Committed { id })
    }

    fn put(&mut self, owner: &OwnerKey, key: (Table, Bytes), record: Encoded, rows: Vec<Row>) {
        if rows.iter().any(|row| row.coordinates.is_missing()) {
            self.changes
                .insert((Table::Meta, missing::key_of(&key.1)), Some(Bytes::new(&[])));
            self.shared.missing.fetch_add(1, Ordering::Relaxed);
        } else {
            self.forget_missing(&key.1);
        }
        self.changes.insert(key, Some(record.value.clone()));
        self.index
            .push((owner.clone(), IndexChange::Put { record, rows }));
    }

    /// Takes a memory off the list of those to be embedded; costs nothing where the list is empty.
    fn forget_missing(&mut self, record: &[u8]) {
        if self.shared.missing.load(Ordering::Relaxed) > 0 {
            self.changes.insert((Table::Meta, missing::key_of(record)), None);
        }
    }

    fn update(
        &mut self,
        owner: &OwnerKey,
        id: &MemoryId,
        patch: &MemoryPatch,
        new_rows: Vec<Row>,
    ) -> Result<(), MemoryError> {
        let key = (Table::Records, owner.memory(id));
        let value = self
            .value(&key)?
            .ok_or_else(|| MemoryError::NotFound { id: id.clone() })?;
        let stored = record::decode(&value)?;
        let body = record::Body::parse(stored.body)?;
        let (seq, was_given) = (body.seq, body.embedding_given);
        let mut record = body.to_record()?;
        patch_record(&mut record, patch);
        let given = patch.embedding.is_some() || (patch.text.is_none() && was_given);
        let rows = match &patch.embedding {
            Some(embedding) if patch.text.is_none() => vec![Row {
                coordinates: Coordinates::Exact(embedding.shared_values()),
                words: self.shared.lexicon.analyze(&record.text),
            }],
            None if patch.text.is_none() => {
                let mut rows = stored.rows;
                if !stored.words_are_current {
                    text::analyze_rows(&record.text, &mut rows, &self.shared.config);
                }
                rows
            }
            _ => new_rows,
        };
        let encoded = self.encoder.encode_record(&record, seq, given, &rows);
        self.put(owner, key, encoded, rows);
        Ok(())
    }

    fn forget_all(&mut self, owner: &OwnerKey) -> Result<(), MemoryError> {
        for ((_, key), value) in &mut self.changes {
            if key.starts_with(owner.bytes()) {
                *value = None;
            }
        }
        let changes = &mut self.changes;
        let storage = &self.shared.storage;
        if self.shared.missing.load(Ordering::Relaxed) > 0 {
            let listed = missing::key_of(owner.bytes());
            storage.visit(Table::Meta, &listed, None, &mut |key, _| {
                changes.insert((Table::Meta, key.into()), None);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        storage.visit(Table::Records, owner.bytes(), None, &mut |key, _| {
            changes.insert((Table::Records, key.into()), None);
            Ok(ControlFlow::Continue(()))
        })?;
        changes.insert((Table::States, owner.bytes().into()), None);
        self.index.push((owner.clone(), IndexChange::Clear));
        Ok(())
    }

    /// The place in the order of memories: that of the record it replaces, else the next.
    fn seq_of(&self, owner: &OwnerKey, id: &MemoryId, key: &(Table, Bytes)) -> Result<u64, MemoryError> {
        let resident = || {
            Partitions::peek(&self.slots[owner], |partition| {
                partition.find(id.as_str()).map(|record| partition.seq(record))
            })
        };
        if !self.changes.contains_key(key)
            && let Some(seq) = resident()
        {
            return Ok(seq.unwrap_or_else(|| self.shared.next_seq()));
        }
        match self.value(key)? {
            Some(value) => Ok(record::Body::parse(record::decode_without_rows(&value)?)?.seq),
            None => Ok(self.shared.next_seq()),
        }
    }

    /// The record's bytes as of the operations before.
    fn value(&self, key: &(Table, Bytes)) -> Result<Option<Bytes>, MemoryError> {
        match self.changes.get(key) {
            Some(staged) => Ok(staged.clone()),
            None => self.shared.storage.read(Table::Records, &key.1),
        }
    }

    /// Commits what is staged and brings the partitions up to date.
    fn finish(self, results: Vec<Result<Committed, MemoryError>>) -> Vec<Result<Committed, MemoryError>> {
        if self.changes.is_empty() {
            return results;
        }
        let changes = self.changes.into_iter();
        let changes = changes.map(|((table, key), value)| Change { table, key, value });
        if let Err(error) = self.shared.commits.commit(changes.collect()) {
            return results
                .into_iter()
                .map(|result| result.and(Err(error.clone())))
                .collect();
        }
        let mut index = self.index;
        index.sort_by(|(owner, _), (other, _)| owner.cmp(other));
        for of_owner in index.chunk_by(|(owner, _), (other, _)| owner == other) {
            let slot = &self.slots[&of_owner[0].0];
            let changes = of_owner.iter().map(|(_, change)| change);
            self.shared
                .partitions
                .change(slot, |partition| apply(partition, changes, &self.shared.lexicon));
        }
        results
    }
}

fn apply<'a>(
    partition: &mut Partition,
    changes: impl Iterator<Item = &'a IndexChange>,
    lexicon: &Lexicon,
) -> Result<(), MemoryError> {
    for change in changes {
        match change {
            IndexChange::Put { record, rows } => partition.insert(record.body(), rows)?,
            IndexChange::Remove(id) => partition.remove(id.as_str()),
            IndexChange::Clear => *partition = Partition::default(),
        }
    }
    partition.number_words(lexicon);
    Ok(())
}

/// Whose each operation is.
fn owners_of(ops: &[WriteOp]) -> Vec<OwnerKey> {
    let mut owners: Vec<OwnerKey> = Vec::with_capacity(ops.len());
    for (at, op) in ops.iter().enumerate() {
        // Operations of one owner often follow each other, and share the key then.
        let owner = match owners.last() {
            Some(last) if ops[at - 1].owner() == op.owner() => last.clone(),
            _ => OwnerKey::new(op.owner()),
        };
        owners.push(owner);
    }
    owners
}

/// The speakers of each owner's records in a batch.
fn names_in<'a>(ops: &'a [WriteOp], owners: &'a [OwnerKey]) -> BTreeMap<&'a OwnerKey, Vec<&'a str>> {
    let mut names: BTreeMap<&OwnerKey, Vec<&str>> = BTreeMap::new();
    for (op, owner) in ops.iter().zip(owners) {
        if let WriteOp::Store { record, .. } = op
            && let Some(speaker) = &record.speaker
        {
            let names = names.entry(owner).or_default();
            if !names.contains(&speaker.as_str()) {
                names.push(speaker);
            }
        }
    }
    names
}

fn patch_record(record: &mut MemoryRecord, patch: &MemoryPatch) {
    let MemoryPatch {
        text,
        embedding: _,
        importance,
        trust,
        pinned,
        metadata,
        remove_metadata,
    } = patch;
    if let Some(text) = text {
        record.text.clone_from(text);
    }
    record.importance = importance.unwrap_or(record.importance);
    record.trust = trust.unwrap_or(record.trust);
    record.pinned = pinned.unwrap_or(record.pinned);
    for key in remove_metadata {
        record.metadata.remove(key);
    }
    let metadata = metadata.iter().map(|(key, value)| (key.clone(), value.clone()));
    record.metadata.extend(metadata);
}

#[cfg(test)]
mod tests;
