//! What was acknowledged is there after reopening, and one handle at a time may open a store.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use support::{embedder, id, open, person, record};
use whisperengine_types::{EmbeddingSpace, Filter, MemoryStore, RecallQuery, WriteOp};
use whisperengine_vector_memory::{Error, VectorMemory, VectorMemoryConfig};

#[test]
fn memories_survive_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let owner = person("ana");
    let before = {
        let memory = open(folder.path());
        let ana = memory.owner(&owner);
        for n in 0..20 {
            ana.remember(record(&format!("m{n}"), &format!("number {n} about sailing")))
                .unwrap();
        }
        ana.forget(&id("m3")).unwrap();
        memory.commit(&[WriteOp::PutState {
            owner: owner.clone(),
            state: b"state"[..].into(),
        }]);
        memory.scan(&owner, None, 100).unwrap()
    };
    let memory = open(folder.path());
    assert_eq!(memory.scan(&owner, None, 100).unwrap(), before);
    assert_eq!(before.len(), 19);
    assert_eq!(memory.state(&owner).unwrap().as_deref(), Some(&b"state"[..]));
    let query = RecallQuery::new("sailing number 7", 3, support::at(0));
    let recall = memory.owner(&owner).recall(&query).unwrap();
    assert_eq!(recall.memories[0].memory.id, id("m7"));
}

#[test]
fn a_second_opener_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path());
    let second = VectorMemory::open(folder.path(), embedder(), VectorMemoryConfig::default());
    assert!(matches!(second, Err(Error::Locked { .. })), "{second:?}");
    drop(first);
    open(folder.path());
}

#[test]
fn a_store_of_another_space_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let other = std::sync::Arc::new(support::WordEmbedder::new(32));
    let result = VectorMemory::open(folder.path(), other, VectorMemoryConfig::default());
    assert!(matches!(result, Err(Error::Space { .. })), "{result:?}");
}

#[test]
fn an_embedding_of_another_space_is_refused_on_write_and_on_query() {
    let memory = support::in_memory();
    let ana = memory.owner(&person("ana"));
    ana.remember(record("m", "text")).unwrap();
    for space in [("words", 32), ("other", 64)] {
        let space = EmbeddingSpace::new(space.0, space.1).unwrap();
        let embedding = support::Numbers(1).embedding(&space);
        let mut stored = record("n", "text");
        stored.embedding = Some(embedding.clone());
        assert!(ana.remember(stored).is_err());
        assert!(ana.search(&embedding, 1, &Filter::Any).is_err());
        let mut query = RecallQuery::new("text", 1, support::at(0));
        query.embedding = Some(embedding);
        assert!(ana.recall(&query).is_err());
    }
    assert_eq!(ana.stats().unwrap().memories, 1);
}
