//! What every foreign backend has to do behind the trait.

use whisperengine_vector_memory::index::{IndexConfig, SearchParams, SlotSet, VectorIndex, load};

use super::{dot, recall, topical};

/// Dimensions of the vectors.
pub const DIM: usize = 32;

/// An index with `topical(1_000, DIM, 1)` loses 400 of them, takes 200 others in their places and replaces
/// 200 more.
pub fn deleted_and_replaced_vectors_are_not_returned(index: &mut dyn VectorIndex) {
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
    for vector in &topical(1_000, DIM, 1) {
        for hit in index.search(vector, &SearchParams::new(10), None).unwrap() {
            assert!(!(200..400).contains(&hit.slot));
            let held = index.vector(hit.slot).unwrap();
            assert!((dot(held, vector) - f64::from(hit.similarity.value())).abs() < 1e-5);
        }
    }
}

/// The same for an index of a thousand vectors, saved and loaded again.
pub fn a_filter_applies_and_a_saved_index_loads(index: &dyn VectorIndex) {
    let allowed: SlotSet = (0..1_000).filter(|slot| slot % 50 == 0).collect();
    assert_eq!(recall(index, &topical(20, DIM, 2), Some(&allowed)), 1.0);
    let mut file = Vec::new();
    index.save(&mut file).unwrap();
    let loaded = load(&mut file.as_slice(), &IndexConfig::new(index.kind())).unwrap();
    assert_eq!((loaded.len(), loaded.kind()), (1_000, index.kind()));
}
