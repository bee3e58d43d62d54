//! What a text says about how its writer feels.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Language, Safety};

/// The reading of one text. Holds nothing of any other message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmotionReading {
    /// The VADER scores.
    pub vader: VaderScores,
    /// Probability of each [`Emotion`], in the order of [`Emotion::ALL`]; each in `0..=1`, independent of
    /// one another (they need not add up to 1).
    pub probabilities: [f32; Emotion::COUNT],
    /// The emotions whose probability passes their own threshold; never empty after a full reading.
    pub labels: EmotionSet,
    /// The one emotion to act on.
    pub primary: PrimaryEmotion,
    /// How strongly it is felt, `0..=1`.
    pub intensity: f32,
    /// How sure the reading is of `primary`, `0..=1`.
    pub confidence: f32,
    /// Unpleasant to pleasant, `-1..=1`.
    pub valence: f32,
    /// Drowsy to agitated, `0..=1`.
    pub arousal: f32,
    /// Overwhelmed to in control, `0..=1`.
    pub dominance: f32,
    /// Whether the text speaks of feelings that pull in different directions, so that `primary` and
    /// `valence` may disagree.
    #[serde(default)]
    pub mixed: bool,
    /// The language of the text, where it is clear.
    #[serde(default)]
    pub language: Option<Language>,
    /// Whether the text says that somebody is in danger.
    #[serde(default)]
    pub safety: Safety,
    /// Where in the text the reading comes from, in text order.
    pub triggers: Vec<EmotionTrigger>,
}

impl EmotionReading {
    /// The reading of a text that says nothing: all neutral, confidence 0.
    pub fn neutral() -> Self {
        Self {
            vader: VaderScores {
                neg: 0.0,
                neu: 0.0,
                pos: 0.0,
                compound: 0.0,
            },
            probabilities: [0.0; Emotion::COUNT],
            labels: EmotionSet::EMPTY,
            primary: PrimaryEmotion::Neutral,
            intensity: 0.0,
            confidence: 0.0,
            valence: 0.0,
            arousal: 0.0,
            dominance: 0.5,
            mixed: false,
            language: None,
            safety: Safety::default(),
            triggers: Vec::new(),
        }
    }

    /// The probability of one emotion, `0..=1`.
    pub fn probability(&self, emotion: Emotion) -> f32 {
        self.probabilities[emotion as usize]
    }
}

/// Sentiment after Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of
/// Social Media Text" (ICWSM 2014).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct VaderScores {
    /// Share of the text that is negative, `0..=1`, three decimals.
    pub neg: f64,
    /// Share that is neutral, `0..=1`, three decimals.
    pub neu: f64,
    /// Share that is positive, `0..=1`, three decimals.
    pub pos: f64,
    /// Overall sentiment, `-1..=1`, four decimals.
    pub compound: f64,
}

/// A stretch of the text that moved the reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmotionTrigger {
    /// Byte range in the text; always on character boundaries.
    pub span: Range<u32>,
    /// What it speaks for.
    pub emotion: PrimaryEmotion,
    /// How much it weighs, `-1..=1`; negative where it speaks against `emotion`, as after "not".
    pub weight: f32,
    /// Which part of the analysis saw it.
    pub source: TriggerSource,
}

/// Which part of the analysis a trigger comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerSource {
    /// A word or emoji of the sentiment lexicon.
    Lexicon,
    /// A feature of the learned model.
    Learned,
}

/// The 28 labels of GoEmotions (Demszky and others, ACL 2020), in the data set's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the labels are the documentation")]
#[repr(u8)]
pub enum Emotion {
    Admiration,
    Amusement,
    Anger,
    Annoyance,
    Approval,
    Caring,
    Confusion,
    Curiosity,
    Desire,
    Disappointment,
    Disapproval,
    Disgust,
    Embarrassment,
    Excitement,
    Fear,
    Gratitude,
    Grief,
    Joy,
    Love,
    Nervousness,
    Optimism,
    Pride,
    Realization,
    Relief,
    Remorse,
    Sadness,
    Surprise,
    Neutral,
}

impl Emotion {
    /// How many labels there are.
    pub const COUNT: usize = 28;

    /// Every label, by id.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Admiration,
        Self::Amusement,
        Self::Anger,
        Self::Annoyance,
        Self::Approval,
        Self::Caring,
        Self::Confusion,
        Self::Curiosity,
        Self::Desire,
        Self::Disappointment,
        Self::Disapproval,
        Self::Disgust,
        Self::Embarrassment,
        Self::Excitement,
        Self::Fear,
        Self::Gratitude,
        Self::Grief,
        Self::Joy,
        Self::Love,
        Self::Nervousness,
        Self::Optimism,
        Self::Pride,
        Self::Realization,
        Self::Relief,
        Self::Remorse,
        Self::Sadness,
        Self::Surprise,
        Self::Neutral,
    ];

    const NAMES: [&'static str; Self::COUNT] = [
        "admiration",
        "amusement",
        "anger",
        "annoyance",
        "approval",
        "caring",
        "confusion",
        "curiosity",
        "desire",
        "disappointment",
        "disapproval",
        "disgust",
        "embarrassment",
        "excitement",
        "fear",
        "gratitude",
        "grief",
        "joy",
        "love",
        "nervousness",
        "optimism",
        "pride",
        "realization",
        "relief",
        "remorse",
        "sadness",
        "surprise",
        "neutral",
    ];

    /// The data set's name of the label.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl std::fmt::Display for Emotion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// A set of [`Emotion`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Emotion>", into = "Vec<Emotion>")]
pub struct EmotionSet(u32);

impl EmotionSet {
    /// No emotion.
    pub const EMPTY: Self = Self(0);

    /// Adds `emotion`.
    pub fn insert(&mut self, emotion: Emotion) {
        self.0 |= 1 << emotion as u32;
    }

    /// Whether `emotion` is in the set.
    pub fn contains(self, emotion: Emotion) -> bool {
        self.0 & (1 << emotion as u32) != 0
    }

    /// How many emotions are in the set.
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The emotions by id.
    pub fn iter(self) -> impl Iterator<Item = Emotion> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let first = *Emotion::ALL.get(rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(first)
        })
    }
}

impl FromIterator<Emotion> for EmotionSet {
    fn from_iter<I: IntoIterator<Item = Emotion>>(emotions: I) -> Self {
        let mut set = Self::EMPTY;
        emotions.into_iter().for_each(|emotion| set.insert(emotion));
        set
    }
}

impl From<Vec<Emotion>> for EmotionSet {
    fn from(emotions: Vec<Emotion>) -> Self {
        emotions.into_iter().collect()
    }
}

impl From<EmotionSet> for Vec<Emotion> {
    fn from(set: EmotionSet) -> Self {
        set.iter().collect()
    }
}

/// The emotion a companion acts on: twelve and neutral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum PrimaryEmotion {
    /// Gladness, amusement, relief.
    Joy,
    /// Loss, grief, disappointment.
    Sadness,
    /// Anger, annoyance, disapproval.
    Anger,
    /// Fear, nervousness.
    Fear,
    /// Something unexpected, good or bad.
    Surprise,
    /// Revulsion.
    Disgust,
    /// Affection, care.
    Love,
    /// Thankfulness.
    Gratitude,
    /// Pride in oneself or another, admiration.
    Pride,
    /// Embarrassment, remorse.
    Shame,
    /// High-spirited anticipation.
    Excitement,
    /// Quiet contentment.
    Calm,
    /// None of the above stands out.
    #[default]
    Neutral,
}

impl PrimaryEmotion {
    /// How many there are.
    pub const COUNT: usize = 13;

    /// Every one, neutral last.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Joy,
        Self::Sadness,
        Self::Anger,
        Self::Fear,
        Self::Surprise,
        Self::Disgust,
        Self::Love,
        Self::Gratitude,
        Self::Pride,
        Self::Shame,
        Self::Excitement,
        Self::Calm,
        Self::Neutral,
    ];

    const NAMES: [&'static str; Self::COUNT] = [
        "joy",
        "sadness",
        "anger",
        "fear",
        "surprise",
        "disgust",
        "love",
        "gratitude",
        "pride",
        "shame",
        "excitement",
        "calm",
        "neutral",
    ];

    /// The lower-case name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl std::fmt::Display for PrimaryEmotion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
