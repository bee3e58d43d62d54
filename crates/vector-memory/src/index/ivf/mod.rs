//! The approximate index: partitioned lists of 1-bit codes, int8 to narrow, f32 to decide.

mod build;
mod calibration;
mod candidates;
mod centroids;
mod directions;
mod list;
mod near;
mod packed;
mod search;
mod table;

use std::io::Write;

pub(super) use self::calibration::{Band, Learnt};
use self::{
    calibration::Calibration,
    centroids::{Assignment, Centroids},
    list::Lists,
};
use super::{
    Hit, IndexConfig, IndexKind, MemoryUse, SearchParams, VectorIndex, error::Result, flat, persist,
    rows::Rows, slot_set::SlotSet,
};

/// Approximate search over partitions of 1-bit codes (IVF with RaBitQ codes; where lists are many, with SOAR's
/// second assignment).
///
/// **Stages.** The nearest lists are scanned 64 codes at a time by table look-ups in registers; the best
/// estimates are narrowed with the upper halves of int8 codes, then with whole ones; what the int8 error
/// bound leaves is decided in f32. Nothing is unreachable: every vector stands in the list whose centre is
/// nearest to it.
///
/// **Training.** The centres are learnt when 1,000 vectors are there and again whenever the index
/// has grown fourfold; until the first time a search is exact. An insert that crosses such a size
/// pays for it (`AutoIndex` does it in the background instead).
///
/// **Recall.** A search that asks for recall rather than for a number of lists gets as many as leave-one-out
/// searches for stored vectors needed, and half as many again at most for a query unlike them; recall 1 is an
/// exact search.
#[derive(Debug, Clone)]
pub struct IvfIndex {
    rows: Rows,
    config: IndexConfig,
    centroids: Centroids,
    lists: Lists,
    /// How far the vectors of each list were from its centre when it was filled, by root mean square.
    spreads: Vec<f32>,
    /// Where each slot's codes are, one or two; by slot.
    places: Vec<[Place; 2]>,
    trained_for: usize,
    calibration: Calibration,
}

/// Where a code is: in which list, and at which position among all codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    list: u32,
    at: u32,
}

impl Place {
    const NONE: Self = Self {
        list: u32::MAX,
        at: u32::MAX,
    };
}

impl IvfIndex {
    /// An empty index of `dim` dimensions (at least 1).
    pub fn new(dim: usize, config: &IndexConfig) -> Self {
        Self::from_rows(Rows::new(dim.max(1)), config)
    }

    /// The number of lists; 1 until it has been trained.
    pub fn lists(&self) -> usize {
        self.lists.len()
    }

    pub(super) fn rows(&self) -> &Rows {
        &self.rows
    }

    /// Whether it has outgrown its centres.
    pub(super) fn wants_training(&self) -> bool {
        let next = if self.lists.len() == 1 {
            TRAIN_AT
        } else {
            self.trained_for.saturating_mul(GROWTH)
        };
        self.rows.len() >= next
    }

    fn place(&mut self, slot: u32) {
        let Assignment { first, second } = self.centroids.assign(&self.rows.stored_query(slot));
        let mut places = [Place::NONE; 2];
        let copies = 1 + usize::from(second != first);
        for (copy, list) in [first, second].into_iter().take(copies).enumerate() {
            let residual = build::residuals(&self.rows, &[slot], |_| self.centroids.point(list));
            let code = &self.centroids.codes(&residual)[0];
            places[copy] = Place {
                list,
                at: self.lists.push(list, slot, code),
            };
        }
        self.places.resize(self.rows.slots() as usize, [Place::NONE; 2]);
        self.places[slot as usize] = places;
    }

    fn displace(&mut self, slot: u32) {
        let places = std::mem::replace(&mut self.places[slot as usize], [Place::NONE; 2]);
        for gone in places.into_iter().filter(|&place| place != Place::NONE) {
            let Some(moved) = self.lists.swap_remove(gone.list, gone.at) else {
                continue;
            };
            for place in &mut self.places[moved as usize] {
                if place.list == gone.list {
                    place.at = gone.at;
                }
            }
        }
    }

    /// As `insert`, without ever training.
    pub(super) fn insert_untrained(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.rows.insert(slot, vector)?;
        self.place(slot);
        Ok(())
    }

    /// Makes `slot` hold `vector`, or nothing, whatever it held.
    pub(super) fn replay(&mut self, slot: u32, vector: Option<&[f32]>) {
        if self.rows.contains(slot) {
            self.displace(slot);
            self.rows.delete(slot);
        }
        while self.rows.slots() < slot {
            self.rows.push_absent();
        }
        if let Some(vector) = vector {
            self.insert_untrained(slot, vector)
                .expect("the vector was accepted before, and the slot is free");
        }
    }

    fn train_if_due(&mut self) {
        if self.wants_training() {
            let rows = std::mem::replace(&mut self.rows, Rows::new(1));
            *self = Self::from_rows(rows, &self.config);
        }
    }
}

impl VectorIndex for IvfIndex {
    fn kind(&self) -> IndexKind {
        IndexKind::Ivf
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
        self.insert_untrained(slot, vector)?;
        self.train_if_due();
        Ok(())
    }

    fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.rows.update(slot, vector)?;
        self.displace(slot);
        self.place(slot);
        Ok(())
    }

    fn delete(&mut self, slot: u32) -> bool {
        let was = self.rows.delete(slot);
        if was {
            self.displace(slot);
        }
        was
    }

    fn search(&self, query: &[f32], params: &SearchParams, allowed: Option<&SlotSet>) -> Result<Vec<Hit>> {
        match self.plan(params, allowed) {
            Some(plan) => self.approximate(query, &plan, allowed),
            None => flat::exact(&self.rows, query, params.k, allowed),
        }
    }

    fn memory(&self) -> MemoryUse {
        let places = self.places.capacity() * size_of::<[Place; 2]>();
        let spreads = self.spreads.capacity() * size_of::<f32>();
        MemoryUse {
            originals: self.rows.original_bytes(),
            rest: self.rows.code_bytes() + self.centroids.bytes() + self.lists.bytes() + spreads + places,
        }
    }

    fn save(&self, out: &mut dyn Write) -> Result<()> {
        persist::save_ivf(&self.rows, &self.state(), out)
    }
}

/// Vectors from which on lists pay.
const TRAIN_AT: usize = 1_000;

/// How many times its size an index grows before its centres are learnt anew.
const GROWTH: usize = 4;
