//! One mapping from every label in use to the nine states.

use whisperengine_types::{EmotionReading, EmotionalState, PrimaryEmotion};

use crate::{
    lexicon::Cue,
    number::{signed, unit},
    text::Utterance,
};

/// A feeling as the engine understands it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feeling {
    pub(crate) state: EmotionalState,
    pub(crate) intensity: f32,
    pub(crate) confidence: f32,
    pub(crate) valence: f32,
    pub(crate) arousal: f32,
}

/// The state that the name of an emotion stands for, in any of the sets in use: the nine states, the
/// thirteen primary emotions, the labels of GoEmotions. An unknown name is neutral, not an error.
///
/// ```
/// use whisperengine_phase4::emotional_state_from_label;
/// use whisperengine_types::EmotionalState;
///
/// assert_eq!(emotional_state_from_label("excitement"), EmotionalState::Joy);
/// assert_eq!(emotional_state_from_label("flabbergasted"), EmotionalState::Neutral);
/// ```
pub fn emotional_state_from_label(label: &str) -> EmotionalState {
    use EmotionalState as S;
    match label.trim().to_lowercase().as_str() {
        "joy" | "happiness" | "amusement" | "relief" | "pride" | "excitement" | "admiration" | "love" => {
            S::Joy
        }
        "sadness" | "grief" | "disappointment" | "remorse" | "shame" | "embarrassment" => S::Sadness,
        "anger" | "annoyance" | "disapproval" => S::Anger,
        "fear" | "nervousness" | "anxiety" => S::Fear,
        "surprise" | "realization" | "confusion" => S::Surprise,
        "disgust" => S::Disgust,
        "anticipation" | "optimism" | "desire" | "curiosity" => S::Anticipation,
        "trust" | "gratitude" | "caring" | "approval" => S::Trust,
        _ => S::Neutral,
    }
}

/// The feeling behind a reading and the words it was made from.
pub(crate) fn feeling(reading: &EmotionReading, utterance: &Utterance<'_>) -> Feeling {
    let confidence = unit(reading.confidence);
    if confidence <= 0.0 {
        return from_words(utterance);
    }
    let valence = signed(reading.valence);
    let intensity = unit(reading.intensity);
    let state = from_primary(reading.primary, valence, intensity, utterance);
    Feeling {
        state: believable(state, valence, utterance),
        intensity,
        confidence,
        valence,
        arousal: unit(reading.arousal),
    }
}

fn from_primary(
    primary: PrimaryEmotion,
    valence: f32,
    intensity: f32,
    utterance: &Utterance<'_>,
) -> EmotionalState {
    use EmotionalState as S;
    match primary {
        PrimaryEmotion::Sadness | PrimaryEmotion::Shame => S::Sadness,
        PrimaryEmotion::Anger => S::Anger,
        PrimaryEmotion::Fear => S::Fear,
        PrimaryEmotion::Surprise => S::Surprise,
        PrimaryEmotion::Disgust => S::Disgust,
        PrimaryEmotion::Love if intensity >= 0.5 => S::Joy,
        PrimaryEmotion::Love | PrimaryEmotion::Gratitude => S::Trust,
        PrimaryEmotion::Excitement if utterance.has(Cue::Ahead) || utterance.has(Cue::Anticipation) => {
            S::Anticipation
        }
        PrimaryEmotion::Joy | PrimaryEmotion::Pride | PrimaryEmotion::Excitement => S::Joy,
        PrimaryEmotion::Calm if valence >= 0.2 => S::Trust,
        PrimaryEmotion::Calm | PrimaryEmotion::Neutral => S::Neutral,
    }
}

/// A pleasant label over words that deny pleasure, or over clearly unpleasant ones, is turned into what
/// the words say.
fn believable(state: EmotionalState, valence: f32, utterance: &Utterance<'_>) -> EmotionalState {
    use EmotionalState as S;
    let pleasant = matches!(state, S::Joy | S::Trust | S::Anticipation);
    let denied = utterance.negated(Cue::Joy) > 0.0 && !utterance.has(Cue::Joy);
    match state {
        _ if pleasant && (denied || valence <= -0.3) => {
            let words = from_words(utterance);
            if matches!(words.state, S::Joy | S::Trust | S::Anticipation | S::Neutral) {
                if denied || valence <= -0.3 {
                    S::Sadness
                } else {
                    S::Neutral
                }
            } else {
                words.state
            }
        }
        // Sadness without a single sad word, over pleasant ones, is a misreading too.
        S::Sadness | S::Anger | S::Fear if valence >= 0.5 && utterance.has(Cue::Joy) => S::Joy,
        _ => state,
    }
}

const FAMILIES: [(Cue, EmotionalState, f32); 8] = [
    (Cue::Joy, EmotionalState::Joy, 1.0),
    (Cue::Sadness, EmotionalState::Sadness, -1.0),
    (Cue::Anger, EmotionalState::Anger, -1.0),
    (Cue::Fear, EmotionalState::Fear, -1.0),
    (Cue::Surprise, EmotionalState::Surprise, 0.0),
    (Cue::Disgust, EmotionalState::Disgust, -1.0),
    (Cue::Anticipation, EmotionalState::Anticipation, 0.6),
    (Cue::Trust, EmotionalState::Trust, 0.6),
];

/// The feeling that the words alone tell: negation turned around, intensifiers counted by the scan.
fn from_words(utterance: &Utterance<'_>) -> Feeling {
    let mut scores = [0.0_f32; EmotionalState::Trust as usize + 1];
    let (mut pleasant, mut unpleasant) = (0.0_f32, 0.0_f32);
    for (cue, state, sign) in FAMILIES {
        let (plain, negated) = (utterance.weight(cue), utterance.negated(cue));
        scores[state as usize] += plain;
        match sign {
            s if s > 0.0 => {
                pleasant += s * plain;
                unpleasant += 0.7 * s * negated;
                scores[EmotionalState::Sadness as usize] += 0.6 * s * negated;
            }
            s if s < 0.0 => {
                unpleasant -= s * plain;
                pleasant -= 0.3 * s * negated;
            }
            _ => {}
        }
    }
    // An achievement is glad news even when no word of joy is said.
    let achieved = 0.8 * utterance.weight(Cue::Achievement).min(1.5);
    pleasant += achieved;
    scores[EmotionalState::Joy as usize] += achieved;
    let (state, score) = FAMILIES
        .iter()
        .map(|&(_, state, _)| (state, scores[state as usize]))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((EmotionalState::Neutral, 0.0));
    if score <= 0.0 {
        let (valence, arousal) = (0.0, 0.1);
        return Feeling {
            state: EmotionalState::Neutral,
            intensity: 0.1,
            confidence: 0.5,
            valence,
            arousal,
        };
    }
    let confidence = unit(0.4 + 0.2 * score);
    let intensity = unit(0.35 + 0.2 * score + 0.05 * utterance.exclamations.min(3) as f32);
    Feeling {
        state,
        intensity,
        confidence,
        valence: signed((pleasant - unpleasant) / (pleasant + unpleasant + 0.5)),
        arousal: match state {
            EmotionalState::Sadness | EmotionalState::Trust => 0.5 * intensity,
            _ => intensity,
        },
    }
}
