//! What one message tells about its writer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use whisperengine_types::Timestamp;

use super::PersonalityDimension;
use crate::{
    lexicon::{Cue, Themes},
    number::{Byte, SignedByte, log2, signed, unit},
    text::Utterance,
};

/// The measurements of one message; small, because it waits in the state until the reply is out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent marks, read one at a time"
)]
pub(crate) struct Observation {
    pub(crate) at: Timestamp,
    pub(crate) words: u16,
    pub(crate) casualness: SignedByte,
    pub(crate) openness: Byte,
    pub(crate) depth: Byte,
    pub(crate) engagement: Byte,
    pub(crate) detail: SignedByte,
    pub(crate) question_ratio: Byte,
    pub(crate) humour: bool,
    pub(crate) support_seeking: bool,
    pub(crate) teaching: bool,
    pub(crate) confiding: u8,
    pub(crate) distrust: u8,
    pub(crate) insults: u8,
    pub(crate) gratitude: bool,
    pub(crate) boundary: bool,
    /// By gut to by reason; `None` when the message tells nothing of it.
    pub(crate) reasoning: Option<SignedByte>,
    /// Slow to quick; `None` without a reply to answer.
    pub(crate) pace: Option<SignedByte>,
    pub(crate) themes: Themes,
}

/// Measures a message. `engagement` comes from the flow of the talk, `latency` is the time since the
/// bot's reply.
pub(crate) fn observe(
    utterance: &Utterance<'_>,
    intensity: f32,
    engagement: f32,
    latency: Option<Duration>,
    at: Timestamp,
) -> Observation {
    let words = utterance.words();
    let count = |cue| utterance.count(cue).min(255) as u8;
    let (reasoned, gut) = (utterance.weight(Cue::Reasoned), utterance.weight(Cue::Gut));
    let sentences = utterance.sentences.len().max(1);
    let questions = utterance
        .sentences
        .iter()
        .filter(|sentence| sentence.question)
        .count();
    Observation {
        at,
        words: words.min(65_535) as u16,
        casualness: SignedByte::new(casualness(utterance)),
        openness: Byte::new(openness(utterance, intensity)),
        depth: Byte::new(depth(utterance)),
        engagement: Byte::new(engagement),
        detail: SignedByte::new(
            utterance.text.chars().count().min(2000) as f32 / 500.0
                + 0.2 * (utterance.weight(Cue::Detail) - utterance.weight(Cue::Terse)),
        ),
        question_ratio: Byte::new(questions as f32 / sentences as f32),
        humour: utterance.has(Cue::Humour),
        support_seeking: utterance.has(Cue::Support),
        teaching: utterance.has(Cue::Teaching),
        confiding: count(Cue::Confiding),
        distrust: count(Cue::Distrust),
        insults: count(Cue::Insult),
        gratitude: utterance.has(Cue::Gratitude),
        boundary: utterance.has(Cue::Boundary),
        reasoning: (reasoned + gut > 0.0).then(|| SignedByte::new((reasoned - gut) / (reasoned + gut))),
        pace: latency.map(|latency| SignedByte::new(0.5 - 0.25 * log2((latency.as_secs_f32() + 1.0) / 60.0))),
        themes: utterance.themes,
    }
}

impl Observation {
    /// The traits that the message is evidence for.
    pub(super) fn traits(&self) -> impl Iterator<Item = (PersonalityDimension, f32)> {
        use PersonalityDimension as D;
        let yes = |flag: bool, yes: f32| if flag { yes } else { 0.0 };
        let trust = (0.3 * f32::from(self.confiding)).min(1.0) + 0.7 * self.depth.value()
            - 0.6 * f32::from(self.distrust)
            - 0.6 * f32::from(self.insults);
        let telling = self.words >= 2;
        let always = [
            (D::CommunicationStyle, self.casualness.value()),
            (D::EmotionalExpression, self.openness.value()),
            (
                D::SocialEngagement,
                0.7 * self.question_ratio.value() + yes(self.humour, 0.3),
            ),
            (D::LearningStyle, yes(self.teaching, 1.0)),
            (D::HumorStyle, yes(self.humour, 1.0)),
            (D::SupportPreferences, yes(self.support_seeking, 1.0)),
            (D::TrustLevel, trust.clamp(-1.0, 1.0)),
            (
                D::ConversationDepth,
                self.depth.value().max(self.detail.value() * 0.7),
            ),
        ];
        always
            .into_iter()
            .filter(move |_| telling)
            .chain(self.reasoning.map(|value| (D::DecisionMaking, value.value())))
            .chain(self.pace.map(|value| (D::ResponseTiming, value.value())))
    }
}

/// Formal (-1) to casual (1): words first, then the form of the text.
fn casualness(utterance: &Utterance<'_>) -> f32 {
    let words = utterance.words().max(1) as f32;
    let cues = utterance.weight(Cue::Casual) - utterance.weight(Cue::Formal);
    let contractions = utterance
        .tokens
        .iter()
        .filter(|t| utterance.lower(t).contains('\''))
        .count() as f32;
    let letters: usize = utterance
        .tokens
        .iter()
        .map(|token| (token.lower.1 - token.lower.0) as usize)
        .sum();
    let long_words = (letters as f32 / words - 5.0) / 5.0;
    let lower_start = utterance
        .tokens
        .first()
        .is_some_and(|token| !token.capital && !token.symbol);
    let shouted = utterance.exclamations.min(3) as f32;
    signed(
        cues * 6.0 / words.max(6.0) + 1.5 * contractions / words.max(6.0) - 0.4 * long_words.max(0.0)
            + if lower_start { 0.1 } else { 0.0 }
            + 0.05 * shouted,
    )
}

fn openness(utterance: &Utterance<'_>, intensity: f32) -> f32 {
    let words = utterance.words().max(4) as f32;
    let felt = utterance.weight(Cue::Feeling)
        + 2.0 * utterance.weight(Cue::Personal)
        + utterance.weight(Cue::Confiding);
    unit(felt / words * intensity.max(0.3) * 5.0)
}

fn depth(utterance: &Utterance<'_>) -> f32 {
    let length = unit(utterance.text.len() as f32 / 200.0);
    let (deep, surface) = (
        utterance.weight(Cue::Deep) + utterance.weight(Cue::Confiding),
        utterance.weight(Cue::Surface),
    );
    if deep + surface > 0.0 {
        deep / (deep + surface) * 0.7 + length * 0.3
    } else {
        length * 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::Lexicon;

    /// Acceptance case 2, and the cues that a capital I used to hide.
    #[test]
    fn case_02_trust_phrases_are_counted_whatever_the_case() {
        let cases = [
            ("I trust you, I feel safe", 2),
            ("I TRUST YOU", 1),
            ("I don't trust you", 0),
            ("The trust fund is safe", 0),
        ];
        for (text, expected) in cases {
            let utterance = Utterance::read(&Lexicon::english(), text);
            let seen = observe(&utterance, 0.5, 0.5, None, Timestamp::default());
            assert_eq!(seen.confiding, expected, "{text}");
        }
        let utterance = Utterance::read(&Lexicon::english(), "I'm stuck");
        assert!(observe(&utterance, 0.5, 0.5, None, Timestamp::default()).support_seeking);
    }
}
