//! Bad input is a typed, readable error and leaves the data as it was.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::error::Error as _;

use support::{clock, say};
use whisperengine::{BuildError, Error, MemoryId, MemoryRecord, MessageError, Timestamp, WhisperEngine};

#[tokio::test]
async fn a_message_that_is_refused_changes_nothing() {
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    say(&engine, "ana", "first").await;
    let ten_megabytes = "x".repeat(10 << 20);
    let table: [(&str, MessageError); 5] = [
        ("", MessageError::Empty),
        (" \n\t ", MessageError::Empty),
        (
            &ten_megabytes,
            MessageError::TooLong {
                bytes: 10 << 20,
                limit: 65_536,
            },
        ),
        ("\u{200b}\u{feff}", MessageError::Empty),
        ("\0", MessageError::Empty),
    ];
    for (text, expected) in table {
        let message = engine.message("ember", "ana", "direct", text).unwrap();
        match engine.handle(message).await {
            Err(Error::InvalidMessage(error)) => assert_eq!(error, expected),
            other => panic!("{:?} gave {other:?}", &text[..text.len().min(20)]),
        }
    }
    assert_eq!(support::memories(&engine, "ana").await.len(), 1);
    let turn = say(&engine, "ana", "second").await;
    assert_eq!(
        turn.plan.relationship.interactions, 2,
        "refused messages do not count"
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn odd_text_is_text() {
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    let zwj = "👩\u{200d}👩\u{200d}👧\u{200d}👦".repeat(200);
    let odd = [
        "\u{202e}gnihtemos\u{202c}",
        &zwj,
        "ǅ ŉ ß İ ı ς",
        "\u{feff}.",
        "a\u{0300}\u{0301}\u{0302}",
        "١٢٣",
        "\r\n.",
    ];
    for text in odd {
        let message = engine.message("ember", "ana", "direct", text).unwrap();
        let outcome = engine.handle(message).await.unwrap();
        let stored = support::known(&engine, "ana").get(&[outcome.turn]).await.unwrap();
        assert_eq!(stored[0].as_ref().unwrap().text, text);
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn a_stray_control_character_does_not_cost_the_message() {
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    let turn = say(&engine, "ana", "a bell\u{7} and an escape\u{1b}[0m").await;
    let stored = support::known(&engine, "ana").get(&[turn.turn]).await.unwrap();
    assert_eq!(stored[0].as_ref().unwrap().text, "a bell  and an escape [0m");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_clock_that_goes_backwards_is_survived() {
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    for time in [
        "2026-03-02T18:00:00Z",
        "2026-03-02T17:00:00Z",
        "1969-12-31T23:59:59Z",
        "2030-01-01T00:00:00Z",
    ] {
        clock.set(time.parse().unwrap());
        say(&engine, "ana", "what time is it?").await;
    }
    assert_eq!(support::memories(&engine, "ana").await.len(), 4);
    engine.shutdown().await;
}

#[tokio::test]
async fn an_embedding_that_is_not_a_number_never_becomes_one() {
    let space = whisperengine::EmbeddingSpace::new("any", 2).unwrap();
    assert!(whisperengine::Embedding::new(&space, vec![f32::NAN, 0.0]).is_err());
    // A wrong space is refused by the store, and the record beside it is stored all the same.
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    let mut wrong = MemoryRecord::new(
        MemoryId::new("wrong").unwrap(),
        "wrong space",
        Timestamp::default(),
    );
    wrong.embedding = Some(whisperengine::Embedding::new(&space, vec![1.0, 0.0]).unwrap());
    let right = MemoryRecord::new(
        MemoryId::new("right").unwrap(),
        "right space",
        Timestamp::default(),
    );
    let answer = support::known(&engine, "ana").remember(vec![wrong, right]).await;
    assert!(matches!(answer, Err(Error::Memory(_))), "{answer:?}");
    let stored = support::memories(&engine, "ana").await;
    assert_eq!(
        stored.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(),
        ["right"]
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_stays_usable() {
    let folder = tempfile::tempdir().unwrap();
    let engine = WhisperEngine::builder()
        .data_dir(folder.path())
        .clock(clock())
        .build()
        .unwrap();
    let second = WhisperEngine::builder()
        .data_dir(folder.path())
        .clock(clock())
        .build();
    let Err(BuildError::Store { path, source }) = second else {
        panic!("{second:?}")
    };
    assert_eq!(path, folder.path());
    assert!(!source.to_string().is_empty());
    say(&engine, "ana", "still here").await;
    engine.shutdown().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let error = WhisperEngine::builder()
        .data_dir(file.join("data"))
        .clock(clock())
        .build()
        .unwrap_err();
    assert!(matches!(error, BuildError::Store { .. }));
    assert!(error.to_string().contains("data") && error.source().is_some());
    assert_eq!(std::fs::read(&file).unwrap(), b"not a folder");
}

#[test]
fn building_outside_a_runtime_is_an_error() {
    assert!(matches!(
        WhisperEngine::builder().build(),
        Err(BuildError::NoRuntime)
    ));
}
