//! An engine built without a component gets its null object: it answers, and says that it is not there.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use whisperengine_types::{
    BotId, ConversationEngine, ConversationError, Embedder, EmbeddingError, EmotionAnalyzer, EmotionReading,
    MemoryError, MemoryId, MemoryOwner, MemoryRecall, MemoryRecord, MemoryStore, NoConversation, NoEmotion,
    NoMemory, RecallQuery, Similarity, Timestamp, UserId, WriteOp, ZeroEmbedder,
};

fn owner() -> MemoryOwner {
    MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new("ana").unwrap())
}

#[test]
fn no_memory_refuses_writes_and_finds_nothing() {
    let store: Arc<dyn MemoryStore> = Arc::new(NoMemory);
    let id = MemoryId::from_number(1);
    let record = Arc::new(MemoryRecord::new(id.clone(), "hi", Timestamp::from_millis(0)));
    let ops = [
        WriteOp::Store {
            owner: owner(),
            record,
        },
        WriteOp::ForgetAll { owner: owner() },
    ];
    let results = store.commit(&ops);
    assert_eq!(results.len(), ops.len(), "one result for each operation");
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Err(MemoryError::ReadOnly { .. })))
    );
    assert_eq!(store.get(&owner(), &[id.clone(), id]).unwrap(), [None, None]);
    assert!(store.scan(&owner(), None, 10).unwrap().is_empty());
    assert!(store.state(&owner()).unwrap().is_none());

    let recall: Arc<dyn MemoryRecall> = Arc::new(NoMemory);
    let found = recall
        .recall(&owner(), &RecallQuery::new("hi", 5, Timestamp::from_millis(0)))
        .unwrap();
    assert!(found.memories.is_empty());
    assert_eq!(found.degraded.as_deref(), Some("memory is disabled"));
}

#[test]
fn no_emotion_reads_everything_as_neutral_without_confidence() {
    let analyzer: Arc<dyn EmotionAnalyzer> = Arc::new(NoEmotion);
    let readings = analyzer.analyze_batch(&["I LOVE it!!!", ""]).unwrap();
    assert_eq!(readings, [EmotionReading::neutral(), EmotionReading::neutral()]);
    assert_eq!(readings[0].confidence, 0.0);
}

#[test]
fn the_zero_embedder_makes_embeddings_that_are_similar_to_nothing() {
    let embedder: Arc<dyn Embedder> = Arc::new(ZeroEmbedder::default());
    let embeddings = embedder.embed_batch(&["a", "a"]).unwrap();
    assert_eq!(embeddings.len(), 2);
    assert!(
        embeddings
            .iter()
            .all(|embedding| embedding.space() == embedder.space())
    );
    assert_eq!(
        embeddings[0].similarity(&embeddings[1]).unwrap(),
        Similarity::ZERO
    );
    assert_eq!(embedder.embed("a").unwrap(), embeddings[0]);
}

#[test]
fn no_conversation_keeps_no_state() {
    let engine: Arc<dyn ConversationEngine> = Arc::new(NoConversation);
    let mut conversation = engine.open(&owner(), Some(b"anything")).unwrap();
    assert!(conversation.export().is_empty());
    assert!(conversation.tick(Timestamp::from_millis(0)).is_empty());
    assert_eq!(conversation.query_context("how did it go?"), None);
}

#[test]
fn an_error_says_whether_a_stand_in_may_answer_and_whether_to_try_again() {
    let reason = || "broken".to_owned();
    let id = MemoryId::from_number(1);
    let unavailable = MemoryError::Unavailable {
        reason: reason(),
        source: None,
    };
    // The error, whether it is the store's fault, whether the same request may succeed later.
    for (error, is_unavailable, is_retryable) in [
        (unavailable, true, true),
        (MemoryError::ReadOnly { reason: reason() }, true, false),
        (MemoryError::Corrupt { reason: reason() }, true, false),
        (MemoryError::NotFound { id: id.clone() }, false, false),
        (MemoryError::InvalidRecord { id, reason: reason() }, false, false),
        (MemoryError::InvalidQuery { reason: reason() }, false, false),
        (
            MemoryError::Embedding(EmbeddingError::NotFinite { index: 0 }),
            false,
            false,
        ),
    ] {
        assert_eq!(error.is_unavailable(), is_unavailable, "{error}");
        assert_eq!(error.is_retryable(), is_retryable, "{error}");
        let words = error.to_string();
        assert!(
            words.starts_with(char::is_lowercase) && !words.ends_with('.'),
            "{words}"
        );
    }
    let invalid = ConversationError::InvalidState { reason: reason() };
    assert_eq!(invalid.to_string(), "conversation state is invalid: broken");
}
