//! Which of many centres are near a query: first by 1-bit codes of their own, then by int8.

use ndarray::{Array1, Array2, Axis};

use super::{
    candidates::{Candidates, key},
    centroids::{Centroids, argmax},
    directions::Directions,
    list::{Code, Lists},
    table::CodeTable,
};
use crate::{
    index::rows::Query,
    kernel::{BLOCK, Kernel},
};

/// The 1-bit codes of the centres, about their mean.
#[derive(Debug, Clone)]
pub(super) struct Signs {
    mean: Vec<f32>,
    codes: Lists,
}

/// What the centres are to a query.
#[derive(Debug)]
pub(super) struct Near {
    /// The nearest list by Euclid: the one that a vector like the query stands in.
    pub(super) own: u32,
    /// The nearest by Euclid, about, and for each the `dot product - half of the centre's squared length`.
    pub(super) close: Vec<(u32, f32)>,
    /// The dot product with each centre, estimated where they are many.
    pub(super) dots: Vec<f32>,
}

impl Near {
    /// The keys of the lists with the highest dot products, as many as asked for or all, in no order.
    pub(super) fn best(&self, count: usize) -> Vec<u64> {
        let mut best = Candidates::new(count.clamp(1, self.dots.len()));
        for_each_above(&self.dots, |dot, list| {
            best.offer(dot, list);
            best.threshold()
        });
        best.into_keys()
    }

    /// Takes lists out of what [`Near::worth`] finds.
    pub(super) fn leave_out(&mut self, keys: &[u64]) {
        for &key in keys {
            self.dots[key as u32 as usize] = f32::NEG_INFINITY;
        }
    }

    /// The keys of the lists whose dot product, and the gap times their spread, come to at least `least`.
    pub(super) fn worth(&self, least: f32, gap: f32, spreads: &[f32]) -> Vec<u64> {
        let mut worth = Vec::new();
        let below = least.next_down();
        let blocks = self.dots.chunks(BLOCK).zip(spreads.chunks(BLOCK));
        for (start, (dots, spreads)) in (0..).step_by(BLOCK).zip(blocks) {
            let reach = dots.iter().zip(spreads).map(|(dot, spread)| dot + gap * spread);
            let mut above = above(reach, below);
            while above != 0 {
                let at = above.trailing_zeros();
                above &= above - 1;
                worth.push(key(dots[at as usize], start + at));
            }
        }
        worth
    }
}

/// Visits the scores above the threshold that the last visit returned, each with its place; all until the first.
fn for_each_above(scores: &[f32], mut visit: impl FnMut(f32, u32) -> f32) {
    let mut threshold = f32::NEG_INFINITY;
    for (start, scores) in (0..).step_by(BLOCK).zip(scores.chunks(BLOCK)) {
        let mut above = above(scores.iter().copied(), threshold);
        while above != 0 {
            let at = above.trailing_zeros();
            above &= above - 1;
            let score = scores[at as usize];
            if score > threshold {
                threshold = visit(score, start + at);
            }
        }
    }
}

/// Which of at most 64 scores are above the threshold.
fn above(scores: impl Iterator<Item = f32>, threshold: f32) -> u64 {
    Kernel::detect().wide(|| {
        let mut mask = 0;
        for (at, score) in scores.enumerate() {
            mask |= u64::from(score > threshold) << at;
        }
        mask
    })
}

impl Signs {
    /// `None` for few centres, which are as soon looked at one by one.
    pub(super) fn new(points: &Array2<f32>, directions: &Directions) -> Option<Self> {
        if points.nrows() < CODED_FROM {
            return None;
        }
        let mean = points.mean_axis(Axis(0))?.to_vec();
        let residuals = points - &Array1::from_vec(mean.clone());
        let coded = directions.of(&residuals);
        let mut codes = Lists::for_members([coded.nrows()].into_iter(), coded.ncols());
        for (at, residual) in (0..).zip(coded.axis_iter(Axis(0))) {
            codes.push(0, at, &Code::new(residual.iter().copied()));
        }
        Some(Self { mean, codes })
    }

    pub(super) fn bytes(&self) -> usize {
        self.codes.bytes() + self.mean.len() * size_of::<f32>()
    }
}

impl Centroids {
    /// What the centres are to a query.
    pub(super) fn near(&self, query: &Query<'_>, table: &CodeTable) -> Near {
        let Some(signs) = &self.signs else {
            return self.compared(query);
        };
        let (close, dots) = self.estimated(signs, query, table);
        close.iter().for_each(|&list| self.prefetch(list));
        let distance =
            |list: u32| self.dot(&query.int8, query.scale, list) - self.half_norms_squared[list as usize];
        let close: Vec<(u32, f32)> = close.into_iter().map(|list| (list, distance(list))).collect();
        Near {
            own: argmax(close.iter().copied()).expect("there is at least one list"),
            close,
            dots,
        }
    }

    /// The same by looking at all centres, when there are few.
    fn compared(&self, query: &Query<'_>) -> Near {
        let dots = self.packed.dots(&query.int8, query.scale);
        let distances = dots.iter().zip(&self.half_norms_squared);
        let close: Vec<(u32, f32)> = (0..).zip(distances.map(|(dot, half)| dot - half)).collect();
        Near {
            own: argmax(close.iter().copied()).expect("there is at least one list"),
            close,
            dots,
        }
    }

    /// Whether there are so many centres that their dot products are estimated first.
    pub(super) fn are_many(&self) -> bool {
        self.signs.is_some()
    }

    fn estimated(&self, signs: &Signs, query: &Query<'_>, table: &CodeTable) -> (Vec<u32>, Vec<f32>) {
        let base = Kernel::detect().dot_f32(&signs.mean, &query.rotated);
        let mut close = Candidates::new(CLOSE);
        let mut all = Vec::with_capacity(self.len());
        let mut ahead = signs
            .codes
            .numbers(0)
            .skip(AHEAD)
            .map(|block| signs.codes.codes(block));
        for (block, halves) in signs.codes.blocks(0).zip(self.half_norms_squared.chunks(BLOCK)) {
            let mut dots = [0.0; BLOCK];
            table.estimate(
                &block,
                base,
                f32::INFINITY,
                ahead.next().unwrap_or_default(),
                &mut dots,
            );
            let dots = &dots[..block.slots.len()];
            all.extend_from_slice(dots);
            let distance = |at: usize| dots[at] - halves[at];
            let mut above = above(
                dots.iter().zip(halves).map(|(dot, half)| dot - half),
                close.threshold(),
            );
            while above != 0 {
                let at = above.trailing_zeros() as usize;
                above &= above - 1;
                if distance(at) > close.threshold() {
                    close.offer(distance(at), block.slots[at]);
                }
            }
        }
        let mut close = close.into_ids();
        close.sort_unstable();
        (close, all)
    }
}

/// Centres from which on codes find the near ones faster than looking at all does.
const CODED_FROM: usize = 2_048;

/// Blocks of their codes that are asked for ahead of the one being scanned.
const AHEAD: usize = 8;

/// Centres that are compared as whole to find the nearest: its estimate is among the best so many.
const CLOSE: usize = 48;
