//! From outputs to the one emotion to act on, and to valence, arousal and dominance that go with it.

use whisperengine_types::{Emotion, EmotionSet, Language, PrimaryEmotion, Safety, SafetyLevel, VaderScores};

use super::{Core, cues::Cues};
use crate::{
    affect::{DOMINANCE, is_pleasant, opposite},
    language::Identified,
    model::LANES,
    multilingual::lanes::{AROUSAL, PRIMARY, VALENCE},
    safety::Hits,
};

/// What a text says of a feeling.
#[derive(Debug, Clone)]
pub(super) struct Feeling {
    pub(super) primary: PrimaryEmotion,
    /// Probability of each primary emotion; they add up to 1.
    pub(super) odds: [f32; PrimaryEmotion::COUNT],
    confidence: f32,
    valence: f32,
    arousal: f32,
    dominance: f32,
    mixed: bool,
}

/// What a named emotion adds to its logit.
const NAMED: f32 = 1.2;
/// What a rule that hints at an emotion adds to its logit, and what the second does.
const HINT: f32 = 2.0;
const MORE_HINTS: f32 = 0.7;
/// What one adds that is clear; hints count for nothing beside it.
const CLEAR: f32 = 4.0;
/// What a denied one loses, and what its opposite gains.
const DENIED: f32 = 3.0;
const OPPOSITE: f32 = 1.0;
/// The valence of a text that is sure to be pleasant.
const EXPECTED: f32 = 0.8;
/// How far from 0 the valence of a feeling that is clear lies at least.
const LEAST_VALENCE: f32 = 0.1;
/// The confidence of a reading in a language that is not clear, at most.
const UNSURE: f32 = 0.5;
/// What the valence of a neutral text is too near to 0 to be told from.
const UNCLEAR: f32 = 0.35;
/// How far from 0 the valence of a neutral text lies at most.
const NEUTRAL_VALENCE: f32 = 0.2;
/// Probability of pleasant and of unpleasant emotions from which a text is mixed.
const MIXED: f32 = 0.3;
/// Probability from which a text in a language that is not known is read.
const FOREIGN_CLEAR: f32 = 0.55;

impl Feeling {
    /// The feeling that `outputs` speak for.
    pub(super) fn of(
        outputs: &[f32; LANES],
        cues: Option<&Cues>,
        hits: &Hits,
        identified: Identified,
        level: SafetyLevel,
    ) -> Self {
        let mut logits: [f32; PrimaryEmotion::COUNT] =
            std::array::from_fn(|number| outputs[PRIMARY.start + number]);
        if let Some(cues) = cues.filter(|cues| cues.any) {
            add_cues(&mut logits, cues);
        }
        add_rules(&mut logits, hits);
        if level > SafetyLevel::None {
            // Danger is never neutral or merry.
            for emotion in PrimaryEmotion::ALL {
                if is_pleasant(emotion) != Some(false) {
                    logits[emotion as usize] -= DENIED;
                }
            }
        }
        let odds = softmax(&logits);
        let mut primary = PrimaryEmotion::ALL
            .into_iter()
            .rev()
            .max_by(|&a, &b| odds[a as usize].total_cmp(&odds[b as usize]))
            .unwrap_or_default();
        let mut confidence = odds[primary as usize];
        if !identified.is_readable && confidence < FOREIGN_CLEAR {
            primary = PrimaryEmotion::Neutral;
            confidence = confidence.min(0.3);
        }
        if identified.language.is_none() && identified.english < 1.0 {
            confidence = confidence.min(UNSURE);
        }
        let total = |pleasant: bool| -> f32 {
            let of = |emotion: &PrimaryEmotion| is_pleasant(*emotion) == Some(pleasant);
            PrimaryEmotion::ALL
                .into_iter()
                .filter(of)
                .map(|emotion| odds[emotion as usize])
                .sum()
        };
        let mixed = primary != PrimaryEmotion::Neutral && total(true) >= MIXED && total(false) >= MIXED;
        let expected = EXPECTED * (total(true) - total(false));
        let valence = (0.5 * (outputs[VALENCE] + expected)).clamp(-1.0, 1.0);
        let valence = match is_pleasant(primary) {
            _ if primary == PrimaryEmotion::Neutral => valence - valence.clamp(-UNCLEAR, UNCLEAR),
            Some(true) => valence.max(LEAST_VALENCE),
            Some(false) => valence.min(-LEAST_VALENCE),
            None => valence,
        };
        let valence = match primary {
            PrimaryEmotion::Neutral => valence.clamp(-NEUTRAL_VALENCE, NEUTRAL_VALENCE),
            _ => valence,
        };
        let dominance = odds
            .iter()
            .zip(DOMINANCE)
            .map(|(odds, dominance)| odds * dominance)
            .sum();
        Self {
            primary,
            odds,
            confidence,
            valence,
            arousal: outputs[AROUSAL].clamp(0.0, 1.0),
            dominance,
            mixed,
        }
    }

    /// The reading of this feeling.
    pub(super) fn into_core(
        self,
        vader: VaderScores,
        probabilities: [f32; Emotion::COUNT],
        labels: EmotionSet,
        language: Option<Language>,
        safety: Safety,
    ) -> Core {
        let feeling = 1.0 - self.odds[PrimaryEmotion::Neutral as usize];
        Core {
            vader,
            probabilities,
            labels,
            primary: self.primary,
            intensity: (feeling * (0.35 + 0.65 * self.valence.abs())).clamp(0.0, 1.0),
            confidence: self.confidence.clamp(0.0, 1.0),
            valence: self.valence,
            arousal: self.arousal,
            dominance: f32::clamp(self.dominance, 0.0, 1.0),
            mixed: self.mixed,
            language,
            safety,
        }
    }
}

fn add_cues(logits: &mut [f32; PrimaryEmotion::COUNT], cues: &Cues) {
    for emotion in PrimaryEmotion::ALL {
        let at = emotion as usize;
        if cues.said[at] > 0.0 {
            logits[at] += NAMED * cues.said[at];
        } else if cues.denied[at] {
            logits[at] -= DENIED;
            let instead = opposite(emotion);
            if !cues.is_denied(instead) {
                logits[instead as usize] += OPPOSITE;
            }
        }
    }
}

fn add_rules(logits: &mut [f32; PrimaryEmotion::COUNT], hits: &Hits) {
    let is_clear = hits.feels.iter().any(|&count| count > 0);
    let (counts, weight) = if is_clear {
        (&hits.feels, CLEAR)
    } else {
        (&hits.hints, HINT)
    };
    for (logit, &count) in logits.iter_mut().zip(counts).filter(|(_, count)| **count > 0) {
        *logit += weight + MORE_HINTS * f32::from(count.min(3) - 1);
    }
}

fn softmax(logits: &[f32; PrimaryEmotion::COUNT]) -> [f32; PrimaryEmotion::COUNT] {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let parts = logits.map(|logit| (logit - largest).exp());
    let total: f32 = parts.iter().sum();
    parts.map(|part| part / total)
}
