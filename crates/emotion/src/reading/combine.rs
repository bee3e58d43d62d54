//! English: both models and VADER together.

use whisperengine_types::{Emotion, PrimaryEmotion, VaderScores};

use crate::{model::LANES, multilingual::lanes::PRIMARY};

/// What neutral gains where neither the English model nor VADER sees a feeling.
const NOTHING_SEEN: f32 = 0.9;

/// The outputs of the multilingual model, moved by what the English model and VADER see.
pub(super) fn combine(outputs: &[f32; LANES], english: &[f32; LANES], vader: &VaderScores) -> [f32; LANES] {
    let mut combined = *outputs;
    let labels = &english[..Emotion::COUNT];
    let neutral = labels[Emotion::Neutral as usize];
    if vader.compound == 0.0 && labels.iter().all(|&logit| logit <= neutral) {
        combined[PRIMARY.start + PrimaryEmotion::Neutral as usize] += NOTHING_SEEN;
    }
    combined
}
