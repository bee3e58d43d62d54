//! Memories are stored, found and embedded later when the embedder fails.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use support::{WordEmbedder, at, id, person, record};
use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace, RecallQuery};
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

#[derive(Debug)]
struct Flaky {
    inner: WordEmbedder,
    fails: AtomicBool,
}

impl Flaky {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: WordEmbedder::new(32),
            fails: AtomicBool::new(false),
        })
    }

    fn set(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }
}

impl Embedder for Flaky {
    fn space(&self) -> &EmbeddingSpace {
        self.inner.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(EmbeddingError::NotFinite { index: 0 });
        }
        self.inner.embed_batch(texts)
    }
}

#[test]
fn what_is_stored_while_the_embedder_fails_is_found_by_words_and_embedded_later() {
    let folder = tempfile::tempdir().unwrap();
    let embedder = Flaky::new();
    let open = || VectorMemory::open(folder.path(), embedder.clone(), VectorMemoryConfig::default()).unwrap();
    let long = "The lighthouse keeper counts ships. ".repeat(60);
    {
        let memory = open();
        let ana = memory.owner(&person("ana"));
        ana.remember(record("before", "a quiet evening")).unwrap();
        embedder.set(true);
        ana.remember(record("m1", "my parrot is called Kiwi")).unwrap();
        ana.remember(record("m2", &long)).unwrap();
        ana.remember(record("m3", "to be forgotten")).unwrap();
        ana.forget(&id("m3")).unwrap();
        let recall = ana.recall(&RecallQuery::new("parrot", 3, at(1))).unwrap();
        assert_eq!(recall.memories[0].memory.id, id("m1"));
        assert!(recall.degraded.is_some());
        assert!(ana.get(&id("m1")).unwrap().unwrap().embedding.is_none());
        assert!(memory.missing_embeddings() >= 2);
        assert!(memory.embed_missing(10).is_err(), "the embedder fails still");
    }
    let memory = open();
    assert_eq!(memory.missing_embeddings(), 2);
    embedder.set(false);
    assert_eq!(memory.embed_missing(1).unwrap(), 1);
    assert_eq!(memory.embed_missing(10).unwrap(), 1);
    assert_eq!(memory.missing_embeddings(), 0);
    assert_eq!(memory.embed_missing(10).unwrap(), 0);
    let ana = memory.owner(&person("ana"));
    let embedded = ana.get(&id("m1")).unwrap().unwrap();
    let expected = embedder.inner.embed("my parrot is called Kiwi").unwrap();
    assert!(embedded.embedding.unwrap().similarity(&expected).unwrap().value() > 0.999);
    assert!(ana.get(&id("m2")).unwrap().unwrap().embedding.is_some());
    let recall = ana.recall(&RecallQuery::new("parrot", 3, at(1))).unwrap();
    assert_eq!(
        (recall.memories[0].memory.id.clone(), recall.degraded),
        (id("m1"), None)
    );
}

#[test]
fn forgetting_everything_takes_memories_off_the_list() {
    let embedder = Flaky::new();
    let memory = VectorMemory::in_memory(embedder.clone(), VectorMemoryConfig::default());
    embedder.set(true);
    let ana = memory.owner(&person("ana"));
    ana.remember(record("m1", "one")).unwrap();
    ana.forget_all().unwrap();
    embedder.set(false);
    assert_eq!(memory.embed_missing(10).unwrap(), 0);
    assert_eq!(memory.missing_embeddings(), 0);
    assert_eq!(ana.stats().unwrap().memories, 0);
}
