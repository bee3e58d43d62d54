//! What is forgotten is gone: from answers at once, from the files with the next compaction.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use support::{id, open, person, record};
use whisperengine_types::{MemoryPatch, MemoryStore, MetadataValue, WriteOp};
use whisperengine_vector_memory::VectorMemory;

const MARKER: &str = "xyzzy-plugh-marker";

fn plant(memory: &VectorMemory, user: &str, marker: &str) {
    let owner = person(user);
    let mut records = Vec::new();
    for n in 0..30 {
        let mut record = record(&format!("{marker}{n}"), &format!("{n} {marker} text"));
        record.speaker = Some(marker.to_owned());
        record.session = Some(marker.parse().unwrap());
        record
            .metadata
            .insert(marker.to_owned(), MetadataValue::from(marker));
        records.push(record);
    }
    for result in memory.owner(&owner).remember_all(records) {
        result.unwrap();
    }
    let put = WriteOp::PutState {
        owner,
        state: marker.as_bytes().into(),
    };
    memory.commit(&[put])[0].as_ref().unwrap();
}

fn files_with(folder: &Path, marker: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                if bytes
                    .windows(marker.len())
                    .any(|window| window == marker.as_bytes())
                {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    found
}

#[test]
fn forget_all_leaves_no_byte_after_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path());
    plant(&memory, "kept", "kept-marker");
    plant(&memory, &format!("user-{MARKER}"), MARKER);
    let ana = memory.owner(&person(&format!("user-{MARKER}")));
    assert_eq!(ana.stats().unwrap().memories, 30);
    assert!(
        !files_with(folder.path(), MARKER).is_empty(),
        "the marker was never written"
    );
    ana.forget_all().unwrap();
    assert_eq!(ana.stats().unwrap().memories, 0);
    assert_eq!(ana.list(None, 10).unwrap(), []);
    memory.compact().unwrap();
    assert_eq!(files_with(folder.path(), MARKER), Vec::<String>::new());
    assert_eq!(memory.owner(&person("kept")).stats().unwrap().memories, 30);
    drop((memory, ana));
    assert_eq!(files_with(folder.path(), MARKER), Vec::<String>::new());
    let memory = open(folder.path());
    assert_eq!(memory.owner(&person("kept")).stats().unwrap().memories, 30);
}

#[test]
fn deleted_and_replaced_texts_leave_no_byte_after_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path());
    let ana = memory.owner(&person("ana"));
    for name in ["deleted", "replaced", "updated"] {
        ana.remember(record(name, MARKER)).unwrap();
    }
    ana.forget(&id("deleted")).unwrap();
    ana.remember(record("replaced", "new")).unwrap();
    let text = Some("new".to_owned());
    ana.update(
        &id("updated"),
        MemoryPatch {
            text,
            ..MemoryPatch::default()
        },
    )
    .unwrap();
    memory.compact().unwrap();
    assert_eq!(files_with(folder.path(), MARKER), Vec::<String>::new());
    assert_eq!(ana.stats().unwrap().memories, 2);
}
