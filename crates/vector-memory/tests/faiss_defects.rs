//! The defects of the predecessor's Faiss memory, each as something that must not happen here.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::thread;

use support::{Numbers, at, id, in_memory, open, person, record};
use whisperengine_types::{Comparison, Filter, MemoryRecord, MetadataValue, RecallQuery};
use whisperengine_vector_memory::OwnerMemory;

fn stored(
    name: &str,
    text: &str,
    numbers: &mut Numbers,
    owner: &OwnerMemory,
    space_of: &str,
) -> MemoryRecord {
    let space = support::embedder().space().clone();
    let mut record = record(name, text);
    record.embedding = Some(numbers.embedding(&space));
    record
        .metadata
        .insert("user".to_owned(), MetadataValue::from(space_of));
    owner.remember(record.clone()).unwrap();
    record
}

#[test]
fn a_thousand_adds_are_searchable_at_once_and_survive_a_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(1);
    let space = support::embedder().space().clone();
    let records: Vec<MemoryRecord> = (0..1000)
        .map(|n| {
            let mut record = record(&format!("m{n}"), "text");
            record.embedding = Some(numbers.embedding(&space));
            record
        })
        .collect();
    let find_each = |owner: &OwnerMemory| {
        for record in &records {
            let hits = owner
                .search(record.embedding.as_ref().unwrap(), 1, &Filter::Any)
                .unwrap();
            assert_eq!(hits[0].id, record.id);
        }
    };
    {
        let owner = open(folder.path()).owner(&person("ana"));
        for result in owner.remember_all(records.clone()) {
            result.unwrap();
        }
        find_each(&owner);
    }
    find_each(&open(folder.path()).owner(&person("ana")));
}

#[test]
fn the_exact_match_comes_first_not_last() {
    let owner = in_memory().owner(&person("ana"));
    let mut numbers = Numbers(2);
    let target = stored("target", "text", &mut numbers, &owner, "a");
    for n in 0..50 {
        stored(&format!("m{n}"), "text", &mut numbers, &owner, "a");
    }
    let hits = owner
        .search(target.embedding.as_ref().unwrap(), 51, &Filter::Any)
        .unwrap();
    assert_eq!(hits[0].id, id("target"));
    assert!(hits[0].similarity.value() > 0.9999);
    assert!(
        hits.windows(2)
            .all(|pair| pair[0].similarity >= pair[1].similarity)
    );
}

#[test]
fn five_documents_of_five_thousand_are_all_found_through_a_filter() {
    let owner = in_memory().owner(&person("ana"));
    let space = support::embedder().space().clone();
    let mut numbers = Numbers(3);
    let records = (0..5000).map(|n| {
        let mut record = record(&format!("m{n}"), "text");
        record.embedding = Some(numbers.embedding(&space));
        let user = if n % 1000 == 7 { "rare" } else { "other" };
        record
            .metadata
            .insert("user".to_owned(), MetadataValue::from(user));
        record
    });
    for result in owner.remember_all(records.collect::<Vec<_>>()) {
        result.unwrap();
    }
    let filter = Filter::Metadata {
        key: "user".to_owned(),
        is: Comparison::Eq(MetadataValue::from("rare")),
    };
    let hits = owner.search(&Numbers(4).embedding(&space), 5, &filter).unwrap();
    let mut found: Vec<String> = hits.iter().map(|hit| hit.id.to_string()).collect();
    found.sort_unstable();
    assert_eq!(found, ["m1007", "m2007", "m3007", "m4007", "m7"]);
}

#[test]
fn a_new_exact_match_is_visible_to_a_repeated_query() {
    let owner = in_memory().owner(&person("ana"));
    owner.remember(record("old", "a walk by the sea")).unwrap();
    let query = RecallQuery::new("the lighthouse keeper", 5, at(0));
    assert_eq!(owner.recall(&query).unwrap().memories.len(), 1);
    owner.remember(record("new", "the lighthouse keeper")).unwrap();
    assert_eq!(owner.recall(&query).unwrap().memories[0].memory.id, id("new"));
    owner.forget(&id("new")).unwrap();
    assert_eq!(owner.recall(&query).unwrap().memories[0].memory.id, id("old"));
}

#[test]
fn searches_run_beside_each_other_and_beside_writes() {
    let memory = in_memory();
    let owners: Vec<OwnerMemory> = (0..4).map(|n| memory.owner(&person(&format!("u{n}")))).collect();
    thread::scope(|scope| {
        for owner in &owners {
            scope.spawn(move || {
                for n in 0..50 {
                    owner
                        .remember(record(&format!("m{n}"), &format!("text {n}")))
                        .unwrap();
                    let query = RecallQuery::new(format!("text {n}"), 100, at(0));
                    let found = owner.recall(&query).unwrap().memories;
                    assert_eq!(found.len(), n + 1, "acknowledged, so visible");
                }
            });
        }
    });
}
