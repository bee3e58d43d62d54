//! A batch gives what single calls give, whatever its size, order, repetition and threads.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use whisperengine_emotion::{EmotionConfig, EmotionEngine, EmotionModel, Error, Readings, Vader};
use whisperengine_types::EmotionAnalyzer;

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(vec![
            "not", "happy", "love", "GOOD", "but", "no", "very", "soooo", "the", "shit", "\u{1f602}", "can't", "!!!",
            "[NAME]", "don\u{2019}t", "\u{2764}\u{fe0f}", "<<<", "\0",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,8}",
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batch_and_single_agree(texts in prop::collection::vec(text(), 0..60), parallel in 1..80_usize) {
        let mut config = EmotionConfig::default();
        config.parallel_items = parallel;
        let (engine, fresh) = (EmotionEngine::with_config(config), EmotionEngine::new());
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut readings = Readings::default();
        engine.analyze_into(&texts, &mut readings);
        prop_assert_eq!(readings.len(), texts.len());
        let mut scores = Vec::new();
        engine.vader_into(&texts, &mut scores);
        prop_assert_eq!(&scores, readings.vader());
        for (text, reading) in texts.iter().zip(readings.iter()) {
            prop_assert_eq!(&reading, &fresh.analyze(text));
            prop_assert_eq!(reading.vader, Vader::new().score(text));
        }
        prop_assert_eq!(engine.analyze_batch(&texts).unwrap(), readings.iter().collect::<Vec<_>>());
    }

    #[test]
    fn readings_are_within_bounds(text in text()) {
        let reading = EmotionEngine::new().analyze(&text);
        let unit = 0.0..=1.0;
        prop_assert!(reading.probabilities.iter().all(|p| unit.contains(p)));
        for value in [reading.intensity, reading.confidence, reading.arousal, reading.dominance] {
            prop_assert!(unit.contains(&value), "{value}");
        }
        prop_assert!(!reading.labels.is_empty());
        let mut last = 0;
        for trigger in &reading.triggers {
            let span = trigger.span.start as usize..trigger.span.end as usize;
            prop_assert!(!span.is_empty() && text.get(span.clone()).is_some(), "{span:?} of {text:?}");
            prop_assert!(trigger.span.start >= last && trigger.weight.abs() <= 1.0);
            last = trigger.span.start;
        }
    }
}

#[test]
fn triggers_point_at_the_emoji_that_was_described() {
    let text = "so \u{1f602}\u{1f602} nice";
    let reading = EmotionEngine::new().analyze(text);
    let spans: Vec<&str> = reading
        .triggers
        .iter()
        .map(|trigger| &text[trigger.span.start as usize..trigger.span.end as usize])
        .collect();
    assert!(spans.contains(&"nice"), "{spans:?}");
    assert!(spans.contains(&"\u{1f602}"), "{spans:?}");
}

#[test]
fn damaged_weights_are_refused() {
    let bytes = EmotionModel::embedded().to_bytes();
    assert_eq!(EmotionModel::from_bytes(&bytes), Ok(EmotionModel::embedded()));
    assert_eq!(
        EmotionModel::from_bytes(&[]),
        Err(Error::Weights { what: "length" })
    );
    for cut in [8, 100, bytes.len() - 1] {
        assert!(EmotionModel::from_bytes(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut flipped = bytes.clone();
    flipped[5_000] ^= 1;
    assert_eq!(
        EmotionModel::from_bytes(&flipped),
        Err(Error::Weights { what: "checksum" })
    );
}
