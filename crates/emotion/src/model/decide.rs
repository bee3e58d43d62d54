//! From logits to labels.

use whisperengine_types::{Emotion, EmotionSet};

use super::weights::{EmotionModel, GROUP_SLACK, GROUPS, LANES};

/// Thresholds on logits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds<'a> {
    pub(crate) labels: &'a [f32; Emotion::COUNT],
    pub(crate) groups: &'a [f32; 4],
}

impl EmotionModel {
    pub(crate) fn decision(&self) -> Thresholds<'_> {
        Thresholds {
            labels: &self.thresholds,
            groups: &self.group_thresholds,
        }
    }
}

impl Thresholds<'_> {
    /// The labels whose logit passes; the group outputs then add the best label of a group that is surely
    /// there without one, and drop the labels of a group that is surely absent. Never empty.
    pub(crate) fn labels(&self, logits: &[f32; LANES]) -> EmotionSet {
        let mut set = 0;
        for (label, threshold) in self.labels.iter().enumerate() {
            set |= u32::from(logits[label] > *threshold) << label;
        }
        for (group, (&members, &threshold)) in GROUPS.iter().zip(self.groups).enumerate() {
            let logit = logits[Emotion::COUNT + group];
            if logit > threshold && set & members == 0 {
                set |= 1 << self.nearest(logits, members);
            } else if logit < threshold - GROUP_SLACK {
                set &= !members;
            }
        }
        if set == 0 {
            set = 1 << self.nearest(logits, u32::MAX);
        }
        Emotion::ALL
            .into_iter()
            .filter(|&emotion| set & (1 << emotion as u32) != 0)
            .collect()
    }

    /// The label among `members` that passes by most or misses by least.
    fn nearest(&self, logits: &[f32; LANES], members: u32) -> usize {
        let margin = |label: usize| logits[label] - self.labels[label];
        (0..Emotion::COUNT)
            .filter(|label| members & (1 << label) != 0)
            .max_by(|&a, &b| margin(a).total_cmp(&margin(b)))
            .expect("no group is empty")
    }
}
