//! Puts a reading together: VADER, the learned emotions of both models, the words that name an emotion outright,
//! the language and the signs of danger.

mod combine;
mod cues;
mod primary;
mod sigmoid;
mod triggers;

use std::sync::LazyLock;

use whisperengine_types::{
    Emotion, EmotionReading, EmotionSet, EmotionTrigger, Language, PrimaryEmotion, Safety, VaderScores,
};

use self::{cues::Cues, primary::Feeling, sigmoid::sigmoids};
use crate::{
    EmotionModel, Vader,
    affect::{LABELS, label_of},
    language::{Identified, identify},
    model::{LANES, Scan, Scorer, look_up, members},
    multilingual::{Features, MultilingualModel, Outputs},
    safety::SafetyReader,
};

/// A reading without its triggers, which are kept apart so that a batch needs no allocation per text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Core {
    pub(crate) vader: VaderScores,
    pub(crate) probabilities: [f32; Emotion::COUNT],
    pub(crate) labels: EmotionSet,
    pub(crate) primary: PrimaryEmotion,
    pub(crate) intensity: f32,
    pub(crate) confidence: f32,
    pub(crate) valence: f32,
    pub(crate) arousal: f32,
    pub(crate) dominance: f32,
    pub(crate) mixed: bool,
    pub(crate) language: Option<Language>,
    pub(crate) safety: Safety,
}

impl Core {
    pub(crate) fn with_triggers(self, triggers: Vec<EmotionTrigger>) -> EmotionReading {
        EmotionReading {
            vader: self.vader,
            probabilities: self.probabilities,
            labels: self.labels,
            primary: self.primary,
            intensity: self.intensity,
            confidence: self.confidence,
            valence: self.valence,
            arousal: self.arousal,
            dominance: self.dominance,
            mixed: self.mixed,
            language: self.language,
            safety: self.safety,
            triggers,
        }
    }
}

/// Reads texts, with the buffers of one thread.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    vader: Vader,
    scorer: Scorer,
    /// The texts that were prepared.
    scans: Vec<Scan>,
    multilingual: &'static MultilingualModel,
    features: Features,
    outputs: Outputs,
    safety: SafetyReader,
    /// How many texts it read.
    #[cfg(test)]
    pub(crate) texts: usize,
}

/// How many texts are well prepared together: enough to wait for many lines of the tables at once, few enough to
/// stay in a near cache meanwhile.
pub(crate) const AT_ONCE: usize = 8;

/// Probability above which a label is given to a text that is not English.
const GIVEN: f32 = 0.3;

impl Default for Reader {
    fn default() -> Self {
        static EMBEDDED: LazyLock<MultilingualModel> = LazyLock::new(MultilingualModel::embedded);
        Self {
            vader: Vader::default(),
            scorer: Scorer::default(),
            scans: Vec::new(),
            features: Features::new(EMBEDDED.rows()),
            multilingual: &EMBEDDED,
            outputs: Outputs::default(),
            safety: SafetyReader::default(),
            #[cfg(test)]
            texts: 0,
        }
    }
}

impl Reader {
    /// Reads `text` and appends its triggers, in text order, to `triggers`.
    pub(crate) fn read(
        &mut self,
        model: &EmotionModel,
        text: &str,
        triggers: &mut Vec<EmotionTrigger>,
    ) -> Core {
        self.prepare(model, &[text]);
        self.read_prepared(model, 0, text, triggers)
    }

    /// Looks up the words of `texts`, which are then to be [`read_prepared`](Self::read_prepared); faster for
    /// [`AT_ONCE`] than for one at a time.
    pub(crate) fn prepare(&mut self, model: &EmotionModel, texts: &[&str]) {
        if self.scans.len() < texts.len() {
            self.scans.resize_with(texts.len(), Scan::default);
        }
        look_up(&mut self.scans[..texts.len()], texts, &model.vocabulary);
    }

    /// Reads `text`, the one with this number among those that were prepared, and appends its triggers, in text
    /// order, to `triggers`.
    pub(crate) fn read_prepared(
        &mut self,
        model: &EmotionModel,
        number: usize,
        text: &str,
        triggers: &mut Vec<EmotionTrigger>,
    ) -> Core {
        #[cfg(test)]
        {
            self.texts += 1;
        }
        let scan = &mut self.scans[number];
        let vader = self.vader.score_scanned(text, scan, &model.vocabulary);
        if scan.words.items.is_empty() {
            return nothing(vader);
        }
        self.features.read(text);
        self.multilingual.score(&self.features, &mut self.outputs);
        let identified = identify(self.features.scripts(), &self.outputs.text);
        let language = identified.language.as_ref().map(Language::code);
        let safety = self.safety.read(text, language, &self.features, &self.outputs);
        if identified.is_english() {
            self.english(model, number, text, vader, identified, safety, triggers)
        } else {
            self.other(vader, identified, safety)
        }
    }

    /// The reading of an English text.
    #[expect(clippy::too_many_arguments, reason = "what was read of the text so far")]
    fn english(
        &mut self,
        model: &EmotionModel,
        number: usize,
        text: &str,
        vader: VaderScores,
        identified: Identified,
        safety: Safety,
        triggers: &mut Vec<EmotionTrigger>,
    ) -> Core {
        let scan = &mut self.scans[number];
        let logits = self.scorer.logits(model, text, scan, &vader);
        let probabilities: [f32; Emotion::COUNT] = sigmoids(&logits);
        let cues = Cues::of(&self.vader);
        let mut labels: EmotionSet = members(model.decision().labels(&logits)).collect();
        if cues.any_denied {
            labels = cues.without_denied(labels);
        }
        let combined = combine::combine(&self.outputs.text, &logits, &vader);
        let feeling = Feeling::of(
            &combined,
            Some(&cues),
            &self.safety.hits,
            identified,
            safety.level,
        );
        let strongest = strongest(model, &logits, feeling.primary);
        triggers::collect(
            &self.vader,
            self.scorer.contributions(model, scan, strongest as usize),
            (feeling.primary, strongest),
            triggers,
        );
        feeling.into_core(vader, probabilities, labels, identified.language, safety)
    }

    /// The reading of a text in another language: nothing of it is English.
    fn other(&self, vader: VaderScores, identified: Identified, safety: Safety) -> Core {
        let feeling = Feeling::of(
            &self.outputs.text,
            None,
            &self.safety.hits,
            identified,
            safety.level,
        );
        let mut probabilities = [0.0; Emotion::COUNT];
        let mut labels = EmotionSet::EMPTY;
        labels.insert(label_of(feeling.primary));
        for (emotion, odds) in PrimaryEmotion::ALL.into_iter().zip(feeling.odds) {
            let label = label_of(emotion);
            probabilities[label as usize] = odds;
            if odds >= GIVEN && (emotion != PrimaryEmotion::Neutral) {
                labels.insert(label);
            }
        }
        feeling.into_core(vader, probabilities, labels, identified.language, safety)
    }
}

/// The label that speaks most for `primary`.
fn strongest(model: &EmotionModel, logits: &[f32; LANES], primary: PrimaryEmotion) -> Emotion {
    let margin = |label: &Emotion| logits[*label as usize] - model.thresholds[*label as usize];
    members(LABELS[primary as usize])
        .max_by(|a, b| margin(a).total_cmp(&margin(b)))
        .unwrap_or(Emotion::Neutral)
}

/// The reading of a text without words or signs: neutral, and sure of nothing.
fn nothing(vader: VaderScores) -> Core {
    Core {
        vader,
        probabilities: [0.0; Emotion::COUNT],
        labels: EmotionSet::from_iter([Emotion::Neutral]),
        primary: PrimaryEmotion::Neutral,
        intensity: 0.0,
        confidence: 0.0,
        valence: 0.0,
        arousal: 0.0,
        dominance: 0.5,
        mixed: false,
        language: None,
        safety: Safety::default(),
    }
}
