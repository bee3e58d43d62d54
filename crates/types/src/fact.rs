//! What a message tells of its writer that is worth keeping.

use serde::{Deserialize, Serialize};

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
    /// Something they like to do; from the profile.
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
    /// Where and how they live and work; from the profile.
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
    /// What they aim at; from the profile.
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

/// Something that a message tells of its writer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonalityFact {
    /// Which kind of thing.
    pub kind: FactKind,
    /// The sentence that tells it, in the person's own words, shortened.
    pub text: String,
    /// How relevant it is, `0..=1`.
    pub relevance: f32,
    /// The same, coarsely.
    pub band: RelevanceBand,
    /// The words that say so.
    pub cue: String,
}
