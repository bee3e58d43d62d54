//! How one search goes through the stages.

use super::{
    IvfIndex,
    calibration::{CENTRE_SHARE, NEIGHBOURS},
    candidates::{Candidates, key, score},
    list::{BlockRef, List},
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
    kernel::{BLOCK, Line},
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
            table: CodeTable::new(&query.rotated),
            allowed,
            candidates: Candidates::new(plan.candidates),
        };
        if self.scan_lists(plan, &query, &mut scan) == Verdict::Astray {
            return flat::exact(&self.rows, query.original, plan.k, allowed);
        }
        let mut contenders = Contenders::new(plan.k, &query);
        let slots = scan.candidates.into_slots();
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
        let (first, most) = match plan.reach {
            Reach::Lists(lists) => (lists.max(1) - 1, lists),
            Reach::Recall { recall, .. } if scan.allowed.is_none() => {
                (FIRST, self.calibration.widest(recall, plan.k).lists as usize)
            }
            Reach::Recall { .. } => (FIRST, self.lists.len()),
        };
        let near = self.centroids.near(query, &scan.table, spare(most));
        // The list that a vector like the query would be put into goes first: each vector finds itself.
        let mut keys = near.keys;
        keys.retain(|&key| key as u32 != near.own);
        let own_dot = self.centroids.dot(&query.int8, query.scale, near.own);
        let exact = |estimated: &mut u64| {
            if self.centroids.are_many() {
                let list = *estimated as u32;
                *estimated = key(self.centroids.dot(&query.int8, query.scale, list), list);
            }
        };
        let about = spare(first).min(keys.len());
        if about > 0 && about < keys.len() {
            keys.select_nth_unstable_by(about, |a, b| b.cmp(a));
        }
        keys[..about].iter_mut().for_each(exact);
        keys[..about].sort_unstable_by(|a, b| b.cmp(a));
        let (first, rest) = keys.split_at_mut(first.min(about));
        self.scan_each(&[key(own_dot, near.own)], scan);
        self.scan_each(first, scan);
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
                scan.candidates
                    .keep(self.fitting(self.grown(learnt.candidates), plan.k));
            }
            let most = scan.allowed.map_or(learnt.lists as usize, |_| usize::MAX);
            let least = CENTRE_SHARE * kth - learnt.gap;
            let mut about = worth(rest, key(least - DOUBT, 0), usize::MAX);
            about.iter_mut().for_each(exact);
            let most = most.saturating_sub(first.len() + 1);
            self.scan_each(&worth(&about, key(least, 0), most), scan);
        }
        Verdict::Scanned
    }

    fn scan_each(&self, keys: &[u64], scan: &mut Scan<'_>) {
        let list = |&key: &u64| &self.lists[key as u32 as usize];
        let mut ahead = Ahead::new(keys.iter().map(list));
        for key in keys {
            for block in list(key).blocks() {
                scan.block(&block, score(*key), ahead.next());
            }
        }
    }

    /// The similarity of the k-th best by now; minus infinity when there are fewer.
    fn kth_so_far(&self, k: usize, query: &Query<'_>, scan: &Scan<'_>) -> f32 {
        let mut best = Best::new(k);
        let slots = scan.candidates.best(k * 3);
        self.rows.narrow(query, &slots, &mut |similarity, slot| {
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
            .offer_lanes(above & wanted, &estimates, block.slots);
    }
}

/// The codes of the block that is scanned some blocks after each, over the ends of lists.
struct Ahead<'a, L> {
    lists: L,
    codes: std::slice::ChunksExact<'a, Line>,
}

impl<'a, L: Iterator<Item = &'a List>> Ahead<'a, L> {
    fn new(lists: L) -> Self {
        let codes = [].chunks_exact(1);
        let mut ahead = Self { lists, codes };
        for _ in 0..AHEAD {
            ahead.next();
        }
        ahead
    }

    #[inline]
    fn next(&mut self) -> &'a [Line] {
        loop {
            if let Some(codes) = self.codes.next() {
                return codes;
            }
            let Some(list) = self.lists.next() else { return &[] };
            list.prefetch_factors();
            self.codes = list.codes();
        }
    }
}

/// The keys of at least `least`, the `most` highest of them, in no order.
fn worth(keys: &[u64], least: u64, most: usize) -> Vec<u64> {
    let mut worth: Vec<u64> = keys.iter().copied().filter(|&key| key >= least).collect();
    if worth.len() > most {
        worth.select_nth_unstable_by(most, |a, b| b.cmp(a));
        worth.truncate(most);
    }
    worth
}

/// Blocks fetched ahead of the one being scanned.
const AHEAD: usize = 3;

/// How many to look at by estimate for so many to be had.
fn spare(wanted: usize) -> usize {
    wanted.saturating_add(wanted / 4).saturating_add(FIRST)
}

/// How far the estimate of a centre may be off before a list that is just worth it is passed over.
const DOUBT: f32 = 0.02;

/// Lists scanned before the k-th best is judged: enough to find most of the best.
const FIRST: usize = 12;

/// Up to this many allowed slots, looking at each of them costs no more than the lists would.
const EXACT_UP_TO: usize = 5_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::worth;

    proptest! {
        #[test]
        fn no_more_lists_are_worth_it_than_the_nearest_of_the_bound(
            keys in prop::collection::vec(0_u64..100, 0..60),
            least in 0_u64..100,
            most in 0_usize..60,
        ) {
            let mut got = worth(&keys, least, most);
            got.sort_unstable_by(|a, b| b.cmp(a));
            let mut expected = keys;
            expected.sort_unstable_by(|a, b| b.cmp(a));
            expected.retain(|&key| key >= least);
            expected.truncate(most);
            prop_assert_eq!(got, expected);
        }
    }
}
