//! Indexes over embeddings: exact, approximate, and one that grows from the first to the second.
//!
//! An index holds vectors of unit length (or all zero) under dense slot numbers and finds those nearest to a
//! query by cosine similarity.
//!
//! ```
//! use whisperengine_vector_memory::index::{self, IndexConfig, IndexKind, SearchParams, SlotSet};
//!
//! let mut index = index::empty(2, &IndexConfig::new(IndexKind::Auto))?;
//! index.insert(0, &[1.0, 0.0])?;
//! index.insert(1, &[0.0, 1.0])?;
//! index.insert(2, &[0.6, 0.8])?;
//! let hits = index.search(&[0.0, 1.0], &SearchParams::new(2), None)?;
//! assert_eq!([hits[0].slot, hits[1].slot], [1, 2]);
//!
//! let allowed: SlotSet = [0, 2].into_iter().collect();
//! let hits = index.search(&[0.0, 1.0], &SearchParams::new(1), Some(&allowed))?;
//! assert_eq!(hits[0].slot, 2);
//! # Ok::<(), index::IndexError>(())
//! ```
//!
//! | kind | for | search | beside the originals |
//! |---|---|---|---|
//! | `flat` | an owner's memories, up to some ten thousand | exact | `dim` bytes a vector |
//! | `ivf` | more | asks for a recall | about 1.4 `dim` bytes a vector |
//! | `auto` | any number, growing | exact, then as `ivf` | as the one it is |
//! | `hnsw_rs`, `faiss` | comparison | its own | its own |
//!
//! Deleted slots are free for re-use at once. A filter is a [`SlotSet`] and is applied before ranking: a
//! search returns `k` allowed vectors when there are so many.

mod auto;
mod backend;
mod config;
mod error;
mod flat;
mod ivf;
mod persist;
mod random;
mod rank;
mod rotation;
mod rows;
mod slot_set;

use std::{fmt::Debug, io::Write};

use whisperengine_types::{EmbeddingSpace, Similarity};

use crate::kernel::Kernel;

pub use self::{
    auto::AutoIndex,
    config::{IndexConfig, IndexKind, SearchParams},
    error::{IndexError, Result},
    flat::FlatIndex,
    ivf::IvfIndex,
    persist::load,
    slot_set::SlotSet,
};

/// A vector found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Its slot.
    pub slot: u32,
    /// Its cosine similarity to the query, of the f32 originals.
    pub similarity: Similarity,
}

/// Heap bytes of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryUse {
    /// Of the f32 originals.
    pub originals: usize,
    /// Of all else: codes, lists, links.
    pub rest: usize,
}

/// Vectors under dense slot numbers, found by cosine similarity.
///
/// **Slots.** An insert takes a free slot below [`slots`](VectorIndex::slots) or the one at it, so that memory
/// is bounded by the most vectors there ever were. **Failure.** A failed operation changes nothing.
/// **Concurrency.** Searches run in parallel; a change is seen by every search that starts after it.
pub trait VectorIndex: Send + Sync + Debug {
    /// Which index this is at present.
    fn kind(&self) -> IndexKind;

    /// The dimension of every vector.
    fn dim(&self) -> usize;

    /// The number of vectors.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of slots ever used: the next new one.
    fn slots(&self) -> u32;

    /// The vector in `slot`.
    fn vector(&self, slot: u32) -> Option<&[f32]>;

    /// Puts a vector into a free slot.
    ///
    /// # Errors
    /// [`IndexError::DimensionMismatch`], [`IndexError::NotUnit`], [`IndexError::SlotTaken`],
    /// [`IndexError::SlotGap`].
    fn insert(&mut self, slot: u32, vector: &[f32]) -> Result<()>;

    /// Replaces the vector of a slot.
    ///
    /// # Errors
    /// [`IndexError::DimensionMismatch`], [`IndexError::NotUnit`], [`IndexError::SlotEmpty`].
    fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()>;

    /// Frees a slot and wipes its vector; whether there was one. No search returns it from then on.
    fn delete(&mut self, slot: u32) -> bool;

    /// The `k` nearest of the allowed vectors, nearest first, ties by slot.
    ///
    /// # Errors
    /// [`IndexError::DimensionMismatch`] or [`IndexError::NotUnit`] for the query.
    fn search(&self, query: &[f32], params: &SearchParams, allowed: Option<&SlotSet>) -> Result<Vec<Hit>>;

    /// The heap bytes in use.
    fn memory(&self) -> MemoryUse;

    /// Takes over what work in the background has finished, and starts what is due; never waits. Changes do
    /// this too. Only `auto` has such work.
    fn maintain(&mut self) {}

    /// As [`maintain`](VectorIndex::maintain), and waits until there is no more to take over.
    fn settle(&mut self) {}

    /// Writes the index, with a format version and a checksum, for [`load`].
    ///
    /// # Errors
    /// [`IndexError::Io`].
    fn save(&self, out: &mut dyn Write) -> Result<()>;
}

/// The instruction set that searches run on: `avx512`, `avx2`, `neon` or `portable`; chosen at run time.
pub fn instruction_set() -> &'static str {
    Kernel::detect().name
}

/// An empty index of `dim` dimensions.
///
/// # Errors
/// [`IndexError::InvalidConfig`]; [`IndexError::BackendDisabled`] for a backend that is not compiled in.
pub fn empty(dim: usize, config: &IndexConfig) -> Result<Box<dyn VectorIndex>> {
    build(dim, config, std::iter::empty())
}

/// An index of many vectors, in slots from 0 on; faster than one insert after the other.
///
/// # Errors
/// As [`empty`] and [`VectorIndex::insert`].
pub fn build<'a>(
    dim: usize,
    config: &IndexConfig,
    vectors: impl IntoIterator<Item = &'a [f32]>,
) -> Result<Box<dyn VectorIndex>> {
    config.validate()?;
    if !(1..=EmbeddingSpace::MAX_DIM).contains(&dim) {
        return Err(IndexError::InvalidConfig {
            setting: "dim (1 to 65,536)",
        });
    }
    let mut rows = rows::Rows::new(dim);
    for vector in vectors {
        rows.insert(rows.slots(), vector)?;
    }
    from_rows(rows, config)
}

fn from_rows(rows: rows::Rows, config: &IndexConfig) -> Result<Box<dyn VectorIndex>> {
    Ok(match &config.kind {
        IndexKind::Auto => Box::new(AutoIndex::from_rows(rows, config)),
        IndexKind::Flat => Box::new(FlatIndex::from_rows(rows)),
        IndexKind::Ivf => Box::new(IvfIndex::from_rows(rows, config)),
        IndexKind::HnswRs => backend::hnsw_rs(rows, config)?,
        IndexKind::Faiss => backend::faiss(rows, config)?,
    })
}
