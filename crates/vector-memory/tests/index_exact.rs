//! The exact index is exact, whatever is done to it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod index_support;

use index_support::{Random, dot, naive, topical, unit};
use proptest::prelude::*;
use whisperengine_vector_memory::index::{
    FlatIndex, IndexConfig, IndexError, IndexKind, SearchParams, SlotSet, VectorIndex, build,
};

/// Hits equal the naive search's, up to ties within rounding.
fn check(index: &dyn VectorIndex, query: &[f32], k: usize, allowed: Option<&SlotSet>) {
    let truth = naive(index, query, k, allowed);
    let hits = index.search(query, &SearchParams::new(k), allowed).unwrap();
    assert_eq!(hits.len(), truth.len());
    for (hit, slot) in hits.iter().zip(truth) {
        let expected = dot(index.vector(slot).unwrap(), query);
        assert!((f64::from(hit.similarity.value()) - expected).abs() < 1e-5);
        assert!(allowed.is_none_or(|allowed| allowed.contains(hit.slot)));
    }
}

fn flat(vectors: &[Vec<f32>]) -> Box<dyn VectorIndex> {
    let dim = vectors.first().map_or(1, Vec::len);
    build(
        dim,
        &IndexConfig::new(IndexKind::Flat),
        vectors.iter().map(Vec::as_slice),
    )
    .unwrap()
}

#[test]
fn the_k_best_are_found_at_many_sizes_and_dimensions() {
    for (count, dim) in [
        (0, 3),
        (1, 1),
        (5, 2),
        (130, 17),
        (300, 64),
        (2_000, 384),
        (1_000, 100),
    ] {
        let index = flat(&topical(count, dim, 1));
        for query in topical(10, dim, 2) {
            let dim_matches = index.dim() == dim;
            if dim_matches {
                for k in [1, 10, 2_500] {
                    check(index.as_ref(), &query, k, None);
                }
            }
        }
    }
}

#[test]
fn a_model_with_a_few_huge_dimensions_is_searched_exactly() {
    let spiked = |seed| {
        topical(1_000, 96, seed).into_iter().map(|mut vector| {
            vector[5] += 3.0;
            vector[60] -= 2.0;
            unit(vector)
        })
    };
    let index = flat(&spiked(1).collect::<Vec<_>>());
    for query in spiked(2).take(20) {
        check(index.as_ref(), &query, 10, None);
    }
}

#[test]
fn filters_apply_before_ranking() {
    let index = flat(&topical(3_000, 48, 1));
    let mut random = Random(3);
    for share in [1, 2, 10, 100, 1_000, 5_000] {
        let allowed: SlotSet = (0..3_000).filter(|_| random.below(share) == 0).collect();
        for query in topical(10, 48, 4) {
            check(index.as_ref(), &query, 10, Some(&allowed));
        }
    }
}

#[test]
fn the_exact_match_comes_first() {
    // Once, L2 distances were sorted as similarities, so that the exact match came last.
    let vectors = topical(500, 32, 1);
    let index = flat(&vectors);
    for (slot, vector) in (0..).zip(&vectors) {
        let hits = index.search(vector, &SearchParams::new(3), None).unwrap();
        assert_eq!(hits[0].slot, slot);
        assert!(hits[0].similarity.value() > 0.9999);
    }
}

#[test]
fn a_new_exact_match_is_visible_to_the_next_search() {
    let mut index = flat(&topical(500, 32, 1));
    let new = topical(1, 32, 9).remove(0);
    index.search(&new, &SearchParams::new(1), None).unwrap();
    index.insert(500, &new).unwrap();
    assert_eq!(
        index.search(&new, &SearchParams::new(1), None).unwrap()[0].slot,
        500
    );
}

#[test]
fn an_owner_with_few_among_many_gets_all_of_theirs() {
    // Once, 5 of 5,000 documents were filtered after the search, and 0.03 of 5 came back.
    let index = flat(&topical(5_000, 32, 1));
    let allowed: SlotSet = [17, 801, 2_402, 3_999, 4_998].into_iter().collect();
    for query in topical(20, 32, 2) {
        let hits = index
            .search(&query, &SearchParams::new(5), Some(&allowed))
            .unwrap();
        assert_eq!(hits.len(), 5);
    }
}

#[test]
fn a_zero_vector_is_stored_and_similar_to_nothing() {
    let mut index = FlatIndex::new(8);
    index.insert(0, &[0.0; 8]).unwrap();
    index.insert(1, &unit(vec![1.0; 8])).unwrap();
    let hits = index.search(&[0.0; 8], &SearchParams::new(2), None).unwrap();
    assert!(hits.iter().all(|hit| hit.similarity.value() == 0.0));
    assert_eq!(hits.len(), 2);
}

#[test]
fn misuse_is_a_typed_error_and_changes_nothing() {
    let mut index = FlatIndex::new(2);
    index.insert(0, &[1.0, 0.0]).unwrap();
    assert!(matches!(
        index.insert(0, &[0.0, 1.0]),
        Err(IndexError::SlotTaken { slot: 0 })
    ));
    assert!(matches!(
        index.insert(2, &[0.0, 1.0]),
        Err(IndexError::SlotGap { slot: 2, next: 1 })
    ));
    assert!(matches!(
        index.update(1, &[0.0, 1.0]),
        Err(IndexError::SlotEmpty { slot: 1 })
    ));
    assert!(matches!(
        index.insert(1, &[1.0]),
        Err(IndexError::DimensionMismatch { expected: 2, got: 1 })
    ));
    assert!(matches!(
        index.insert(1, &[1.0, 1.0]),
        Err(IndexError::NotUnit { .. })
    ));
    assert!(matches!(
        index.insert(1, &[f32::NAN, 1.0]),
        Err(IndexError::NotUnit { .. })
    ));
    assert!(matches!(
        index.search(&[f32::INFINITY, 0.0], &SearchParams::new(1), None),
        Err(IndexError::NotUnit { .. })
    ));
    assert!(!index.delete(7));
    assert_eq!((index.len(), index.slots()), (1, 1));
}

#[cfg(not(feature = "hnsw_rs"))]
#[test]
fn a_backend_that_is_not_compiled_in_says_which_feature_adds_it() {
    let error = build(4, &IndexConfig::new(IndexKind::HnswRs), []).unwrap_err();
    assert!(matches!(
        error,
        IndexError::BackendDisabled {
            backend: "hnsw_rs",
            feature: "hnsw_rs"
        }
    ));
}

#[test]
fn settings_out_of_range_and_unknown_kinds_are_named() {
    let mut config = IndexConfig::default();
    config.recall = 1.5;
    assert!(matches!(
        build(4, &config, []),
        Err(IndexError::InvalidConfig {
            setting: "recall (0 to 1)"
        })
    ));
    assert!(matches!(
        build(0, &IndexConfig::default(), []),
        Err(IndexError::InvalidConfig { .. })
    ));
    assert!(matches!(
        "sideways".parse::<IndexKind>(),
        Err(IndexError::InvalidConfig { .. })
    ));
    for kind in ["auto", "flat", "ivf", "hnsw_rs"] {
        assert_eq!(kind.parse::<IndexKind>().unwrap().to_string(), kind);
    }
}

#[derive(Debug, Clone)]
enum Change {
    Insert,
    Update(usize),
    Delete(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        4 => Just(Change::Insert),
        1 => any::<usize>().prop_map(Change::Update),
        2 => any::<usize>().prop_map(Change::Delete),
    ];
    prop::collection::vec(change, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_sequence_of_changes_keeps_searches_exact(changes in changes(), seed in any::<u64>()) {
        let mut index = FlatIndex::new(20);
        let mut vectors = topical(changes.len(), 20, seed).into_iter();
        let mut free: Vec<u32> = Vec::new();
        for change in changes {
            let vector = vectors.next().unwrap();
            match change {
                Change::Insert => {
                    let slot = free.pop().unwrap_or(index.slots());
                    index.insert(slot, &vector).unwrap();
                }
                Change::Update(at) if index.slots() > 0 => {
                    let slot = (at % index.slots() as usize) as u32;
                    let held = index.vector(slot).is_some();
                    assert_eq!(index.update(slot, &vector).is_ok(), held);
                }
                Change::Delete(at) if index.slots() > 0 => {
                    let slot = (at % index.slots() as usize) as u32;
                    if index.delete(slot) {
                        free.push(slot);
                    }
                }
                Change::Update(_) | Change::Delete(_) => {}
            }
        }
        for query in topical(3, 20, seed ^ 1) {
            check(&index, &query, 10, None);
        }
    }
}
