//! What an embedding may hold, and what similarity means at the edges.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use whisperengine_types::{Embedding, EmbeddingError, EmbeddingSpace, Similarity};

fn space(dim: usize) -> EmbeddingSpace {
    EmbeddingSpace::new("test", dim).unwrap()
}

fn embedding(values: &[f32]) -> Embedding {
    Embedding::new(&space(values.len()), values).unwrap()
}

fn values(dim: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-1000_f32..1000.0, dim)
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn a_value_that_is_not_finite_is_refused_and_named() {
    for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in 0..4 {
            let mut values = [1.0; 4];
            values[at] = bad;
            match Embedding::new(&space(4), values.to_vec()) {
                Err(EmbeddingError::NotFinite { index }) => assert_eq!(index, at),
                other => panic!("{bad} at {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_wrong_dimension_is_refused_with_both_numbers() {
    for got in [0, 1, 3, 5, 4096] {
        let refused = Embedding::new(&space(4), vec![0.5; got]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("embedding has {got} values, its space has 4 dimensions")
        );
    }
}

#[test]
fn a_space_has_a_name_and_a_possible_dimension() {
    for (model, dim) in [("", 4), ("m", 0), ("m", EmbeddingSpace::MAX_DIM + 1)] {
        assert!(matches!(
            EmbeddingSpace::new(model, dim),
            Err(EmbeddingError::InvalidSpace { .. })
        ));
        let json = format!(r#"{{"model":"{model}","dim":{dim}}}"#);
        assert!(serde_json::from_str::<EmbeddingSpace>(&json).is_err(), "{json}");
    }
    let largest = EmbeddingSpace::new("m", EmbeddingSpace::MAX_DIM).unwrap();
    assert_eq!(largest.to_string(), "m/65536");
}

#[test]
fn embeddings_of_different_spaces_are_not_compared() {
    let of = |model: &str, dim: usize| {
        let space = EmbeddingSpace::new(model, dim).unwrap();
        Embedding::new(&space, vec![1.0; dim]).unwrap()
    };
    for (a, b) in [(of("a", 3), of("b", 3)), (of("a", 3), of("a", 4))] {
        assert!(matches!(
            a.similarity(&b),
            Err(EmbeddingError::SpaceMismatch { .. })
        ));
    }
    assert_eq!(
        of("a", 3).similarity(&of("b", 3)).unwrap_err().to_string(),
        "embedding of space b/3 where a/3 is in use"
    );
}

#[test]
fn the_zero_embedding_is_similar_to_nothing() {
    let zero = embedding(&[0.0, -0.0, 0.0]);
    for other in [embedding(&[1.0, 2.0, 3.0]), zero.clone()] {
        assert_eq!(zero.similarity(&other).unwrap(), Similarity::ZERO);
        assert_eq!(other.similarity(&zero).unwrap(), Similarity::ZERO);
    }
}

#[test]
fn the_largest_and_the_smallest_numbers_neither_overflow_nor_vanish() {
    for value in [f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1)] {
        let (same, opposite) = (vec![value; 384], vec![-value; 384]);
        let a = embedding(&same);
        assert_eq!(a.similarity(&embedding(&same)).unwrap().value(), 1.0, "{value:e}");
        assert_eq!(
            a.similarity(&embedding(&opposite)).unwrap().value(),
            -1.0,
            "{value:e}"
        );
    }
}

proptest! {
    #[test]
    fn similarity_is_the_cosine(a in values(17), b in values(17)) {
        let dot: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        let norms = norm(&a) * norm(&b);
        prop_assume!(norms > 1e-6);
        let similarity = embedding(&a).similarity(&embedding(&b)).unwrap().value();
        prop_assert!((f64::from(similarity) - dot / norms).abs() < 1e-6);
    }

    #[test]
    fn similarity_is_symmetric_and_blind_to_length(a in values(8), b in values(8), by in 0.001_f32..1000.0) {
        let (left, right) = (embedding(&a), embedding(&b));
        let similarity = left.similarity(&right).unwrap();
        prop_assert_eq!(right.similarity(&left).unwrap(), similarity);
        let longer = embedding(&a.iter().map(|v| v * by).collect::<Vec<_>>());
        prop_assert!((longer.similarity(&right).unwrap().value() - similarity.value()).abs() < 1e-4);
    }

    #[test]
    fn everything_with_length_is_most_similar_to_itself(a in values(8), b in values(8)) {
        prop_assume!(norm(&a) > 1e-3);
        let (a, b) = (embedding(&a), embedding(&b));
        let own = a.similarity(&a).unwrap().value();
        prop_assert!((own - 1.0).abs() < 1e-6);
        prop_assert!(a.similarity(&b).unwrap().value() <= own + 1e-6);
    }

    #[test]
    fn a_similarity_never_leaves_its_range(bits in any::<u32>()) {
        let cosine = f32::from_bits(bits);
        let similarity = Similarity::new(cosine).value();
        prop_assert!((-1.0..=1.0).contains(&similarity));
        if (-1.0..=1.0).contains(&cosine) {
            prop_assert_eq!(similarity, cosine);
        }
        let distance = Similarity::new(cosine).to_distance().value();
        prop_assert!((0.0..=2.0).contains(&distance));
        prop_assert_eq!(distance, 1.0 - similarity);
    }

    #[test]
    fn json_keeps_every_bit(values in prop::collection::vec(any::<f32>().prop_filter("finite", |v| v.is_finite()), 1..40)) {
        let before = embedding(&values);
        let after: Embedding = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
        prop_assert_eq!(after.space(), before.space());
        let bits = |embedding: &Embedding| embedding.values().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&after), bits(&before));
    }
}

#[test]
fn json_cannot_smuggle_a_bad_embedding_in() {
    for (json, reason) in [
        (
            r#"{"space":{"model":"m","dim":2},"values":[1.0]}"#,
            "embedding has 1 values",
        ),
        (
            r#"{"space":{"model":"m","dim":2},"values":[1.0,1e39]}"#,
            "out of range",
        ),
        (
            r#"{"space":{"model":"m","dim":2},"values":[1.0,null]}"#,
            "invalid type",
        ),
        (
            r#"{"space":{"model":"","dim":2},"values":[1.0,1.0]}"#,
            "no embedding space",
        ),
        (
            r#"{"space":{"model":"m","dim":0},"values":[]}"#,
            "no embedding space",
        ),
    ] {
        let error = serde_json::from_str::<Embedding>(json).unwrap_err().to_string();
        assert!(error.contains(reason), "{json}: {error}");
    }
    assert_eq!(serde_json::from_str::<Similarity>("7.5").unwrap().value(), 1.0);
}
