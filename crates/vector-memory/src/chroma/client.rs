//! The collections of a store, by name.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use whisperengine_types::{BotId, Embedder, MemoryOwner, MemoryStore, SpaceId, WriteOp, ZeroEmbedder};

use super::{
    Collection, Metadata,
    error::{Error, Result, invalid},
};
use crate::{
    VectorMemoryConfig,
    memory::{Spaces, VectorMemory},
    recall::Metric,
    store::{FjallStorage, VolatileStorage},
};

/// Collections in one store.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) memory: VectorMemory,
    /// What documents and query texts are embedded with.
    pub(super) embedder: Option<Arc<dyn Embedder>>,
    catalog: Mutex<Catalog>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Catalog {
    next: u64,
    collections: BTreeMap<String, Entry>,
}

/// A collection as listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) metadata: Option<Metadata>,
    pub(super) metric: Metric,
    /// Of the first embedding added.
    pub(super) dim: Option<usize>,
}

/// What a new collection is like.
#[derive(Debug, Clone, Default)]
pub struct CollectionOptions {
    /// Anything to keep with it.
    pub metadata: Option<Metadata>,
    /// What "near" means; Chroma's `hnsw:space`. Squared Euclidean distance by default, as there.
    pub metric: Option<Metric>,
}

impl Client {
    /// Collections that live in memory only. `embedder` makes the embeddings of documents and query texts;
    /// without one they have to be given.
    pub fn in_memory(embedder: Option<Arc<dyn Embedder>>) -> Self {
        let storage = Arc::new(VolatileStorage::default());
        Self::new(storage, embedder, VectorMemoryConfig::default())
            .expect("an empty store in memory has nothing that could be wrong")
    }

    /// The collections in the folder `path`, which holds nothing else.
    ///
    /// # Errors
    /// [`Error::Store`] when the store cannot be opened.
    pub fn open(
        path: impl AsRef<Path>,
        embedder: Option<Arc<dyn Embedder>>,
        config: VectorMemoryConfig,
    ) -> Result<Self> {
        let storage = FjallStorage::open(path.as_ref(), config.store_cache_bytes, config.write_buffer_bytes)?;
        Self::new(Arc::new(storage), embedder, config)
    }

    fn new(
        storage: Arc<dyn crate::store::Storage>,
        embedder: Option<Arc<dyn Embedder>>,
        config: VectorMemoryConfig,
    ) -> Result<Self> {
        let none: Arc<dyn Embedder> = Arc::new(ZeroEmbedder::default());
        let memory = VectorMemory::with_storage(storage, none, Spaces::OwnersOwn, config)?;
        let catalog = match memory.state(&owner(CATALOG))? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| crate::Error::Corrupt {
                reason: format!("the list of collections cannot be read: {error}"),
            })?,
            None => Catalog::default(),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                memory,
                embedder,
                catalog: Mutex::new(catalog),
            }),
        })
    }

    /// Makes a collection.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], [`Error::InvalidArgument`] for a name or metadata that Chroma refuses, or
    /// [`Error::Memory`].
    pub fn create_collection(&self, name: &str, options: CollectionOptions) -> Result<Collection> {
        check_name(name)?;
        check_metadata(options.metadata.as_ref())?;
        let mut catalog = self.catalog();
        if catalog.collections.contains_key(name) {
            return Err(Error::AlreadyExists {
                name: name.to_owned(),
            });
        }
        let id = catalog.next;
        let entry = Entry {
            id,
            metadata: options.metadata,
            metric: options.metric.unwrap_or(Metric::L2),
            dim: None,
        };
        self.change(&mut catalog, |catalog| {
            catalog.next += 1;
            catalog.collections.insert(name.to_owned(), entry);
        })?;
        Ok(Collection::new(self.clone(), id))
    }

    /// The collection of this name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn collection(&self, name: &str) -> Result<Collection> {
        let catalog = self.catalog();
        let entry = catalog.collections.get(name);
        let entry = entry.ok_or_else(|| Error::NotFound {
            name: name.to_owned(),
        })?;
        Ok(Collection::new(self.clone(), entry.id))
    }

    /// The collection of this name, made if there is none; the options of one that is there stay.
    ///
    /// # Errors
    /// As [`create_collection`](Self::create_collection), but for the name being taken.
    pub fn get_or_create_collection(&self, name: &str, options: CollectionOptions) -> Result<Collection> {
        match self.create_collection(name, options) {
            Err(Error::AlreadyExists { .. }) => self.collection(name),
            result => result,
        }
    }

    /// The names of all collections, in order.
    pub fn list_collections(&self) -> Vec<String> {
        self.catalog().collections.keys().cloned().collect()
    }

    /// How many collections there are.
    pub fn count_collections(&self) -> usize {
        self.catalog().collections.len()
    }

    /// Removes a collection and everything in it.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Memory`].
    pub fn delete_collection(&self, name: &str) -> Result<()> {
        let mut catalog = self.catalog();
        let entry = catalog.collections.get(name);
        let id = entry
            .ok_or_else(|| Error::NotFound {
                name: name.to_owned(),
            })?
            .id;
        self.change(&mut catalog, |catalog| {
            catalog.collections.remove(name);
        })?;
        self.commit(WriteOp::ForgetAll { owner: owner(id) })
    }

    pub(super) fn entry(&self, id: u64) -> Result<(String, Entry)> {
        let catalog = self.catalog();
        let found = catalog.collections.iter().find(|(_, entry)| entry.id == id);
        found
            .map(|(name, entry)| (name.clone(), entry.clone()))
            .ok_or_else(|| Error::NotFound { name: id.to_string() })
    }

    /// Gives a collection another name or other metadata.
    pub(super) fn modify(&self, id: u64, name: Option<&str>, metadata: Option<Metadata>) -> Result<()> {
        check_metadata(metadata.as_ref())?;
        let (old_name, mut entry) = self.entry(id)?;
        let mut catalog = self.catalog();
        if let Some(name) = name {
            check_name(name)?;
            if name != old_name && catalog.collections.contains_key(name) {
                return Err(Error::AlreadyExists {
                    name: name.to_owned(),
                });
            }
        }
        entry.metadata = metadata.or(entry.metadata);
        self.change(&mut catalog, |catalog| {
            catalog.collections.remove(&old_name);
            catalog
                .collections
                .insert(name.unwrap_or(&old_name).to_owned(), entry);
        })
    }

    /// Settles a collection's dimension, if it is not settled yet.
    pub(super) fn settle_dim(&self, id: u64, dim: usize) -> Result<()> {
        let mut catalog = self.catalog();
        let Some(entry) = catalog.collections.values().find(|entry| entry.id == id) else {
            return Err(Error::NotFound { name: id.to_string() });
        };
        match entry.dim {
            Some(expected) if expected == dim => Ok(()),
            Some(expected) => Err(Error::InvalidDimension { expected, got: dim }),
            None => self.change(&mut catalog, |catalog| {
                if let Some(entry) = catalog.collections.values_mut().find(|entry| entry.id == id) {
                    entry.dim = Some(dim);
                }
            }),
        }
    }

    pub(super) fn commit(&self, op: WriteOp) -> Result<()> {
        for result in self.shared.memory.commit(&[op]) {
            result?;
        }
        Ok(())
    }

    /// Changes the catalog on disk first, then here.
    fn change(&self, catalog: &mut Catalog, change: impl FnOnce(&mut Catalog)) -> Result<()> {
        let mut changed = Catalog {
            next: catalog.next,
            collections: catalog.collections.clone(),
        };
        change(&mut changed);
        let state = serde_json::to_vec(&changed).expect("names and numbers have a JSON form");
        self.commit(WriteOp::PutState {
            owner: owner(CATALOG),
            state: state.into(),
        })?;
        *catalog = changed;
        Ok(())
    }

    fn catalog(&self) -> std::sync::MutexGuard<'_, Catalog> {
        self.shared.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose memories a collection's records are.
pub(super) fn owner(id: u64) -> MemoryOwner {
    let bot = BotId::new("chroma").expect("a valid id");
    MemoryOwner::shared(bot, SpaceId::from_number(id))
}

fn check_name(name: &str) -> Result<()> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let ends = [name.bytes().next(), name.bytes().last()];
    let good = (3..=512).contains(&name.len())
        && name.bytes().all(inner)
        && ends.into_iter().flatten().all(|b| b.is_ascii_alphanumeric());
    if good {
        return Ok(());
    }
    invalid(format!(
        "expected a name containing 3-512 characters from [a-zA-Z0-9._-], starting and ending with a \
         character in [a-zA-Z0-9], got {name:?}"
    ))
}

pub(super) fn check_metadata(metadata: Option<&Metadata>) -> Result<()> {
    match metadata {
        Some(metadata) if metadata.is_empty() => invalid("expected metadata to be a non-empty dict, got {}"),
        _ => Ok(()),
    }
}

/// The number that no collection gets.
const CATALOG: u64 = u64::MAX;
