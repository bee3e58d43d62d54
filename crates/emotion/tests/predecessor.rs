//! The defects of the first, Python, emotion engine; none may come back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use whisperengine_emotion::{EmotionConfig, EmotionEngine, Readings};
use whisperengine_types::{EmotionAnalyzer, PrimaryEmotion as P};

fn primary(text: &str) -> P {
    EmotionEngine::new().analyze(text).primary
}

#[test]
fn the_last_keyword_family_does_not_win() {
    assert_eq!(primary("I am happy, so happy, and only a little furious"), P::Joy);
    assert_ne!(primary("I was so happy and now I am furious, furious!"), P::Love);
}

#[test]
fn a_negation_reaches_the_label() {
    for text in [
        "I am not happy",
        "I'm not happy about this",
        "She isn't happy at all",
        "we were never glad",
    ] {
        let reading = EmotionEngine::new().analyze(text);
        assert_ne!(reading.primary, P::Joy, "{text}");
        assert!(reading.valence < 0.0, "{text}");
        assert!(
            !reading.labels.contains(whisperengine_types::Emotion::Joy),
            "{text}: {:?}",
            reading.labels
        );
        let denied = reading
            .triggers
            .iter()
            .find(|trigger| trigger.emotion == P::Joy)
            .unwrap();
        assert!(denied.weight < 0.0, "{text}");
    }
    assert_eq!(primary("I am so happy"), P::Joy);
}

#[test]
fn only_whole_words_count() {
    assert_ne!(primary("cool down the servers"), P::Sadness);
    assert_ne!(primary("the download is done"), P::Sadness);
    assert_ne!(primary("the ambassador arrives at noon"), P::Sadness);
}

#[test]
fn an_empty_text_does_not_fail_the_batch() {
    let readings = EmotionEngine::new()
        .analyze_batch(&["I love it", "", " \n", "I hate it"])
        .unwrap();
    assert_eq!(readings.len(), 4);
    assert!(readings[0].valence > 0.0 && readings[3].valence < 0.0);
    for empty in &readings[1..3] {
        assert_eq!(
            (empty.primary, empty.confidence, empty.valence),
            (P::Neutral, 0.0, 0.0)
        );
    }
}

#[test]
fn a_cached_reading_is_the_readings_of_its_own_text() {
    let engine = EmotionEngine::new();
    let fresh = EmotionEngine::with_config({
        let mut config = EmotionConfig::default();
        config.cache_items = 0;
        config
    });
    // Equal beginnings, equal lengths: only the whole text tells them apart.
    let stem = "a long beginning that is the same in both of these messages, word by word, and then ";
    let texts = [
        format!("{stem}I love it"),
        format!("{stem}I hate it"),
        format!("{stem}I love it"),
    ];
    for text in &texts {
        assert_eq!(engine.analyze(text), fresh.analyze(text), "{text}");
    }
    assert!(engine.cached() <= 2);
    assert_eq!(fresh.cached(), 0);
}

#[test]
fn the_cache_is_bounded() {
    let mut config = EmotionConfig::default();
    config.cache_items = 100;
    let engine = EmotionEngine::with_config(config);
    for number in 0..2_000 {
        engine.analyze(&format!("message number {number}"));
    }
    assert!(engine.cached() <= 100, "{}", engine.cached());
}

#[test]
fn identical_texts_are_read_once_and_alike() {
    let engine = EmotionEngine::new();
    let mut readings = Readings::default();
    engine.analyze_into(&["what a day!"; 50], &mut readings);
    assert_eq!(readings.len(), 50);
    let first = readings.reading(0).unwrap();
    assert!(readings.iter().all(|reading| reading == first));
    assert_eq!(engine.analyze("what a day!"), first);
}

#[test]
fn intensifiers_do_not_change_neutral_text() {
    let engine = EmotionEngine::new();
    for text in ["the table is really very large", "it is extremely Tuesday"] {
        let reading = engine.analyze(text);
        assert_eq!(reading.vader.compound, 0.0, "{text}");
        assert_eq!(reading.valence, 0.0, "{text}");
        assert!(
            reading
                .triggers
                .iter()
                .all(|trigger| trigger.source != whisperengine_types::TriggerSource::Lexicon)
        );
    }
}
