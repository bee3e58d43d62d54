//! How many lists and candidates a recall takes, learnt from the index's own vectors.
//!
//! A sample of stored vectors is searched for exactly, itself left out. Where each true neighbour's list and
//! estimate rank tells how far a search would have had to go to find it; the quantiles of those ranks are the
//! plan for each recall. Queries that are unlike the stored vectors may need more: ask for a higher recall.

use rayon::prelude::*;

use super::{IvfIndex, table::CodeTable};
use crate::{
    index::{flat, random::SplitMix},
    kernel::{BLOCK, BlockScale, Kernel},
};

/// Plans by recall.
#[derive(Debug, Clone, Default)]
pub(super) struct Calibration {
    plans: Vec<[u32; 2]>,
}

impl Calibration {
    /// Measures with vectors that the centres were not learnt from: centres lean towards those that they were.
    pub(super) fn measure(index: &IvfIndex, sample: &[u32]) -> Self {
        if index.lists.len() == 1 {
            return Self::default();
        }
        let mut ranks: Vec<[u32; 2]> = sample
            .par_iter()
            .flat_map_iter(|&slot| ranks(index, slot))
            .collect();
        let mut by_list: Vec<u32> = ranks.iter().map(|rank| rank[0]).collect();
        let mut by_code: Vec<u32> = ranks.drain(..).map(|rank| rank[1]).collect();
        by_list.sort_unstable();
        by_code.sort_unstable();
        let quantile = |ranks: &[u32], share: f32| {
            let at = (share * ranks.len() as f32).ceil() as usize;
            ranks
                .get(at.saturating_sub(1).min(ranks.len() - 1))
                .map_or(1, |rank| rank + 1)
        };
        let plans = RECALLS.iter().map(|recall| {
            let missed = 1.0 - recall;
            [
                quantile(&by_list, 1.0 - missed * LISTS_SHARE),
                quantile(&by_code, 1.0 - missed * (1.0 - LISTS_SHARE)),
            ]
        });
        Self {
            plans: plans.collect(),
        }
    }

    pub(super) fn from_plans(plans: Vec<[u32; 2]>) -> Self {
        Self { plans }
    }

    pub(super) fn plans(&self) -> &[[u32; 2]] {
        &self.plans
    }

    /// What reaches `recall` at `k`, between the measured recalls in proportion.
    pub(super) fn plan(&self, recall: f32, k: usize) -> Learnt {
        let at = RECALLS
            .partition_point(|&step| step < recall)
            .min(RECALLS.len() - 1);
        let [above, below] = [at, at.saturating_sub(1)];
        let share =
            ((recall - RECALLS[below]) / (RECALLS[above] - RECALLS[below]).max(f32::EPSILON)).clamp(0.0, 1.0);
        let between = |which: usize| {
            let of = |at: usize| self.plans.get(at).map_or(1.0, |plan| plan[which] as f32);
            (of(below) + share * (of(above) - of(below))).ceil() as usize
        };
        Learnt {
            probes: between(0),
            candidates: between(1) * k.div_ceil(NEIGHBOURS).max(1),
        }
    }
}

/// A plan without its `k`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Learnt {
    pub(super) probes: usize,
    pub(super) candidates: usize,
}

/// The vectors to measure with.
pub(super) fn sample(slots: &[u32], seed: u64) -> Vec<u32> {
    SplitMix::new(seed.wrapping_add(1)).sample(slots, SAMPLE.min(slots.len() / 8))
}

/// For each true neighbour of a stored vector, how many lists rank before its own, and how many estimates
/// before its own.
fn ranks(index: &IvfIndex, slot: u32) -> Vec<[u32; 2]> {
    let original = index.rows.original(slot).expect("the sample is of present slots");
    let Ok(hits) = flat::exact(&index.rows, original, NEIGHBOURS + 1, None) else {
        return Vec::new();
    };
    let Ok(query) = index.rows.query(original) else {
        return Vec::new();
    };
    let mut dots = Vec::new();
    index.centroids.dots(&query.int8, query.scale, &mut dots);
    let table = CodeTable::new(&query.rotated);
    let mut estimates: Vec<(f32, u32)> = Vec::new();
    for (list, &base) in index.lists.iter().zip(&dots) {
        for block in list.blocks() {
            let (mut sums, mut scores) = ([0; BLOCK], [0.0; BLOCK]);
            Kernel::detect().scan_block(block.codes, &table.table, &mut sums);
            let (slope, offset) = (table.slope, table.offset);
            let scale = BlockScale {
                factors: block.factors,
                base,
                slope,
                offset,
                threshold: f32::NEG_INFINITY,
            };
            Kernel::detect().score_block(&sums, &scale, &mut scores);
            estimates.extend(scores.into_iter().zip(block.slots.iter().copied()));
        }
    }
    let neighbours = hits.iter().filter(|hit| hit.slot != slot).take(NEIGHBOURS);
    neighbours
        .map(|hit| {
            let places = index.places[hit.slot as usize];
            let best_dot = places
                .iter()
                .filter_map(|place| dots.get(place.list as usize))
                .copied();
            let best_dot = best_dot.fold(f32::NEG_INFINITY, f32::max);
            let own = estimates
                .iter()
                .filter(|estimate| estimate.1 == hit.slot)
                .map(|estimate| estimate.0);
            let own = own.fold(f32::NEG_INFINITY, f32::max);
            [
                dots.iter().filter(|&&dot| dot > best_dot).count() as u32,
                estimates.iter().filter(|estimate| estimate.0 > own).count() as u32,
            ]
        })
        .collect()
}

/// Recalls that are planned for.
pub(super) const RECALLS: [f32; 12] = [
    0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0,
];

/// Stored vectors searched for.
const SAMPLE: usize = 256;

/// Neighbours of each.
const NEIGHBOURS: usize = 10;

/// The share of the missed neighbours that may be missed for their list; the rest for their estimate.
const LISTS_SHARE: f32 = 0.8;
