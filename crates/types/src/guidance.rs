//! How to answer a feeling.

use serde::{Deserialize, Serialize};

/// How to answer the person's feelings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a piece of advice of its own, not a state"
)]
pub struct EmotionalGuidance {
    /// The tone to take.
    pub tone: Tone,
    /// How much empathy is called for, `0..=1`.
    pub empathy: f32,
    /// Name the feeling.
    pub acknowledge: bool,
    /// Say that the feeling is understandable.
    pub validate: bool,
    /// Offer help.
    pub offer_support: bool,
    /// What set the guidance off.
    pub triggers: Vec<EmotionalTrigger>,
    /// The pattern of the person's feelings this fits into, if any.
    pub pattern: Option<EmotionalPattern>,
    /// The feeling to answer.
    pub state: EmotionalState,
    /// How to set the tone.
    pub dials: ToneDials,
    /// How long to answer compared with the usual; 1 is as usual, 0 when no engine made the plan.
    pub length_factor: f32,
    /// Go through what could be done about it.
    pub suggest_solutions: bool,
    /// Say that one feels with them.
    pub share_empathy: bool,
    /// A tone that comes before `tone`, where the moment calls for one.
    pub style_override: Option<Tone>,
    /// How well this guidance is expected to work, `0..=1`.
    pub expected_effectiveness: f32,
    /// How sure of it, `0..=1`.
    pub confidence: f32,
    /// What not to bring up unasked: subjects the person does not want to talk about and, in a low moment,
    /// those that hurt lately.
    #[serde(default)]
    pub avoid_topics: Vec<String>,
    /// What to see to before all else, most pressing first, at most three.
    #[serde(default)]
    pub priority_focus: Vec<Focus>,
}

/// The feelings that the conversation engine tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum EmotionalState {
    Joy,
    Sadness,
    Anger,
    Fear,
    Surprise,
    Disgust,
    #[default]
    Neutral,
    Anticipation,
    Trust,
}

/// How to set the tone of a reply, each `0..=1`; 0.5 is ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ToneDials {
    pub warmth: f32,
    pub formality: f32,
    pub enthusiasm: f32,
    pub gentleness: f32,
}

/// A tone for a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tone {
    #[default]
    BalancedNatural,
    EngagedCurious,
    EnthusiasticSharing,
    WarmlyCelebratory,
    EnthusiasticCelebratory,
    GentleSupportive,
    DeeplyEmpathetic,
    ProfessionallySupportive,
    CalmUnderstanding,
    ReassuringStable,
    CalmGrounding,
}

/// What set a feeling off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum EmotionalTrigger {
    /// Words of stress, or a strong unpleasant feeling.
    StressIndicators,
    /// Clear sadness.
    SadnessOnset,
    /// A feeling so strong that it takes over.
    OverwhelmingEmotions,
    /// A call for help or advice.
    SupportOpportunities,
    /// Joy about an achievement.
    CelebrationMoments,
    /// Fear or stress again and again.
    AnxietyPatterns,
    /// A turn to the better on a subject that used to hurt.
    EmotionalBreakthroughs,
    /// Something personal said in sadness or fear, in trust.
    RelationshipConcerns,
}

impl EmotionalTrigger {
    /// Every trigger, in the order of `Ord`.
    pub const ALL: [Self; 8] = [
        Self::StressIndicators,
        Self::SadnessOnset,
        Self::OverwhelmingEmotions,
        Self::SupportOpportunities,
        Self::CelebrationMoments,
        Self::AnxietyPatterns,
        Self::EmotionalBreakthroughs,
        Self::RelationshipConcerns,
    ];
}

/// A way in which a person's feelings repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
#[repr(u8)]
pub enum EmotionalPattern {
    RecurringJoy,
    StressResponse,
    SupportSeeking,
    CelebrationMoments,
    VulnerabilitySharing,
    ResilienceBuilding,
    EmotionalValidation,
    ComfortSeeking,
    ExcitementSharing,
    FrustrationVenting,
}

impl EmotionalPattern {
    /// How many there are.
    pub const COUNT: usize = 10;
}

/// What a reply sees to before all else, most pressing first in the order of `Ord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Focus {
    Calm,
    RepairTrust,
    Comfort,
    Reassure,
    Help,
    RelieveStress,
    Celebrate,
    Answer,
}
