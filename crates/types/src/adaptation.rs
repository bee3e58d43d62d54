//! Which ways of replying work with a person.

use serde::{Deserialize, Serialize};

/// How the replies fit the person, learnt from the messages that follow them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adaptation {
    /// How well replies have gone down lately, `0..=1`; 0.5 to begin with and where replies are not fed back.
    pub success_rate: f32,
    /// Ways of replying that this person answers more gladly than replies on the whole, at most two: those that
    /// work in a mood like the present one first, best first. None before there is enough to tell.
    pub effective: Vec<EffectivePattern>,
}

impl Default for Adaptation {
    fn default() -> Self {
        Self {
            success_rate: 0.5,
            effective: Vec::new(),
        }
    }
}

/// A way of replying that works with a person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EffectivePattern {
    /// Which one.
    pub pattern: ConversationPattern,
    /// How well it has gone down lately, `0..=1`; in that mood, where it is named for it.
    pub success: f32,
    /// Replies of this kind that were answered.
    pub replies: u32,
}

/// A way of replying; a reply may follow several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationPattern {
    /// Opens with a greeting.
    GreetingStyle,
    /// Asks something.
    QuestionFrequency,
    /// Leads over to another subject.
    TopicTransitions,
    /// Speaks of feelings.
    EmotionalSharing,
    /// Has humour.
    HumorUsage,
    /// Speaks of help.
    HelpSeeking,
    /// Explains.
    KnowledgeSharing,
    /// Is about as long as the person's own messages.
    ResponseLength,
    /// Brings something up unasked.
    ConversationInitiation,
    /// Meets displeasure with understanding.
    ConflictHandling,
}

impl ConversationPattern {
    /// Every pattern, in the order of `Ord`.
    pub const ALL: [Self; 10] = [
        Self::GreetingStyle,
        Self::QuestionFrequency,
        Self::TopicTransitions,
        Self::EmotionalSharing,
        Self::HumorUsage,
        Self::HelpSeeking,
        Self::KnowledgeSharing,
        Self::ResponseLength,
        Self::ConversationInitiation,
        Self::ConflictHandling,
    ];

    /// The lower-case name, as serialised.
    pub fn name(self) -> &'static str {
        match self {
            Self::GreetingStyle => "greeting_style",
            Self::QuestionFrequency => "question_frequency",
            Self::TopicTransitions => "topic_transitions",
            Self::EmotionalSharing => "emotional_sharing",
            Self::HumorUsage => "humor_usage",
            Self::HelpSeeking => "help_seeking",
            Self::KnowledgeSharing => "knowledge_sharing",
            Self::ResponseLength => "response_length",
            Self::ConversationInitiation => "conversation_initiation",
            Self::ConflictHandling => "conflict_handling",
        }
    }
}
