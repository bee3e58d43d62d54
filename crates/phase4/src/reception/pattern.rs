use whisperengine_types::ConversationPattern;

use crate::{lexicon::Cue, text::Utterance};

const FEELINGS: u128 = Cue::Feeling.bit() | Cue::Joy.bit() | Cue::Sadness.bit() | Cue::Fear.bit();

/// The place of a pattern in a set of them.
pub(super) fn bit(pattern: ConversationPattern) -> u16 {
    1 << pattern as u16
}

/// The patterns that a reply follows.
pub(super) fn patterns(reply: &Utterance<'_>, brings_up: bool, words: f32, displeased: bool) -> u16 {
    use ConversationPattern as P;
    let length = reply.words() as f32;
    let greets = reply
        .hits
        .iter()
        .any(|hit| hit.cue == Cue::Greeting && hit.token == 0);
    let follows = |pattern: &P| match pattern {
        P::GreetingStyle => greets,
        P::QuestionFrequency => reply.is_question(),
        P::TopicTransitions => reply.has_any(Cue::Switch.bit() | Cue::Reminder.bit()),
        P::EmotionalSharing => reply.has_any(FEELINGS),
        P::HumorUsage => reply.has(Cue::Humour),
        P::HelpSeeking => reply.has(Cue::Support),
        P::KnowledgeSharing => reply.has_any(Cue::Teaching.bit() | Cue::Detail.bit() | Cue::Cause.bit()),
        P::ResponseLength => (0.5 * words..=2.0 * words).contains(&length),
        P::ConversationInitiation => brings_up,
        P::ConflictHandling => displeased && reply.has(Cue::Conciliation),
    };
    P::ALL
        .iter()
        .filter(|pattern| follows(pattern))
        .map(|&pattern| bit(pattern))
        .sum()
}
