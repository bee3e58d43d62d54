//! The backend `hnsw_rs` behind the same trait.
#![cfg(feature = "hnsw_rs")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod index_support;

use index_support::{
    foreign::{self, DIM},
    recall, topical,
};
use whisperengine_vector_memory::index::{IndexConfig, IndexKind, VectorIndex, build};

fn index(count: usize) -> Box<dyn VectorIndex> {
    let mut config = IndexConfig::new(IndexKind::HnswRs);
    config.ef_search = 200;
    build(DIM, &config, topical(count, DIM, 1).iter().map(Vec::as_slice)).unwrap()
}

#[test]
fn it_finds_most_of_the_nearest() {
    assert!(recall(index(2_000).as_ref(), &topical(50, DIM, 2), None) >= 0.9);
}

#[test]
fn deleted_and_replaced_vectors_are_not_returned() {
    foreign::deleted_and_replaced_vectors_are_not_returned(index(1_000).as_mut());
}

#[test]
fn a_filter_applies_and_a_saved_index_loads() {
    foreign::a_filter_applies_and_a_saved_index_loads(index(1_000).as_ref());
}
