//! The adapter behaves as Chroma does.
#![allow(clippy::unnecessary_wraps, reason = "the calls take options")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use whisperengine_types::MetadataValue;
use whisperengine_vector_memory::{
    Metric, VectorMemoryConfig,
    chroma::{Client, Collection, CollectionOptions, Error, Get, Include, Metadata, Query, Records},
};

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|&item| item.to_owned()).collect()
}

fn metadata(n: i64, color: &str) -> Option<Metadata> {
    Some(
        [
            ("n".to_owned(), MetadataValue::Int(n)),
            ("color".to_owned(), MetadataValue::from(color)),
        ]
        .into(),
    )
}

fn pets() -> Collection {
    let pets = Client::in_memory(None)
        .create_collection("pets", CollectionOptions::default())
        .unwrap();
    pets.add(Records {
        ids: strings(&["z", "b", "a", "c"]),
        embeddings: Some(vec![
            vec![1.0, 0.0],
            vec![0.0, 2.0],
            vec![1.0, 1.0],
            vec![-3.0, 0.0],
        ]),
        documents: Some(strings(&["a red dog", "a blue cat", "a red bird", "no animal"])),
        metadatas: Some(vec![
            metadata(1, "red"),
            metadata(2, "blue"),
            metadata(3, "red"),
            None,
        ]),
    })
    .unwrap();
    pets
}

#[test]
fn where_filters_select_as_in_chroma() {
    let pets = pets();
    let cases: &[(Value, &[&str])] = &[
        (json!({"color": "red"}), &["z", "a"]),
        (json!({"color": {"$eq": "red"}}), &["z", "a"]),
        (json!({"color": {"$ne": "red"}}), &["b", "c"]),
        (json!({"n": {"$gt": 1}}), &["b", "a"]),
        (json!({"n": {"$gte": 2.0}}), &["b", "a"]),
        (json!({"n": {"$lt": 2}}), &["z"]),
        (json!({"n": {"$lte": 2}}), &["z", "b"]),
        (json!({"n": {"$in": [1, 3]}}), &["z", "a"]),
        (json!({"n": {"$nin": [1, 3]}}), &["b", "c"]),
        (json!({"$and": [{"color": "red"}, {"n": {"$gt": 1}}]}), &["a"]),
        (
            json!({"$or": [{"color": "blue"}, {"$and": [{"n": 1}, {"color": "red"}]}]}),
            &["z", "b"],
        ),
        (json!({"missing": "x"}), &[]),
    ];
    for (condition, expected) in cases {
        let get = Get {
            where_metadata: Some(condition.clone()),
            ..Get::default()
        };
        assert_eq!(pets.get(&get).unwrap().ids, *expected, "{condition}");
    }
    let cases: &[(Value, &[&str])] = &[
        (json!({"$contains": "red"}), &["z", "a"]),
        (json!({"$not_contains": "red"}), &["b", "c"]),
        (
            json!({"$or": [{"$contains": "dog"}, {"$contains": "cat"}]}),
            &["z", "b"],
        ),
        (
            json!({"$and": [{"$contains": "a"}, {"$not_contains": "red"}]}),
            &["b", "c"],
        ),
        (json!({"$regex": "^no|dog$"}), &["z", "c"]),
        (json!({"$not_regex": "r.d"}), &["b", "c"]),
        (
            json!({"$or": [{"$and": [{"$regex": "(?i)RED"}, {"$not_regex": "b.rd"}]}, {"$contains": "cat"}]}),
            &["z", "b"],
        ),
    ];
    for (condition, expected) in cases {
        let get = Get {
            where_document: Some(condition.clone()),
            ..Get::default()
        };
        assert_eq!(pets.get(&get).unwrap().ids, *expected, "{condition}");
        let query = Query {
            embeddings: Some(vec![vec![1.0, 0.5]]),
            where_document: Some(condition.clone()),
            ..Query::default()
        };
        let mut found = pets.query(&query).unwrap().ids.remove(0);
        let mut expected = strings(expected);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{condition}");
    }
}

#[test]
fn what_chroma_refuses_is_refused() {
    let pets = pets();
    for condition in [
        json!({}),
        json!({"a": 1, "b": 2}),
        json!({"$and": [{"a": 1}]}),
        json!({"n": {"$gt": "text"}}),
        json!({"n": {"$in": []}}),
        json!({"n": {"$in": [1, "a"]}}),
        json!({"n": {"$like": 1}}),
        json!({"n": [1]}),
        json!({"$xor": []}),
    ] {
        let get = Get {
            where_metadata: Some(condition.clone()),
            ..Get::default()
        };
        assert!(
            matches!(pets.get(&get), Err(Error::InvalidArgument { .. })),
            "{condition}"
        );
    }
    for condition in [
        json!({"$contains": ""}),
        json!({"$regex": "("}),
        json!({"$regex": 1}),
        json!({"$like": "a"}),
        json!("a"),
    ] {
        let get = Get {
            where_document: Some(condition.clone()),
            ..Get::default()
        };
        assert!(
            matches!(pets.get(&get), Err(Error::InvalidArgument { .. })),
            "{condition}"
        );
    }
    let one = |id: &str, values: Vec<f32>| Records {
        ids: strings(&[id]),
        embeddings: Some(vec![values]),
        ..Records::default()
    };
    assert!(matches!(
        pets.add(one("d", vec![1.0])),
        Err(Error::InvalidDimension { expected: 2, got: 1 })
    ));
    assert!(pets.add(one("d", vec![f32::NAN, 0.0])).is_err());
    assert!(
        pets.add(Records {
            ids: strings(&["d"]),
            ..Records::default()
        })
        .is_err()
    );
    let twice = Records {
        ids: strings(&["d", "d"]),
        embeddings: Some(vec![vec![0.0, 1.0]; 2]),
        ..Records::default()
    };
    assert!(matches!(pets.add(twice), Err(Error::DuplicateId { ids }) if ids == ["d"]));
    let uneven = Records {
        embeddings: Some(vec![vec![0.0, 1.0]; 2]),
        ..one("d", vec![])
    };
    assert!(pets.add(uneven).is_err());
    assert!(pets.delete(&Get::default()).is_err());
    let query = Query {
        embeddings: Some(vec![vec![1.0, 0.0]]),
        n_results: 0,
        ..Query::default()
    };
    assert!(pets.query(&query).is_err());
    assert!(
        pets.query(&Query {
            texts: Some(strings(&["a"])),
            ..Query::default()
        })
        .is_err()
    );
    let client = Client::in_memory(None);
    for name in ["ab", "-abc", "abc-", "a b c", ""] {
        assert!(
            client
                .create_collection(name, CollectionOptions::default())
                .is_err(),
            "{name:?}"
        );
    }
    assert_eq!(pets.count().unwrap(), 4);
}

#[test]
fn distances_are_those_of_the_metric() {
    let expected: [(Metric, &[&str], &[f32]); 3] = [
        (Metric::L2, &["z", "a", "b", "c"], &[0.0, 1.0, 5.0, 16.0]),
        (Metric::Ip, &["z", "a", "b", "c"], &[0.0, 0.0, 1.0, 4.0]),
        (
            Metric::Cosine,
            &["z", "a", "b", "c"],
            &[0.0, 0.292_893_23, 1.0, 2.0],
        ),
    ];
    for (metric, ids, distances) in expected {
        let client = Client::in_memory(None);
        let options = CollectionOptions {
            metric: Some(metric),
            metadata: None,
        };
        let collection = client.create_collection("metric", options).unwrap();
        collection
            .add(Records {
                ids: strings(&["z", "b", "a", "c"]),
                embeddings: Some(vec![
                    vec![1.0, 0.0],
                    vec![0.0, 2.0],
                    vec![1.0, 1.0],
                    vec![-3.0, 0.0],
                ]),
                ..Records::default()
            })
            .unwrap();
        let query = Query {
            embeddings: Some(vec![vec![1.0, 0.0]]),
            ..Query::default()
        };
        let found = collection.query(&query).unwrap();
        let mut found_ids = found.ids[0].clone();
        if metric == Metric::Ip {
            // Equal inner products have no order of their own.
            found_ids[..2].sort_by(|a, b| b.cmp(a));
        }
        assert_eq!(found_ids, ids, "{metric:?}");
        for (found, expected) in found.distances.unwrap()[0].iter().zip(distances) {
            assert!((found - expected).abs() < 1e-6, "{metric:?}: {found} {expected}");
        }
        assert_eq!(found.documents.unwrap()[0], [None, None, None, None]);
    }
}

#[test]
fn queries_nest_their_answers_and_include_what_is_asked() {
    let pets = pets();
    let query = Query {
        embeddings: Some(vec![vec![1.0, 0.0], vec![0.0, 1.0]]),
        n_results: 2,
        where_metadata: Some(json!({"color": "red"})),
        include: vec![Include::Embeddings, Include::Distances],
        ..Query::default()
    };
    let found = pets.query(&query).unwrap();
    assert_eq!(found.ids, [["z", "a"], ["a", "z"]]);
    assert_eq!(found.embeddings.unwrap()[0], [[1.0, 0.0], [1.0, 1.0]]);
    assert!(found.documents.is_none() && found.metadatas.is_none());
    let peek = pets.peek(2).unwrap();
    assert_eq!(peek.ids, ["z", "b"]);
    assert_eq!(peek.embeddings.unwrap()[1], [0.0, 2.0]);
    let get = Get {
        limit: Some(2),
        offset: 1,
        ids: Some(strings(&["a", "b", "z", "q"])),
        ..Get::default()
    };
    assert_eq!(pets.get(&get).unwrap().ids, ["b", "a"]);
}

#[test]
fn add_keeps_update_changes_upsert_does_both() {
    let pets = pets();
    let records = |document: &str| Records {
        ids: strings(&["z", "new"]),
        embeddings: Some(vec![vec![5.0, 5.0]; 2]),
        documents: Some(strings(&[document; 2])),
        metadatas: Some(vec![metadata(9, "green"); 2]),
    };
    let document = |id: &str| {
        let get = Get {
            ids: Some(strings(&[id])),
            ..Get::default()
        };
        pets.get(&get).unwrap().documents.unwrap().pop()
    };
    pets.update(records("updated")).unwrap();
    assert_eq!(document("z"), Some(Some("updated".to_owned())));
    assert_eq!(document("new"), None);
    pets.add(records("added")).unwrap();
    assert_eq!(document("z"), Some(Some("updated".to_owned())));
    assert_eq!(document("new"), Some(Some("added".to_owned())));
    pets.upsert(records("upserted")).unwrap();
    assert_eq!(document("z"), Some(Some("upserted".to_owned())));
    let only_metadata = Records {
        ids: strings(&["z"]),
        metadatas: Some(vec![Some(
            [("extra".to_owned(), MetadataValue::Bool(true))].into(),
        )]),
        ..Records::default()
    };
    pets.update(only_metadata).unwrap();
    let get = Get {
        ids: Some(strings(&["z"])),
        ..Get::default()
    };
    let merged = pets.get(&get).unwrap().metadatas.unwrap().pop().unwrap().unwrap();
    assert_eq!(merged.len(), 3);
    let gone = pets
        .delete(&Get {
            where_metadata: Some(json!({"color": "green"})),
            ..Get::default()
        })
        .unwrap();
    assert_eq!(gone, ["z", "new"]);
    assert_eq!(pets.count().unwrap(), 3);
}

#[test]
fn collections_are_kept_renamed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        Client::open(
            folder.path(),
            Some(support::embedder()),
            VectorMemoryConfig::default(),
        )
        .unwrap()
    };
    {
        let client = open();
        let notes = client
            .get_or_create_collection("notes", CollectionOptions::default())
            .unwrap();
        let documents = Some(strings(&["the dog sleeps", "the cat hunts"]));
        notes
            .add(Records {
                ids: strings(&["1", "2"]),
                documents,
                ..Records::default()
            })
            .unwrap();
        notes.modify(Some("diary"), metadata(1, "red")).unwrap();
        client
            .create_collection("other", CollectionOptions::default())
            .unwrap();
        assert!(matches!(
            notes.modify(Some("other"), None),
            Err(Error::AlreadyExists { .. })
        ));
    }
    let client = open();
    assert_eq!(client.list_collections(), ["diary", "other"]);
    let diary = client.collection("diary").unwrap();
    let found = diary.query(&Query {
        texts: Some(strings(&["dog sleeps"])),
        n_results: 1,
        ..Query::default()
    });
    assert_eq!(found.unwrap().ids, [["1"]]);
    assert_eq!(diary.metadata().unwrap(), metadata(1, "red"));
    assert!(matches!(client.collection("notes"), Err(Error::NotFound { .. })));
    client.delete_collection("diary").unwrap();
    assert!(matches!(diary.count(), Err(Error::NotFound { .. })));
    assert_eq!(client.count_collections(), 1);
}
