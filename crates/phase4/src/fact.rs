//! What a message tells of the person that is worth keeping as a fact: twenty kinds, each with a relevance.
//!
//! For whoever stores memories: the kinds make good metadata to filter by, the relevance a good importance
//! to start from.

use serde::{Deserialize, Serialize};
use whisperengine_types::{EmotionReading, Timestamp};

use crate::{
    config::Config,
    emotional::{Assessment, EmotionalHistory, assess},
    lexicon::{Cue, Theme},
    number::unit,
    text::Utterance,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// What sort of thing a message tells of the person.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FactKind { $($(#[$doc])* $name),* }

        impl FactKind {
            /// Every kind.
            pub const ALL: [Self; 20] = [$(Self::$name),*];

            /// The lower-case name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

kinds! {
    /// A feeling and its cause.
    EmotionalInsight = "emotional_insight",
    /// How they want to be talked to.
    CommunicationPref = "communication_pref",
    /// Thanks and warmth towards the other.
    RelationshipBuilding = "relationship_building",
    /// Something they like to do.
    InterestDiscovery = "interest_discovery",
    /// A call for help.
    SupportOpportunity = "support_opportunity",
    /// What they joke about.
    HumorStyle = "humor_style",
    /// What and how they learn.
    LearningStyle = "learning_style",
    /// What they say they are like.
    PersonalityTrait = "personality_trait",
    /// What matters to them.
    ValueSystem = "value_system",
    /// Where and how they live and work.
    LifeContext = "life_context",
    /// A question that invites talk.
    ConversationCatalyst = "conversation_catalyst",
    /// Something the two talked about or did before.
    SharedMemory = "shared_memory",
    /// A change in themselves that they noticed.
    GrowthMoment = "growth_moment",
    /// Words of trust.
    TrustIndicator = "trust_indicator",
    /// What they do not want.
    BoundaryPreference = "boundary_preference",
    /// What they know well.
    ExpertiseArea = "expertise_area",
    /// What they do not know.
    KnowledgeGap = "knowledge_gap",
    /// What they practise.
    SkillDevelopment = "skill_development",
    /// What they achieved.
    Achievement = "achievement",
    /// What they aim at.
    Aspiration = "aspiration",
}

/// How relevant a fact is; the borders are 0.3, 0.5, 0.7 and 0.9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum RelevanceBand {
    Minimal,
    Low,
    Moderate,
    High,
    Critical,
}

impl RelevanceBand {
    /// The band of a relevance.
    pub fn of(relevance: f32) -> Self {
        match relevance {
            r if r >= 0.9 => Self::Critical,
            r if r >= 0.7 => Self::High,
            r if r >= 0.5 => Self::Moderate,
            r if r >= 0.3 => Self::Low,
            _ => Self::Minimal,
        }
    }
}

/// A kind of fact that a message tells.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonalityFact {
    /// Which kind.
    pub kind: FactKind,
    /// How relevant it is, `0..=1`.
    pub relevance: f32,
    /// The same, coarsely.
    pub band: RelevanceBand,
    /// The words that say so.
    pub cue: String,
}

/// What a message tells of its writer, most relevant first; nothing for a message that tells nothing. What
/// somebody asks or says of the other tells nothing of themselves.
pub fn personality_facts(config: &Config, message: &str, reading: &EmotionReading) -> Vec<PersonalityFact> {
    let lexicon = config.language.lexicon();
    let utterance = Utterance::read(&lexicon, message);
    let feeling = assess(Assessment {
        reading,
        utterance: &utterance,
        history: &EmotionalHistory::default(),
        depth: 0.0,
        trust: 0.0,
        at: Timestamp::default(),
    });
    let mut facts: Vec<PersonalityFact> = FactKind::ALL
        .into_iter()
        .filter_map(|kind| {
            let (cues, needs, base) = rule(kind);
            let holds = match needs {
                Needs::Told => told(&utterance, cues),
                Needs::Anywhere => cues.iter().any(|&cue| utterance.has(cue)),
                Needs::Question => utterance.is_question() && cues.iter().any(|&cue| utterance.has(cue)),
                Needs::All => cues.iter().all(|&cue| utterance.has(cue)) && utterance.told() != 0,
                Needs::Learning => told(&utterance, cues) && utterance.themes.contains(Theme::Learning),
            };
            let weight: f32 = cues.iter().map(|&cue| utterance.weight(cue)).sum();
            let relevance =
                unit(base + 0.1 * (weight - 1.0).clamp(0.0, 2.0) + 0.2 * (feeling.intensity - 0.4).max(0.0));
            holds.then(|| PersonalityFact {
                kind,
                relevance,
                band: RelevanceBand::of(relevance),
                cue: utterance.cue_words(cues, 2),
            })
        })
        .collect();
    facts.sort_by(|a, b| b.relevance.total_cmp(&a.relevance).then(a.kind.cmp(&b.kind)));
    facts
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

fn rule(kind: FactKind) -> (&'static [Cue], Needs, f32) {
    use FactKind as K;
    match kind {
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
        K::InterestDiscovery => (&[Cue::ThemeHobbies], Needs::Told, 0.6),
        K::SupportOpportunity => (&[Cue::Support], Needs::Told, 0.6),
        K::HumorStyle => (&[Cue::Humour], Needs::Anywhere, 0.3),
        K::LearningStyle => (&[Cue::ThemeLearning], Needs::Told, 0.5),
        K::PersonalityTrait => (&[Cue::Character], Needs::Anywhere, 0.7),
        K::ValueSystem => (&[Cue::Value], Needs::Anywhere, 0.75),
        K::LifeContext => (&[Cue::Circumstance], Needs::Anywhere, 0.7),
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
        K::Aspiration => (&[Cue::Goal], Needs::Told, 0.7),
    }
}

fn told(utterance: &Utterance<'_>, cues: &[Cue]) -> bool {
    utterance
        .hits
        .iter()
        .any(|hit| !hit.negated && cues.contains(&hit.cue) && utterance.is_told_at(hit.token))
}
