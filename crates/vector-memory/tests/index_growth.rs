//! The index that grows: answers before, during and after, and nothing lost on the way.
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod index_support;

use index_support::{naive, recall, topical};
use whisperengine_vector_memory::index::{
    AutoIndex, IndexConfig, IndexKind, SearchParams, VectorIndex, build, load,
};

const DIM: usize = 48;

fn config() -> IndexConfig {
    let mut config = IndexConfig::new(IndexKind::Auto);
    config.flat_below = 2_000;
    config
}

#[test]
fn it_is_exact_while_small_and_moves_when_it_has_grown() {
    let vectors = topical(3_000, DIM, 1);
    let mut index = AutoIndex::new(DIM, &config());
    for (slot, vector) in (0..).zip(&vectors) {
        index.insert(slot, vector).unwrap();
        assert_eq!(
            index.is_growing() || index.kind() == IndexKind::Ivf,
            slot + 1 >= 2_000
        );
        let hits = index.search(vector, &SearchParams::new(1), None).unwrap();
        assert_eq!(hits[0].slot, slot, "an answer is missing while the index grows");
    }
    index.settle();
    assert_eq!(index.kind(), IndexKind::Ivf);
    assert_eq!(index.len(), 3_000);
    assert!(recall(&index, &topical(100, DIM, 2), None) >= 0.96);
}

#[test]
fn changes_made_while_it_grows_are_all_in_the_next_index() {
    let vectors = topical(2_600, DIM, 1);
    let others = topical(2_600, DIM, 3);
    let mut index = AutoIndex::new(DIM, &config());
    for (slot, vector) in (0..).zip(&vectors[..2_000]) {
        index.insert(slot, vector).unwrap();
    }
    for slot in 2_000..2_600_u32 {
        index.insert(slot, &vectors[slot as usize]).unwrap();
        match slot % 4 {
            0 => assert!(index.delete(slot)),
            1 => assert!(index.delete(slot - 1_500)),
            2 => index
                .update(slot - 1_000, &others[slot as usize - 1_000])
                .unwrap(),
            _ => index.update(slot, &others[slot as usize]).unwrap(),
        }
    }
    index.settle();
    assert_eq!(index.kind(), IndexKind::Ivf);
    assert_eq!(index.len(), 2_600 - 300);
    for slot in 0..2_600_u32 {
        let at = slot as usize;
        let expected = if slot >= 2_000 {
            [None, Some(&vectors[at]), Some(&vectors[at]), Some(&others[at])][at % 4]
        } else if (1_000..1_600).contains(&slot) && slot % 4 == 2 {
            Some(&others[at])
        } else if (500..1_100).contains(&slot) && (slot + 1_500) % 4 == 1 {
            None
        } else {
            Some(&vectors[at])
        };
        assert_eq!(index.vector(slot), expected.map(Vec::as_slice), "slot {slot}");
        if let Some(vector) = expected {
            let hits = index.search(vector, &SearchParams::new(10), None).unwrap();
            assert!(
                hits.iter().any(|hit| hit.slot == slot),
                "slot {slot} does not find itself"
            );
        }
    }
}

#[test]
fn a_recall_of_one_keeps_it_exact_at_any_size() {
    let mut exact = config();
    exact.recall = 1.0;
    let vectors = topical(2_500, DIM, 1);
    let index = build(DIM, &exact, vectors.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(index.kind(), IndexKind::Flat);
    for query in topical(20, DIM, 2) {
        let hits = index.search(&query, &SearchParams::new(10), None).unwrap();
        let slots: Vec<u32> = hits.iter().map(|hit| hit.slot).collect();
        assert_eq!(slots, naive(index.as_ref(), &query, 10, None));
    }
}

#[test]
fn a_saved_index_is_of_the_same_kind_and_answers_the_same() {
    for count in [0, 300, 2_500] {
        let vectors = topical(count, DIM, 1);
        let mut index = build(DIM, &config(), vectors.iter().map(Vec::as_slice)).unwrap();
        index.delete(7);
        let mut file = Vec::new();
        index.save(&mut file).unwrap();
        let mut loaded = load(&mut file.as_slice(), &config()).unwrap();
        assert_eq!(
            (loaded.kind(), loaded.len(), loaded.slots()),
            (index.kind(), index.len(), index.slots())
        );
        for query in topical(30, DIM, 2) {
            let params = SearchParams::new(10);
            assert_eq!(
                loaded.search(&query, &params, None).unwrap(),
                index.search(&query, &params, None).unwrap()
            );
        }
        if count > 0 {
            loaded.insert(7, &vectors[7]).unwrap();
            assert_eq!(
                loaded.search(&vectors[7], &SearchParams::new(1), None).unwrap()[0].slot,
                7
            );
        }
    }
}
