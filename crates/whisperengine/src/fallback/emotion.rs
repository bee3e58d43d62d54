use whisperengine_types::{EmotionAnalyzer, EmotionError, EmotionReading};

use super::Fallback;

impl EmotionAnalyzer for Fallback<dyn EmotionAnalyzer> {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        let unavailable = |error: &EmotionError| matches!(error, EmotionError::Unavailable { .. });
        self.call_batch(texts, EmotionAnalyzer::analyze_batch, unavailable)
    }
}
