//! Facebook's faiss, whatever its `index_factory` can make, for comparison and for those who know it.
//!
//! An index of faiss is trained once on what is there and may not be able to delete. So deleted vectors stay
//! in it and are kept out of the results, until half of it is of such or it has doubled; then it is made anew.
//! Below a thousand vectors it is not made at all, and searches are exact.

use std::{
    fmt,
    io::Write,
    sync::{Mutex, PoisonError},
};

use faiss::{
    Index,
    index::{IndexImpl, autotune::ParameterSpace},
    index_factory,
};

use crate::index::{
    Hit, IndexConfig, IndexKind, MemoryUse, SearchParams, VectorIndex,
    error::{IndexError, Result},
    flat, persist,
    rank::Best,
    rows::Rows,
    slot_set::SlotSet,
};
use crate::kernel::Kernel;

/// An index of faiss over the rows; searches take turns, as the binding wants to be alone in it.
///
/// Every filtered search is exact: faiss would filter after the search.
pub(super) struct FaissIndex {
    rows: Rows,
    config: IndexConfig,
    native: Option<Mutex<IndexImpl>>,
    /// The slot that each of its ids was added for.
    slots: Vec<u32>,
    /// The id that stands for each slot now.
    ids: Vec<Option<u32>>,
    made_for: usize,
}

impl FaissIndex {
    pub(super) fn from_rows(rows: Rows, config: &IndexConfig) -> Result<Self> {
        // Made and read in any case: what faiss does not know is found out at once.
        let metric = faiss::MetricType::InnerProduct;
        parameters(&config.faiss_search)?;
        let mut native = index_factory(rows.dim() as u32, &config.faiss, metric).map_err(failed)?;
        let slots: Vec<u32> = rows.present().iter().collect();
        let mut index = Self {
            config: config.clone(),
            native: None,
            slots: Vec::new(),
            ids: vec![None; rows.slots() as usize],
            made_for: rows.len(),
            rows,
        };
        if slots.len() >= TRAIN_AT {
            let originals = slots.iter().flat_map(|&slot| index.rows.original_unchecked(slot));
            let vectors: Vec<f32> = originals.copied().collect();
            native.train(&vectors).map_err(failed)?;
            native.add(&vectors).map_err(failed)?;
            let space = ParameterSpace::new().map_err(failed)?;
            for (name, value) in parameters(&config.faiss_search)? {
                space.set_index_parameter(&native, name, value).map_err(failed)?;
            }
            for (id, &slot) in (0..).zip(&slots) {
                index.ids[slot as usize] = Some(id);
            }
            index.slots = slots;
            index.native = Some(Mutex::new(native));
        }
        Ok(index)
    }

    fn add(&mut self, slot: u32) -> Result<()> {
        let due = if self.native.is_some() {
            2 * self.made_for
        } else {
            TRAIN_AT
        };
        if self.slots.len() > 2 * self.rows.len() || self.rows.len() >= due {
            *self = Self::from_rows(self.rows.clone(), &self.config)?;
            return Ok(());
        }
        if let Some(native) = &mut self.native {
            let native = native.get_mut().unwrap_or_else(PoisonError::into_inner);
            native.add(self.rows.original_unchecked(slot)).map_err(failed)?;
            self.ids.resize(self.rows.slots() as usize, None);
            self.ids[slot as usize] = Some(self.slots.len() as u32);
            self.slots.push(slot);
        }
        Ok(())
    }

    fn current(&self, id: u64) -> Option<u32> {
        let slot = *self.slots.get(usize::try_from(id).ok()?)?;
        (self.ids[slot as usize].map(u64::from) == Some(id)).then_some(slot)
    }
}

impl VectorIndex for FaissIndex {
    fn kind(&self) -> IndexKind {
        IndexKind::Faiss
    }

    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn slots(&self) -> u32 {
        self.rows.slots()
    }

    fn vector(&self, slot: u32) -> Option<&[f32]> {
        self.rows.original(slot)
    }

    fn insert(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.rows.insert(slot, vector)?;
        self.add(slot).inspect_err(|_| {
            self.rows.delete(slot);
        })
    }

    fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        let before = self.rows.original(slot).map(<[f32]>::to_vec);
        self.rows.update(slot, vector)?;
        self.add(slot).inspect_err(|_| {
            if let Some(before) = &before {
                self.rows
                    .update(slot, before)
                    .expect("the vector was accepted before");
            }
        })
    }

    fn delete(&mut self, slot: u32) -> bool {
        let was = self.rows.delete(slot);
        if let Some(id) = self.ids.get_mut(slot as usize) {
            *id = None;
        }
        was
    }

    fn search(&self, query: &[f32], params: &SearchParams, allowed: Option<&SlotSet>) -> Result<Vec<Hit>> {
        self.rows.check(query)?;
        let unfiltered = allowed.is_none() && params.k > 0;
        let Some(native) = self.native.as_ref().filter(|_| unfiltered) else {
            return flat::exact(&self.rows, query, params.k, allowed);
        };
        // As many more as may be of vectors that are not there any more.
        let stale = (self.slots.len() - self.rows.len()).min(SPARE);
        let mut native = native.lock().unwrap_or_else(PoisonError::into_inner);
        let found = native.search(query, params.k + stale).map_err(failed)?;
        drop(native);
        let mut best = Best::new(params.k);
        for slot in found.labels.iter().filter_map(|id| self.current(id.get()?)) {
            let similarity = Kernel::detect().dot_f32(self.rows.original_unchecked(slot), query);
            best.offer(similarity, slot);
        }
        Ok(best.into_hits())
    }

    fn memory(&self) -> MemoryUse {
        // What faiss itself holds it does not say.
        let tables =
            self.slots.capacity() * size_of::<u32>() + self.ids.capacity() * size_of::<Option<u32>>();
        MemoryUse {
            originals: self.rows.original_bytes(),
            rest: self.rows.code_bytes() + tables,
        }
    }

    /// Saves the vectors; the index is made anew when they are loaded.
    fn save(&self, out: &mut dyn Write) -> Result<()> {
        persist::save_flat(&self.rows, out)
    }
}

impl fmt::Debug for FaissIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaissIndex")
            .field("description", &self.config.faiss)
            .finish_non_exhaustive()
    }
}

/// `name=number`, separated by commas.
fn parameters(text: &str) -> Result<Vec<(&str, f64)>> {
    let each = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    each.map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim(), value.trim().parse().ok()?))
    })
    .collect::<Option<_>>()
    .ok_or(IndexError::InvalidConfig {
        setting: "faiss_search (name=number, separated by commas)",
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn failed(error: faiss::error::Error) -> IndexError {
    IndexError::Backend {
        backend: "faiss",
        message: error.to_string(),
    }
}

/// Vectors from which on an index is made.
const TRAIN_AT: usize = 1_000;

/// How many more hits are asked for, at most, in place of deleted ones.
const SPARE: usize = 1_000;
