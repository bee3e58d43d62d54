//! The backend `hnsw_rs` behind the same trait.
#![cfg(feature = "hnsw_rs")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod index_support;

use index_support::{recall, topical};
use whisperengine_vector_memory::index::{
    IndexConfig, IndexKind, SearchParams, SlotSet, VectorIndex, build, load,
};

const DIM: usize = 32;

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
    let vectors = topical(1_000, DIM, 1);
    let mut index = index(1_000);
    for slot in 0..400 {
        assert!(index.delete(slot));
    }
    let others = topical(400, DIM, 5);
    for (slot, other) in (0..200).zip(&others) {
        index.insert(slot, other).unwrap();
    }
    for (slot, other) in (600..800).zip(&others[200..]) {
        index.update(slot, other).unwrap();
    }
    for vector in &vectors {
        for hit in index.search(vector, &SearchParams::new(10), None).unwrap() {
            assert!(!(200..400).contains(&hit.slot));
            let held = index.vector(hit.slot).unwrap();
            assert!((index_support::dot(held, vector) - f64::from(hit.similarity.value())).abs() < 1e-5);
        }
    }
}

#[test]
fn a_filter_applies_and_a_saved_index_loads() {
    let index = index(1_000);
    let allowed: SlotSet = (0..1_000).filter(|slot| slot % 50 == 0).collect();
    assert_eq!(recall(index.as_ref(), &topical(20, DIM, 2), Some(&allowed)), 1.0);
    let mut file = Vec::new();
    index.save(&mut file).unwrap();
    let loaded = load(&mut file.as_slice(), &IndexConfig::new(IndexKind::HnswRs)).unwrap();
    assert_eq!((loaded.len(), loaded.kind()), (1_000, IndexKind::HnswRs));
}
