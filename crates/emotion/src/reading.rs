//! Puts a reading together: VADER, the learned labels and the words that name an emotion outright.

mod sigmoid;
mod triggers;

use whisperengine_types::{
    Emotion, EmotionReading, EmotionSet, EmotionTrigger, PrimaryEmotion, Safety, VaderScores,
};

use self::sigmoid::sigmoids;
use crate::{
    EmotionModel, Vader,
    affect::{ANCHORS, AROUSAL, DOMINANCE, LABELS, opposite},
    model::{LANES, Scan, Scorer, look_up, members},
};

/// A reading without its triggers, which are kept apart so that a batch needs no allocation per text.
#[derive(Debug, Clone, Copy, PartialEq)]
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
            mixed: false,
            language: None,
            safety: Safety::default(),
            triggers,
        }
    }
}

/// Reads texts, with the buffers of one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader {
    vader: Vader,
    scorer: Scorer,
    /// The texts that were prepared.
    scans: Vec<Scan>,
    /// How many texts it read.
    #[cfg(test)]
    pub(crate) texts: usize,
}

/// How many texts are well prepared together: enough to wait for many lines of the tables at once, few enough to
/// stay in a near cache meanwhile.
pub(crate) const AT_ONCE: usize = 8;

/// What a word that names an emotion adds to it, in logits above the label's threshold.
const CUE: f32 = 1.0;
/// What a second such word adds.
const MORE_CUES: f32 = 0.3;
/// What a denied one adds to the opposite emotion.
const DENIED_CUE: f32 = 0.7;

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
        let logits = self.scorer.logits(model, text, scan, &vader);
        if scan.words.items.is_empty() {
            return nothing(vader);
        }
        let probabilities: [f32; Emotion::COUNT] = sigmoids(&logits);
        let cues = Cues::of(&self.vader);
        let mut labels: EmotionSet = members(model.decision().labels(&logits)).collect();
        if cues.any_denied {
            labels = cues.without_denied(labels);
        }
        let (primary, strongest) = choose(model, &logits, labels, &cues);
        triggers::collect(
            &self.vader,
            self.scorer.contributions(model, scan, strongest as usize),
            (primary, strongest),
            triggers,
        );
        let certainty = members(LABELS[primary as usize])
            .map(|label| probabilities[label as usize])
            .fold(0.0, f32::max);
        let doubt = if cues.said[primary as usize] > 0.0 {
            0.5
        } else {
            1.0
        };
        let feeling = 1.0 - probabilities[Emotion::Neutral as usize];
        let (arousal, dominance) = affect(&probabilities);
        let valence = vader.compound as f32;
        Core {
            vader,
            probabilities,
            labels,
            primary,
            intensity: feeling * (0.35 + 0.65 * valence.abs()),
            confidence: 1.0 - (1.0 - certainty) * doubt,
            valence,
            arousal,
            dominance,
        }
    }
}

/// The emotions named outright, and those denied outright and not named elsewhere.
#[derive(Default)]
struct Cues {
    said: [f32; PrimaryEmotion::COUNT],
    denied: [bool; PrimaryEmotion::COUNT],
    /// Whether there are any.
    any: bool,
    any_denied: bool,
}

impl Cues {
    /// Those of the text last seen by `vader`.
    fn of(vader: &Vader) -> Self {
        let mut cues = Self::default();
        for contribution in vader.contributions() {
            if let Some(emotion) = contribution.word.cue {
                cues.any = true;
                if vader.is_negated(contribution) {
                    cues.denied[emotion as usize] = true;
                    cues.any_denied = true;
                } else {
                    let said = &mut cues.said[emotion as usize];
                    *said += if *said > 0.0 { MORE_CUES } else { CUE };
                }
            }
        }
        cues
    }

    fn is_denied(&self, emotion: PrimaryEmotion) -> bool {
        self.denied[emotion as usize] && self.said[emotion as usize] == 0.0
    }

    /// Takes the labels of denied emotions out and puts that of the opposite in when none is left.
    fn without_denied(&self, labels: EmotionSet) -> EmotionSet {
        let kept: EmotionSet = labels
            .iter()
            .filter(|&label| !self.is_denied(ANCHORS[label as usize].primary))
            .collect();
        if !kept.is_empty() {
            return kept;
        }
        let denied = PrimaryEmotion::ALL
            .into_iter()
            .find(|&emotion| self.is_denied(emotion));
        let label = match denied.map(opposite) {
            Some(PrimaryEmotion::Sadness) => Emotion::Sadness,
            Some(PrimaryEmotion::Anger) => Emotion::Annoyance,
            _ => Emotion::Neutral,
        };
        EmotionSet::from_iter([label])
    }
}

/// The primary emotion, and the label that speaks for it most.
fn choose(
    model: &EmotionModel,
    logits: &[f32; LANES],
    labels: EmotionSet,
    cues: &Cues,
) -> (PrimaryEmotion, Emotion) {
    let mut scores = [f32::MIN; PrimaryEmotion::COUNT];
    let mut strongest = [Emotion::Neutral; PrimaryEmotion::COUNT];
    for label in labels.iter() {
        let primary = ANCHORS[label as usize].primary as usize;
        let margin = logits[label as usize] - model.thresholds[label as usize];
        if margin > scores[primary] {
            scores[primary] = margin;
            strongest[primary] = label;
        }
    }
    if cues.any {
        for emotion in PrimaryEmotion::ALL {
            let at = emotion as usize;
            if cues.said[at] > 0.0 {
                scores[at] = scores[at].max(0.0) + cues.said[at];
            } else if cues.denied[at] {
                scores[at] = f32::MIN;
                let instead = opposite(emotion);
                if !cues.is_denied(instead) {
                    scores[instead as usize] = scores[instead as usize].max(0.0) + DENIED_CUE;
                }
            }
        }
    }
    let best = PrimaryEmotion::ALL
        .into_iter()
        .rev()
        .max_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]))
        .unwrap_or_default();
    (best, strongest[best as usize])
}

/// Arousal and dominance: the anchors of the labels, weighted by their probabilities.
fn affect(probabilities: &[f32; Emotion::COUNT]) -> (f32, f32) {
    let total = weighted(probabilities, &[1.0; Emotion::COUNT]);
    if total > 0.0 {
        let mean = |values| weighted(probabilities, values) / total;
        (mean(&AROUSAL), mean(&DOMINANCE))
    } else {
        (0.0, 0.5)
    }
}

/// The sum of products, in four lanes.
fn weighted(weights: &[f32; Emotion::COUNT], values: &[f32; Emotion::COUNT]) -> f32 {
    let (weights, values) = (weights.as_chunks::<4>().0, values.as_chunks::<4>().0);
    let mut lanes = [0.0; 4];
    for (weights, values) in weights.iter().zip(values) {
        for lane in 0..4 {
            lanes[lane] += weights[lane] * values[lane];
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
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
    }
}
