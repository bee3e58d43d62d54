use whisperengine_types::InteractionType;

use super::context::{EmotionalContext, EmotionalTrigger};
use crate::{lexicon::Cue, text::Utterance};

/// Everything that may come first, most pressing first.
pub(crate) const FOCI: [&str; 8] = [
    "calm",
    "repair_trust",
    "comfort",
    "reassure",
    "help",
    "relieve_stress",
    "celebrate",
    "answer",
];

/// Named at most.
const NAMED: usize = 3;

/// What to see to first: the person before the matter, the strongest strain before the weaker.
pub(crate) fn focus(
    utterance: &Utterance<'_>,
    emotion: &EmotionalContext,
    interaction: InteractionType,
) -> Vec<String> {
    const BREACH: u128 = Cue::Distrust.bit() | Cue::Insult.bit();
    use EmotionalTrigger as T;
    let has = |trigger| emotion.triggers.has(trigger);
    let unpleasant = emotion.is_unpleasant();
    let due = [
        unpleasant && has(T::OverwhelmingEmotions),
        utterance.has_any(BREACH),
        has(T::SadnessOnset) || has(T::RelationshipConcerns),
        has(T::AnxietyPatterns),
        has(T::SupportOpportunities) || interaction == InteractionType::ProblemSolving,
        has(T::StressIndicators),
        has(T::CelebrationMoments) || has(T::EmotionalBreakthroughs),
        interaction == InteractionType::InformationSeeking,
    ];
    FOCI.iter()
        .zip(due)
        .filter(|(_, due)| *due)
        .take(NAMED)
        .map(|(name, _)| (*name).to_owned())
        .collect()
}
