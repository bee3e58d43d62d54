//! The scores are those of Python's vaderSentiment 3.3.2; `scripts/vader_golden.py` wrote the file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use whisperengine_emotion::{EmotionEngine, Readings, Vader};

#[test]
fn every_score_equals_pythons() {
    let mut vader = Vader::new();
    let mut differ = Vec::new();
    let mut count = 0;
    for line in include_str!("data/vader_golden.jsonl").lines() {
        let (text, expected): (String, [f64; 4]) = serde_json::from_str(line).unwrap();
        let scores = vader.score(&text);
        let got = [scores.neg, scores.neu, scores.pos, scores.compound];
        if got.map(f64::to_bits) != expected.map(f64::to_bits) {
            differ.push((text, expected, got));
        }
        count += 1;
    }
    assert!(count > 8_000, "{count} texts");
    assert!(
        differ.is_empty(),
        "{} of {count} differ: {:?}",
        differ.len(),
        &differ[..differ.len().min(3)]
    );
}

/// The full reading looks its words up together with the model's.
#[test]
fn the_full_reading_has_the_same_scores() {
    let mut vader = Vader::new();
    let texts: Vec<String> = include_str!("data/vader_golden.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<(String, [f64; 4])>(line).unwrap().0)
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut readings = Readings::default();
    EmotionEngine::new().analyze_into(&texts, &mut readings);
    for (text, full) in texts.iter().zip(readings.vader()) {
        assert_eq!(*full, vader.score(text), "{text:?}");
    }
}
