//! The analyzer: one text or many.

use whisperengine_types::{EmotionAnalyzer, EmotionError, EmotionReading, PrimaryEmotion};

use crate::Vader;

/// Reads emotions from texts.
#[derive(Debug, Clone, Default)]
pub struct EmotionEngine;

impl EmotionEngine {
    /// An engine.
    pub fn new() -> Self {
        Self
    }

    /// The reading of one text.
    pub fn analyze(&self, text: &str) -> EmotionReading {
        read(&mut Vader::new(), text)
    }
}

impl EmotionAnalyzer for EmotionEngine {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        let mut vader = Vader::new();
        Ok(texts.iter().map(|text| read(&mut vader, text)).collect())
    }
}

fn read(vader: &mut Vader, text: &str) -> EmotionReading {
    let scores = vader.score(text);
    let compound = scores.compound as f32;
    let primary = match compound {
        0.05.. => PrimaryEmotion::Joy,
        ..=-0.05 => PrimaryEmotion::Sadness,
        _ => PrimaryEmotion::Neutral,
    };
    EmotionReading {
        vader: scores,
        primary,
        intensity: compound.abs(),
        confidence: compound.abs(),
        valence: compound,
        arousal: compound.abs(),
        ..EmotionReading::neutral()
    }
}
