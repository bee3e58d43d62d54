//! What every memory store must do, whatever it stores to and whatever is wrapped around it.
//!
//! Call [`memory_store`] from a test with an empty store. It panics at the first thing that does not hold.

use std::sync::Arc;

use whisperengine_types::{
    BotId, MemoryError, MemoryId, MemoryOwner, MemoryPatch, MemoryRecord, MemoryStore, MetadataValue,
    SpaceId, Timestamp, UserId, WriteOp,
};

/// Checks the contract of [`MemoryStore`] on an empty store.
///
/// # Panics
/// When the store breaks the contract.
pub fn memory_store(store: &dyn MemoryStore) {
    a_stored_record_is_found(store);
    storing_again_replaces(store);
    operations_apply_in_order(store);
    one_bad_operation_spares_the_others(store);
    updates_change_what_they_name(store);
    deleting_is_idempotent(store);
    scans_page_in_the_order_of_ids(store);
    owners_are_apart(store);
    forgetting_takes_everything(store);
    state_is_kept_beside_memories(store);
    owners_with_state_are_listed(store);
}

/// A stored record is found with all its fields.
pub fn a_stored_record_is_found(store: &dyn MemoryStore) {
    let owner = person("found");
    assert_eq!(store.get(&owner, &[id("m")]).expect("get"), [None]);
    let mut record = record("m", "a text with \u{1f600} and \u{202e}");
    record.speaker = Some("Ana".to_owned());
    record.session = Some("s".parse().expect("an id"));
    record.channel = Some("c".parse().expect("an id"));
    record.kind = whisperengine_types::MemoryKind::Fact;
    record.importance = 0.9;
    record.trust = 0.1;
    record.pinned = true;
    let metadata = [
        ("bool", MetadataValue::Bool(true)),
        ("int", MetadataValue::Int(i64::MIN)),
        ("float", MetadataValue::Float(-0.5)),
        ("text", MetadataValue::Text(String::new())),
    ];
    record.metadata = metadata.map(|(key, value)| (key.to_owned(), value)).into();
    commit(store, &[put(&owner, record.clone())]);
    assert_eq!(texts_and_fields(store, &owner, "m"), Some(record));
}

/// Storing the same id again replaces the record; storing it twice is storing it once.
pub fn storing_again_replaces(store: &dyn MemoryStore) {
    let owner = person("replaced");
    for text in ["first", "second", "second"] {
        commit(store, &[put(&owner, record("m", text))]);
    }
    assert_eq!(all(store, &owner), [("m".to_owned(), "second".to_owned())]);
}

/// A batch applies in order, also to the same record.
pub fn operations_apply_in_order(store: &dyn MemoryStore) {
    let owner = person("ordered");
    let patch = MemoryPatch {
        text: Some("patched".to_owned()),
        ..MemoryPatch::default()
    };
    let ops = vec![
        put(&owner, record("a", "old")),
        WriteOp::ForgetAll { owner: owner.clone() },
        put(&owner, record("b", "raw")),
        update(&owner, "b", patch),
        put(&owner, record("c", "gone")),
        delete(&owner, "c"),
        put(&owner, record("d", "gone")),
        delete(&owner, "d"),
        put(&owner, record("d", "back")),
    ];
    commit(store, &ops);
    let expected = [("b", "patched"), ("d", "back")].map(|(id, text)| (id.to_owned(), text.to_owned()));
    assert_eq!(all(store, &owner), expected);
}

/// An operation that fails changes nothing and keeps no other from being applied.
pub fn one_bad_operation_spares_the_others(store: &dyn MemoryStore) {
    let owner = person("spared");
    let mut bad = record("bad", "x");
    bad.importance = f32::NAN;
    let ops = [
        put(&owner, record("before", "x")),
        put(&owner, bad),
        update(&owner, "missing", MemoryPatch::default()),
        put(&owner, record("after", "x")),
    ];
    let results = store.commit(&ops);
    assert_eq!(results.len(), ops.len(), "one result for each operation");
    assert!(results[0].is_ok() && results[3].is_ok(), "{results:?}");
    assert!(
        matches!(results[1], Err(MemoryError::InvalidRecord { .. })),
        "{results:?}"
    );
    assert!(
        matches!(results[2], Err(MemoryError::NotFound { .. })),
        "{results:?}"
    );
    let ids: Vec<String> = all(store, &owner).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["after", "before"]);
}

/// A patch changes the fields it names and no others.
pub fn updates_change_what_they_name(store: &dyn MemoryStore) {
    let owner = person("updated");
    let mut expected = record("m", "text");
    expected.metadata = [("keep", 1), ("drop", 2), ("change", 3)]
        .map(|(key, value)| (key.to_owned(), MetadataValue::Int(value)))
        .into();
    commit(store, &[put(&owner, expected.clone())]);
    let patch = MemoryPatch {
        importance: Some(0.75),
        pinned: Some(true),
        metadata: [("change".to_owned(), MetadataValue::from("new"))].into(),
        remove_metadata: vec!["drop".to_owned(), "absent".to_owned()],
        ..MemoryPatch::default()
    };
    commit(store, &[update(&owner, "m", patch.clone())]);
    commit(store, &[update(&owner, "m", patch)]);
    expected.importance = 0.75;
    expected.pinned = true;
    expected.metadata.remove("drop");
    expected.metadata.insert("change".to_owned(), "new".into());
    assert_eq!(texts_and_fields(store, &owner, "m"), Some(expected));
}

/// Deleting what is not there succeeds.
pub fn deleting_is_idempotent(store: &dyn MemoryStore) {
    let owner = person("deleted");
    commit(store, &[put(&owner, record("m", "x"))]);
    for _ in 0..2 {
        commit(store, &[delete(&owner, "m")]);
        assert_eq!(all(store, &owner), []);
    }
}

/// Scans give records in the order of ids, page by page, without gaps or repeats.
pub fn scans_page_in_the_order_of_ids(store: &dyn MemoryStore) {
    let owner = person("scanned");
    let mut ids: Vec<String> = (0..25).map(|n| format!("m{n}")).collect();
    let ops: Vec<WriteOp> = ids.iter().map(|id| put(&owner, record(id, id))).collect();
    commit(store, &ops);
    ids.sort_unstable();
    for limit in [1, 7, 25, 1000] {
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().map(|text| id(text));
            let page = store.scan(&owner, after.as_ref(), limit).expect("scan");
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            found.extend(page.iter().map(|record| record.id.to_string()));
        }
        assert_eq!(found, ids, "pages of {limit}");
    }
    assert_eq!(store.scan(&owner, None, 0).expect("scan"), []);
}

/// Equal ids of different owners have nothing to do with one another.
pub fn owners_are_apart(store: &dyn MemoryStore) {
    let bot = |name: &str| BotId::new(name).expect("an id");
    let owners = [
        MemoryOwner::person(bot("a"), UserId::new("b").expect("an id")),
        MemoryOwner::person(bot("a"), UserId::new("bc").expect("an id")),
        MemoryOwner::person(bot("ab"), UserId::new("c").expect("an id")),
        MemoryOwner::shared(bot("a"), SpaceId::new("b").expect("an id")),
    ];
    for owner in &owners {
        commit(
            store,
            &[put(owner, record("m", &owner.to_string())), state(owner, b"s")],
        );
    }
    commit(
        store,
        &[WriteOp::ForgetAll {
            owner: owners[0].clone(),
        }],
    );
    assert_eq!(all(store, &owners[0]), []);
    for owner in &owners[1..] {
        assert_eq!(all(store, owner), [("m".to_owned(), owner.to_string())]);
        assert!(store.state(owner).expect("state").is_some());
    }
}

/// Nothing of an owner is left after `ForgetAll`, and writing can start anew.
pub fn forgetting_takes_everything(store: &dyn MemoryStore) {
    let owner = person("forgotten");
    let mut ops: Vec<WriteOp> = (0..40)
        .map(|n| put(&owner, record(&format!("m{n}"), "x")))
        .collect();
    ops.push(state(&owner, b"state"));
    commit(store, &ops);
    for _ in 0..2 {
        commit(store, &[WriteOp::ForgetAll { owner: owner.clone() }]);
        assert_eq!(all(store, &owner), []);
        assert_eq!(store.state(&owner).expect("state"), None);
    }
    commit(store, &[put(&owner, record("new", "x"))]);
    assert_eq!(all(store, &owner).len(), 1);
}

/// The state is what was put last, and is no memory.
pub fn state_is_kept_beside_memories(store: &dyn MemoryStore) {
    let owner = person("stateful");
    assert_eq!(store.state(&owner).expect("state"), None);
    let large = vec![0xa5; 100_000];
    for bytes in [&b"one"[..], b"", &large] {
        commit(store, &[state(&owner, bytes)]);
        assert_eq!(store.state(&owner).expect("state").as_deref(), Some(bytes));
    }
    assert_eq!(all(store, &owner), []);
}

/// Owners with a state are listed page by page, each once; those with memories only are not.
pub fn owners_with_state_are_listed(store: &dyn MemoryStore) {
    let owners: Vec<MemoryOwner> = (0..7).map(|n| person(&format!("listed-{n}"))).collect();
    for owner in &owners {
        commit(store, &[state(owner, b"state"), put(owner, record("a", "text"))]);
    }
    commit(store, &[put(&person("unlisted"), record("a", "text"))]);
    commit(
        store,
        &[WriteOp::ForgetAll {
            owner: owners[3].clone(),
        }],
    );
    let mut listed: Vec<MemoryOwner> = Vec::new();
    loop {
        let page = store.owners_with_state(listed.last(), 2).expect("owners");
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert_eq!(store.owners_with_state(None, 100).expect("owners"), listed);
    for owner in &owners {
        let times = listed.iter().filter(|other| *other == owner).count();
        assert_eq!(times, usize::from(*owner != owners[3]), "{owner:?}");
    }
    assert!(!listed.contains(&person("unlisted")));
    assert!(store.owners_with_state(None, 0).expect("owners").is_empty());
}

fn person(user: &str) -> MemoryOwner {
    let bot = BotId::new("conformance").expect("an id");
    MemoryOwner::person(bot, UserId::new(user).expect("an id"))
}

fn id(text: &str) -> MemoryId {
    text.parse().expect("an id")
}

fn record(name: &str, text: &str) -> MemoryRecord {
    MemoryRecord::new(id(name), text, Timestamp::from_millis(1_700_000_000_000))
}

fn put(owner: &MemoryOwner, record: MemoryRecord) -> WriteOp {
    WriteOp::Store {
        owner: owner.clone(),
        record: Arc::new(record),
    }
}

fn update(owner: &MemoryOwner, name: &str, patch: MemoryPatch) -> WriteOp {
    WriteOp::Update {
        owner: owner.clone(),
        id: id(name),
        patch: Arc::new(patch),
    }
}

fn delete(owner: &MemoryOwner, name: &str) -> WriteOp {
    WriteOp::Delete {
        owner: owner.clone(),
        id: id(name),
    }
}

fn state(owner: &MemoryOwner, bytes: &[u8]) -> WriteOp {
    WriteOp::PutState {
        owner: owner.clone(),
        state: bytes.into(),
    }
}

fn commit(store: &dyn MemoryStore, ops: &[WriteOp]) {
    for result in store.commit(ops) {
        result.expect("every operation is acceptable");
    }
}

/// The record without the embedding, which a store may have made.
fn texts_and_fields(store: &dyn MemoryStore, owner: &MemoryOwner, name: &str) -> Option<MemoryRecord> {
    let mut found = store.get(owner, &[id(name)]).expect("get");
    assert_eq!(found.len(), 1, "one answer for each id");
    let found = found.remove(0)?;
    Some(MemoryRecord {
        embedding: None,
        ..(*found).clone()
    })
}

fn all(store: &dyn MemoryStore, owner: &MemoryOwner) -> Vec<(String, String)> {
    let found = store.scan(owner, None, usize::MAX).expect("scan");
    found
        .iter()
        .map(|record| (record.id.to_string(), record.text.clone()))
        .collect()
}
