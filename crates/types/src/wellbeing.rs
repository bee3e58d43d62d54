//! How somebody has been lately: mood, stress, what should worry, and which support fits.

use serde::{Deserialize, Serialize};

/// How somebody has been lately.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Wellbeing {
    /// The latest mood.
    pub mood: MoodCategory,
    /// The same as a number, `-1..=1`.
    pub mood_score: f32,
    /// How sure of it, `0..=1`.
    pub mood_confidence: f32,
    /// Stress over the last days.
    pub stress: StressLevel,
    /// The same as a number, `0..=1`.
    pub stress_score: f32,
    /// What should worry, most urgent first.
    pub alerts: Vec<Alert>,
    /// The support that fits, if any does.
    pub support: Option<SupportAdvice>,
}

/// A mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum MoodCategory {
    VeryNegative,
    Negative,
    #[default]
    Neutral,
    Positive,
    VeryPositive,
}

/// A level of stress; the borders are 0.2, 0.4, 0.6 and 0.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum StressLevel {
    #[default]
    Minimal,
    Low,
    Moderate,
    High,
    Critical,
}

/// Something that should worry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What.
    pub kind: AlertKind,
    /// From 1 to 5.
    pub urgency: u8,
}

/// What should worry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Stress above 0.7, critical above 0.85.
    StressEscalation,
    /// Three moods below -0.3 in a row.
    MoodDecline,
    /// Moods that jump by more than 0.6 from one message to the next.
    EmotionalVolatility,
    /// Feelings so strong that they take over.
    OverwhelmIndicators,
    /// Three days of silence from somebody who is used to talk.
    IsolationPattern,
}

/// Which support fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportAdvice {
    /// Before, after or during trouble.
    pub kind: SupportKind,
    /// In which manner.
    pub style: InterventionStyle,
    /// How soon.
    pub timing: SupportTiming,
    /// Whether it may be offered unasked now: no opt-out, gap and cap kept or urgency 5.
    pub due: bool,
}

/// Before, after or during trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SupportKind {
    Preventive,
    Reactive,
    Maintenance,
    Crisis,
}

/// In which manner to support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum InterventionStyle {
    GentleCheckIn,
    DirectSupport,
    ResourceOffering,
    SkillBuilding,
    CrisisIntervention,
}

/// How soon to support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SupportTiming {
    Immediate,
    WithinHour,
    WithinDay,
    NextInteraction,
}
