//! Every embedder and the decorator over it passes the conformance suite.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use whisperengine_text_embedding::{CachedEmbedder, HashingEmbedder, StaticEmbedder, conformance};
use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};

fn check(embedder: impl Embedder + 'static) {
    conformance::check(&embedder);
    let embedder: Arc<dyn Embedder> = Arc::new(embedder);
    let roomy = CachedEmbedder::new(Arc::clone(&embedder), CachedEmbedder::DEFAULT_BYTES);
    conformance::check(&roomy);
    conformance::check(&roomy);
    for tight in [4096, 1, 0] {
        conformance::check(&CachedEmbedder::new(Arc::clone(&embedder), tight));
    }
}

#[test]
fn the_static_table() {
    check(StaticEmbedder::embedded());
}

#[test]
fn hashing_in_several_dimensions_and_seeds() {
    check(HashingEmbedder::default());
    check(HashingEmbedder::new(64, 7).unwrap());
    check(HashingEmbedder::new(1000, u64::MAX).unwrap());
}

#[test]
#[should_panic(expected = "alone and in a batch, in order")]
fn a_batch_in_another_order_is_refused() {
    /// Reverses batches.
    #[derive(Debug)]
    struct Reversing(HashingEmbedder);

    impl Embedder for Reversing {
        fn space(&self) -> &EmbeddingSpace {
            self.0.space()
        }

        fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
            let mut embeddings = self.0.embed_batch(texts)?;
            embeddings.reverse();
            Ok(embeddings)
        }
    }

    conformance::check(&Reversing(HashingEmbedder::default()));
}

/// Counts how many texts reach it; fails on the text "poison".
#[derive(Debug, Default)]
struct Counting {
    inner: HashingEmbedder,
    texts: AtomicUsize,
}

impl Embedder for Counting {
    fn space(&self) -> &EmbeddingSpace {
        self.inner.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        self.texts.fetch_add(texts.len(), Ordering::Relaxed);
        if texts.contains(&"poison") {
            return Err(EmbeddingError::NotFinite { index: 0 });
        }
        self.inner.embed_batch(texts)
    }
}

#[test]
fn a_cached_text_is_embedded_once() {
    let counting = Arc::new(Counting::default());
    let cached = CachedEmbedder::new(
        Arc::clone(&counting) as Arc<dyn Embedder>,
        CachedEmbedder::DEFAULT_BYTES,
    );
    let reached = || counting.texts.load(Ordering::Relaxed);

    cached.embed("hello").unwrap();
    cached.embed("hello").unwrap();
    assert_eq!(reached(), 1);
    cached
        .embed_batch(&["hello", "you", "you", "there", "hello"])
        .unwrap();
    assert_eq!(reached(), 3);
    cached.clear();
    cached.embed("hello").unwrap();
    assert_eq!(reached(), 4);
}

#[test]
fn fifty_identical_texts_are_embedded_once() {
    let counting = Arc::new(Counting::default());
    let cached = CachedEmbedder::new(
        Arc::clone(&counting) as Arc<dyn Embedder>,
        CachedEmbedder::DEFAULT_BYTES,
    );
    assert_eq!(cached.embed_batch(&["same"; 50]).unwrap().len(), 50);
    assert_eq!(counting.texts.load(Ordering::Relaxed), 1);
}

#[test]
fn a_failed_text_is_not_remembered_as_embedded() {
    let counting = Arc::new(Counting::default());
    let cached = CachedEmbedder::new(
        Arc::clone(&counting) as Arc<dyn Embedder>,
        CachedEmbedder::DEFAULT_BYTES,
    );
    assert!(cached.embed("poison").is_err());
    assert!(cached.embed_batch(&["fine", "poison"]).is_err());
    assert!(cached.embed("poison").is_err());
    assert!(cached.embed("fine").is_ok());
}

#[test]
fn texts_with_a_common_beginning_are_different_texts() {
    let cached = CachedEmbedder::new(
        Arc::new(HashingEmbedder::default()),
        CachedEmbedder::DEFAULT_BYTES,
    );
    let beginning = "the same fifty characters at the beginning of both: ";
    let a = cached.embed(&format!("{beginning}cats")).unwrap();
    let b = cached.embed(&format!("{beginning}dogs")).unwrap();
    assert_ne!(a, b);
}

#[test]
fn spaces_are_told_apart() {
    let a = HashingEmbedder::new(64, 1).unwrap().embed("hello").unwrap();
    let b = HashingEmbedder::new(64, 2).unwrap().embed("hello").unwrap();
    let c = StaticEmbedder::embedded().embed("hello").unwrap();
    for other in [&b, &c] {
        assert!(matches!(
            a.similarity(other),
            Err(EmbeddingError::SpaceMismatch { .. })
        ));
    }
}
