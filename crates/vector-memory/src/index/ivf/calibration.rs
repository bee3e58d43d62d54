//! How far a search must reach for a recall, learnt from the index's own vectors.
//!
//! A sample of stored vectors is searched for exactly, itself left out. Two numbers tell how hard each true
//! neighbour was to find: by how much the centre of its list fell short (the gap), and how many estimates came
//! before its own. Their quantiles are the plan for each recall. Queries that are unlike the stored vectors
//! may need more: ask for a higher recall.
//!
//! **Gap.** A query with near neighbours finds them in lists whose centres are near, too; one without must
//! look further. So the lists to scan are not counted but bounded: a centre may fall short of half of the
//! similarity of the k-th best by the gap, and no more. Half is what the embeddings of comments ask for.

use rayon::prelude::*;

use super::{IvfIndex, table::CodeTable};
use crate::{
    index::{flat, random::SplitMix},
    kernel::{BLOCK, BlockScale, Kernel},
};

/// Plans by recall.
#[derive(Debug, Clone, Default)]
pub(super) struct Calibration {
    plans: Vec<Learnt>,
    /// The lowest similarity that the last neighbour of a sampled vector has.
    least: f32,
}

/// What reaches one recall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::index) struct Learnt {
    pub(in crate::index) gap: f32,
    pub(in crate::index) candidates: u32,
}

impl Calibration {
    /// Measures with vectors that the centres were not learnt from: centres lean towards those that they were.
    pub(super) fn measure(index: &IvfIndex, sample: &[u32]) -> Self {
        if index.lists.len() == 1 {
            return Self::default();
        }
        let searched: Vec<(f32, Vec<Learnt>)> =
            sample.par_iter().map(|&slot| neighbours(index, slot)).collect();
        let least = searched
            .iter()
            .fold(f32::INFINITY, |least, searched| least.min(searched.0));
        let mut found: Vec<Learnt> = searched.into_iter().flat_map(|searched| searched.1).collect();
        if found.is_empty() {
            return Self::default();
        }
        let at = |share: f32| ((share * found.len() as f32).ceil() as usize).clamp(1, found.len()) - 1;
        let shares = RECALLS.map(|recall| {
            let missed = 1.0 - recall;
            (at(1.0 - missed * GAP_SHARE), at(1.0 - missed * (1.0 - GAP_SHARE)))
        });
        found.sort_unstable_by(|a, b| a.gap.total_cmp(&b.gap));
        let gaps = shares.map(|(at, _)| found[at].gap);
        found.sort_unstable_by_key(|found| found.candidates);
        let plans = shares.iter().zip(gaps).map(|(&(_, at), gap)| Learnt {
            gap,
            candidates: found[at].candidates,
        });
        Self {
            plans: plans.collect(),
            least,
        }
    }

    pub(super) fn from_parts(plans: Vec<Learnt>, least: f32) -> Self {
        Self { plans, least }
    }

    /// The lowest similarity that the tenth neighbour of a stored vector is known to have.
    pub(super) fn least(&self) -> f32 {
        self.least
    }

    pub(super) fn plans(&self) -> &[Learnt] {
        &self.plans
    }

    /// What reaches `recall` at `k`, between the measured recalls in proportion.
    pub(super) fn plan(&self, recall: f32, k: usize) -> Learnt {
        let at = RECALLS
            .partition_point(|&step| step < recall)
            .min(RECALLS.len() - 1);
        let below = at.saturating_sub(1);
        let share = (recall - RECALLS[below]) / (RECALLS[at] - RECALLS[below]).max(f32::EPSILON);
        let share = share.clamp(0.0, 1.0);
        let (Some(high), Some(low)) = (self.plans.get(at), self.plans.get(below)) else {
            return Learnt {
                gap: f32::INFINITY,
                candidates: u32::MAX,
            };
        };
        let candidates = low.candidates as f32 + share * (high.candidates as f32 - low.candidates as f32);
        let times = k.div_ceil(NEIGHBOURS).max(1) as f32;
        Learnt {
            gap: low.gap + share * (high.gap - low.gap),
            candidates: (candidates * times).ceil() as u32,
        }
    }
}

/// The vectors to measure with.
pub(super) fn sample(slots: &[u32], seed: u64) -> Vec<u32> {
    SplitMix::new(seed.wrapping_add(1)).sample(slots, SAMPLE.min(slots.len() / 8))
}

/// The similarity of a stored vector's last neighbour, and what it would have taken to find each.
fn neighbours(index: &IvfIndex, slot: u32) -> (f32, Vec<Learnt>) {
    let original = index.rows.original(slot).expect("the sample is of present slots");
    let hits =
        flat::exact(&index.rows, original, NEIGHBOURS + 1, None).expect("a stored vector is a valid query");
    let query = index
        .rows
        .query(original)
        .expect("a stored vector is a valid query");
    let hits: Vec<_> = hits
        .into_iter()
        .filter(|hit| hit.slot != slot)
        .take(NEIGHBOURS)
        .collect();
    let Some(last) = hits.last() else {
        return (f32::INFINITY, Vec::new());
    };
    let kth = last.similarity.value();
    let expected = kth * CENTRE_SHARE;
    let mut dots = Vec::new();
    index.centroids.dots(&query.int8, query.scale, &mut dots);
    let estimates = estimates(index, &dots, &CodeTable::new(&query.rotated));
    let learn = |wanted: u32| {
        let lists = index.places[wanted as usize]
            .iter()
            .filter_map(|place| dots.get(place.list as usize));
        let centre = lists.fold(f32::NEG_INFINITY, |best, &dot| best.max(dot));
        let own = estimates.iter().filter(|estimate| estimate.1 == wanted);
        let own = own.fold(f32::NEG_INFINITY, |best, estimate| best.max(estimate.0));
        let before = estimates.iter().filter(|estimate| estimate.0 > own).count();
        Learnt {
            gap: expected - centre,
            candidates: before as u32 + 1,
        }
    };
    (kth, hits.iter().map(|hit| learn(hit.slot)).collect())
}

/// The estimate of every code.
fn estimates(index: &IvfIndex, dots: &[f32], table: &CodeTable) -> Vec<(f32, u32)> {
    let kernel = Kernel::detect();
    let mut estimates = Vec::new();
    for (list, &base) in index.lists.iter().zip(dots) {
        for block in list.blocks() {
            let (mut sums, mut scores) = ([0; BLOCK], [0.0; BLOCK]);
            kernel.scan_block(block.codes, &table.table, &mut sums);
            let (slope, offset, threshold) = (table.slope, table.offset, f32::NEG_INFINITY);
            let scale = BlockScale {
                factors: block.factors,
                base,
                slope,
                offset,
                threshold,
            };
            kernel.score_block(&sums, &scale, &mut scores);
            estimates.extend(scores.into_iter().zip(block.slots.iter().copied()));
        }
    }
    estimates
}

/// The share of the k-th best similarity that the centre of its list is expected to have.
pub(super) const CENTRE_SHARE: f32 = 0.5;

/// Recalls that are planned for.
const RECALLS: [f32; 13] = [
    0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0,
];

/// Stored vectors searched for.
const SAMPLE: usize = 512;

/// Neighbours of each.
pub(super) const NEIGHBOURS: usize = 10;

/// The share of the missed neighbours that may be missed for their list; the rest for their estimate.
const GAP_SHARE: f32 = 0.8;
