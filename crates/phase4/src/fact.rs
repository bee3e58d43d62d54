//! What a message says of the person that is worth keeping: twenty kinds, each with a relevance.
//!
//! What the profile knows from this message is taken from there: circumstances, interests and aims have one
//! extraction, the profile's. The other kinds are about the talk itself and are found by cues. The sentence is the
//! text to keep, the kind a good metadata to filter by, the relevance a good importance to start from. Only what
//! the person says of themselves counts.

use whisperengine_types::{Fact, FactKind, MemoryId, PersonalityFact, RelevanceBand, Slot};

use crate::{
    lexicon::{Cue, Theme},
    number::unit,
    text::{Hit, Utterance, clip},
};

/// The facts in a message whose feeling is of this intensity; `known` is what the profile holds.
pub(crate) fn facts(
    utterance: &Utterance<'_>,
    intensity: f32,
    known: &[Fact],
    message: &MemoryId,
) -> Vec<PersonalityFact> {
    let from_message = known.iter().filter(|fact| fact.source == *message);
    let mut facts: Vec<PersonalityFact> = from_message.map(of_profile).collect();
    for kind in FactKind::ALL {
        let Some((cues, needs, base)) = rule(kind).filter(|_| utterance.has_any(ANY)) else {
            continue;
        };
        let Some(first) = cues.iter().find(|&&cue| utterance.has(cue)) else {
            continue;
        };
        let holds = match needs {
            Needs::Told => told(utterance, cues),
            Needs::Anywhere => true,
            Needs::Question => utterance.is_question(),
            Needs::All => cues.iter().all(|&cue| utterance.has(cue)) && utterance.told() != 0,
            Needs::Learning => told(utterance, cues) && utterance.themes.contains(Theme::Learning),
        };
        if !holds {
            continue;
        }
        let weight: f32 = cues.iter().map(|&cue| utterance.weight(cue)).sum();
        let relevance = unit(base + 0.1 * (weight - 1.0).clamp(0.0, 2.0) + 0.2 * (intensity - 0.4).max(0.0));
        facts.push(PersonalityFact {
            kind,
            text: clip(sentence(utterance, needs, cues, *first), TEXT_CHARS),
            relevance,
            band: RelevanceBand::of(relevance),
            cue: utterance.cue_words(cues, 2),
        });
    }
    facts.sort_by(|a, b| b.relevance.total_cmp(&a.relevance).then(a.kind.cmp(&b.kind)));
    facts
}

/// A fact of the profile as one of the twenty kinds.
fn of_profile(fact: &Fact) -> PersonalityFact {
    let (kind, base) = match fact.slot {
        Slot::Goal | Slot::Plan => (FactKind::Aspiration, 0.7),
        Slot::Like | Slot::Dislike | Slot::Hobby => (FactKind::InterestDiscovery, 0.6),
        _ => (FactKind::LifeContext, 0.75),
    };
    let relevance = unit(base * fact.confidence);
    PersonalityFact {
        kind,
        text: clip(&fact.quote, TEXT_CHARS),
        relevance,
        band: RelevanceBand::of(relevance),
        cue: fact.slot.name().to_owned(),
    }
}

/// Characters kept of the sentence that tells a fact.
const TEXT_CHARS: usize = 200;

/// The sentence in which a fact is told.
fn sentence<'t>(utterance: &Utterance<'t>, needs: Needs, cues: &[Cue], first: Cue) -> &'t str {
    let tells = |hit: &&Hit| match needs {
        Needs::Told | Needs::Learning => cues.contains(&hit.cue) && utterance.is_told_at(hit.token),
        _ => hit.cue == first,
    };
    let hit = utterance.hits.iter().filter(|hit| !hit.negated).find(tells);
    hit.map_or("", |hit| {
        let sentence = utterance.tokens[usize::from(hit.token)].sentence;
        utterance.sentence(&utterance.sentences[usize::from(sentence)])
    })
}

/// Where the cues of a kind have to stand.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// In a sentence in which the person tells of themselves.
    Told,
    Anywhere,
    /// In a message with a question.
    Question,
    /// All of them, in a message that tells something.
    All,
    /// In a sentence of the person's own, in a message about learning.
    Learning,
}

/// The cues of all kinds.
const ANY: u128 = {
    let (mut any, mut kind) = (0, 0);
    while kind < FactKind::ALL.len() {
        if let Some((cues, ..)) = rule(FactKind::ALL[kind]) {
            let mut cue = 0;
            while cue < cues.len() {
                any |= cues[cue].bit();
                cue += 1;
            }
        }
        kind += 1;
    }
    any
};

/// Cues, where they have to stand, and the least relevance of a kind; `None` for what the profile knows.
const fn rule(kind: FactKind) -> Option<(&'static [Cue], Needs, f32)> {
    use FactKind as K;
    Some(match kind {
        K::InterestDiscovery | K::LifeContext | K::Aspiration => return None,
        K::EmotionalInsight => (&[Cue::Feeling, Cue::Cause], Needs::All, 0.7),
        K::CommunicationPref => (
            &[
                Cue::AskFormal,
                Cue::AskCasual,
                Cue::AskShort,
                Cue::AskLong,
                Cue::AskMoreHelp,
                Cue::AskLessHelp,
            ],
            Needs::Anywhere,
            0.8,
        ),
        K::RelationshipBuilding => (&[Cue::Gratitude], Needs::Anywhere, 0.4),
        K::SupportOpportunity => (&[Cue::Support], Needs::Told, 0.6),
        K::HumorStyle => (&[Cue::Humour], Needs::Anywhere, 0.3),
        K::LearningStyle => (&[Cue::ThemeLearning], Needs::Told, 0.5),
        K::PersonalityTrait => (&[Cue::Character], Needs::Anywhere, 0.7),
        K::ValueSystem => (&[Cue::Value], Needs::Anywhere, 0.75),
        K::ConversationCatalyst => (&[Cue::Inquiry, Cue::Willing, Cue::Lively], Needs::Question, 0.3),
        K::SharedMemory => (&[Cue::Reminder], Needs::Anywhere, 0.5),
        K::GrowthMoment => (&[Cue::Growth], Needs::Anywhere, 0.7),
        K::TrustIndicator => (&[Cue::Confiding], Needs::Anywhere, 0.8),
        K::BoundaryPreference => (&[Cue::Boundary, Cue::OptOut], Needs::Anywhere, 0.9),
        K::ExpertiseArea => (&[Cue::Expertise], Needs::Anywhere, 0.65),
        K::KnowledgeGap => (&[Cue::Ignorance], Needs::Anywhere, 0.45),
        K::SkillDevelopment => (
            &[Cue::Goal, Cue::ThemeLearning, Cue::ThemeHobbies],
            Needs::Learning,
            0.55,
        ),
        K::Achievement => (&[Cue::Achievement], Needs::Told, 0.75),
    })
}

fn told(utterance: &Utterance<'_>, cues: &[Cue]) -> bool {
    utterance
        .hits
        .iter()
        .any(|hit| !hit.negated && cues.contains(&hit.cue) && utterance.is_told_at(hit.token))
}
