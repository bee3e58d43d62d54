use serde::{Deserialize, Serialize};
use whisperengine_types::Timestamp;

use crate::{
    config::PersonalityConfig,
    number::{DAY, decay, signed, unit},
};

/// A side of a person's way of talking; values run from -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PersonalityDimension {
    /// Formal (-1) to casual (1).
    #[default]
    CommunicationStyle,
    /// Reserved to open about feelings.
    EmotionalExpression,
    /// Passive to asking and playing along.
    SocialEngagement,
    /// Asking to teaching.
    LearningStyle,
    /// By gut (-1) to by reason (1).
    DecisionMaking,
    /// Serious to humorous.
    HumorStyle,
    /// Rarely to often seeking support.
    SupportPreferences,
    /// Distrustful to trusting.
    TrustLevel,
    /// Small talk to deep talk.
    ConversationDepth,
    /// Slow (-1) to quick (1) to answer.
    ResponseTiming,
}

impl PersonalityDimension {
    /// How many there are.
    pub const COUNT: usize = 10;

    /// Every dimension.
    pub const ALL: [Self; Self::COUNT] = [
        Self::CommunicationStyle,
        Self::EmotionalExpression,
        Self::SocialEngagement,
        Self::LearningStyle,
        Self::DecisionMaking,
        Self::HumorStyle,
        Self::SupportPreferences,
        Self::TrustLevel,
        Self::ConversationDepth,
        Self::ResponseTiming,
    ];
}

/// What is known of one dimension.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Trait {
    /// Which.
    pub dimension: PersonalityDimension,
    /// Where the person stands, `-1..=1`.
    pub value: f32,
    /// How sure of it, `0..=1`.
    pub confidence: f32,
    /// Messages that told something about it.
    pub evidence: u32,
    /// When the last one did.
    pub updated: Timestamp,
    pub(super) variance: f32,
    /// Evidence that has not faded.
    pub(super) fresh: f32,
}

impl Trait {
    pub(super) fn observe(&mut self, config: &PersonalityConfig, value: f32, at: Timestamp) {
        let value = signed(value);
        let window = DAY * config.window_days.max(1);
        self.fresh = (self.fresh * decay(at.since(self.updated), window)).min(1000.0) + 1.0;
        let rate = if self.evidence == 0 {
            1.0
        } else {
            (1.0 / self.fresh).max(config.floor_rate).min(1.0)
        };
        let error = value - self.value;
        self.value = signed(self.value + rate * error);
        self.variance = (1.0 - rate) * (self.variance + rate * error * error);
        self.evidence = self.evidence.saturating_add(1);
        self.updated = at;
        self.confidence = self.confidence_of(config, self.fresh);
    }

    fn confidence_of(&self, config: &PersonalityConfig, fresh: f32) -> f32 {
        unit(fresh / config.full_confidence.max(1) as f32) * (1.0 - 0.5 * unit(self.variance))
    }

    /// The confidence that is left at `now`.
    pub(crate) fn confidence_at(&self, config: &PersonalityConfig, now: Timestamp) -> f32 {
        let window = DAY * config.window_days.max(1);
        self.confidence_of(config, self.fresh * decay(now.since(self.updated), window))
    }

    pub(super) fn repair(&mut self) {
        self.value = signed(self.value);
        self.confidence = unit(self.confidence);
        self.variance = unit(self.variance);
        self.fresh = if self.fresh.is_finite() {
            self.fresh.clamp(0.0, 1001.0)
        } else {
            0.0
        };
    }
}
