//! The metrics as Prometheus sees them.
#![cfg(feature = "prometheus")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use whisperengine::{WhisperEngine, prometheus::Exporter};

#[tokio::test]
async fn turns_and_stages_are_counted_without_text_or_names() {
    let exporter = Exporter::install().unwrap();
    let engine = WhisperEngine::builder().clock(support::clock()).build().unwrap();
    support::say(&engine, "ana-the-secret-name", "my secret is the blue door").await;
    engine.shutdown().await;
    let text = exporter.render();
    assert!(
        text.contains(r#"whisperengine_turns_total{priority="normal",stored="volatile"} 1"#),
        "{text}"
    );
    assert!(
        text.contains(r#"whisperengine_stage_seconds_bucket{stage="recall""#),
        "{text}"
    );
    assert!(!text.contains("secret"));
    assert!(Exporter::install().is_err(), "once in a process");
}
