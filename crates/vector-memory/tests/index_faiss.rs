//! The backend `faiss` behind the same trait.
#![cfg(feature = "faiss")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod index_support;

use index_support::{
    foreign::{self, DIM},
    recall, topical,
};
use whisperengine_vector_memory::index::{IndexConfig, IndexError, IndexKind, VectorIndex, build, empty};

/// Vectors from which on faiss is asked at all.
const TRAIN_AT: usize = 1_000;

fn index(count: usize) -> Box<dyn VectorIndex> {
    let mut config = IndexConfig::new(IndexKind::Faiss);
    "PQ16x4fs,RFlat".clone_into(&mut config.faiss);
    "k_factor_rf=20".clone_into(&mut config.faiss_search);
    build(DIM, &config, topical(count, DIM, 1).iter().map(Vec::as_slice)).unwrap()
}

#[test]
fn it_finds_most_of_the_nearest() {
    assert!(recall(index(2_000).as_ref(), &topical(50, DIM, 2), None) >= 0.9);
}

#[test]
fn it_is_exact_until_there_are_enough_to_train_on_and_grows_on() {
    let vectors = topical(2_500, DIM, 1);
    let mut index = index(TRAIN_AT - 1);
    assert_eq!(recall(index.as_ref(), &topical(50, DIM, 2), None), 1.0);
    for (slot, vector) in (0..).zip(&vectors).skip(TRAIN_AT - 1) {
        index.insert(slot, vector).unwrap();
    }
    assert!(recall(index.as_ref(), &topical(50, DIM, 2), None) >= 0.9);
}

#[test]
fn what_faiss_does_not_know_is_an_error() {
    let mut config = IndexConfig::new(IndexKind::Faiss);
    "nonsense".clone_into(&mut config.faiss);
    let error = empty(DIM, &config).unwrap_err();
    assert!(
        matches!(error, IndexError::Backend { backend: "faiss", .. }),
        "{error}"
    );
}

#[test]
fn deleted_and_replaced_vectors_are_not_returned() {
    foreign::deleted_and_replaced_vectors_are_not_returned(index(1_000).as_mut());
}

#[test]
fn a_filter_applies_and_a_saved_index_loads() {
    foreign::a_filter_applies_and_a_saved_index_loads(index(1_000).as_ref());
}
