//! How one search goes through the stages.

use super::{
    IvfIndex,
    calibration::NEIGHBOURS,
    candidates::{Candidates, key, once_each, score},
    list::{BlockRef, Lists},
    near::Near,
    table::CodeTable,
};
use crate::{
    index::{
        Hit, SearchParams,
        error::Result,
        flat,
        rank::{Best, Contenders},
        rows::Query,
        slot_set::SlotSet,
    },
    kernel::{BLOCK, Line, prefetch_early},
};

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    k: usize,
    reach: Reach,
    /// Estimates to narrow at most.
    candidates: usize,
}

/// Which lists are scanned.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reach {
    /// So many.
    Lists(usize),
    /// As many as were learnt to be worth it for this recall; `own_candidates` if the search says how many.
    Recall { recall: f32, own_candidates: bool },
}

/// What came of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Scanned,
    Astray,
}

/// One query on its way through the lists.
struct Scan<'a> {
    table: CodeTable,
    allowed: Option<&'a SlotSet>,
    candidates: Candidates,
}

impl IvfIndex {
    /// The plan for what `params` ask for; `None` for an exact search, where that is asked for or cheaper.
    pub(super) fn plan(&self, params: &SearchParams, allowed: Option<&SlotSet>) -> Option<Plan> {
        let recall = params.recall.unwrap_or(self.config.recall);
        let few = allowed.is_some_and(|allowed| allowed.len() <= EXACT_UP_TO);
        let exact = params.probes.is_none() && recall >= 1.0;
        if self.lists.len() == 1 || self.rows.len() == 0 || params.k == 0 || few || exact {
            return None;
        }
        let own_candidates = params.candidates.is_some();
        let candidates = params
            .candidates
            .unwrap_or_else(|| self.grown(self.calibration.widest(recall, params.k).candidates));
        let by_recall = Reach::Recall {
            recall,
            own_candidates,
        };
        Some(Plan {
            k: params.k,
            reach: params.probes.map_or(by_recall, Reach::Lists),
            candidates: self.fitting(candidates, params.k),
        })
    }

    /// As many candidates as were learnt, when there are more vectors by now for estimates to mistake.
    fn grown(&self, candidates: u32) -> usize {
        let growth = self.rows.len() as f32 / self.trained_for.max(1) as f32;
        (candidates as f32 * growth.max(1.0)) as usize
    }

    /// As many candidates as make sense.
    fn fitting(&self, candidates: usize, k: usize) -> usize {
        candidates.min(2 * self.rows.len()).max(2 * k)
    }

    pub(super) fn approximate(
        &self,
        query: &[f32],
        plan: &Plan,
        allowed: Option<&SlotSet>,
    ) -> Result<Vec<Hit>> {
        let query = self.rows.query(query)?;
        let mut scan = Scan {
            table: self.centroids.table(&query),
            allowed,
            candidates: Candidates::new(plan.candidates),
        };
        if self.scan_lists(plan, &query, &mut scan) == Verdict::Astray {
            return flat::exact(&self.rows, query.original, plan.k, allowed);
        }
        let mut slots = self.lists.slots(&scan.candidates.into_ids());
        once_each(&mut slots);
        self.rows.sift(&query, &mut slots, plan.k);
        let mut contenders = Contenders::new(plan.k, &query);
        self.rows.narrow(&query, &slots, &mut |similarity, slot| {
            contenders.offer(similarity, slot);
        });
        Ok(contenders.decide(&self.rows, &query))
    }

    /// Scans the nearest lists, then those that what was found in them leaves worth it.
    ///
    /// When that is less than any stored vector finds, a filter may keep what is far from the query: neither
    /// centres nor estimates tell much there.
    fn scan_lists(&self, plan: &Plan, query: &Query<'_>, scan: &mut Scan<'_>) -> Verdict {
        let first = match plan.reach {
            Reach::Lists(lists) => lists.max(1) - 1,
            Reach::Recall { .. } => FIRST,
        };
        let mut near = self.centroids.near(query, &scan.table);
        let nearest = self.nearest(query, &near, first);
        self.scan_each(&nearest, scan);
        if let Reach::Recall {
            recall,
            own_candidates,
        } = plan.reach
        {
            let kth = self.kth_so_far(plan.k, query, scan);
            let least = self.calibration.least();
            if scan.allowed.is_some()
                && kth < least
                && self.kth_so_far(plan.k.min(NEIGHBOURS), query, scan) < least
            {
                return Verdict::Astray;
            }
            let learnt = self.calibration.plan(recall, plan.k, kth);
            if !own_candidates {
                scan.candidates.raise(kth - learnt.short, 2 * plan.k);
                scan.candidates
                    .keep(self.fitting(self.grown(learnt.candidates), plan.k));
            }
            let most = scan.allowed.map_or(learnt.lists as usize, |_| usize::MAX);
            near.leave_out(&nearest);
            let worth = self.worth(
                query,
                &near,
                self.centroids.share() * kth,
                learnt.gap,
                most.saturating_sub(nearest.len()),
            );
            self.scan_each(&worth, scan);
            if !own_candidates && scan.candidates.len() > MANY * plan.k {
                let kth = self.kth_so_far(plan.k, query, scan);
                scan.candidates.raise(kth - learnt.short, 2 * plan.k);
            }
        }
        Verdict::Scanned
    }

    /// The list that a vector like the query would be put into, so that each vector finds itself, and the others with the
    /// highest dot products, as many as asked for.
    fn nearest(&self, query: &Query<'_>, near: &Near, others: usize) -> Vec<u64> {
        let mut nearest = if others < near.close.len() {
            let close = near.close.iter();
            close
                .map(|&(list, distance)| key(self.centroids.dot_of(list, distance), list))
                .collect()
        } else {
            let mut nearest = near.best(spare(others));
            self.centroids.sharpen(query, &mut nearest);
            nearest
        };
        nearest.retain(|&key| key as u32 != near.own);
        nearest.sort_unstable_by(|a, b| b.cmp(a));
        nearest.truncate(others);
        let own = self.centroids.dot(&query.int8, query.scale, near.own);
        nearest.insert(0, key(own, near.own));
        nearest
    }

    /// The lists of which the dot product, and the gap times the list's spread, come to at least `least`; no more than
    /// the `most` that come to most.
    fn worth(&self, query: &Query<'_>, near: &Near, least: f32, gap: f32, most: usize) -> Vec<u64> {
        let doubt = if self.centroids.are_many() { DOUBT } else { 0.0 };
        let mut keys = near.worth(least - doubt, gap, &self.spreads);
        self.centroids.sharpen(query, &mut keys);
        let reach = |key: u64| score(key) + gap * self.spreads[key as u32 as usize];
        highest(&mut keys, reach, least, most);
        keys
    }

    fn scan_each(&self, keys: &[u64], scan: &mut Scan<'_>) {
        let mut ahead = Ahead::new(&self.lists, keys);
        for &key in keys {
            for block in self.lists.blocks(key as u32) {
                scan.block(&block, score(key), ahead.next());
            }
        }
    }

    /// The similarity of the k-th best by now; minus infinity when there are fewer.
    fn kth_so_far(&self, k: usize, query: &Query<'_>, scan: &Scan<'_>) -> f32 {
        let mut best = Best::new(k);
        let mut slots = self.lists.slots(&scan.candidates.best(k * 3));
        once_each(&mut slots);
        self.rows.about(query, &slots, &mut |similarity, _, slot| {
            best.offer(similarity, slot);
        });
        best.threshold()
    }
}

impl Scan<'_> {
    /// Estimates a block's similarities and keeps those of use; asks for the codes `ahead`.
    #[inline]
    fn block(&mut self, block: &BlockRef<'_>, base: f32, ahead: &[Line]) {
        let wanted = self.allowed.map_or(u64::MAX, |allowed| {
            let lanes = block.slots.iter().enumerate();
            lanes.fold(0, |mask, (lane, &slot)| {
                mask | u64::from(allowed.contains(slot)) << lane
            })
        });
        if wanted == 0 {
            return;
        }
        let mut estimates = [0.0; BLOCK];
        let threshold = self.candidates.threshold();
        let above = self.table.estimate(block, base, threshold, ahead, &mut estimates);
        self.candidates
            .offer_lanes(above & wanted, &estimates, block.start);
    }
}

/// The codes of the block that is scanned some blocks after each, over the ends of lists.
struct Ahead<'a, B> {
    lists: &'a Lists,
    blocks: B,
}

impl<'a> Ahead<'a, ()> {
    fn new(lists: &'a Lists, keys: &'a [u64]) -> Ahead<'a, impl Iterator<Item = u32> + 'a> {
        let blocks = keys.iter().flat_map(|&key| lists.numbers(key as u32));
        let mut ahead = Ahead { lists, blocks };
        for _ in 0..AHEAD {
            prefetch_early(ahead.next());
        }
        ahead
    }
}

impl<'a, B: Iterator<Item = u32>> Ahead<'a, B> {
    #[inline]
    fn next(&mut self) -> &'a [Line] {
        let Some(block) = self.blocks.next() else {
            return &[];
        };
        self.lists.prefetch_factors(block);
        self.lists.codes(block)
    }
}

/// Keeps the keys that reach `least`, the `most` of them that reach highest.
fn highest(keys: &mut Vec<u64>, reach: impl Fn(u64) -> f32, least: f32, most: usize) {
    keys.retain(|&key| reach(key) >= least);
    if keys.len() > most {
        keys.select_nth_unstable_by(most, |&a, &b| reach(b).total_cmp(&reach(a)));
        keys.truncate(most);
    }
}

/// Blocks fetched ahead of the one being scanned.
const AHEAD: usize = 8;

/// How many to look at by estimate for so many to be had.
fn spare(wanted: usize) -> usize {
    wanted.saturating_add(wanted / 4).saturating_add(FIRST)
}

/// Estimates for each hit, above which it pays to look at the best of them once more before the others.
const MANY: usize = 20;

/// How far the estimate of a centre may be off before a list that is just worth it is passed over.
const DOUBT: f32 = 0.02;

/// Lists scanned before the k-th best is judged: enough to find most of the best.
const FIRST: usize = 12;

/// Up to this many allowed slots, looking at each of them costs no more than the lists would.
const EXACT_UP_TO: usize = 5_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::highest;

    proptest! {
        #[test]
        fn no_more_lists_are_worth_it_than_those_of_the_bound_that_reach_highest(
            reaches in prop::collection::vec(0_u8..100, 0..60),
            least in 0_u8..100,
            most in 0_usize..60,
        ) {
            let mut keys: Vec<u64> = (0..reaches.len() as u64).collect();
            let reach = |key: u64| f32::from(reaches[key as usize]);
            highest(&mut keys, reach, f32::from(least), most);
            let mut got: Vec<u8> = keys.iter().map(|&key| reaches[key as usize]).collect();
            got.sort_unstable_by(|a, b| b.cmp(a));
            let mut expected = reaches;
            expected.sort_unstable_by(|a, b| b.cmp(a));
            expected.retain(|&reach| reach >= least);
            expected.truncate(most);
            prop_assert_eq!(got, expected);
        }
    }
}
