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
//!
//! **Bound.** What is unlike all that is stored has no near neighbours, and the gap alone would send it through
//! every list. A search scans no more lists than half as many again as all but the hardest of the sample needed.

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
    /// No more lists than this, whatever the gap.
    pub(in crate::index) lists: u32,
}

/// What the exact search for one stored vector taught.
struct Lesson {
    /// The similarity of the last neighbour.
    kth: f32,
    /// By each neighbour: how much the centre of its list fell short, and how many estimates came before it.
    neighbours: Vec<(f32, u32)>,
    /// How much each centre falls short, ascending.
    gaps: Vec<f32>,
}

impl Calibration {
    /// Measures with vectors that the centres were not learnt from: centres lean towards those that they were.
    pub(super) fn measure(index: &IvfIndex, sample: &[u32]) -> Self {
        if index.lists.len() == 1 {
            return Self::default();
        }
        let lessons: Vec<Lesson> = sample
            .par_iter()
            .filter_map(|&slot| neighbours(index, slot))
            .collect();
        let least = lessons
            .iter()
            .fold(f32::INFINITY, |least, lesson| least.min(lesson.kth));
        let neighbours = || {
            lessons
                .iter()
                .flat_map(|lesson| lesson.neighbours.iter().copied())
        };
        let (mut gaps, mut ranks): (Vec<f32>, Vec<u32>) = neighbours().unzip();
        if gaps.is_empty() {
            return Self::default();
        }
        gaps.sort_unstable_by(f32::total_cmp);
        ranks.sort_unstable();
        let plan = |recall: f32| {
            let missed = 1.0 - recall;
            let gap = *quantile(&gaps, 1.0 - missed * GAP_SHARE);
            let worth = lessons
                .iter()
                .map(|lesson| lesson.gaps.partition_point(|&short| short <= gap) as u32);
            let mut worth: Vec<u32> = worth.collect();
            worth.sort_unstable();
            let lists = *quantile(&worth, recall.max(SPARED)) as f32 * MARGIN;
            Learnt {
                gap,
                candidates: *quantile(&ranks, 1.0 - missed * (1.0 - GAP_SHARE)),
                lists: lists.ceil() as u32,
            }
        };
        Self {
            plans: RECALLS.map(plan).to_vec(),
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
                lists: u32::MAX,
            };
        };
        let between = |low: u32, high: u32| low as f32 + share * (high as f32 - low as f32);
        let times = k.div_ceil(NEIGHBOURS).max(1) as f32;
        Learnt {
            gap: low.gap + share * (high.gap - low.gap),
            candidates: (between(low.candidates, high.candidates) * times).ceil() as u32,
            lists: (between(low.lists, high.lists) * times).ceil() as u32,
        }
    }
}

/// The value that `share` of the sorted `values`, of which there are some, do not exceed.
fn quantile<T>(values: &[T], share: f32) -> &T {
    let rank = (share * values.len() as f32).ceil() as usize;
    &values[rank.clamp(1, values.len()) - 1]
}

/// The vectors to measure with.
pub(super) fn sample(slots: &[u32], seed: u64) -> Vec<u32> {
    SplitMix::new(seed.wrapping_add(1)).sample(slots, SAMPLE.min(slots.len() / 8))
}

/// What it would have taken to find each neighbour of a stored vector; `None` when it has none.
fn neighbours(index: &IvfIndex, slot: u32) -> Option<Lesson> {
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
    let kth = hits.last()?.similarity.value();
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
        (expected - centre, before as u32 + 1)
    };
    let neighbours = hits.iter().map(|hit| learn(hit.slot)).collect();
    let mut gaps: Vec<f32> = dots.iter().map(|dot| expected - dot).collect();
    gaps.sort_unstable_by(f32::total_cmp);
    Some(Lesson {
        kth,
        neighbours,
        gaps,
    })
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

/// The share of the sample whose need of lists bounds every search; a higher recall spares as many.
const SPARED: f32 = 0.95;

/// How much further than they needed a search may go.
const MARGIN: f32 = 1.5;

/// The share of the missed neighbours that may be missed for their list; the rest for their estimate.
const GAP_SHARE: f32 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{IndexConfig, IndexKind, VectorIndex};

    #[test]
    fn a_plan_is_bounded_and_goes_further_for_more_recall() {
        // Around each of 64 axes, with some noise.
        let mut random = SplitMix::new(1);
        let mut index = IvfIndex::new(64, &IndexConfig::new(IndexKind::Ivf));
        for slot in 0..4_000 {
            let mut vector: Vec<f32> = (0..64)
                .map(|_| random.below(1_000) as f32 / 4_000.0 - 0.125)
                .collect();
            vector[slot as usize % 64] += 1.0;
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|x| *x /= norm);
            index
                .insert(slot, &vector)
                .expect("a unit vector in the next slot");
        }
        let plans: Vec<Learnt> = RECALLS.map(|recall| index.calibration.plan(recall, 10)).to_vec();
        assert!(
            plans.is_sorted_by(|a, b| a.gap <= b.gap && a.candidates <= b.candidates && a.lists <= b.lists)
        );
        assert!(
            (1..index.lists() as u32).contains(&plans[5].lists),
            "{:?} of {}",
            plans[5],
            index.lists()
        );
    }
}
