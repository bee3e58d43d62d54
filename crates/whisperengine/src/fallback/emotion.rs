use whisperengine_types::{Component, EmotionAnalyzer, EmotionError, EmotionReading};

use super::{Answered, Fallback, isolate};

impl Fallback<dyn EmotionAnalyzer> {
    /// One reading for each text; a text that cannot be read is neutral and says so.
    pub(crate) fn analyze_each(&self, texts: &[&str]) -> Vec<Answered<EmotionReading>> {
        let read = self.call_each(texts, EmotionAnalyzer::analyze_batch, |_| true);
        let neutral = |error: EmotionError| Answered {
            value: EmotionReading::neutral(),
            degraded: isolate::<(), _>(Component::Emotion, || Err(error)).err(),
        };
        read.into_iter()
            .map(|answer| answer.unwrap_or_else(neutral))
            .collect()
    }
}

#[deny(clippy::missing_trait_methods)]
impl EmotionAnalyzer for Fallback<dyn EmotionAnalyzer> {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        Ok(self
            .analyze_each(texts)
            .into_iter()
            .map(|answer| answer.value)
            .collect())
    }
}
