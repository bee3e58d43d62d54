//! The readings of a batch as a structure of arrays.

use whisperengine_types::{
    Emotion, EmotionReading, EmotionSet, EmotionTrigger, Language, PrimaryEmotion, Safety, VaderScores,
};

use crate::reading::Core;

/// One reading per text, field by field. Keeps its memory when it is filled again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readings {
    vader: Vec<VaderScores>,
    probabilities: Vec<[f32; Emotion::COUNT]>,
    labels: Vec<EmotionSet>,
    primary: Vec<PrimaryEmotion>,
    intensity: Vec<f32>,
    confidence: Vec<f32>,
    valence: Vec<f32>,
    arousal: Vec<f32>,
    dominance: Vec<f32>,
    mixed: Vec<bool>,
    language: Vec<Option<Language>>,
    safety: Vec<Safety>,
    triggers: Vec<EmotionTrigger>,
    /// Where the triggers of each text end.
    trigger_ends: Vec<usize>,
}

impl Readings {
    /// How many texts were read.
    pub fn len(&self) -> usize {
        self.vader.len()
    }

    /// Whether none was read.
    pub fn is_empty(&self) -> bool {
        self.vader.is_empty()
    }

    /// The VADER scores.
    pub fn vader(&self) -> &[VaderScores] {
        &self.vader
    }

    /// The probability of each label, `0..=1`.
    pub fn probabilities(&self) -> &[[f32; Emotion::COUNT]] {
        &self.probabilities
    }

    /// The labels given.
    pub fn labels(&self) -> &[EmotionSet] {
        &self.labels
    }

    /// The emotions to act on.
    pub fn primary(&self) -> &[PrimaryEmotion] {
        &self.primary
    }

    /// How strongly they are felt, `0..=1`.
    pub fn intensity(&self) -> &[f32] {
        &self.intensity
    }

    /// How sure each reading is of its primary emotion, `0..=1`.
    pub fn confidence(&self) -> &[f32] {
        &self.confidence
    }

    /// Unpleasant to pleasant, `-1..=1`.
    pub fn valence(&self) -> &[f32] {
        &self.valence
    }

    /// Drowsy to agitated, `0..=1`.
    pub fn arousal(&self) -> &[f32] {
        &self.arousal
    }

    /// Overwhelmed to in control, `0..=1`.
    pub fn dominance(&self) -> &[f32] {
        &self.dominance
    }

    /// Whether each text speaks of feelings that pull in different directions.
    pub fn mixed(&self) -> &[bool] {
        &self.mixed
    }

    /// The language of each text, where it is clear.
    pub fn language(&self) -> &[Option<Language>] {
        &self.language
    }

    /// The signs of danger.
    pub fn safety(&self) -> &[Safety] {
        &self.safety
    }

    /// The triggers of one text; none for an index out of range.
    pub fn triggers(&self, index: usize) -> &[EmotionTrigger] {
        let Some(&end) = self.trigger_ends.get(index) else {
            return &[];
        };
        let start = index.checked_sub(1).map_or(0, |before| self.trigger_ends[before]);
        &self.triggers[start..end]
    }

    /// The reading of one text, put together.
    pub fn reading(&self, index: usize) -> Option<EmotionReading> {
        (index < self.len()).then(|| self.core(index).with_triggers(self.triggers(index).to_vec()))
    }

    /// Every reading, in order.
    pub fn iter(&self) -> impl Iterator<Item = EmotionReading> {
        (0..self.len()).map(|index| self.core(index).with_triggers(self.triggers(index).to_vec()))
    }

    pub(crate) fn clear(&mut self) {
        self.vader.clear();
        self.probabilities.clear();
        self.labels.clear();
        self.primary.clear();
        self.intensity.clear();
        self.confidence.clear();
        self.valence.clear();
        self.arousal.clear();
        self.dominance.clear();
        self.mixed.clear();
        self.language.clear();
        self.safety.clear();
        self.triggers.clear();
        self.trigger_ends.clear();
    }

    /// Appends what `read` reads; it appends the triggers itself.
    pub(crate) fn push(&mut self, read: impl FnOnce(&mut Vec<EmotionTrigger>) -> Core) {
        let core = read(&mut self.triggers);
        self.push_core(core);
    }

    /// Appends the reading at `index` of `other`.
    pub(crate) fn push_from(&mut self, other: &Self, index: usize) {
        self.triggers.extend_from_slice(other.triggers(index));
        self.push_core(other.core(index));
    }

    /// Appends the reading at `index` once more.
    pub(crate) fn push_again(&mut self, index: usize) {
        let end = self.trigger_ends[index];
        let start = index.checked_sub(1).map_or(0, |before| self.trigger_ends[before]);
        self.triggers.extend_from_within(start..end);
        self.push_core(self.core(index));
    }

    fn push_core(&mut self, core: Core) {
        self.vader.push(core.vader);
        self.probabilities.push(core.probabilities);
        self.labels.push(core.labels);
        self.primary.push(core.primary);
        self.intensity.push(core.intensity);
        self.confidence.push(core.confidence);
        self.valence.push(core.valence);
        self.arousal.push(core.arousal);
        self.dominance.push(core.dominance);
        self.mixed.push(core.mixed);
        self.language.push(core.language);
        self.safety.push(core.safety);
        self.trigger_ends.push(self.triggers.len());
    }

    fn core(&self, index: usize) -> Core {
        Core {
            vader: self.vader[index],
            probabilities: self.probabilities[index],
            labels: self.labels[index],
            primary: self.primary[index],
            intensity: self.intensity[index],
            confidence: self.confidence[index],
            valence: self.valence[index],
            arousal: self.arousal[index],
            dominance: self.dominance[index],
            mixed: self.mixed[index],
            language: self.language[index],
            safety: self.safety[index].clone(),
        }
    }
}
