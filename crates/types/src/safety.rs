//! Whether a text says that somebody is in danger.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// What a text says about danger to its writer or to somebody near.
///
/// A cue for care, not a diagnosis: it misses some and it is wrong about some. Whoever runs a companion
/// configures what is answered and who is notified.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Safety {
    /// How urgent it is.
    pub level: SafetyLevel,
    /// What speaks for it; `None` exactly when the level is [`SafetyLevel::None`].
    pub cue: Option<SafetyCue>,
}

/// How urgent danger is; a later one is more urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SafetyLevel {
    /// No sign of danger.
    #[default]
    None,
    /// Hopelessness, past harm, not coping: to be met with care.
    Concern,
    /// Acute risk of suicide, self-harm, abuse or a medical emergency.
    Crisis,
}

impl SafetyLevel {
    /// The lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Concern => "concern",
            Self::Crisis => "crisis",
        }
    }
}

impl fmt::Display for SafetyLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a text is taken for a sign of danger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyCue {
    /// Which danger.
    pub kind: SafetyKind,
    /// The part of the text that says so: a byte range on character boundaries.
    pub span: Range<u32>,
}

/// Which danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SafetyKind {
    /// Thoughts, plans or announcements of suicide.
    Suicide,
    /// Self-harm.
    SelfHarm,
    /// An overdose or poisoning.
    Overdose,
    /// Violence or abuse by somebody else.
    Abuse,
    /// Somebody needs a doctor now.
    MedicalEmergency,
    /// Somebody else is at risk.
    OtherAtRisk,
    /// No hope, a burden to others, not coping.
    Hopelessness,
}

impl SafetyKind {
    /// The lower-case name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Suicide => "suicide",
            Self::SelfHarm => "self_harm",
            Self::Overdose => "overdose",
            Self::Abuse => "abuse",
            Self::MedicalEmergency => "medical_emergency",
            Self::OtherAtRisk => "other_at_risk",
            Self::Hopelessness => "hopelessness",
        }
    }
}

impl fmt::Display for SafetyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
