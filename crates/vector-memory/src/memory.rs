//! The store of all owners, and the only door to each.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use whisperengine_types::{
    Committed, Embedder, Embedding, EmbeddingSpace, MemoryError, MemoryId, MemoryOwner, MemoryRecall,
    MemoryRecord, MemoryStore, Recall, RecallQuery, WriteOp,
};

use crate::{
    config::VectorMemoryConfig,
    error::{Error, Result},
    header::Header,
    lexicon::Lexicon,
    missing,
    owner::OwnerMemory,
    partition::Partition,
    partitions::{PartitionStats, Partitions},
    record,
    store::{FjallStorage, GroupCommit, OwnerKey, Storage, Table, VolatileStorage},
    text,
};

/// Long-term memories of many owners: durable, searchable, and strictly apart.
///
/// Cheap to clone; clones share the store. See the [crate documentation](crate).
#[derive(Debug, Clone)]
pub struct VectorMemory {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) commits: GroupCommit,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) spaces: Spaces,
    pub(crate) config: VectorMemoryConfig,
    pub(crate) partitions: Partitions,
    pub(crate) lexicon: Lexicon,
    next_seq: AtomicU64,
    /// How many memories wait for their embedding.
    pub(crate) missing: AtomicUsize,
}

/// Which embeddings a store takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spaces {
    /// Those of the embedder's space.
    Embedders,
    /// One space for each owner, as the caller sees to.
    OwnersOwn,
}

impl VectorMemory {
    /// Opens the store in the folder `path`, or makes one there.
    ///
    /// Takes time in proportion to what was written shortly before the store was last closed, not to what
    /// it holds. One handle at a time: a second opener is refused.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Format`], [`Error::Space`], [`Error::ReembeddingUnfinished`],
    /// [`Error::Corrupt`] or [`Error::Io`].
    pub fn open(
        path: impl AsRef<Path>,
        embedder: Arc<dyn Embedder>,
        config: VectorMemoryConfig,
    ) -> Result<Self> {
        let storage = FjallStorage::open(path.as_ref(), config.store_cache_bytes, config.write_buffer_bytes)?;
        Self::with_storage(Arc::new(storage), embedder, Spaces::Embedders, config)
    }

    /// A store that lives in memory only: the reference that tests compare with.
    pub fn in_memory(embedder: Arc<dyn Embedder>, config: VectorMemoryConfig) -> Self {
        Self::with_storage(
            Arc::new(VolatileStorage::default()),
            embedder,
            Spaces::Embedders,
            config,
        )
        .expect("an empty store in memory has nothing that could be wrong")
    }

    pub(crate) fn with_storage(
        storage: Arc<dyn Storage>,
        embedder: Arc<dyn Embedder>,
        spaces: Spaces,
        config: VectorMemoryConfig,
    ) -> Result<Self> {
        text::prepare();
        let header = Header::take_up(&*storage)?;
        if spaces == Spaces::Embedders {
            Header::check_space(&*storage, embedder.space())?;
        }
        let missing = missing::listed(&*storage, usize::MAX)?.len();
        Ok(Self {
            shared: Arc::new(Shared {
                missing: AtomicUsize::new(missing),
                commits: GroupCommit::new(Arc::clone(&storage)),
                partitions: Partitions::new(config.partition_budget_bytes),
                lexicon: Lexicon::new(None, config.recall.word_likeness),
                next_seq: AtomicU64::new(header.first_seq()),
                storage,
                embedder,
                spaces,
                config,
            }),
        })
    }

    /// Compares words by meaning in recall, not by stem alone, with the embeddings that `embedder` makes of
    /// single words. It should be fast, as each new word is embedded once: a static table is, a transformer
    /// is not. Its space need not be the store's.
    ///
    /// # Panics
    /// When the memory was cloned or an owner's door opened before.
    #[must_use]
    pub fn with_word_embedder(mut self, embedder: Arc<dyn Embedder>) -> Self {
        let shared =
            Arc::get_mut(&mut self.shared).expect("the word embedder is set before the store is used");
        shared.lexicon = Lexicon::new(Some(embedder), shared.config.recall.word_likeness);
        shared.partitions = Partitions::new(shared.config.partition_budget_bytes);
        self
    }

    /// The memories of one owner.
    pub fn owner(&self, owner: &MemoryOwner) -> OwnerMemory {
        OwnerMemory::new(self.clone(), owner.clone())
    }

    /// The space of all embeddings here.
    pub fn space(&self) -> &EmbeddingSpace {
        self.shared.embedder.space()
    }

    /// What is in memory at present.
    pub fn partition_stats(&self) -> PartitionStats {
        self.shared.partitions.stats()
    }

    /// Bytes on disk.
    pub fn disk_bytes(&self) -> u64 {
        self.shared.storage.disk_bytes()
    }

    /// Drops all partitions from memory; they are paged in again when needed.
    pub fn page_out(&self) {
        self.shared.partitions.clear();
    }

    /// Rewrites the files so that nothing deleted or replaced is left in any of them.
    ///
    /// Reading goes on meanwhile, writing waits. Takes time and, for a while, space in proportion to the
    /// whole store.
    ///
    /// # Errors
    /// [`MemoryError::Unavailable`] when a file cannot be written.
    pub fn compact(&self) -> Result<(), MemoryError> {
        self.shared.storage.compact()
    }

    /// Why no writes are taken, if none are: reading goes on, and reopening the store starts afresh.
    pub fn read_only(&self) -> Option<MemoryError> {
        self.shared.commits.closed()
    }

    /// Every owner with a memory or a state, in no order that means anything; for maintenance.
    ///
    /// # Errors
    /// [`Error::Memory`] when the store cannot be read.
    pub fn owners(&self) -> Result<Vec<MemoryOwner>> {
        let mut owners: Vec<MemoryOwner> = Vec::new();
        for table in [Table::Records, Table::States] {
            self.shared.storage.visit(table, &[], None, &mut |key, _| {
                if let Some((owner, _)) = OwnerKey::parse(key)
                    && owners.last() != Some(&owner)
                {
                    owners.push(owner);
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        owners.sort_unstable();
        owners.dedup();
        Ok(owners)
    }
}

impl Shared {
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs `read` on the owner's partition.
    pub(crate) fn read<T>(
        &self,
        owner: &OwnerKey,
        read: impl FnOnce(&Partition) -> Result<T, MemoryError>,
    ) -> Result<T, MemoryError> {
        self.partitions.read(owner, || self.load(owner), read)
    }

    fn load(&self, owner: &OwnerKey) -> Result<Partition, MemoryError> {
        let mut partition = Partition::default();
        self.storage
            .visit(Table::Records, owner.bytes(), None, &mut |_, value| {
                let mut stored = record::decode(value)?;
                let text = record::Body::parse(stored.body)?.text;
                if !stored.words_are_current {
                    text::analyze_rows(text, &mut stored.rows, &self.config);
                }
                for row in &stored.rows {
                    self.lexicon.learn(text, row.words.iter().map(|count| count.word));
                }
                partition.insert(stored.body, &stored.rows)?;
                Ok(ControlFlow::Continue(()))
            })?;
        partition.number_words(&self.lexicon);
        partition.shrink_to_fit();
        self.partitions.set_aside(self.lexicon.bytes());
        Ok(partition)
    }

    /// The stored record with its embedding.
    pub(crate) fn stored(
        &self,
        owner: &OwnerKey,
        id: &MemoryId,
    ) -> Result<Option<MemoryRecord>, MemoryError> {
        let value = self.storage.read(Table::Records, &owner.memory(id))?;
        value.map(|value| self.to_record(&value)).transpose()
    }

    pub(crate) fn to_record(&self, value: &[u8]) -> Result<MemoryRecord, MemoryError> {
        let stored = record::decode(value)?;
        let mut record = record::decode_body(stored.body)?;
        record.embedding = self.embedding_of(&stored)?;
        Ok(record)
    }

    /// A record's embedding; of a text in parts, the mean of theirs.
    fn embedding_of(&self, stored: &record::Stored<'_>) -> Result<Option<Embedding>, MemoryError> {
        let Some((first, others)) = stored.rows.split_first() else {
            return Ok(None);
        };
        if stored.rows.iter().any(|row| row.coordinates.is_missing()) {
            return Ok(None);
        }
        let mut values = first.coordinates.to_f32();
        if !others.is_empty() {
            for row in others {
                for (sum, value) in values.iter_mut().zip(&row.coordinates.to_f32()) {
                    *sum += value;
                }
            }
            let norm = crate::partition::norm(&values) as f32;
            if norm > 0.0 {
                for value in &mut values {
                    *value /= norm;
                }
            }
        }
        let space = match self.spaces {
            Spaces::Embedders => self.embedder.space().clone(),
            Spaces::OwnersOwn => EmbeddingSpace::new(GIVEN, stored.dim)?,
        };
        Ok(Some(Embedding::new(&space, values)?))
    }

    /// One embedding for each text.
    pub(crate) fn embed(&self, texts: &[&str]) -> Result<Vec<Embedding>, MemoryError> {
        let embeddings = self.embedder.embed_batch(texts)?;
        if embeddings.len() == texts.len() {
            Ok(embeddings)
        } else {
            Err(MemoryError::Unavailable {
                reason: format!(
                    "the embedder made {} embeddings of {} texts",
                    embeddings.len(),
                    texts.len()
                ),
                source: None,
            })
        }
    }

    /// Refuses an embedding of a space that is not this store's.
    pub(crate) fn check_space(&self, embedding: &Embedding) -> Result<(), MemoryError> {
        if self.spaces == Spaces::OwnersOwn || embedding.space() == self.embedder.space() {
            return Ok(());
        }
        Err(whisperengine_types::EmbeddingError::SpaceMismatch {
            expected: self.embedder.space().to_string(),
            got: embedding.space().to_string(),
        }
        .into())
    }
}

impl MemoryStore for VectorMemory {
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.shared.write(ops)
    }

    fn get(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError> {
        let owner = OwnerKey::new(owner);
        ids.iter()
            .map(|id| Ok(self.shared.stored(&owner, id)?.map(Arc::new)))
            .collect()
    }

    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        let owner = OwnerKey::new(owner);
        let after = after.map(|id| owner.memory(id));
        let mut records = Vec::new();
        if limit == 0 {
            return Ok(records);
        }
        let storage = &self.shared.storage;
        storage.visit(
            Table::Records,
            owner.bytes(),
            after.as_deref(),
            &mut |_, value| {
                records.push(Arc::new(self.shared.to_record(value)?));
                Ok(if records.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            },
        )?;
        Ok(records)
    }

    fn state(&self, owner: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError> {
        let value = self
            .shared
            .storage
            .read(Table::States, OwnerKey::new(owner).bytes())?;
        Ok(value.map(|value| Arc::from(&*value)))
    }

    fn owners_with_state(
        &self,
        after: Option<&MemoryOwner>,
        limit: usize,
    ) -> Result<Vec<MemoryOwner>, MemoryError> {
        let after = after.map(OwnerKey::new);
        let mut owners = Vec::new();
        if limit == 0 {
            return Ok(owners);
        }
        let storage = &self.shared.storage;
        storage.visit(
            Table::States,
            &[],
            after.as_ref().map(OwnerKey::bytes),
            &mut |key, _| {
                owners.extend(OwnerKey::parse(key).map(|(owner, _)| owner));
                Ok(if owners.len() < limit {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            },
        )?;
        Ok(owners)
    }
}

impl MemoryRecall for VectorMemory {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        self.shared.recall(&OwnerKey::new(owner), query)
    }
}

impl From<Error> for MemoryError {
    fn from(error: Error) -> Self {
        match error {
            Error::Memory(error) => error,
            Error::Embedding(error) => Self::Embedding(error),
            Error::Corrupt { reason } => Self::Corrupt { reason },
            error => Self::Unavailable {
                reason: "the store cannot be opened".to_owned(),
                source: Some(Arc::new(error)),
            },
        }
    }
}

/// The model's name where embeddings come from the caller only.
pub(crate) const GIVEN: &str = "given";
