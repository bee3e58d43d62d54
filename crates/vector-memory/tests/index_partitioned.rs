//! The partitioned index: recall, reachability and repair.
#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod index_support;

use index_support::{Random, naive, recall, topical};
use whisperengine_vector_memory::index::{
    IndexConfig, IndexKind, IvfIndex, SearchParams, SlotSet, VectorIndex, build,
};

const DIM: usize = 64;

fn config() -> IndexConfig {
    IndexConfig::new(IndexKind::Ivf)
}

fn ivf(vectors: &[Vec<f32>], config: &IndexConfig) -> Box<dyn VectorIndex> {
    build(DIM, config, vectors.iter().map(Vec::as_slice)).unwrap()
}

fn unreachable(index: &dyn VectorIndex) -> usize {
    let params = SearchParams::new(10);
    (0..index.slots())
        .filter(|&slot| {
            index.vector(slot).is_some_and(|vector| {
                !index
                    .search(vector, &params, None)
                    .unwrap()
                    .iter()
                    .any(|hit| hit.slot == slot)
            })
        })
        .count()
}

#[test]
fn the_recall_asked_for_is_reached() {
    let index = ivf(&topical(6_000, DIM, 1), &config());
    let queries = topical(200, DIM, 2);
    for asked in [0.9, 0.95, 0.98, 0.99, 1.0] {
        let (mut found, mut wanted) = (0, 0);
        for query in &queries {
            let truth = naive(index.as_ref(), query, 10, None);
            let hits = index
                .search(query, &SearchParams::new(10).recall(asked), None)
                .unwrap();
            found += hits.iter().filter(|hit| truth.contains(&hit.slot)).count();
            wanted += truth.len();
        }
        let got = f64::from(found as u32) / f64::from(wanted as u32);
        // The plan is learnt from a sample of 256 vectors: a little of luck is left.
        assert!(
            got >= f64::from(asked) - 0.015,
            "recall {got} where {asked} was asked for"
        );
    }
}

#[test]
fn one_list_probed_does_not_mean_one_in_twenty_found() {
    // Once, a fixed single probe gave recall@10 0.05 on random vectors.
    let mut random = Random(5);
    let vectors: Vec<_> = (0..3_000)
        .map(|_| index_support::unit((0..DIM).map(|_| random.normal()).collect()))
        .collect();
    let index = ivf(&vectors[..2_900], &config());
    assert!(recall(index.as_ref(), &vectors[2_900..], None) >= 0.96);
}

#[test]
fn too_few_vectors_to_train_on_are_no_error_and_are_searched_exactly() {
    // Once, an add to an untrained index failed and was retried for ever; nothing was searchable meanwhile.
    let vectors = topical(1_200, DIM, 1);
    let mut index = IvfIndex::new(DIM, &config());
    for (slot, vector) in (0..).zip(&vectors) {
        index.insert(slot, vector).unwrap();
        let hits = index.search(vector, &SearchParams::new(10), None).unwrap();
        assert!(
            hits.iter().any(|hit| hit.slot == slot),
            "vector {slot} is not searchable at once"
        );
        assert_eq!(index.lists() == 1, slot + 1 < 1_000);
    }
}

#[test]
fn centres_are_learnt_again_as_the_index_grows() {
    // Once, the first batch was all that was ever trained on.
    let vectors = topical(4_100, DIM, 1);
    let mut index = IvfIndex::new(DIM, &config());
    let mut sizes = Vec::new();
    for (slot, vector) in (0..).zip(&vectors) {
        index.insert(slot, vector).unwrap();
        if sizes.last() != Some(&index.lists()) {
            sizes.push(index.lists());
        }
    }
    assert_eq!(
        sizes.len(),
        3,
        "one list, then those of 1,000 and of 4,000 vectors: {sizes:?}"
    );
    assert!(recall(&index, &topical(100, DIM, 2), None) >= 0.96);
}

#[test]
fn every_vector_finds_itself_after_a_parallel_build_changes_and_a_reload() {
    let vectors = topical(4_000, DIM, 1);
    let mut parallel = config();
    parallel.threads = 4;
    let mut index = ivf(&vectors, &parallel);
    assert_eq!(unreachable(index.as_ref()), 0);

    let mut random = Random(11);
    for _ in 0..3 {
        let gone: Vec<u32> = (0..index.slots()).filter(|_| random.below(5) == 0).collect();
        let held: Vec<Vec<f32>> = gone
            .iter()
            .map(|&slot| index.vector(slot).unwrap().to_vec())
            .collect();
        for &slot in &gone {
            assert!(index.delete(slot));
        }
        for (slot, vector) in gone.iter().rev().zip(&held) {
            index.insert(*slot, vector).unwrap();
        }
    }
    assert_eq!(unreachable(index.as_ref()), 0);

    let mut file = Vec::new();
    index.save(&mut file).unwrap();
    let loaded = whisperengine_vector_memory::index::load(&mut file.as_slice(), &config()).unwrap();
    assert_eq!(unreachable(loaded.as_ref()), 0);
}

#[test]
fn among_so_many_lists_that_their_centres_are_estimated_nothing_is_lost() {
    let vectors = topical(20_000, DIM, 1);
    let mut many = config();
    many.lists = Some(2_200);
    let mut index = ivf(&vectors, &many);
    for slot in (0..20_000).step_by(4) {
        assert!(index.delete(slot));
    }
    for slot in (0..20_000).step_by(8) {
        index.insert(slot, &vectors[slot as usize]).unwrap();
    }
    assert_eq!(unreachable(index.as_ref()), 0);
    let queries = topical(100, DIM, 2);
    assert!(recall(index.as_ref(), &queries, None) >= 0.97);
    let allowed: SlotSet = (0..20_000).filter(|slot| slot % 3 == 1).collect();
    assert!(recall(index.as_ref(), &queries, Some(&allowed)) >= 0.97);

    let mut file = Vec::new();
    index.save(&mut file).unwrap();
    let loaded = whisperengine_vector_memory::index::load(&mut file.as_slice(), &many).unwrap();
    assert_eq!(unreachable(loaded.as_ref()), 0);
    let hits = |index: &dyn VectorIndex| {
        let found = queries
            .iter()
            .map(|query| index.search(query, &SearchParams::new(10), None));
        found.collect::<Result<Vec<_>, _>>().unwrap()
    };
    assert_eq!(hits(index.as_ref()), hits(loaded.as_ref()));
}

#[test]
fn deleted_vectors_are_never_returned_and_leave_no_trace() {
    let vectors = topical(3_000, DIM, 1);
    let mut index = ivf(&vectors, &config());
    for slot in (0..3_000).step_by(3) {
        assert!(index.delete(slot));
        assert!(!index.delete(slot));
        assert_eq!(index.vector(slot), None);
    }
    assert_eq!(index.len(), 2_000);
    for vector in vectors.iter().step_by(3) {
        let hits = index.search(vector, &SearchParams::new(10), None).unwrap();
        assert_eq!(hits.len(), 10);
        assert!(hits.iter().all(|hit| hit.slot % 3 != 0));
    }
}

#[test]
fn churn_does_not_cost_recall() {
    let vectors = topical(5_000, DIM, 1);
    let queries = topical(200, DIM, 2);
    let mut index = ivf(&vectors, &config());
    let before = recall(index.as_ref(), &queries, None);
    let mut random = Random(3);
    for _ in 0..10 {
        let gone: Vec<u32> = (0..5_000).filter(|_| random.below(5) == 0).collect();
        for &slot in &gone {
            index.delete(slot);
        }
        for &slot in &gone {
            index.insert(slot, &vectors[slot as usize]).unwrap();
        }
    }
    let after = recall(index.as_ref(), &queries, None);
    assert!(after >= before - 0.005, "recall fell from {before} to {after}");
}

#[test]
fn an_update_moves_a_vector() {
    let vectors = topical(2_000, DIM, 1);
    let mut index = ivf(&vectors, &config());
    let new = topical(1, DIM, 77).remove(0);
    index.update(42, &new).unwrap();
    assert_eq!(
        index.search(&new, &SearchParams::new(1), None).unwrap()[0].slot,
        42
    );
    let hits = index.search(&vectors[42], &SearchParams::new(1), None).unwrap();
    assert_ne!(hits[0].slot, 42);
}

#[test]
fn filters_keep_the_recall_whether_spread_out_or_far_away() {
    let vectors = topical(12_000, DIM, 1);
    let index = ivf(&vectors, &config());
    let queries = topical(60, DIM, 2);
    let mut random = Random(3);
    for one_in in [1_000, 100, 10, 2] {
        let allowed: SlotSet = (0..12_000).filter(|_| random.below(one_in) == 0).collect();
        let got = recall(index.as_ref(), &queries, Some(&allowed));
        assert!(got >= 0.96, "recall {got} where one in {one_in} is allowed");
    }
    // Those least like the query: the lists near to it hold none of them.
    for query in queries.iter().take(20) {
        let mut far = naive(index.as_ref(), query, 12_000, None);
        let far: SlotSet = far.split_off(6_500).into_iter().collect();
        let got = recall(index.as_ref(), std::slice::from_ref(query), Some(&far));
        assert!(got >= 0.5, "recall {got} among those far from the query");
        assert_eq!(
            index
                .search(query, &SearchParams::new(10), Some(&far))
                .unwrap()
                .len(),
            10
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_index_on_any_number_of_threads() {
    let vectors = topical(3_000, DIM, 1);
    let saved = |threads, seed| {
        let mut config = config();
        (config.threads, config.seed) = (threads, seed);
        let mut file = Vec::new();
        ivf(&vectors, &config).save(&mut file).unwrap();
        file
    };
    assert!(saved(1, 0) == saved(3, 0));
    assert!(saved(1, 0) != saved(1, 1));
}

#[test]
fn a_thousand_searches_run_on_many_threads_at_once() {
    // Once, one lock was around every search.
    let vectors = topical(2_000, DIM, 1);
    let index = ivf(&vectors, &config());
    std::thread::scope(|scope| {
        for part in vectors.chunks(500) {
            let index = index.as_ref();
            scope.spawn(move || {
                for vector in part {
                    assert_eq!(
                        index.search(vector, &SearchParams::new(10), None).unwrap().len(),
                        10
                    );
                }
            });
        }
    });
}

#[test]
fn memory_is_accounted_for() {
    let index = ivf(
        &topical(4_000, 384, 1)
            .iter()
            .map(|v| v[..DIM].to_vec())
            .map(index_support::unit)
            .collect::<Vec<_>>(),
        &config(),
    );
    let memory = index.memory();
    assert!(memory.originals >= 4_000 * DIM * 4);
    assert!(memory.rest >= 4_000 * (DIM + 2 * DIM / 8));
    assert!(
        memory.rest <= 4_000 * 600,
        "{} bytes beside the originals",
        memory.rest
    );
}
