//! The directions in which vectors differ from the centres of their lists.
//!
//! Embeddings do not differ alike in all directions. Where codes are so many that a search waits for reading them, only
//! what a residual has along the directions that hold most of it is coded: a code becomes shorter by more than its
//! estimate becomes worse. The directions are the leading eigenvectors of the residuals' covariance (a principal
//! component analysis), found by orthogonal iteration (Golub and Van Loan, Matrix Computations, 8.2.4), and then turned at random among
//! themselves, for codes of one bit want coordinates that are alike.

use std::borrow::Cow;

use ndarray::{Array2, Axis, CowArray, Ix2, s};

use super::{build::residuals, centroids::Centroids, packed::Packed};
use crate::{
    index::{
        random::SplitMix,
        rotation::Rotation,
        rows::{Query, Rows},
    },
    kernel::CODE_GROUP,
};

/// What of a residual is coded: its coordinates along some directions, or, where there are none, those it has.
#[derive(Debug, Clone, Default)]
pub(in crate::index) struct Directions {
    /// One a row, orthonormal.
    rows: Array2<f32>,
    packed: Packed,
}

impl Directions {
    /// Those that the rows of a matrix are.
    pub(in crate::index) fn from_rows(rows: Array2<f32>) -> Self {
        let packed = Packed::new(&rows);
        Self { rows, packed }
    }

    /// Learns those for some lists: none where lists are few, where it takes nearly all directions to hold most of the
    /// residuals, or where dimensions are so many that finding out takes longer than the rest of building.
    pub(super) fn learn(rows: &Rows, centroids: &Centroids, slots: &[u32], seed: u64) -> Self {
        let dim = rows.dim();
        if !centroids.are_many() || dim > MOST_DIMENSIONS {
            return Self::default();
        }
        let mut random = SplitMix::new(seed.wrapping_add(2));
        let sample = random.sample(slots, SAMPLE.max(SAMPLE_PER_DIMENSION * dim));
        let nearest = |slot| {
            let query = rows.stored_query(slot);
            centroids.point(centroids.near(&query, &centroids.table(&query)).own)
        };
        let mut covariance = Array2::<f64>::zeros((dim, dim));
        for some in sample.chunks(AT_ONCE) {
            let residuals = residuals(rows, some, nearest);
            covariance += &residuals.t().dot(&residuals).mapv(f64::from);
        }
        let (basis, energies) = eigenvectors(&covariance, &mut random);
        let count = holding(&energies, ENERGY).next_multiple_of(8 * CODE_GROUP);
        if count as f32 > MOST * dim as f32 {
            return Self::default();
        }
        let mut rows = basis.slice(s![..count, ..]).mapv(|x| x as f32);
        turn(&mut rows);
        Self::from_rows(rows)
    }

    /// How many coordinates are coded of `dim`.
    pub(super) fn bits(&self, dim: usize) -> usize {
        if self.rows.is_empty() {
            dim
        } else {
            self.rows.nrows()
        }
    }

    /// One a row, no row where there are none.
    pub(super) fn rows(&self) -> &Array2<f32> {
        &self.rows
    }

    /// The coordinates of residuals, one a row.
    pub(super) fn of<'a>(&self, residuals: &'a Array2<f32>) -> CowArray<'a, f32, Ix2> {
        if self.rows.is_empty() {
            residuals.into()
        } else {
            residuals.dot(&self.rows.t()).into()
        }
    }

    /// The same of a query.
    pub(super) fn of_query<'a>(&self, query: &'a Query<'_>) -> Cow<'a, [f32]> {
        if self.rows.is_empty() {
            Cow::Borrowed(&query.rotated)
        } else {
            Cow::Owned(self.packed.dots(&query.int8, query.scale))
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.len() * size_of::<f32>() + self.packed.bytes()
    }
}

/// How many of the first numbers it takes for a share of the sum of all.
fn holding(numbers: &[f64], share: f64) -> usize {
    let enough = share * numbers.iter().sum::<f64>();
    let mut held = 0.0;
    let missing = numbers.iter().take_while(|&&number| {
        held += number;
        held < enough
    });
    (missing.count() + 1).min(numbers.len())
}

/// Turns orthonormal rows at random among themselves.
fn turn(rows: &mut Array2<f32>) {
    let rotation = Rotation::new(rows.nrows());
    for mut column in rows.axis_iter_mut(Axis(1)) {
        let mut turned = column.to_vec();
        rotation.apply(&mut turned);
        column.assign(&ndarray::aview1(&turned));
    }
}

/// Orthonormal rows that approach the eigenvectors of a symmetric matrix without negative eigenvalues, the greatest
/// first, and what the matrix has in the direction of each.
fn eigenvectors(matrix: &Array2<f64>, random: &mut SplitMix) -> (Array2<f64>, Vec<f64>) {
    let start = || random.below(1 << 20) as f64 - f64::from(1 << 19);
    let mut basis = Array2::from_shape_simple_fn(matrix.raw_dim(), start);
    orthonormalise(&mut basis);
    for _ in 0..ROUNDS {
        basis = basis.dot(matrix);
        orthonormalise(&mut basis);
    }
    let images = basis.dot(matrix);
    let pairs = images.axis_iter(Axis(0)).zip(basis.axis_iter(Axis(0)));
    let energies = pairs.map(|(image, row)| image.dot(&row)).collect();
    (basis, energies)
}

/// Gram-Schmidt, each row twice: once leaves errors of rounding where rows are nearly alike.
fn orthonormalise(basis: &mut Array2<f64>) {
    for at in 0..basis.nrows() {
        let (done, mut rest) = basis.view_mut().split_at(Axis(0), at);
        let mut row = rest.row_mut(0);
        for _ in 0..2 {
            let along = done.dot(&row);
            row -= &along.dot(&done);
        }
        let norm = row.dot(&row).sqrt();
        if norm > 0.0 {
            row /= norm;
        }
    }
}

/// Residuals to learn from, at least, and for each dimension.
const SAMPLE: usize = 16_384;
const SAMPLE_PER_DIMENSION: usize = 16;

/// Residuals in memory at a time.
const AT_ONCE: usize = 4_096;

/// Dimensions up to which directions are learnt: their number enters to the third power.
const MOST_DIMENSIONS: usize = 2_048;

/// Rounds of orthogonal iteration.
const ROUNDS: usize = 12;

/// The share of the residuals' squares that the directions hold.
const ENERGY: f64 = 0.91;

/// No directions where it takes a greater share of them than this.
const MOST: f32 = 0.8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{IndexConfig, IndexKind, IvfIndex, SearchParams, VectorIndex, load};

    #[test]
    fn eigenvectors_are_orthonormal_and_the_greatest_come_first() {
        // Around some axes that are not those of the coordinates.
        let mut random = SplitMix::new(7);
        let mut axes = Array2::from_shape_simple_fn((12, 12), || random.below(1_000) as f64 - 500.0);
        orthonormalise(&mut axes);
        let scaled =
            Array2::from_diag(&ndarray::Array1::from_iter((0..12).map(|at| 0.5_f64.powi(at)))).dot(&axes);
        let matrix = axes.t().dot(&scaled);
        let (basis, energies) = eigenvectors(&matrix, &mut random);
        for (at, (row, energy)) in basis.axis_iter(Axis(0)).zip(&energies).enumerate() {
            assert!((energy - 0.5_f64.powi(at as i32)).abs() < 1e-3, "{at}: {energy}");
            for (other, second) in basis.axis_iter(Axis(0)).enumerate() {
                let expected = if at == other { 1.0 } else { 0.0 };
                assert!((row.dot(&second) - expected).abs() < 1e-9);
            }
        }
        assert_eq!(holding(&energies, 0.7), 2);
        assert_eq!(holding(&energies, 1.0), 12);
        assert_eq!(holding(&[], 0.5), 0);
    }

    /// Unit vectors around 40 axes, which differ from these the less the later a coordinate comes.
    fn vectors(count: usize, dim: usize) -> Vec<Vec<f32>> {
        let mut random = SplitMix::new(3);
        let mut number = move || random.below(2_001) as f32 / 1_000.0 - 1.0;
        let vector = |at: usize| {
            let mut vector: Vec<f32> = (0..dim).map(|i| number() * 0.96_f32.powi(i as i32)).collect();
            vector[at % 40] += 2.0;
            let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
            vector.iter_mut().for_each(|x| *x /= norm);
            vector
        };
        (0..count).map(vector).collect()
    }

    #[test]
    fn codes_along_some_directions_find_what_an_exact_search_finds_also_when_loaded() {
        const DIM: usize = 96;
        let vectors = vectors(18_000, DIM);
        let mut config = IndexConfig::new(IndexKind::Ivf);
        config.lists = Some(2_100);
        let mut rows = Rows::new(DIM);
        for (slot, vector) in (0..).zip(&vectors) {
            rows.insert(slot, vector).expect("a unit vector in the next slot");
        }
        let mut index = IvfIndex::from_rows(rows, &config);
        let bits = index.centroids.directions().bits(DIM);
        assert!(bits < DIM, "{bits} bits of a code");
        for slot in (0..18_000).step_by(90) {
            assert!(index.delete(slot));
            let vector = &vectors[slot as usize];
            index.insert(slot, vector).expect("a unit vector in a free slot");
        }
        let mut file = Vec::new();
        index.save(&mut file).expect("memory takes all");
        let loaded = load(&mut file.as_slice(), &config).expect("it was just saved");
        let mut found = 0;
        for (query, own) in vectors.iter().step_by(90).zip((0..).step_by(90)) {
            let search = |recall| {
                let hits = index.search(query, &SearchParams::new(10).recall(recall), None);
                hits.expect("a valid query")
            };
            let (about, exact) = (search(0.95), search(1.0));
            assert_eq!(about[0].slot, own);
            found += about.iter().filter(|hit| exact.contains(hit)).count();
            let again = loaded.search(query, &SearchParams::new(10).recall(0.95), None);
            assert_eq!(again.expect("a valid query"), about);
        }
        assert!(found >= 1_900, "{found} of 2,000");
    }

    #[test]
    fn turned_rows_span_the_same_and_stay_orthonormal() {
        let mut rows = Array2::eye(10).slice_move(s![..6, ..]);
        turn(&mut rows);
        let products = rows.dot(&rows.t());
        assert!(
            (&products - &Array2::<f32>::eye(6))
                .iter()
                .all(|x: &f32| x.abs() < 1e-5)
        );
        assert!(rows.slice(s![.., 6..]).iter().all(|&x| x == 0.0));
        assert!(rows.slice(s![.., ..6]).iter().all(|&x| x.abs() < 0.99));
    }
}
