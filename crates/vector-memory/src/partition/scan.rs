//! Lengths of embeddings, and what the codes' bounds are worth.

/// Euclidean length, summed in double precision.
pub(crate) fn norm(values: &[f32]) -> f64 {
    let square = |x: f32| f64::from(x) * f64::from(x);
    let (blocks, rest) = values.as_chunks::<8>();
    // A strict sum does not vectorise, independent partial sums do.
    let mut sums = [0.0; 8];
    for block in blocks {
        for (sum, &x) in sums.iter_mut().zip(block) {
            *sum += square(x);
        }
    }
    let rest: f64 = rest.iter().map(|&x| square(x)).sum();
    (sums.iter().sum::<f64>() + rest).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        partition::{CoarseQuery, Codes},
        record::Coordinates,
    };

    proptest! {
        #[test]
        fn codes_stay_within_their_bound(values in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..100)) {
            let (query, row): (Vec<f32>, Vec<f32>) = values.into_iter().unzip();
            let (query_norm, row_norm) = (norm(&query), norm(&row));
            prop_assume!(query_norm > 0.0 && row_norm > 0.0);
            let query: Vec<f32> = query.iter().map(|&x| (f64::from(x) / query_norm) as f32).collect();
            let exact: f64 = query.iter().zip(&row).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() / row_norm;
            let mut codes = Codes::default();
            codes.push(&Coordinates::Exact(row.into()));
            let l1 = query.iter().map(|x| x.abs()).sum();
            let off = (f64::from(codes.similarity(&query, 0)) - exact).abs();
            prop_assert!(off <= f64::from(codes.error_bound(l1, 0)), "{off}");
            let coarse = CoarseQuery::new(&query);
            let mut off = f64::INFINITY;
            codes.coarse_similarities(&coarse, |_| true, |_, cosine| off = (f64::from(cosine) - exact).abs());
            let bound = codes.coarse_error_bound(&coarse, l1, 0);
            prop_assert!(off <= f64::from(bound), "{off}");
            prop_assert!(bound <= codes.widest_coarse_error_bound(&coarse, l1));
        }
    }

    #[test]
    fn the_zero_row_is_similar_to_nothing_and_tiny_and_huge_ones_keep_their_direction() {
        let mut codes = Codes::default();
        codes.push(&Coordinates::Exact(vec![0.0; 3].into()));
        assert_eq!(codes.similarity(&[1.0, 0.0, 0.0], 0), 0.0);
        for (row, x) in [(1, 1e-45), (2, f32::MIN_POSITIVE), (3, 1.0), (4, f32::MAX)] {
            codes.push(&Coordinates::Exact(vec![x; 3].into()));
            let similarity = codes.similarity(&[1.0, 0.0, 0.0], row);
            assert!(
                (similarity - 3.0_f32.sqrt().recip()).abs() < 1e-4,
                "{x}: {similarity}"
            );
        }
    }
}
