//! Emotions of any text: every number in its range, every trigger on character boundaries.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use whisperengine_emotion::EmotionEngine;

static ENGINE: LazyLock<EmotionEngine> = LazyLock::new(EmotionEngine::new);

fuzz_target!(|text: &str| {
    let reading = ENGINE.analyze(text);
    let vader = reading.vader;
    assert!((-1.0..=1.0).contains(&vader.compound));
    for share in [vader.neg, vader.neu, vader.pos] {
        assert!((0.0..=1.0).contains(&share));
    }
    for value in [
        reading.intensity,
        reading.confidence,
        reading.arousal,
        reading.dominance,
    ] {
        assert!((0.0..=1.0).contains(&value));
    }
    assert!((-1.0..=1.0).contains(&reading.valence));
    for trigger in &reading.triggers {
        assert!(
            text.get(trigger.span.start as usize..trigger.span.end as usize)
                .is_some()
        );
    }
});
