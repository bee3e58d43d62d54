//! The graph of the crate `hnsw_rs`, for comparison and for those who know it.
//!
//! The graph cannot delete: a deleted vector stays in it as a way to others and is kept out of the results,
//! until half of the graph is of such; then it is built anew. It orders by Euclid over unit vectors, which is
//! the order of cosines, and what it returns is ranked by the originals.

use std::{fmt, io::Write};

use hnsw_rs::prelude::{DistL2, Hnsw};

use crate::index::{
    Hit, IndexConfig, IndexKind, MemoryUse, SearchParams, VectorIndex,
    error::{IndexError, Result},
    flat, persist,
    rank::Best,
    rows::Rows,
    slot_set::SlotSet,
};
use crate::kernel::Kernel;

/// An `hnsw_rs` graph over the rows.
///
/// Not deterministic (its layers are drawn at random) and not certain to reach every vector; a filter that
/// allows fewer than 1 in 8 is searched exactly instead.
pub(super) struct HnswRsIndex {
    rows: Rows,
    config: IndexConfig,
    graph: Hnsw<'static, f32, DistL2>,
    /// The slot that each node was made for.
    slots: Vec<u32>,
    /// The node that stands for each slot now.
    nodes: Vec<Option<u32>>,
}

impl HnswRsIndex {
    pub(super) fn from_rows(rows: Rows, config: &IndexConfig) -> Result<Self> {
        if config.m > usize::from(u8::MAX) {
            return Err(IndexError::InvalidConfig {
                setting: "m (2 to 255 for hnsw_rs)",
            });
        }
        let capacity = rows.len().max(1_000);
        let graph = Hnsw::new(config.m, capacity, LAYERS, config.ef_construction, DistL2 {});
        let slots: Vec<u32> = rows.present().iter().collect();
        let mut nodes = vec![None; rows.slots() as usize];
        for (node, &slot) in slots.iter().enumerate() {
            nodes[slot as usize] = Some(node as u32);
        }
        let points = slots.iter().enumerate();
        let points: Vec<(&[f32], usize)> = points
            .map(|(node, &slot)| (rows.original_unchecked(slot), node))
            .collect();
        if config.threads == 1 {
            for &point in &points {
                graph.insert_slice(point);
            }
        } else {
            config.on_threads(|| graph.parallel_insert_slice(&points));
        }
        drop(points);
        Ok(Self {
            rows,
            config: config.clone(),
            graph,
            slots,
            nodes,
        })
    }

    fn link(&mut self, slot: u32) {
        let node = self.slots.len();
        self.slots.push(slot);
        self.nodes.resize(self.rows.slots() as usize, None);
        self.nodes[slot as usize] = Some(node as u32);
        self.graph
            .insert_slice((self.rows.original_unchecked(slot), node));
        if self.slots.len() > 2 * self.rows.len() + 1_000 {
            let rows = std::mem::replace(&mut self.rows, Rows::new(1));
            let config = self.config.clone();
            *self = Self::from_rows(rows, &config).expect("the configuration was accepted before");
        }
    }

    fn current(&self, node: usize) -> Option<u32> {
        let slot = *self.slots.get(node)?;
        (self.nodes[slot as usize] == Some(node as u32)).then_some(slot)
    }
}

impl VectorIndex for HnswRsIndex {
    fn kind(&self) -> IndexKind {
        IndexKind::HnswRs
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
        self.link(slot);
        Ok(())
    }

    fn update(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        self.rows.update(slot, vector)?;
        self.link(slot);
        Ok(())
    }

    fn delete(&mut self, slot: u32) -> bool {
        let was = self.rows.delete(slot);
        if was {
            self.nodes[slot as usize] = None;
        }
        was
    }

    fn search(&self, query: &[f32], params: &SearchParams, allowed: Option<&SlotSet>) -> Result<Vec<Hit>> {
        self.rows.check(query)?;
        let few = allowed.is_some_and(|allowed| allowed.len() * SELECTIVE < self.rows.len());
        if few || self.rows.len() == 0 || params.k == 0 {
            return flat::exact(&self.rows, query, params.k, allowed);
        }
        let wanted = |node: &usize| {
            self.current(*node)
                .is_some_and(|slot| allowed.is_none_or(|allowed| allowed.contains(slot)))
        };
        let ef = params.ef_search.unwrap_or(self.config.ef_search).max(params.k);
        let found = if allowed.is_none() && self.slots.len() == self.rows.len() {
            self.graph.search(query, params.k, ef)
        } else {
            self.graph.search_filter(query, params.k, ef, Some(&wanted))
        };
        let mut best = Best::new(params.k);
        for slot in found.iter().filter_map(|neighbour| self.current(neighbour.d_id)) {
            best.offer(
                Kernel::detect().dot_f32(self.rows.original_unchecked(slot), query),
                slot,
            );
        }
        Ok(best.into_hits())
    }

    fn memory(&self) -> MemoryUse {
        // The graph does not say; it keeps its own copy of every vector and at least 2 m links of 56 bytes.
        let node = self.rows.dim() * size_of::<f32>() + 2 * self.config.m * 56;
        MemoryUse {
            originals: self.rows.original_bytes(),
            rest: self.rows.code_bytes() + self.slots.len() * node,
        }
    }

    /// Saves the vectors; the graph is built anew when they are loaded.
    fn save(&self, out: &mut dyn Write) -> Result<()> {
        persist::save_flat(&self.rows, out)
    }
}

impl fmt::Debug for HnswRsIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HnswRsIndex")
            .field("nodes", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// Layers of the graph, as many as the crate allows.
const LAYERS: usize = 16;

/// A filter that allows fewer than one in so many starves the graph's search.
const SELECTIVE: usize = 8;
