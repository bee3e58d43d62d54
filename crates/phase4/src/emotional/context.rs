use serde::{Deserialize, Serialize};
use whisperengine_types::{
    EmotionReading, EmotionalPattern, EmotionalState, EmotionalTrigger, PrimaryEmotion,
};

use super::{
    history::EmotionalHistory,
    mapping::{Feeling, feeling},
};
use crate::{
    lexicon::{Cue, Theme},
    number::unit,
    text::Utterance,
};

/// A set of triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Triggers(u8);

impl Triggers {
    fn set(&mut self, trigger: EmotionalTrigger, holds: bool) {
        if holds {
            self.0 |= 1 << trigger as u8;
        }
    }

    pub(crate) fn has(self, trigger: EmotionalTrigger) -> bool {
        self.0 & (1 << trigger as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = EmotionalTrigger> {
        EmotionalTrigger::ALL
            .into_iter()
            .filter(move |&trigger| self.has(trigger))
    }
}

/// The emotional side of one message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EmotionalContext {
    pub(crate) state: EmotionalState,
    pub(crate) intensity: f32,
    pub(crate) confidence: f32,
    pub(crate) valence: f32,
    pub(crate) triggers: Triggers,
    pub(crate) pattern: Option<EmotionalPattern>,
    /// How heavy the subject weighs, `0..=1`.
    pub(crate) topic_weight: f32,
    /// How usual the feeling is for the person, `0..=1`.
    pub(crate) alignment: f32,
    pub(crate) empathy: f32,
    pub(crate) depth: f32,
    pub(crate) trust: f32,
}

impl EmotionalContext {
    pub(crate) fn is_unpleasant(&self) -> bool {
        is_unpleasant(self.state)
    }
}

pub(crate) fn is_unpleasant(state: EmotionalState) -> bool {
    matches!(
        state,
        EmotionalState::Sadness | EmotionalState::Anger | EmotionalState::Fear | EmotionalState::Disgust
    )
}

/// What an assessment looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assessment<'a> {
    pub(crate) reading: &'a EmotionReading,
    pub(crate) utterance: &'a Utterance<'a>,
    pub(crate) history: &'a EmotionalHistory,
    pub(crate) depth: f32,
    pub(crate) trust: f32,
    pub(crate) at: whisperengine_types::Timestamp,
}

/// The emotional side of the message.
pub(crate) fn assess(of: Assessment<'_>) -> EmotionalContext {
    let feeling = feeling(of.reading, of.utterance);
    let triggers = triggers(&feeling, &of);
    let mut context = EmotionalContext {
        state: feeling.state,
        intensity: feeling.intensity,
        confidence: feeling.confidence,
        valence: feeling.valence,
        triggers,
        pattern: None,
        topic_weight: topic_weight(of.utterance),
        alignment: of.history.alignment(feeling.state),
        empathy: 0.0,
        depth: of.depth,
        trust: of.trust,
    };
    context.empathy = empathy(&context);
    context.pattern = pattern(&feeling, &context, of.history);
    context
}

fn triggers(feeling: &Feeling, of: &Assessment<'_>) -> Triggers {
    use EmotionalState as S;
    use EmotionalTrigger as T;
    let (words, intensity) = (of.utterance, feeling.intensity);
    let unpleasant = is_unpleasant(feeling.state);
    let pleasant = matches!(feeling.state, S::Joy | S::Trust | S::Anticipation);
    let clouded = matches!(feeling.state, S::Sadness | S::Fear);
    // Strong joy is no stress: only unpleasant feelings count, and words of stress unless all is well.
    let stress_words = words.has(Cue::Stress) && !(pleasant && feeling.valence > 0.3);
    let stress = stress_words || (unpleasant && intensity > 0.7);
    // Without words for achievements the reading's pride is the sign of one.
    let proud = words.is_mute && of.reading.primary == PrimaryEmotion::Pride && intensity > 0.4;
    let achieved =
        (words.has(Cue::Achievement) && (feeling.state == S::Joy || feeling.valence > 0.3)) || proud;
    let mut triggers = Triggers::default();
    triggers.set(T::StressIndicators, stress);
    triggers.set(T::SupportOpportunities, words.has(Cue::Support));
    triggers.set(T::CelebrationMoments, achieved && !unpleasant);
    triggers.set(T::SadnessOnset, feeling.state == S::Sadness && intensity > 0.6);
    triggers.set(T::OverwhelmingEmotions, intensity > 0.8 && !pleasant);
    let confided = of.trust > 0.6 && clouded && intensity > 0.5 && words.has(Cue::Personal);
    triggers.set(T::RelationshipConcerns, confided);
    let anxious = stress || feeling.state == S::Fear;
    triggers.set(
        T::AnxietyPatterns,
        anxious && of.history.anxious_lately(of.at) >= 2,
    );
    let theme = words.themes.subjects();
    let breakthrough = pleasant && feeling.valence > 0.2 && of.history.hurt_by(theme) >= 2;
    triggers.set(T::EmotionalBreakthroughs, breakthrough);
    triggers
}

/// The subject's weight: heavy subjects 0.8 and more, light ones from 0.2, others 0.5.
fn topic_weight(words: &Utterance<'_>) -> f32 {
    let (heavy, light) = (words.count(Cue::Heavy), words.count(Cue::Light));
    match (heavy, light) {
        (1.., _) => unit(0.7 + 0.1 * heavy as f32),
        (0, 1..) => unit(0.1 + 0.1 * light as f32).min(0.5),
        _ if words.themes.contains(Theme::Challenges) => 0.6,
        _ => 0.5,
    }
}

fn empathy(context: &EmotionalContext) -> f32 {
    let weight = |trigger, weight| {
        if context.triggers.has(trigger) {
            weight
        } else {
            0.0
        }
    };
    unit(
        0.5 + weight(EmotionalTrigger::StressIndicators, 0.2)
            + weight(EmotionalTrigger::SadnessOnset, 0.3)
            + weight(EmotionalTrigger::OverwhelmingEmotions, 0.2)
            + weight(EmotionalTrigger::SupportOpportunities, 0.1)
            + 0.2 * context.intensity,
    )
}

fn pattern(
    feeling: &Feeling,
    context: &EmotionalContext,
    history: &EmotionalHistory,
) -> Option<EmotionalPattern> {
    use EmotionalPattern as P;
    use EmotionalState as S;
    let has = |trigger| context.triggers.has(trigger);
    let pleasant = matches!(feeling.state, S::Joy | S::Trust | S::Anticipation);
    if pleasant && feeling.intensity > 0.4 && history.recoveries() >= 2 && history.was_unpleasant() {
        return Some(P::ResilienceBuilding);
    }
    match feeling.state {
        S::Joy | S::Anticipation if feeling.intensity > 0.6 => {
            Some(if has(EmotionalTrigger::CelebrationMoments) {
                P::CelebrationMoments
            } else if feeling.arousal >= 0.7 {
                P::ExcitementSharing
            } else {
                P::RecurringJoy
            })
        }
        S::Anger if feeling.intensity > 0.5 => Some(P::FrustrationVenting),
        _ if has(EmotionalTrigger::StressIndicators) => Some(P::StressResponse),
        _ if has(EmotionalTrigger::SupportOpportunities) => Some(P::SupportSeeking),
        S::Sadness if context.trust > 0.7 => Some(P::VulnerabilitySharing),
        S::Sadness => Some(P::ComfortSeeking),
        S::Neutral => None,
        _ => Some(P::EmotionalValidation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::Lexicon;

    #[test]
    fn a_subjects_weight_sees_lemmas_and_stays_in_range() {
        let weight = |text| topic_weight(&Utterance::read(&Lexicon::english(), text));
        assert!(weight("My dog died.") >= 0.8, "an inflected form");
        assert_eq!(
            weight("Death, cancer, divorce, trauma, war, abuse, funeral and grief."),
            1.0
        );
        assert!(weight("A movie and a pizza.") < 0.5);
        assert_eq!(weight("The door is green."), 0.5);
    }
}
