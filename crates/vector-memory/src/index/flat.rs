//! The exact index: every vector is looked at, and nothing can be missed.

use std::io::Write;

use super::{
    Hit, IndexKind, MemoryUse, SearchParams, VectorIndex,
    error::Result,
    persist,
    rank::{Best, Contenders},
    rows::Rows,
    slot_set::SlotSet,
};
use crate::kernel::Kernel;

/// Exact search: int8 codes first, then every row that their error bound leaves in the running, in f32.
///
/// **Exactness.** Not a matter of luck: a similarity of codes is off by at most a known bound (Cauchy-Schwarz
/// on the rounding errors), and every row within it of the k-th best is compared in f32.
///
/// **Cost.** A search reads `dim` bytes per vector. An insert, update or delete costs one row.
#[derive(Debug, Clone)]
pub struct FlatIndex {
    rows: Rows,
}

impl FlatIndex {
    /// An empty index of `dim` dimensions (at least 1).
    pub fn new(dim: usize) -> Self {
        Self {
            rows: Rows::new(dim.max(1)),
        }
    }

    pub(super) fn from_rows(rows: Rows) -> Self {
        Self { rows }
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }
}

impl VectorIndex for FlatIndex {
    fn kind(&self) -> IndexKind {
        IndexKind::Flat
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
        self.rows.insert(slot, vector)
    }

    fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.rows.update(slot, vector)
    }

    fn delete(&mut self, slot: u32) -> bool {
        self.rows.delete(slot)
    }

    fn search(&self, query: &[f32], params: &SearchParams, allowed: Option<&SlotSet>) -> Result<Vec<Hit>> {
        exact(&self.rows, query, params.k, allowed)
    }

    fn memory(&self) -> MemoryUse {
        MemoryUse {
            originals: self.rows.original_bytes(),
            rest: self.rows.code_bytes(),
        }
    }

    fn save(&self, out: &mut dyn Write) -> Result<()> {
        persist::save_flat(&self.rows, out)
    }
}

/// The exact k best of the present and allowed rows.
pub(super) fn exact(rows: &Rows, query: &[f32], k: usize, allowed: Option<&SlotSet>) -> Result<Vec<Hit>> {
    rows.check(query)?;
    if k == 0 || rows.len() == 0 {
        return Ok(Vec::new());
    }
    let few = rows.len().min(allowed.map_or(usize::MAX, SlotSet::len));
    if few <= DIRECT {
        return Ok(direct(rows, query, k, allowed));
    }
    let query = rows.query(query)?;
    let mut contenders = Contenders::new(k, &query);
    match allowed {
        Some(allowed) if allowed.len() * SCAN_ADVANTAGE < rows.len() => {
            let slots: Vec<u32> = allowed.iter().filter(|&slot| rows.contains(slot)).collect();
            rows.narrow(&query, &slots, &mut |similarity, slot| {
                contenders.offer(similarity, slot);
            });
        }
        _ => rows.scan(&query, allowed, &mut |similarity, slot| {
            contenders.offer(similarity, slot);
            contenders.threshold()
        }),
    }
    Ok(contenders.decide(rows, &query))
}

/// All in f32: for few rows this is cheaper than to prepare the query for the codes.
fn direct(rows: &Rows, query: &[f32], k: usize, allowed: Option<&SlotSet>) -> Vec<Hit> {
    let kernel = Kernel::detect();
    let mut best = Best::new(k);
    let mut offer = |slot: u32| best.offer(kernel.dot_f32(rows.original_unchecked(slot), query), slot);
    match allowed {
        Some(allowed) if allowed.len() < rows.len() => {
            allowed.iter().filter(|&slot| rows.contains(slot)).for_each(offer);
        }
        _ => rows
            .present()
            .iter()
            .filter(|&slot| allowed.is_none_or(|allowed| allowed.contains(slot)))
            .for_each(&mut offer),
    }
    best.into_hits()
}

/// Up to this many rows, f32 alone is as fast.
const DIRECT: usize = 128;

/// How many times cheaper a row is in a scan than alone.
const SCAN_ADVANTAGE: usize = 4;
