use serde::{Deserialize, Serialize};
use whisperengine_types::{
    ConversationPattern, EmotionalPattern, EmotionalState, EmotionalTrigger, Timestamp,
};

use super::context::{EmotionalContext, Triggers, is_unpleasant};
use crate::{
    lexicon::{Theme, Themes},
    number::{Byte, DAY, SignedByte, push_bounded, unit},
    reception::Reception,
};

/// What is kept of the feelings of one message.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Felt {
    pub(crate) at: Timestamp,
    pub(crate) state: EmotionalState,
    pub(crate) intensity: Byte,
    pub(crate) valence: SignedByte,
    pub(crate) triggers: Triggers,
    pub(crate) pattern: Option<EmotionalPattern>,
    pub(crate) themes: Themes,
}

impl Felt {
    pub(crate) fn new(context: &EmotionalContext, themes: Themes, at: Timestamp) -> Self {
        Self {
            at,
            state: context.state,
            intensity: Byte::new(context.intensity),
            valence: SignedByte::new(context.valence),
            triggers: context.triggers,
            pattern: context.pattern,
            themes,
        }
    }

    pub(crate) fn valence(&self) -> f32 {
        self.valence.value()
    }

    pub(crate) fn is_unpleasant(&self) -> bool {
        is_unpleasant(self.state)
    }

    fn is_pleasant(&self) -> bool {
        matches!(
            self.state,
            EmotionalState::Joy | EmotionalState::Trust | EmotionalState::Anticipation
        )
    }
}

/// A pattern that has shown at least once; it is a cluster from the third time on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EmotionalCluster {
    /// Which pattern.
    pub pattern: EmotionalPattern,
    /// How often it showed.
    pub frequency: u32,
    /// The feeling it showed with most lately.
    pub dominant: EmotionalState,
    /// Weakest and strongest intensity, `0..=1`.
    pub intensity: (f32, f32),
    /// When it first showed.
    pub first: Timestamp,
    /// When it last showed.
    pub last: Timestamp,
    /// How often the next message was happier.
    pub positive_outcomes: u32,
    /// How well answers to it have worked, `0..=1`; 0.7 to begin with.
    pub success_rate: f32,
}

/// What is remembered of a person's feelings: the last few, their distribution, the patterns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct EmotionalHistory {
    recent: Vec<Felt>,
    /// Decayed counts by state.
    distribution: [f32; 9],
    clusters: Vec<EmotionalCluster>,
    total: u64,
}

/// A report on a person's feelings.
#[derive(Debug, Clone, PartialEq)]
pub struct EmotionalSummary {
    /// Messages assessed.
    pub total: u64,
    /// Share of each state, the old weighing less; they add up to 1, or to 0 before the first message.
    pub distribution: Vec<(EmotionalState, f32)>,
    /// Patterns that showed at least three times, most frequent first.
    pub clusters: Vec<EmotionalCluster>,
    /// What sets each of these patterns off: triggers in at least three tenths of its latest messages.
    pub common_triggers: Vec<(EmotionalPattern, Vec<EmotionalTrigger>)>,
    /// Ways of replying that go down best with each of these patterns, best first; empty before enough replies
    /// of a kind were answered.
    pub effective_responses: Vec<(EmotionalPattern, Vec<ConversationPattern>)>,
    /// Mean success of answers over the patterns, `0..=1`.
    pub mean_success: f32,
}

const RECENT: usize = 20;
const RETENTION_DAYS: u32 = 90;
const CLUSTER_MINIMUM: u32 = 3;

impl EmotionalHistory {
    /// Takes the feelings of a message in.
    pub(crate) fn record(&mut self, felt: Felt) {
        self.total += 1;
        self.recent
            .retain(|old| felt.at.since(old.at) <= DAY * RETENTION_DAYS);
        for share in &mut self.distribution {
            *share *= 0.98;
        }
        self.distribution[felt.state as usize] += 1.0;
        if let Some(before) = self.recent.last().copied() {
            self.learn(&before, &felt);
        }
        if let Some(pattern) = felt.pattern {
            self.cluster(pattern, &felt);
        }
        push_bounded(&mut self.recent, felt, RECENT);
    }

    /// The message after a pattern tells whether it was answered well.
    fn learn(&mut self, before: &Felt, felt: &Felt) {
        let Some(pattern) = before.pattern else { return };
        let Some(cluster) = self.clusters.iter_mut().find(|known| known.pattern == pattern) else {
            return;
        };
        let better = felt.valence.value() > before.valence.value() + 0.1;
        let worse = felt.valence.value() < before.valence.value() - 0.3;
        cluster.positive_outcomes += u32::from(better);
        let outcome = if better {
            1.0
        } else if worse {
            0.0
        } else {
            0.6
        };
        cluster.success_rate = unit(0.9 * cluster.success_rate + 0.1 * outcome);
    }

    fn cluster(&mut self, pattern: EmotionalPattern, felt: &Felt) {
        let intensity = felt.intensity.value();
        match self.clusters.iter_mut().find(|known| known.pattern == pattern) {
            Some(known) => {
                known.frequency = known.frequency.saturating_add(1);
                known.dominant = felt.state;
                known.intensity = (known.intensity.0.min(intensity), known.intensity.1.max(intensity));
                known.last = felt.at;
            }
            None => self.clusters.push(EmotionalCluster {
                pattern,
                frequency: 1,
                dominant: felt.state,
                intensity: (intensity, intensity),
                first: felt.at,
                last: felt.at,
                positive_outcomes: 0,
                success_rate: 0.7,
            }),
        }
    }

    /// How usual a feeling is for this person: their own history once there is one, a guess before.
    pub(crate) fn alignment(&self, state: EmotionalState) -> f32 {
        let total: f32 = self.distribution.iter().sum();
        if total < 5.0 {
            return match state {
                EmotionalState::Joy | EmotionalState::Neutral => 0.8,
                EmotionalState::Sadness | EmotionalState::Fear => 0.6,
                _ => 0.7,
            };
        }
        let share = self.distribution[state as usize] / total;
        (0.5 + 2.0 * (share - 1.0 / 9.0)).clamp(0.3, 1.0)
    }

    /// Messages of fear or stress in the last seven days.
    pub(crate) fn anxious_lately(&self, now: Timestamp) -> usize {
        let anxious = |felt: &&Felt| {
            felt.state == EmotionalState::Fear || felt.triggers.has(EmotionalTrigger::StressIndicators)
        };
        self.recent
            .iter()
            .filter(|felt| now.since(felt.at) <= DAY * 7)
            .filter(anxious)
            .count()
    }

    /// Unpleasant messages on one of these subjects.
    pub(crate) fn hurt_by(&self, themes: Themes) -> usize {
        let hurt = |felt: &&Felt| felt.is_unpleasant() && !felt.themes.shared(themes).is_empty();
        self.recent.iter().filter(hurt).count()
    }

    /// Subjects on which at least `times` of the last messages were unpleasant.
    pub(crate) fn sore_subjects(&self, times: usize) -> Themes {
        let mut sore = Themes::default();
        for theme in Theme::ALL.into_iter().filter(|theme| theme.is_subject()) {
            let hurt = |felt: &&Felt| felt.is_unpleasant() && felt.themes.contains(theme);
            if self.recent.iter().filter(hurt).count() >= times {
                sore.insert(theme);
            }
        }
        sore
    }

    /// The patterns that have shown often enough to count, most frequent first.
    pub(crate) fn lasting_patterns(&self, limit: usize) -> Vec<EmotionalPattern> {
        let mut lasting: Vec<(u32, EmotionalPattern)> = self
            .clusters
            .iter()
            .filter(|known| known.frequency >= CLUSTER_MINIMUM)
            .map(|known| (known.frequency, known.pattern))
            .collect();
        lasting.sort_by_key(|&(frequency, pattern)| (std::cmp::Reverse(frequency), pattern));
        lasting.iter().take(limit).map(|&(_, pattern)| pattern).collect()
    }

    /// Turns from unpleasant to pleasant.
    pub(crate) fn recoveries(&self) -> usize {
        let mut low = false;
        let mut recoveries = 0;
        for felt in &self.recent {
            if low && felt.is_pleasant() {
                recoveries += 1;
                low = false;
            }
            low |= felt.is_unpleasant();
        }
        recoveries
    }

    /// Whether one of the last three messages was unpleasant.
    pub(crate) fn was_unpleasant(&self) -> bool {
        self.recent.iter().rev().take(3).any(Felt::is_unpleasant)
    }

    /// Earlier messages in the same state: how many, and their mean intensity.
    pub(crate) fn similar(&self, state: EmotionalState) -> (usize, f32) {
        let same = self.recent.iter().filter(|felt| felt.state == state);
        let (count, sum) = same.fold((0, 0.0), |(n, sum), felt| (n + 1, sum + felt.intensity.value()));
        (count, if count > 0 { sum / count as f32 } else { 0.0 })
    }

    /// The feelings of the last messages, oldest first.
    pub(crate) fn recent(&self) -> &[Felt] {
        &self.recent
    }

    /// Valence of the last message, `-1..=1`.
    pub(crate) fn last_valence(&self) -> f32 {
        self.recent.last().map_or(0.0, Felt::valence)
    }

    /// The last feeling: state, intensity, whether an achievement was told; and whether it was stress.
    pub(crate) fn last_felt(&self) -> ((EmotionalState, f32, bool), bool) {
        self.recent
            .last()
            .map_or(((EmotionalState::Neutral, 0.0, false), false), |felt| {
                let achieved = felt.triggers.has(EmotionalTrigger::CelebrationMoments);
                let stressed = felt.triggers.has(EmotionalTrigger::StressIndicators);
                ((felt.state, felt.intensity.value(), achieved), stressed)
            })
    }

    pub(crate) fn summary(&self, reception: &Reception) -> EmotionalSummary {
        let total: f32 = self.distribution.iter().sum();
        let share = |count: f32| if total > 0.0 { count / total } else { 0.0 };
        let mut clusters: Vec<_> = self
            .clusters
            .iter()
            .filter(|known| known.frequency >= CLUSTER_MINIMUM)
            .copied()
            .collect();
        clusters.sort_by_key(|known| (std::cmp::Reverse(known.frequency), known.pattern));
        let mean =
            clusters.iter().map(|known| known.success_rate).sum::<f32>() / clusters.len().max(1) as f32;
        EmotionalSummary {
            total: self.total,
            distribution: STATES
                .iter()
                .map(|&state| (state, share(self.distribution[state as usize])))
                .collect(),
            common_triggers: clusters
                .iter()
                .map(|known| (known.pattern, self.common_triggers(known.pattern)))
                .collect(),
            effective_responses: clusters
                .iter()
                .map(|known| {
                    let works = reception.effective_in(known.pattern);
                    (known.pattern, works.iter().map(|known| known.pattern).collect())
                })
                .collect(),
            mean_success: if clusters.is_empty() { 0.7 } else { mean },
            clusters,
        }
    }

    fn common_triggers(&self, pattern: EmotionalPattern) -> Vec<EmotionalTrigger> {
        let members = || self.recent.iter().filter(|felt| felt.pattern == Some(pattern));
        let all = members().count();
        let common = |trigger: &EmotionalTrigger| {
            let with = members().filter(|felt| felt.triggers.has(*trigger)).count();
            with > 0 && 10 * with >= 3 * all
        };
        EmotionalTrigger::ALL.into_iter().filter(common).collect()
    }

    /// Brings decoded values into their ranges.
    pub(crate) fn repair(&mut self) {
        self.recent.truncate(RECENT);
        self.clusters.truncate(EmotionalPattern::COUNT);
        for share in &mut self.distribution {
            *share = if share.is_finite() {
                share.clamp(0.0, 100.0)
            } else {
                0.0
            };
        }
        for known in &mut self.clusters {
            known.intensity = (unit(known.intensity.0), unit(known.intensity.1));
            known.success_rate = unit(known.success_rate);
        }
    }
}

const STATES: [EmotionalState; 9] = [
    EmotionalState::Joy,
    EmotionalState::Sadness,
    EmotionalState::Anger,
    EmotionalState::Fear,
    EmotionalState::Surprise,
    EmotionalState::Disgust,
    EmotionalState::Neutral,
    EmotionalState::Anticipation,
    EmotionalState::Trust,
];
