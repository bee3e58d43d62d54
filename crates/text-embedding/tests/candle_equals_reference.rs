//! The candle model gives the embeddings of the Python model within 1e-4, over texts embedded by
//! `scripts/golden_embeddings.py`. Needs the model's folder in `TEST_MODEL_DIR`, and says when it has none.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(feature = "candle")]

use std::path::PathBuf;

use whisperengine_text_embedding::{CandleEmbedder, Error, conformance};
use whisperengine_types::Embedder;

const GOLDEN: &str = include_str!("fixtures/minilm.tsv");
const TOLERANCE: f32 = 1e-4;

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "the model is not part of the tree, and a skipped test says so"
)]
fn model_dir() -> Option<PathBuf> {
    let dir = std::env::var("TEST_MODEL_DIR").ok().map(PathBuf::from);
    if dir.is_none() {
        println!("SKIPPED: TEST_MODEL_DIR is not set");
    }
    dir
}

#[test]
fn every_golden_text_has_the_reference_embedding() {
    let Some(dir) = model_dir() else { return };
    let embedder = CandleEmbedder::open(dir).unwrap();
    let mut texts: Vec<String> = Vec::new();
    let mut expected: Vec<Vec<f32>> = Vec::new();
    for line in GOLDEN.lines() {
        let (text, values) = line.split_once('\t').unwrap();
        texts.push(serde_json::from_str(text).unwrap());
        expected.push(values.split(' ').map(|value| value.parse().unwrap()).collect());
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let embeddings = embedder.embed_batch(&texts).unwrap();
    assert_eq!(embeddings.len(), expected.len());
    let mut worst = 0.0_f32;
    for ((text, embedding), expected) in texts.iter().zip(&embeddings).zip(&expected) {
        assert_eq!(embedding.values().len(), expected.len());
        for (a, b) in embedding.values().iter().zip(expected) {
            worst = worst.max((a - b).abs());
            assert!((a - b).abs() < TOLERANCE, "{a} against {b}: {text:?}");
        }
    }
    println!("{} texts, largest difference {worst:e}", texts.len());
}

#[test]
fn the_model_passes_the_conformance_suite() {
    let Some(dir) = model_dir() else { return };
    conformance::check(&CandleEmbedder::open(dir).unwrap());
}

#[test]
fn a_folder_without_a_model_is_refused() {
    let missing = CandleEmbedder::open("no/such/folder");
    assert!(matches!(missing, Err(Error::Read { .. })), "{missing:?}");
}
