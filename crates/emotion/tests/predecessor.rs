//! The defects of the first, Python, emotion engine; none may come back.
//!
//! | Defect | Test |
//! |---|---|
//! | the last keyword family wins | `the_last_keyword_family_does_not_win` |
//! | a negation is ignored in the label | `a_negation_reaches_the_label` |
//! | "cool down" is sadness: keywords inside words | `only_whole_words_count` |
//! | a message without text fails its whole batch | `an_empty_text_does_not_fail_the_batch` |
//! | a cached result is another message's | `a_cached_reading_is_the_readings_of_its_own_text` |
//! | the cache belongs to one user | `a_kept_reading_is_used_until_its_time_is_up`: keyed by the text alone |
//! | the cache has no bound | `the_cache_is_bounded` |
//! | the cache has no time to live | `a_kept_reading_is_used_until_its_time_is_up` |
//! | identical texts are computed again in a batch | `identical_texts_are_read_once_on_one_thread_and_on_many` (`engine/batch.rs`) |
//! | copies of a text get different readings | `identical_texts_are_read_alike` |
//! | the end of a stream hangs and loses the last texts | `the_end_of_the_stream_neither_hangs_nor_loses_the_last_texts` (`stream.rs`) |
//! | intensifiers change neutral text | `intensifiers_do_not_change_neutral_text` |
//! | VADER is built anew for each message | `the_lexicon_is_built_once` (`vader/lexicon.rs`) |
//! | an "array" path that is a loop | none: a matter of speed, see the benchmarks |
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{sync::Arc, time::Duration};

use whisperengine_emotion::{EmotionConfig, EmotionEngine, EmotionModel, Readings};
use whisperengine_types::{EmotionAnalyzer, ManualClock, PrimaryEmotion as P, Timestamp};

fn primary(text: &str) -> P {
    EmotionEngine::new().analyze(text).primary
}

/// The most named emotion wins: neither the family that comes last in the list of families nor the one whose
/// word comes last in the text, and that whichever is named first.
#[test]
fn the_last_keyword_family_does_not_win() {
    for (most, least, expected) in [
        ("I am happy, so happy, so glad", "a little furious", P::Joy),
        ("I am happy, so happy, so glad", "a bit relieved", P::Joy),
        ("I am sad, so sad and so lonely", "a bit surprised", P::Sadness),
        ("I am angry, furious and annoyed", "a little scared", P::Anger),
        ("I am scared, so afraid and terrified", "a bit calm", P::Fear),
    ] {
        for text in [format!("{most}, {least}"), format!("{least}, {most}")] {
            assert_eq!(primary(&text), expected, "{text}");
        }
    }
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
fn a_kept_reading_is_used_until_its_time_is_up() {
    let clock = Arc::new(ManualClock::new(Timestamp::default()));
    let mut config = EmotionConfig::default();
    config.cache_ttl_seconds = 60;
    let engine = EmotionEngine::with_clock(Arc::new(EmotionModel::embedded()), config, clock.clone());
    let first = engine.analyze_shared("what a day!");
    clock.advance(Duration::from_millis(59_999));
    assert!(Arc::ptr_eq(&first, &engine.analyze_shared("what a day!")));
    assert!(
        !Arc::ptr_eq(&first, &engine.analyze_shared("what a Day!")),
        "another text"
    );
    clock.advance(Duration::from_millis(1));
    let second = engine.analyze_shared("what a day!");
    assert!(!Arc::ptr_eq(&first, &second), "its time is up");
    assert_eq!(first, second);
    clock.advance(Duration::from_secs(59));
    assert!(
        Arc::ptr_eq(&second, &engine.analyze_shared("what a day!")),
        "the new one has its own time"
    );
}

#[test]
fn long_texts_are_not_kept() {
    let mut config = EmotionConfig::default();
    config.cache_text_bytes = 8;
    let engine = EmotionEngine::with_config(config);
    for (text, kept) in [("12345678", true), ("123456789", false)] {
        let (first, second) = (engine.analyze_shared(text), engine.analyze_shared(text));
        assert_eq!(Arc::ptr_eq(&first, &second), kept, "{text}");
    }
}

#[test]
fn identical_texts_are_read_alike() {
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
