//! From logits to labels.

use whisperengine_types::Emotion;

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
    /// The labels whose logit passes, as bits; the group outputs then add the best label of a group that is
    /// surely there without one, and drop the labels of a group that is surely absent. Never empty.
    pub(crate) fn labels(&self, logits: &[f32; LANES]) -> u32 {
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
        set
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

/// The labels of a bit set, by id.
pub(crate) fn members(mut set: u32) -> impl Iterator<Item = Emotion> {
    std::iter::from_fn(move || {
        let label = *Emotion::ALL.get(set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(label)
    })
}
