//! Which of many centres are near a query: first by 1-bit codes of their own, then by int8.

use ndarray::{Array2, Axis};

use super::{
    candidates::{Candidates, key},
    centroids::{Centroids, argmax},
    list::{Code, List},
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
    list: List,
}

/// What the centres are to a query.
#[derive(Debug)]
pub(super) struct Near {
    /// The nearest list by Euclid: the one that a vector like the query stands in.
    pub(super) own: u32,
    /// Of a search for none by dot product: the nearest by Euclid, about, and for each the
    /// `dot product - half of the centre's squared length`.
    pub(super) close: Vec<(u32, f32)>,
    /// Those with the highest dot products, about, as keys of these, in no order.
    pub(super) keys: Vec<u64>,
}

impl Signs {
    /// `None` for few centres, which are as soon looked at one by one.
    pub(super) fn new(points: &Array2<f32>) -> Option<Self> {
        if points.nrows() < CODED_FROM {
            return None;
        }
        let mean = points.mean_axis(Axis(0))?.to_vec();
        let mut list = List::with_capacity(points.nrows(), points.ncols());
        for (at, point) in (0..).zip(points.axis_iter(Axis(0))) {
            let point = point.to_slice().expect("a row of a matrix is contiguous");
            list.push(at, &Code::new(point, &mean));
        }
        Some(Self { mean, list })
    }

    pub(super) fn bytes(&self) -> usize {
        self.list.bytes() + self.mean.len() * size_of::<f32>()
    }
}

impl Centroids {
    /// The lists near a query, `count` of them by dot product.
    pub(super) fn near(&self, query: &Query<'_>, table: &CodeTable, count: usize) -> Near {
        let Some(signs) = &self.signs else {
            return self.compared(query, count);
        };
        let (close, keys) = self.estimated(signs, query, table, count);
        let distance =
            |list: u32| self.dot(&query.int8, query.scale, list) - self.half_norms_squared[list as usize];
        let close: Vec<(u32, f32)> = close.into_iter().map(|list| (list, distance(list))).collect();
        Near {
            own: argmax(close.iter().copied()).expect("there is at least one list"),
            close,
            keys,
        }
    }

    /// The same by looking at all centres, when there are few.
    fn compared(&self, query: &Query<'_>, count: usize) -> Near {
        let dots = self.dots(&query.int8, query.scale);
        let distances = dots.iter().zip(&self.half_norms_squared);
        let distances = (0..).zip(distances.map(|(dot, half)| dot - half));
        let own = argmax(distances.clone()).expect("there is at least one list");
        let (close, keys) = if count == 0 {
            (distances.collect(), Vec::new())
        } else {
            (
                Vec::new(),
                (0..).zip(&dots).map(|(list, &dot)| key(dot, list)).collect(),
            )
        };
        Near { own, close, keys }
    }

    /// Whether there are so many centres that their dot products are estimated first.
    pub(super) fn are_many(&self) -> bool {
        self.signs.is_some()
    }

    fn estimated(
        &self,
        signs: &Signs,
        query: &Query<'_>,
        table: &CodeTable,
        count: usize,
    ) -> (Vec<u32>, Vec<u64>) {
        let base = Kernel::detect().dot_f32(&signs.mean, &query.rotated);
        let mut close = Candidates::new(CLOSE);
        let mut keys = Candidates::new(count.clamp(1, self.len()));
        for (block, halves) in signs.list.blocks().zip(self.half_norms_squared.chunks(BLOCK)) {
            let mut dots = [0.0; BLOCK];
            let above = table.estimate(&block, base, keys.threshold(), &[], &mut dots);
            if count > 0 {
                keys.offer_lanes(above, &dots, block.slots);
            }
            let distances = dots.iter().zip(halves).map(|(dot, half)| dot - half);
            let highest = distances.clone().fold(f32::NEG_INFINITY, f32::max);
            if highest > close.threshold() {
                for (distance, &list) in distances.zip(block.slots) {
                    if distance > close.threshold() {
                        close.offer(distance, list);
                    }
                }
            }
        }
        let keys = if count == 0 { Vec::new() } else { keys.into_keys() };
        let mut close = close.into_slots();
        close.sort_unstable();
        (close, keys)
    }
}

/// Centres from which on codes find the near ones faster than looking at all does.
const CODED_FROM: usize = 2_048;

/// Centres that are compared as whole to find the nearest: its estimate is among the best so many.
const CLOSE: usize = 48;
