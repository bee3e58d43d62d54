use whisperengine_types::{EmotionAnalyzer, EmotionError, EmotionReading};

use super::Fallback;

impl EmotionAnalyzer for Fallback<dyn EmotionAnalyzer> {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        self.call(
            |port| port.analyze_batch(texts),
            |error| matches!(error, EmotionError::Unavailable { .. }),
        )
    }
}
