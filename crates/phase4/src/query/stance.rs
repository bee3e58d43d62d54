//! What a message wants, how it sounds and what it is about, coarsely.

use super::{MessageIntent, Polarity, TopicHint};
use crate::{
    lexicon::{Cue, Theme},
    text::Utterance,
};

/// Families of cues that tell a feeling.
pub(super) const FELT: [Cue; 6] = [
    Cue::Joy,
    Cue::Sadness,
    Cue::Anger,
    Cue::Fear,
    Cue::Stress,
    Cue::Feeling,
];

pub(super) fn intent(utterance: &Utterance<'_>) -> MessageIntent {
    let has = |cue| utterance.has(cue);
    if utterance.is_question() {
        MessageIntent::Question
    } else if has(Cue::Support) {
        MessageIntent::HelpRequest
    } else if has(Cue::Problem) {
        MessageIntent::Problem
    } else if has(Cue::Preference) {
        MessageIntent::Preference
    } else if utterance.told() != 0 {
        MessageIntent::Sharing
    } else {
        MessageIntent::General
    }
}

pub(super) fn polarity(utterance: &Utterance<'_>) -> Polarity {
    let sum = |cues: &[Cue]| cues.iter().map(|&cue| utterance.weight(cue)).sum::<f32>();
    let lost = utterance.negated(Cue::Joy) + utterance.negated(Cue::Trust);
    let pleasant = sum(&[Cue::Joy, Cue::Anticipation, Cue::Trust, Cue::Achievement]);
    let unpleasant = lost + sum(&[Cue::Sadness, Cue::Anger, Cue::Fear, Cue::Disgust, Cue::Stress]);
    if pleasant + unpleasant <= 0.0 {
        Polarity::None
    } else if pleasant > unpleasant {
        Polarity::Positive
    } else if unpleasant > pleasant {
        Polarity::Negative
    } else {
        Polarity::Neutral
    }
}

pub(super) fn topic(utterance: &Utterance<'_>) -> TopicHint {
    let themes = utterance.themes;
    let about = |list: &[Theme]| list.iter().any(|&theme| themes.contains(theme));
    if about(&[Theme::Technology]) {
        TopicHint::Technology
    } else if about(&[Theme::Emotions]) {
        TopicHint::Emotional
    } else if about(&[Theme::Work, Theme::Finance, Theme::Learning]) {
        TopicHint::Professional
    } else if about(&[Theme::Relationships, Theme::Family]) {
        TopicHint::Social
    } else {
        TopicHint::General
    }
}
