//! How far a search must reach for a recall, learnt from the index's own vectors.
//!
//! A sample of stored vectors is searched for exactly, each as it is and mixed with another one (a query need
//! not be like what is stored), itself left out. Three numbers tell how hard each true neighbour was to find: by
//! how much the centre of its list fell short (the gap), how many estimates came before its own, and by how much
//! that fell short of the last neighbour's similarity. Their quantiles are the plan for each recall.
//!
//! **Bands.** A query with near neighbours is easier than one without. So there are plans for several bands of
//! the similarity that the last neighbour has, and a search takes those of its own band once it has looked at the
//! nearest lists.
//!
//! **Gap.** A query with near neighbours finds them in lists whose centres are near, too; one without must
//! look further. So the lists to scan are not counted but bounded: a centre may fall short of a share of the
//! similarity of the k-th best by the gap, and no more. The gap is in units of the list's spread: the further its vectors are from
//! the centre, the more they can have beyond what that has.
//!
//! **Bound.** What is unlike all that is stored has no near neighbours, and the gap alone would send it through
//! every list. A search scans no more lists than half as many again as all but the hardest of its band needed.

use rayon::prelude::*;

use super::IvfIndex;
use crate::{
    index::{
        flat,
        random::SplitMix,
        rows::{Query, Rows},
    },
    kernel::BLOCK,
};

/// Plans by band and recall.
#[derive(Debug, Clone, Default)]
pub(super) struct Calibration {
    /// By similarity, ascending.
    bands: Vec<Band>,
    /// The lowest similarity that the last neighbour of a sampled vector has.
    least: f32,
}

/// The plans for queries whose last neighbour has about the same similarity.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::index) struct Band {
    /// The similarity up to which the band goes; the last one goes on.
    pub(in crate::index) up_to: f32,
    /// By recall.
    pub(in crate::index) plans: Vec<Learnt>,
}

/// What reaches one recall.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::index) struct Learnt {
    pub(in crate::index) gap: f32,
    pub(in crate::index) candidates: u32,
    /// How far an estimate may fall short of the similarity of the k-th best and still be one of them.
    pub(in crate::index) short: f32,
    /// No more lists than this, whatever the gap.
    pub(in crate::index) lists: u32,
}

/// What the exact search for one vector taught.
struct Lesson {
    /// The similarity of the last neighbour.
    kth: f32,
    neighbours: Vec<Found>,
    /// How much each centre falls short, in spreads of its list; ascending.
    gaps: Vec<f32>,
}

/// What it would have taken to find a neighbour.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// How much the centre of its list fell short, in spreads of the list.
    gap: f32,
    /// How many estimates came before its own, and that.
    rank: u32,
    /// How much its own estimate fell short.
    short: f32,
}

impl Calibration {
    /// Measures with vectors that the centres were not learnt from: centres lean towards those that they were.
    pub(super) fn measure(index: &IvfIndex, sample: &[u32]) -> Self {
        if index.lists.len() == 1 {
            return Self::default();
        }
        let original = |slot| index.rows.original_unchecked(slot);
        let stored = sample
            .par_iter()
            .filter_map(|&slot| lesson(index, original(slot), &[slot], 0));
        let mut lessons: Vec<Lesson> = stored.collect();
        let least = lessons
            .iter()
            .fold(f32::INFINITY, |least, lesson| least.min(lesson.kth));
        let many = index.centroids.are_many();
        let pairs = sample[..if many { sample.len() } else { 0 }]
            .par_iter()
            .zip(sample.par_iter().skip(1));
        let mixed = pairs.filter_map(|(&slot, &other)| {
            lesson(
                index,
                &mix(original(slot), original(other)),
                &[slot, other],
                TOO_NEAR,
            )
        });
        lessons.par_extend(mixed);
        if lessons.is_empty() {
            return Self::default();
        }
        lessons.sort_unstable_by(|a, b| a.kth.total_cmp(&b.kth));
        let list_length = 2.0 * index.rows.len() as f32 / index.lists.len() as f32;
        let (bands, caution) = if many { (BANDS, CAUTION) } else { (1, 1.0) };
        let bands = lessons
            .chunks(lessons.len().div_ceil(bands))
            .map(|lessons| Band::learn(lessons, list_length, caution));
        Self {
            bands: bands.collect(),
            least,
        }
    }

    pub(super) fn from_parts(bands: Vec<Band>, least: f32) -> Self {
        Self { bands, least }
    }

    /// The lowest similarity that the tenth neighbour of a stored vector is known to have.
    pub(super) fn least(&self) -> f32 {
        self.least
    }

    pub(super) fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// What reaches `recall` at `k` where the last neighbour is as similar as `kth`.
    pub(super) fn plan(&self, recall: f32, k: usize, kth: f32) -> Learnt {
        let at = self.bands.partition_point(|band| band.up_to < kth);
        let band = self.bands.get(at).or(self.bands.last());
        band.map_or(EVERYTHING, |band| band.plan(recall, k))
    }

    /// What reaches `recall` at `k` whatever the query.
    pub(super) fn widest(&self, recall: f32, k: usize) -> Learnt {
        let plans = self.bands.iter().map(|band| band.plan(recall, k));
        let widest = plans.reduce(|a, b| Learnt {
            gap: a.gap.max(b.gap),
            candidates: a.candidates.max(b.candidates),
            short: a.short.max(b.short),
            lists: a.lists.max(b.lists),
        });
        widest.unwrap_or(EVERYTHING)
    }
}

impl Band {
    fn learn(lessons: &[Lesson], list_length: f32, caution: f32) -> Self {
        let neighbours = || lessons.iter().flat_map(|lesson| &lesson.neighbours);
        let mut gaps: Vec<f32> = neighbours().map(|found| found.gap).collect();
        let mut ranks: Vec<u32> = neighbours().map(|found| found.rank).collect();
        let mut shorts: Vec<f32> = neighbours().map(|found| found.short).collect();
        gaps.sort_unstable_by(f32::total_cmp);
        ranks.sort_unstable();
        shorts.sort_unstable_by(f32::total_cmp);
        let shared = |recall: f32, share: f32| {
            let missed = (1.0 - recall) * caution;
            let further = if recall >= EDGE { FURTHER } else { NO_FURTHER };
            let gap = *quantile(&gaps, 1.0 - missed * share);
            let gap = gap + gap.abs() * (further.gap - 1.0);
            let candidates = *quantile(&ranks, 1.0 - missed * (1.0 - share)) * further.candidates;
            let short = *quantile(&shorts, 1.0 - missed * (1.0 - share) * SHORT_SHARE);
            let short = short.max(0.0) * SHORT_MARGIN * further.short;
            let worth = lessons
                .iter()
                .map(|lesson| lesson.gaps.partition_point(|&short| short <= gap) as u32);
            let mut worth: Vec<u32> = worth.collect();
            worth.sort_unstable();
            let scanned = worth.iter().sum::<u32>() as f32 / worth.len() as f32 * list_length;
            let lists = *quantile(&worth, recall.max(SPARED)) as f32 * MARGIN;
            let plan = Learnt {
                gap,
                candidates,
                short,
                lists: lists.ceil() as u32,
            };
            (scanned + candidates as f32 * CANDIDATE_COST, plan)
        };
        let plan = |recall: f32| {
            let plans = GAP_SHARES.map(|share| shared(recall, share));
            let cheapest = plans.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            cheapest.expect("there are several to choose from").1
        };
        Self {
            up_to: lessons.last().map_or(f32::INFINITY, |lesson| lesson.kth),
            plans: RECALLS.map(plan).to_vec(),
        }
    }

    /// What reaches `recall` at `k`, between the measured recalls in proportion.
    fn plan(&self, recall: f32, k: usize) -> Learnt {
        let at = RECALLS
            .partition_point(|&step| step < recall)
            .min(RECALLS.len() - 1);
        let below = at.saturating_sub(1);
        let share = (recall - RECALLS[below]) / (RECALLS[at] - RECALLS[below]).max(f32::EPSILON);
        let share = share.clamp(0.0, 1.0);
        let (Some(high), Some(low)) = (self.plans.get(at), self.plans.get(below)) else {
            return EVERYTHING;
        };
        let between = |low: u32, high: u32| low as f32 + share * (high as f32 - low as f32);
        let times = k.div_ceil(NEIGHBOURS).max(1) as f32;
        Learnt {
            gap: low.gap + share * (high.gap - low.gap),
            short: low.short + share * (high.short - low.short),
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

/// A vector that leans from `vector` towards `other`, of unit length; zeros where there is no such direction.
fn mix(vector: &[f32], other: &[f32]) -> Vec<f32> {
    let mut mixed: Vec<f32> = vector.iter().zip(other).map(|(x, y)| x + MIXED_IN * y).collect();
    let norm = mixed.iter().map(|x| x * x).sum::<f32>().sqrt();
    let inverse = if norm > 1e-3 { 1.0 / norm } else { 0.0 };
    mixed.iter_mut().for_each(|x| *x *= inverse);
    mixed
}

/// What it would have taken to find each neighbour of a query, but for those left out; `None` when it has none.
fn lesson(index: &IvfIndex, original: &[f32], left_out: &[u32], too_near: usize) -> Option<Lesson> {
    let rows: &Rows = &index.rows;
    let hits = flat::exact(rows, original, too_near + NEIGHBOURS + left_out.len(), None).ok()?;
    let query = rows.query(original).ok()?;
    let hits: Vec<_> = hits
        .into_iter()
        .filter(|hit| !left_out.contains(&hit.slot))
        .skip(too_near)
        .take(NEIGHBOURS)
        .collect();
    let kth = hits.last()?.similarity.value();
    let expected = kth * index.centroids.share();
    let lists = 0..index.lists.len() as u32;
    let dots: Vec<f32> = lists
        .map(|list| index.centroids.dot(&query.int8, query.scale, list))
        .collect();
    let estimates = estimates(index, &dots, &query);
    let gap = |list: usize| (expected - dots[list]) / index.spreads[list];
    let found = hits.iter().map(|hit| {
        let places = &index.places[hit.slot as usize];
        let places = places.iter().filter(|place| (place.list as usize) < dots.len());
        places.fold(
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
            |(nearness, own), place| {
                let estimate = estimates[place.at as usize];
                (nearness.max(-gap(place.list as usize)), own.max(estimate))
            },
        )
    });
    let found: Vec<(f32, f32)> = found.collect();
    let lowest = found
        .iter()
        .fold(f32::INFINITY, |lowest, &(_, own)| lowest.min(own));
    let mut higher: Vec<f32> = estimates
        .into_iter()
        .filter(|&estimate| estimate > lowest)
        .collect();
    higher.sort_unstable_by(f32::total_cmp);
    let neighbours = found.iter().map(|&(nearness, own)| {
        let before = higher.len() - higher.partition_point(|&estimate| estimate <= own);
        Found {
            gap: -nearness,
            rank: before as u32 + 1,
            short: kth - own,
        }
    });
    let neighbours = neighbours.collect();
    let mut gaps: Vec<f32> = (0..dots.len()).map(gap).collect();
    gaps.sort_unstable_by(f32::total_cmp);
    Some(Lesson {
        kth,
        neighbours,
        gaps,
    })
}

/// The estimate of every code, by position; minus infinity where there is none.
fn estimates(index: &IvfIndex, dots: &[f32], query: &Query<'_>) -> Vec<f32> {
    let table = index.centroids.table(query);
    let mut estimates = vec![f32::NEG_INFINITY; index.lists.block_count() * BLOCK];
    for (list, &base) in (0..).zip(dots) {
        for block in index.lists.blocks(list) {
            let mut scores = [0.0; BLOCK];
            table.estimate(&block, base, f32::NEG_INFINITY, &[], &mut scores);
            let own = &mut estimates[block.start as usize..][..block.slots.len()];
            own.copy_from_slice(&scores[..block.slots.len()]);
        }
    }
    estimates
}

/// The plan of an index that has learnt none.
const EVERYTHING: Learnt = Learnt {
    gap: f32::INFINITY,
    candidates: u32::MAX,
    short: f32::INFINITY,
    lists: u32::MAX,
};

/// Bands of similarity, as many lessons in each.
const BANDS: usize = 4;

/// How much of another vector is mixed into a sampled one.
const MIXED_IN: f32 = 0.7;

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

/// Shares of the missed neighbours that may be missed for their list, the rest for their estimate; the one
/// that costs least is taken.
const GAP_SHARES: [f32; 5] = [0.3, 0.5, 0.65, 0.8, 0.9];

/// What of the neighbours that may be missed for their estimates the shortfall alone may lose; most of them are the
/// same that the rank loses.
const SHORT_SHARE: f32 = 0.5;

/// How much further than the sample's an estimate may fall short; the highest recalls rest on a few of the sample.
const SHORT_MARGIN: f32 = 1.1;

/// The recall from which on a handful of the sample's neighbours would decide.
const EDGE: f32 = 0.999;

/// How many times what the sample needed a search goes.
struct Further {
    gap: f32,
    candidates: u32,
    short: f32,
}

/// Up to the edge.
const NO_FURTHER: Further = Further {
    gap: 1.0,
    candidates: 1,
    short: 1.0,
};

/// Beyond: asked for 0.999, an index of 50,000 gave 0.9986 by one seed and 0.9996 by another without, and gives 1.0000 by both.
const FURTHER: Further = Further {
    gap: 1.1,
    candidates: 2,
    short: 1.2,
};

/// How many codes are scanned in the time that one candidate takes to be narrowed.
const CANDIDATE_COST: f32 = 16.0;

/// The nearest of a mixed vector that are left out with those that it is mixed of: what is like nothing stored
/// is not stored several times over, either.
const TOO_NEAR: usize = 20;

/// The share of the neighbours that a recall allows to be missed that the sample may miss.
const CAUTION: f32 = 0.75;

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
        let plans: Vec<Learnt> = RECALLS
            .map(|recall| index.calibration.widest(recall, 10))
            .to_vec();
        assert!(plans.is_sorted_by(|a, b| a.gap <= b.gap
            && a.candidates <= b.candidates
            && a.short <= b.short
            && a.lists <= b.lists));
        assert!(
            (1..index.lists() as u32).contains(&plans[5].lists),
            "{:?} of {}",
            plans[5],
            index.lists()
        );
    }
}
