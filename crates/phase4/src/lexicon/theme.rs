use serde::{Deserialize, Serialize};

use super::cue::Cue;

/// What a message, a thread or a memory is about, broadly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
#[repr(u8)]
pub enum Theme {
    Work,
    Relationships,
    Family,
    Health,
    Hobbies,
    Achievements,
    Challenges,
    Learning,
    Technology,
    Finance,
    Home,
    Food,
    Emotions,
    Pets,
    Travel,
}

impl Theme {
    /// How many themes there are.
    pub const COUNT: usize = 15;

    /// Every theme.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Work,
        Self::Relationships,
        Self::Family,
        Self::Health,
        Self::Hobbies,
        Self::Achievements,
        Self::Challenges,
        Self::Learning,
        Self::Technology,
        Self::Finance,
        Self::Home,
        Self::Food,
        Self::Emotions,
        Self::Pets,
        Self::Travel,
    ];

    /// The lower-case name.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; Theme::COUNT] = [
            "work",
            "relationships",
            "family",
            "health",
            "hobbies",
            "achievements",
            "challenges",
            "learning",
            "technology",
            "finance",
            "home",
            "food",
            "emotions",
            "pets",
            "travel",
        ];
        NAMES[self as usize]
    }

    /// Whether the theme says what the talk is about rather than how it goes: achievements, challenges
    /// and emotions occur in every subject and tie none together.
    pub(crate) fn is_subject(self) -> bool {
        !matches!(self, Self::Achievements | Self::Challenges | Self::Emotions)
    }

    pub(crate) fn from_cue(cue: Cue) -> Option<Self> {
        let index = (cue as usize).checked_sub(Cue::ThemeWork as usize)?;
        Self::ALL.get(index).copied()
    }
}

/// A set of [`Theme`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Themes(u16);

impl Themes {
    pub(crate) fn insert(&mut self, theme: Theme) {
        self.0 |= 1 << theme as u16;
    }

    pub(crate) fn contains(self, theme: Theme) -> bool {
        self.0 & (1 << theme as u16) != 0
    }

    pub(crate) fn shared(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Theme> {
        Theme::ALL.into_iter().filter(move |&theme| self.contains(theme))
    }

    /// Only the themes that say what the talk is about.
    pub(crate) fn subjects(self) -> Self {
        let mut subjects = Self::default();
        self.iter()
            .filter(|theme| theme.is_subject())
            .for_each(|theme| subjects.insert(theme));
        subjects
    }
}
