//! The centres of the lists: k-means over the codes of the rows, and which lists a vector belongs to.

use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

use crate::{
    index::{random::SplitMix, rows::Rows},
    kernel::{Int8Query, Kernel, LINE, Line, ZERO, encode_query, encode_row, padded_lines, prefetch},
};

/// Centres in rotated space.
#[derive(Debug, Clone)]
pub(super) struct Centroids {
    /// One centre a row.
    points: Array2<f32>,
    half_norms_squared: Array1<f32>,
    /// The same as int8, in groups of 16.
    codes: Vec<Line>,
    scales: Vec<f32>,
}

/// The two lists that hold a vector; the same one twice when there is only one.
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
                .map_init(Vec::new, |scores, &slot| {
                    let (query, scale) = rows.as_query(slot);
                    centroids.nearest(&query, scale, scores)
                })
                .collect();
            centroids = Self::new(means(rows, &sample, &nearest, lists, &mut random));
        }
        centroids
    }

    pub(super) fn new(points: Array2<f32>) -> Self {
        let lines = padded_lines(points.ncols());
        let padded = points.nrows().next_multiple_of(GROUP);
        let mut codes = vec![Line([ZERO; LINE]); padded * lines];
        let mut scales = vec![0.0; padded];
        let rows = codes.chunks_exact_mut(lines).zip(&mut scales);
        for (point, (codes, scale)) in points.axis_iter(Axis(0)).zip(rows) {
            let point = point.to_slice().expect("a row of a matrix is contiguous");
            *scale = encode_row(point, codes).scale;
        }
        let half_norms_squared = points.map_axis(Axis(1), |point| point.dot(&point) / 2.0);
        Self {
            points,
            half_norms_squared,
            codes,
            scales,
        }
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

    /// The dot product of the query with every centre.
    pub(super) fn dots(&self, query: &Int8Query, scale: f32, out: &mut Vec<f32>) {
        let kernel = Kernel::detect();
        let lines = query.values.len() / LINE;
        out.clear();
        let mut groups = self
            .codes
            .chunks_exact(GROUP * lines)
            .zip(self.scales.chunks_exact(GROUP))
            .peekable();
        while let Some((codes, scales)) = groups.next() {
            if let Some((next, _)) = groups.peek() {
                prefetch(next);
            }
            let mut dots = [0; GROUP];
            kernel.dots_int8(codes, query, &mut dots);
            out.extend(
                dots.iter()
                    .zip(scales)
                    .map(|(&dot, &own)| dot as f32 * own * scale),
            );
        }
        out.truncate(self.len());
    }

    fn nearest(&self, query: &Int8Query, scale: f32, scores: &mut Vec<f32>) -> u32 {
        self.dots(query, scale, scores);
        self.nearest_of(scores)
    }

    /// The nearest list by Euclid, given the dot products with all centres.
    pub(super) fn nearest_of(&self, dots: &[f32]) -> u32 {
        argmax(
            dots.iter()
                .zip(&self.half_norms_squared)
                .map(|(dot, half)| dot - half),
        )
    }

    /// The nearest list, and a second one that errs in another direction (SOAR; Sun et al., NeurIPS 2023):
    /// the residual to the second centre costs more the more it points the way of the first, for a query
    /// that ranks the first list low for that direction would rank the second low too.
    pub(super) fn assign(
        &self,
        query: &Int8Query,
        scale: f32,
        vector: &[f32],
        scores: &mut Vec<f32>,
    ) -> Assignment {
        let first = self.nearest(query, scale, scores);
        if self.len() == 1 {
            return Assignment { first, second: first };
        }
        let mut residual: Vec<f32> = vector.iter().zip(self.point(first)).map(|(x, c)| x - c).collect();
        let norm = residual.iter().map(|r| r * r).sum::<f32>().sqrt();
        if norm > 0.0 {
            for value in &mut residual {
                *value /= norm;
            }
        }
        let along_vector: f32 = vector.iter().zip(&residual).map(|(x, r)| x * r).sum();
        let (direction, encoded) = encode_query(&residual);
        let mut along = Vec::new();
        self.dots(&direction, encoded.scale, &mut along);
        let costs = scores
            .iter()
            .zip(&self.half_norms_squared)
            .zip(&along)
            .enumerate();
        let second = argmax(costs.map(|(list, ((dot, half), along))| {
            if list == first as usize {
                f32::NEG_INFINITY
            } else {
                2.0 * (dot - half) - ORTHOGONALITY * (along_vector - along).powi(2)
            }
        }));
        Assignment { first, second }
    }

    pub(super) fn bytes(&self) -> usize {
        (self.points.len() + self.scales.len() + self.half_norms_squared.len()) * size_of::<f32>()
            + self.codes.len() * LINE
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

fn argmax(scores: impl Iterator<Item = f32>) -> u32 {
    let mut best = (f32::NEG_INFINITY, 0);
    for (at, score) in scores.enumerate() {
        if score > best.0 {
            best = (score, at as u32);
        }
    }
    best.1
}

/// Centres scored by one call of the kernel.
const GROUP: usize = 16;

/// Vectors that each centre is trained on.
const SAMPLE_PER_LIST: usize = 64;

/// Rounds of k-means; more change the recall by less than what it varies with the seed.
const ROUNDS: usize = 10;

/// How much a second list's residual costs for pointing the way of the first's (lambda of the paper).
const ORTHOGONALITY: f32 = 1.0;
