//! Dot products in lanes: a strict sum of floats does not vectorise, independent partial sums do.

/// The dot product of `query` and a row of codes, in code units.
pub(super) fn dot_codes(query: &[f32], high: &[i8], low: &[u8]) -> f32 {
    let (query_lanes, query_rest) = query.as_chunks::<LANES>();
    let (high_lanes, high_rest) = high.as_chunks::<LANES>();
    let (low_lanes, low_rest) = low.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for ((query, high), low) in query_lanes.iter().zip(high_lanes).zip(low_lanes) {
        for lane in 0..LANES {
            sums[lane] += query[lane] * code(high[lane], low[lane]);
        }
    }
    let rest = query_rest.iter().zip(high_rest).zip(low_rest);
    let rest: f32 = rest.map(|((query, &high), &low)| query * code(high, low)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Euclidean length, summed in double precision.
pub(crate) fn norm(values: &[f32]) -> f64 {
    values
        .iter()
        .map(|&x| f64::from(x) * f64::from(x))
        .sum::<f64>()
        .sqrt()
}

fn code(high: i8, low: u8) -> f32 {
    f32::from(i16::from_le_bytes([low, high.cast_unsigned()]))
}

const LANES: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{partition::Codes, record::Coordinates};

    proptest! {
        #[test]
        fn codes_stay_within_their_bound(values in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0), 1..100)) {
            let (query, row): (Vec<f32>, Vec<f32>) = values.into_iter().unzip();
            let (query_norm, row_norm) = (norm(&query), norm(&row));
            prop_assume!(query_norm > 0.0 && row_norm > 0.0);
            let query: Vec<f32> = query.iter().map(|&x| (f64::from(x) / query_norm) as f32).collect();
            let exact: f64 = query.iter().zip(&row).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() / row_norm;
            let mut codes = Codes::default();
            codes.push(&Coordinates::Exact(row));
            let l1 = query.iter().map(|x| x.abs()).sum();
            let off = (f64::from(codes.similarity(&query, 0)) - exact).abs();
            prop_assert!(off <= f64::from(codes.error_bound(l1, 0)), "{off}");
        }
    }

    #[test]
    fn the_zero_row_is_similar_to_nothing_and_tiny_and_huge_ones_keep_their_direction() {
        let mut codes = Codes::default();
        codes.push(&Coordinates::Exact(vec![0.0; 3]));
        assert_eq!(codes.similarity(&[1.0, 0.0, 0.0], 0), 0.0);
        for (row, x) in [(1, 1e-45), (2, f32::MIN_POSITIVE), (3, 1.0), (4, f32::MAX)] {
            codes.push(&Coordinates::Exact(vec![x; 3]));
            let similarity = codes.similarity(&[1.0, 0.0, 0.0], row);
            assert!(
                (similarity - 3.0_f32.sqrt().recip()).abs() < 1e-4,
                "{x}: {similarity}"
            );
        }
    }
}
