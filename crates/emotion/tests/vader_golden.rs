//! The scores are those of Python's vaderSentiment 3.3.2; `scripts/vader_golden.py` wrote the file.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use whisperengine_emotion::Vader;

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
