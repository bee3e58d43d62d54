//! The words that name an emotion outright.

use whisperengine_types::{Emotion, EmotionSet, PrimaryEmotion};

use crate::{
    Vader,
    affect::{ANCHORS, opposite},
};

/// What a word that names an emotion adds to it.
const CUE: f32 = 1.0;
/// What a second such word adds.
const MORE_CUES: f32 = 0.3;

/// The emotions named outright, and those denied outright and not named elsewhere.
#[derive(Default)]
pub(super) struct Cues {
    pub(super) said: [f32; PrimaryEmotion::COUNT],
    pub(super) denied: [bool; PrimaryEmotion::COUNT],
    /// Whether there are any.
    pub(super) any: bool,
    pub(super) any_denied: bool,
}

impl Cues {
    /// Those of the text last seen by `vader`.
    pub(super) fn of(vader: &Vader) -> Self {
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

    pub(super) fn is_denied(&self, emotion: PrimaryEmotion) -> bool {
        self.denied[emotion as usize] && self.said[emotion as usize] == 0.0
    }

    /// Takes the labels of denied emotions out and puts that of the opposite in when none is left.
    pub(super) fn without_denied(&self, labels: EmotionSet) -> EmotionSet {
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
