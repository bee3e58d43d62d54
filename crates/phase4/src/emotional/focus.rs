use whisperengine_types::{EmotionalTrigger, Focus, InteractionType};

use super::context::EmotionalContext;
use crate::{lexicon::Cue, text::Utterance};

/// Named at most.
const NAMED: usize = 3;

/// What to see to first: the person before the matter, the strongest strain before the weaker.
pub(crate) fn focus(
    utterance: &Utterance<'_>,
    emotion: &EmotionalContext,
    interaction: InteractionType,
) -> Vec<Focus> {
    const BREACH: u128 = Cue::Distrust.bit() | Cue::Insult.bit();
    use EmotionalTrigger as T;
    let has = |trigger| emotion.triggers.has(trigger);
    let unpleasant = emotion.is_unpleasant();
    let due = [
        (Focus::Calm, unpleasant && has(T::OverwhelmingEmotions)),
        (Focus::RepairTrust, utterance.has_any(BREACH)),
        (
            Focus::Comfort,
            has(T::SadnessOnset) || has(T::RelationshipConcerns),
        ),
        (Focus::Reassure, has(T::AnxietyPatterns)),
        (
            Focus::Help,
            has(T::SupportOpportunities) || interaction == InteractionType::ProblemSolving,
        ),
        (Focus::RelieveStress, has(T::StressIndicators)),
        (
            Focus::Celebrate,
            has(T::CelebrationMoments) || has(T::EmotionalBreakthroughs),
        ),
        (Focus::Answer, interaction == InteractionType::InformationSeeking),
    ];
    let due = due.into_iter().filter(|(_, due)| *due);
    due.take(NAMED).map(|(focus, _)| focus).collect()
}
