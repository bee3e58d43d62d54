//! How one search goes through the stages.

use super::{
    IvfIndex,
    calibration::{CENTRE_SHARE, NEIGHBOURS},
    candidates::{Candidates, key},
    list::BlockRef,
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
    kernel::{BLOCK, BlockScale, Kernel},
};

/// How far a search goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plan {
    k: usize,
    reach: Reach,
    /// Estimates to narrow.
    candidates: usize,
}

/// Which lists are scanned.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reach {
    /// So many.
    Lists(usize),
    /// Those whose centres fall short of what the k-th best promises by no more than `gap`; `most` in all.
    Gap { gap: f32, most: usize },
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
        let learnt = self.calibration.plan(recall, params.k);
        let candidates = params.candidates.unwrap_or(learnt.candidates as usize);
        Some(Plan {
            k: params.k,
            reach: params.probes.map_or(
                Reach::Gap {
                    gap: learnt.gap,
                    most: learnt.lists as usize,
                },
                Reach::Lists,
            ),
            candidates: candidates.min(2 * self.rows.len()).max(2 * params.k),
        })
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
        let mut dots = Vec::new();
        self.centroids.dots(&query.int8, query.scale, &mut dots);
        if self.scan_lists(&dots, plan, &query, &mut scan) == Verdict::Astray {
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
    fn scan_lists(&self, dots: &[f32], plan: &Plan, query: &Query<'_>, scan: &mut Scan<'_>) -> Verdict {
        // The list that a vector like the query would be put into goes first: each vector finds itself.
        let own = self.centroids.nearest_of(dots);
        let others = (0..).zip(dots).filter(|&(list, _)| list != own);
        let mut keys: Vec<u64> = others.map(|(list, &dot)| key(dot, list)).collect();
        let first = match plan.reach {
            Reach::Lists(lists) => lists.saturating_sub(1),
            Reach::Gap { .. } => FIRST,
        };
        if first > 0 && first < keys.len() {
            keys.select_nth_unstable_by(first, |a, b| b.cmp(a));
        }
        let (first, rest) = keys.split_at_mut(first.min(dots.len() - 1));
        first.sort_unstable_by(|a, b| b.cmp(a));
        self.scan_list(own, dots, scan);
        self.scan_each(first, dots, scan);
        if let Reach::Gap { gap, most } = plan.reach {
            let kth = self.kth_so_far(plan.k, query, scan);
            let least = self.calibration.least();
            if scan.allowed.is_some()
                && kth < least
                && self.kth_so_far(plan.k.min(NEIGHBOURS), query, scan) < least
            {
                return Verdict::Astray;
            }
            let least = key(CENTRE_SHARE * kth - gap, 0);
            let most = scan.allowed.map_or(most, |_| usize::MAX);
            self.scan_each(
                &worth(rest, least, most.saturating_sub(first.len() + 1)),
                dots,
                scan,
            );
        }
        Verdict::Scanned
    }

    fn scan_each(&self, keys: &[u64], dots: &[f32], scan: &mut Scan<'_>) {
        for (at, &key) in keys.iter().enumerate() {
            if let Some(&next) = keys.get(at + 1) {
                self.lists[next as u32 as usize].prefetch();
            }
            self.scan_list(key as u32, dots, scan);
        }
    }

    fn scan_list(&self, list: u32, dots: &[f32], scan: &mut Scan<'_>) {
        for block in self.lists[list as usize].blocks() {
            scan.block(&block, dots[list as usize]);
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
    /// Estimates a block's similarities and keeps those of use.
    #[inline]
    fn block(&mut self, block: &BlockRef<'_>, base: f32) {
        let mut wanted = u32::MAX >> (BLOCK - block.slots.len());
        if let Some(allowed) = self.allowed {
            let lanes = block.slots.iter().enumerate();
            wanted = lanes.fold(0, |mask, (lane, &slot)| {
                mask | u32::from(allowed.contains(slot)) << lane
            });
        }
        if wanted == 0 {
            return;
        }
        let kernel = Kernel::detect();
        let (mut sums, mut estimates) = ([0; BLOCK], [0.0; BLOCK]);
        kernel.scan_block(block.codes, &self.table.table, &mut sums);
        let scale = BlockScale {
            factors: block.factors,
            base,
            slope: self.table.slope,
            offset: self.table.offset,
            threshold: self.candidates.threshold(),
        };
        let mut above = kernel.score_block(&sums, &scale, &mut estimates) & wanted;
        while above != 0 {
            let lane = above.trailing_zeros() as usize;
            above &= above - 1;
            self.candidates.offer(estimates[lane], block.slots[lane]);
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
