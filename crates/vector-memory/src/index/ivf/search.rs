//! How one search goes through the stages.

use super::{
    IvfIndex,
    candidates::{Candidates, key},
    list::{BlockRef, List},
    table::CodeTable,
};
use crate::{
    index::{Hit, SearchParams, error::Result, rank::Contenders, slot_set::SlotSet},
    kernel::{BLOCK, BlockScale, Kernel},
};

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    k: usize,
    /// Lists to scan.
    pub(super) probes: usize,
    /// Estimates to narrow.
    pub(super) candidates: usize,
}

impl IvfIndex {
    /// The plan for what `params` ask for; `None` for an exact search, where that is asked for or cheaper.
    pub(super) fn plan(&self, params: &SearchParams, allowed: Option<&SlotSet>) -> Option<Plan> {
        let recall = params.recall.unwrap_or(self.config.recall);
        let by_recall = params.probes.is_none();
        let few = allowed.is_some_and(|allowed| allowed.len() <= EXACT_UP_TO);
        if self.lists.len() == 1 || self.rows.len() == 0 || few || (by_recall && recall >= 1.0) {
            return None;
        }
        let learnt = self.calibration.plan(recall, params.k);
        Some(Plan {
            k: params.k,
            probes: params.probes.unwrap_or(learnt.probes).clamp(1, self.lists.len()),
            candidates: params
                .candidates
                .unwrap_or(learnt.candidates)
                .min(2 * self.rows.len())
                .max(2 * params.k),
        })
    }

    pub(super) fn approximate(
        &self,
        query: &[f32],
        plan: &Plan,
        allowed: Option<&SlotSet>,
    ) -> Result<Vec<Hit>> {
        let query = self.rows.query(query)?;
        if plan.k == 0 {
            return Ok(Vec::new());
        }
        let table = CodeTable::new(&query.rotated);
        let mut dots = Vec::new();
        self.centroids.dots(&query.int8, query.scale, &mut dots);
        let mut candidates = Candidates::new(plan.candidates);
        match allowed {
            None => {
                let lists = nearest(&dots, plan.probes);
                for (at, &(list, base)) in lists.iter().enumerate() {
                    if let Some(&(next, _)) = lists.get(at + 1) {
                        self.lists[next as usize].prefetch();
                    }
                    scan(&self.lists[list as usize], base, &table, &mut candidates);
                }
            }
            Some(allowed) => self.scan_allowed(&dots, plan, &table, allowed, &mut candidates),
        }
        let mut contenders = Contenders::new(plan.k, &query);
        let slots = candidates.into_slots();
        self.rows.narrow(&query, &slots, &mut |similarity, slot| {
            contenders.offer(similarity, slot)
        });
        Ok(contenders.decide(&self.rows, &query))
    }

    /// Scans lists, nearest first, until as large a share of the allowed vectors has been seen as an
    /// unfiltered search sees of all: were the allowed ones far from the query, the lists near to it would
    /// hold none of them.
    fn scan_allowed(
        &self,
        dots: &[f32],
        plan: &Plan,
        table: &CodeTable,
        allowed: &SlotSet,
        candidates: &mut Candidates,
    ) {
        let share = plan.probes as f64 / self.lists.len() as f64;
        let wanted = (allowed.len().min(self.rows.len()) as f64 * COPIES * share).ceil() as usize;
        let mut seen = 0;
        for (at, (list, base)) in nearest(dots, dots.len()).into_iter().enumerate() {
            if at >= plan.probes && seen >= wanted.max(candidates_floor(plan)) {
                break;
            }
            for block in self.lists[list as usize].blocks() {
                let lanes = block.slots.iter().enumerate();
                let mask = lanes.fold(0, |mask, (lane, &slot)| {
                    mask | u32::from(allowed.contains(slot)) << lane
                });
                if mask != 0 {
                    seen += mask.count_ones() as usize;
                    score(&block, mask, base, table, candidates);
                }
            }
        }
    }
}

fn candidates_floor(plan: &Plan) -> usize {
    plan.k * COPIES as usize
}

/// The `count` lists with the highest scores, highest first.
fn nearest(dots: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut keys: Vec<u64> = (0..).zip(dots).map(|(list, &dot)| key(dot, list)).collect();
    if count < keys.len() {
        keys.select_nth_unstable_by(count, |a, b| b.cmp(a));
        keys.truncate(count);
    }
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.into_iter()
        .map(|key| (key as u32, dots[key as u32 as usize]))
        .collect()
}

fn scan(list: &List, base: f32, table: &CodeTable, candidates: &mut Candidates) {
    for block in list.blocks() {
        let mask = u32::MAX >> (BLOCK - block.slots.len());
        score(&block, mask, base, table, candidates);
    }
}

/// Estimates a block's similarities and offers those of the lanes in `mask`.
#[inline]
pub(super) fn score(
    block: &BlockRef<'_>,
    mask: u32,
    base: f32,
    table: &CodeTable,
    candidates: &mut Candidates,
) {
    let kernel = Kernel::detect();
    let (mut sums, mut estimates) = ([0; BLOCK], [0.0; BLOCK]);
    kernel.scan_block(block.codes, &table.table, &mut sums);
    let scale = BlockScale {
        factors: block.factors,
        base,
        slope: table.slope,
        offset: table.offset,
        threshold: candidates.threshold(),
    };
    let mut above = kernel.score_block(&sums, &scale, &mut estimates) & mask;
    while above != 0 {
        let lane = above.trailing_zeros() as usize;
        above &= above - 1;
        candidates.offer(estimates[lane], block.slots[lane]);
    }
}

/// Lists that hold each vector.
const COPIES: f64 = 2.0;

/// Up to this many allowed slots, looking at each of them costs no more than the lists would.
const EXACT_UP_TO: usize = 1_000;
