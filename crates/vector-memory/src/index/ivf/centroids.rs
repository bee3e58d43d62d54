//! The centres of the lists: k-means over the rows, and which lists a vector belongs to.

use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

use super::{
    candidates::key, directions::Directions, list::Code, near::Signs, packed::Packed, table::CodeTable,
};
use crate::{
    index::{
        random::SplitMix,
        rows::{Codes, Query, Rows},
    },
    kernel::{Int8Query, Kernel, encode_query, prefetch_early},
};

/// Centres in rotated space.
#[derive(Debug, Clone)]
pub(super) struct Centroids {
    /// One centre a row.
    points: Array2<f32>,
    pub(super) half_norms_squared: Vec<f32>,
    /// The same as int8.
    codes: Codes,
    /// The same once more to be compared with all at once, when there are few.
    pub(super) packed: Packed,
    /// The same as 1-bit codes, when there are many.
    pub(super) signs: Option<Signs>,
    /// What of a residual is coded.
    directions: Directions,
}

/// The lists that hold a vector: two of many, and of few one, which is named twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) first: u32,
    pub(super) second: u32,
}

impl Centroids {
    /// k-means (Lloyd) over a sample of `slots`, with centres drawn from it at random.
    pub(super) fn train(rows: &Rows, slots: &[u32], lists: usize, seed: u64) -> Self {
        let mut random = SplitMix::new(seed);
        let sample = random.sample(slots, lists * SAMPLE_PER_LIST);
        let mut points = Array2::zeros((lists, rows.dim()));
        for (mut point, &slot) in points.axis_iter_mut(Axis(0)).zip(&sample) {
            rows.decode(
                slot,
                point.as_slice_mut().expect("a row of a matrix is contiguous"),
            );
        }
        let mut centroids = Self::new(points);
        for _ in 0..ROUNDS {
            let nearest: Vec<u32> = sample
                .par_iter()
                .map(|&slot| {
                    let query = rows.stored_query(slot);
                    centroids.near(&query, &centroids.table(&query)).own
                })
                .collect();
            centroids = Self::new(means(rows, &sample, &nearest, lists, &mut random));
        }
        centroids
    }

    pub(super) fn new(points: Array2<f32>) -> Self {
        let mut codes = Codes::default();
        for (list, point) in points.axis_iter(Axis(0)).enumerate() {
            codes.write(list, point.to_slice().expect("a row of a matrix is contiguous"));
        }
        let halves = points
            .axis_iter(Axis(0))
            .map(|point| point.dot(&point) / 2.0)
            .collect();
        let mut centroids = Self {
            signs: Signs::new(&points, &Directions::default()),
            directions: Directions::default(),
            points,
            half_norms_squared: halves,
            codes,
            packed: Packed::default(),
        };
        if !centroids.are_many() {
            centroids.packed = Packed::new(&centroids.points);
        }
        centroids
    }

    /// Codes residuals along some directions only.
    pub(super) fn along(mut self, directions: Directions) -> Self {
        self.signs = Signs::new(&self.points, &directions);
        self.directions = directions;
        self
    }

    pub(super) fn directions(&self) -> &Directions {
        &self.directions
    }

    /// The codes of residuals, one a row.
    pub(super) fn codes(&self, residuals: &Array2<f32>) -> Vec<Code> {
        let coded = self.directions.of(residuals);
        let codes = coded
            .axis_iter(Axis(0))
            .map(|residual| Code::new(residual.iter().copied()));
        codes.collect()
    }

    /// The table of a query for the 1-bit codes of vectors and of centres.
    pub(super) fn table(&self, query: &Query<'_>) -> CodeTable {
        CodeTable::new(&self.directions.of_query(query))
    }

    pub(super) fn len(&self) -> usize {
        self.points.nrows()
    }

    pub(super) fn point(&self, list: u32) -> &[f32] {
        let row = self.points.row(list as usize);
        row.to_slice().expect("a row of a matrix is contiguous")
    }

    pub(super) fn points(&self) -> &Array2<f32> {
        &self.points
    }

    /// Asks for the memory of a centre.
    #[inline]
    pub(super) fn prefetch(&self, list: u32) {
        let row = self.codes.row(list as usize);
        prefetch_early(row.coarse);
        prefetch_early(row.fine);
    }

    /// The dot product of which [`Near::close`](super::near::Near) tells the distance.
    #[inline]
    pub(super) fn dot_of(&self, list: u32, distance: f32) -> f32 {
        distance + self.half_norms_squared[list as usize]
    }

    /// The share of the k-th best similarity that the centre of its list is expected to have. Half is what the embeddings of
    /// comments ask for, and a little more where lists are many.
    pub(super) fn share(&self) -> f32 {
        if self.are_many() { 0.65 } else { 0.5 }
    }

    /// The dot product of the query with a centre.
    #[inline]
    pub(super) fn dot(&self, query: &Int8Query, scale: f32, list: u32) -> f32 {
        let row = self.codes.row(list as usize);
        Kernel::detect().dot_int8(row.coarse, row.fine, query) as f32 * *row.scale * scale
    }

    /// Puts better estimates than those of the 1-bit codes into the keys of some lists.
    pub(super) fn sharpen(&self, query: &Query<'_>, keys: &mut [u64]) {
        if self.are_many() {
            let lists: Vec<u32> = keys.iter().map(|&key| key as u32).collect();
            let mut keys = keys.iter_mut();
            query.estimate(
                &lists,
                |list| self.codes.coarse(list as usize),
                |list| self.codes.scale(list as usize),
                &mut |dot, _, list| {
                    if let Some(into) = keys.next() {
                        *into = key(dot, list);
                    }
                },
            );
        }
    }

    /// The nearest list, and where lists are many a second one that errs in another direction (SOAR; Sun et al., NeurIPS 2023):
    /// the residual to the second centre costs more the more it points the way of the first, for a query
    /// that ranks the first list low for that direction would rank the second low too.
    pub(super) fn assign(&self, query: &Query<'_>) -> Assignment {
        let near = self.near(query, &self.table(query));
        let first = near.own;
        if !self.are_many() {
            // Nearly all of few long lists are scanned, and a second copy would be scanned for nothing.
            return Assignment { first, second: first };
        }
        let residual = query.rotated.iter().zip(self.point(first)).map(|(x, c)| x - c);
        let mut residual: Vec<f32> = residual.collect();
        let norm = residual.iter().map(|r| r * r).sum::<f32>().sqrt();
        if norm > 0.0 {
            for value in &mut residual {
                *value /= norm;
            }
        }
        let along_vector: f32 = query.rotated.iter().zip(&residual).map(|(x, r)| x * r).sum();
        let (direction, encoded) = encode_query(&residual);
        let cost = |list: u32, distance: f32| {
            let along = along_vector - self.dot(&direction, encoded.scale, list);
            2.0 * distance - ORTHOGONALITY * along * along
        };
        let others = near.close.iter().filter(|&&(list, _)| list != first);
        let second = argmax(others.map(|&(list, distance)| (list, cost(list, distance))));
        Assignment {
            first,
            second: second.unwrap_or(first),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.points.len() + self.half_norms_squared.len()) * size_of::<f32>()
            + self.packed.bytes()
            + self.directions.bytes()
            + self.codes.bytes()
            + self.signs.as_ref().map_or(0, Signs::bytes)
    }
}

fn means(rows: &Rows, sample: &[u32], nearest: &[u32], lists: usize, random: &mut SplitMix) -> Array2<f32> {
    let mut sums = Array2::<f32>::zeros((lists, rows.dim()));
    let mut counts = vec![0_u32; lists];
    let mut row = Array1::zeros(rows.dim());
    for (&slot, &list) in sample.iter().zip(nearest) {
        rows.decode(slot, row.as_slice_mut().expect("an owned vector is contiguous"));
        sums.row_mut(list as usize).scaled_add(1.0, &row);
        counts[list as usize] += 1;
    }
    for (mut sum, &count) in sums.axis_iter_mut(Axis(0)).zip(&counts) {
        if count == 0 {
            let slot = sample[random.below(sample.len())];
            rows.decode(slot, sum.as_slice_mut().expect("a row of a matrix is contiguous"));
        } else {
            sum /= count as f32;
        }
    }
    sums
}

/// The list with the highest score, the first of several.
pub(super) fn argmax(scores: impl Iterator<Item = (u32, f32)>) -> Option<u32> {
    let mut best = None;
    for (list, score) in scores {
        if best.is_none_or(|(_, highest)| score > highest) {
            best = Some((list, score));
        }
    }
    best.map(|(list, _)| list)
}

/// Vectors that each centre is trained on.
const SAMPLE_PER_LIST: usize = 64;

/// Rounds of k-means; more change the recall by less than what it varies with the seed.
const ROUNDS: usize = 10;

/// How much a second list's residual costs for pointing the way of the first's (lambda of the paper).
const ORTHOGONALITY: f32 = 1.0;
