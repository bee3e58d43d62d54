//! Who the person is as far as their messages tell: ten traits with evidence, confidence and decay.
//!
//! Every message is evidence, also when it changes nothing: a trait moves by a rate that falls with the
//! evidence down to a floor, its confidence rises with the evidence and falls with its scatter, and
//! unused evidence halves with every window. What the person asks for in words overrides what was
//! inferred.

mod observe;
mod style;
mod trait_value;

use serde::{Deserialize, Serialize};
use whisperengine_types::{CommunicationStyle, Timestamp};

pub(crate) use observe::{Observation, observe};
use style::Wishes;
pub use trait_value::{PersonalityDimension, Trait};

use crate::{config::PersonalityConfig, lexicon::Theme, number::unit, text::Utterance};

/// The profile of one person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Personality {
    traits: [Trait; PersonalityDimension::COUNT],
    wishes: Wishes,
    /// Engagement by theme and the messages behind it.
    topics: [(f32, u32); Theme::COUNT],
    /// Running means over about ten messages.
    means: Means,
    first: Option<Timestamp>,
    messages: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Means {
    words: f32,
    formality: f32,
    openness: f32,
    humour: f32,
    support: f32,
}

/// A report on a person's profile.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonalitySummary {
    /// Messages observed.
    pub messages: u64,
    /// When the first one was.
    pub since: Option<Timestamp>,
    /// Every trait, in the order of [`PersonalityDimension`].
    pub traits: Vec<Trait>,
    /// Mean, least and greatest confidence of the traits with evidence, `0..=1`.
    pub confidence: (f32, f32, f32),
    /// Mean words of the latest messages.
    pub mean_words: f32,
    /// Share of the latest messages with humour, `0..=1`.
    pub humour: f32,
    /// Share of the latest messages that seek support, `0..=1`.
    pub support_seeking: f32,
    /// Mean openness of the latest messages, `0..=1`.
    pub openness: f32,
    /// Themes by engagement, `0..=1`, best first, at most five.
    pub engaging_topics: Vec<(Theme, f32)>,
    /// How the person likes to be answered.
    pub style: CommunicationStyle,
}

impl Default for Personality {
    fn default() -> Self {
        Self {
            traits: PersonalityDimension::ALL.map(|dimension| Trait {
                dimension,
                ..Trait::default()
            }),
            wishes: Wishes::default(),
            topics: [(0.0, 0); Theme::COUNT],
            means: Means::default(),
            first: None,
            messages: 0,
        }
    }
}

impl PersonalitySummary {
    /// One trait.
    pub fn value(&self, dimension: PersonalityDimension) -> &Trait {
        &self.traits[dimension as usize]
    }
}

impl Personality {
    /// Takes the wishes of a message at once: they count for the reply to it. Says whether one is new.
    pub(crate) fn heed(&mut self, utterance: &Utterance<'_>) -> bool {
        let before = self.wishes;
        self.wishes.heed(utterance);
        self.wishes != before
    }

    /// Learns from a message.
    pub(crate) fn learn(&mut self, config: &PersonalityConfig, seen: &Observation) {
        self.first.get_or_insert(seen.at);
        self.messages += 1;
        for (dimension, value) in seen.traits() {
            self.traits[dimension as usize].observe(config, value, seen.at);
        }
        let rate = (1.0 / self.messages as f32).max(0.1);
        let mix = |mean: &mut f32, value: f32| *mean += rate * (value - *mean);
        mix(&mut self.means.words, f32::from(seen.words));
        mix(&mut self.means.formality, seen.casualness.value());
        mix(&mut self.means.openness, seen.openness.value());
        mix(&mut self.means.humour, f32::from(u8::from(seen.humour)));
        mix(&mut self.means.support, f32::from(u8::from(seen.support_seeking)));
        for theme in seen.themes.iter() {
            let (mean, count) = &mut self.topics[theme as usize];
            *count = count.saturating_add(1);
            *mean += (1.0 / *count as f32).max(0.1) * (seen.engagement.value() - *mean);
        }
    }

    pub(crate) fn value(&self, dimension: PersonalityDimension) -> &Trait {
        &self.traits[dimension as usize]
    }

    /// How to answer: what was asked for, else what was inferred.
    pub(crate) fn style(&self, config: &PersonalityConfig, now: Timestamp) -> CommunicationStyle {
        self.wishes.style(self, config, now)
    }

    /// Themes the person is most engaged in, best first.
    pub(crate) fn engaging(&self, limit: usize) -> Vec<(Theme, f32)> {
        let mut topics: Vec<_> = Theme::ALL
            .into_iter()
            .filter(|theme| theme.is_subject() && self.topics[*theme as usize].1 >= 2)
            .map(|theme| (theme, self.topics[theme as usize].0))
            .collect();
        topics.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        topics.truncate(limit);
        topics
    }

    pub(crate) fn summary(&self) -> PersonalitySummary {
        let known = || {
            self.traits
                .iter()
                .filter(|known| known.evidence > 0)
                .map(|known| known.confidence)
        };
        let count = known().count().max(1) as f32;
        let least = known().fold(1.0_f32, f32::min);
        let config = PersonalityConfig::default();
        PersonalitySummary {
            messages: self.messages,
            since: self.first,
            traits: self.traits.to_vec(),
            confidence: (
                known().sum::<f32>() / count,
                if self.messages > 0 { least } else { 0.0 },
                known().fold(0.0, f32::max),
            ),
            mean_words: self.means.words,
            humour: self.means.humour,
            support_seeking: self.means.support,
            openness: self.means.openness,
            engaging_topics: self.engaging(5),
            style: self.style(&config, self.first.unwrap_or_default()),
        }
    }

    pub(crate) fn repair(&mut self) {
        for (index, value) in self.traits.iter_mut().enumerate() {
            value.repair();
            value.dimension = PersonalityDimension::ALL[index];
        }
        for (mean, _) in &mut self.topics {
            *mean = unit(*mean);
        }
        let means = &mut self.means;
        means.words = if means.words.is_finite() {
            means.words.clamp(0.0, 65_535.0)
        } else {
            0.0
        };
        means.formality = crate::number::signed(means.formality);
        for mean in [&mut means.openness, &mut means.humour, &mut means.support] {
            *mean = unit(*mean);
        }
    }
}
