//! What is left of somebody who was forgotten: nothing in the files, and nothing that grows.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{fs, path::Path, time::Duration};

use support::{clock, engine_in, known, memories, say};
use whisperengine::WhisperEngine;

const MARKER: &str = "Quibblethorn";

/// The files under `folder` that hold the marker, in either case.
fn files_with_marker(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_with_marker(&path, found);
            continue;
        }
        let bytes = fs::read(&path).unwrap().to_ascii_lowercase();
        let marker = MARKER.to_ascii_lowercase();
        if bytes
            .windows(marker.len())
            .any(|window| window == marker.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
}

fn marked(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    files_with_marker(folder, &mut found);
    found
}

#[tokio::test]
async fn no_file_holds_a_word_of_the_forgotten_after_compaction() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = engine_in(&folder, &clock);
    for n in 0..20 {
        clock.advance(Duration::from_secs(30));
        let text = format!("My neighbour {MARKER} has {n} geese and I am so happy about it");
        let message = engine.message("ember", "ana", "direct", &text).unwrap();
        engine.converse(message).await.unwrap();
        say(&engine, "ben", &format!("line {n} of somebody else")).await;
    }
    known(&engine, "ana").export(&mut Vec::new()).await.unwrap();
    assert!(
        !marked(folder.path()).is_empty(),
        "the marker is found while it is there"
    );
    known(&engine, "ana").forget().await.unwrap();
    engine.compact().await.unwrap();
    assert_eq!(marked(folder.path()), Vec::<String>::new());

    let turn = say(&engine, "ben", "and one more line").await;
    assert!(
        !turn.recalled.memories.is_empty(),
        "the others' memories are as they were"
    );
    engine.shutdown().await;
    drop(engine);
    assert_eq!(marked(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn compacting_without_a_folder_is_no_error() {
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    say(&engine, "ana", "hello").await;
    engine.compact().await.unwrap();
    assert_eq!(memories(&engine, "ana").await.len(), 1);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_ten_thousand_people_who_were_forgotten() {
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    say(&engine, "ben", "I stay").await;
    for group in 0..100 {
        let people: Vec<String> = (0..100).map(|n| format!("p{group}-{n}")).collect();
        let tickets: Vec<_> = people
            .iter()
            .map(|user| {
                engine
                    .submit(engine.message("ember", user, "direct", "hello").unwrap())
                    .unwrap()
            })
            .collect();
        for ticket in tickets {
            ticket.await.unwrap();
        }
        for user in &people {
            known(&engine, user).forget().await.unwrap();
        }
    }
    clock.advance(Duration::from_secs(2 * 3600));
    say(&engine, "ben", "and now?").await;
    tokio::time::timeout(Duration::from_secs(60), async {
        while engine.health().conversations > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("their cells are dropped");
    engine.shutdown().await;
}
