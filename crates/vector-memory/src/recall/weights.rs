use serde::{Deserialize, Serialize};

/// What a recall score is made of.
///
/// Tuned by conversation-wise cross-validation; the exact values matter little, which is why there are few.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RecallWeights {
    /// Weight of the embeddings' similarity, default 0.5.
    pub dense: f32,
    /// Weight of shared and similar words, default 0.5.
    pub lexical: f32,
    /// Bonus for being said by whom the question asks about, default 0.15.
    pub speaker: f32,
    /// Share of the better adjacent memory's score, default 0.5.
    pub neighbour: f32,
    /// Share of the score of the better memory two places away, default 0.25.
    pub second_neighbour: f32,
    /// What a memory of this moment gets, halved with each half-life of its age; default 0.02.
    pub recency: f32,
    /// The age at which the recency bonus has halved, in days; default 30.
    pub recency_half_life_days: f32,
    /// Weight of importance above or below the ordinary 0.5, default 0.2.
    pub importance: f32,
    /// The age at which the importance of a memory that is not pinned has halved, in days; default 180.
    /// It falls no further than to half.
    pub importance_half_life_days: f32,
    /// What a source without any trust loses, default 0.3.
    pub trust: f32,
    /// What a memory gets that fits a date in the question ("in July 2023"), default 0.6.
    pub time: f32,
    /// What a memory loses that ends as a question, for a question rarely holds the answer; default 0.1.
    pub question: f32,
    /// What a memory loses that only asks, when it holds all of the question's words, default 0.6: the person's
    /// earlier questions do not crowd out what answers.
    pub echo: f32,
    /// The same for a reply of the companion, default 0.35.
    pub reply: f32,
    /// What a memory gets that speaks of liking as the question does, or of disliking, and what one of the
    /// opposite loses; default 0.3.
    pub polarity: f32,
    /// What a memory gets on top that was said on the day asked for ("yesterday", "8.6.2026"), or tells of it;
    /// default 1.5, so that the day comes first.
    pub day: f32,
    /// What is left of the weight of the embeddings when the question is written in other than Latin letters,
    /// which the default table cuts into pieces that mean little; default 0.3.
    pub other_scripts: f32,
    /// Weight of a word that is borrowed from what was said before, default 0.3; words of the question itself
    /// weigh 1.
    pub context: f32,
    /// The cosine of two words' embeddings from which on they count as somewhat alike, default 0.35.
    pub word_likeness: f32,
}

impl Default for RecallWeights {
    fn default() -> Self {
        Self {
            dense: 0.5,
            lexical: 0.5,
            speaker: 0.15,
            neighbour: 0.5,
            second_neighbour: 0.25,
            recency: 0.02,
            recency_half_life_days: 30.0,
            importance: 0.2,
            importance_half_life_days: 180.0,
            trust: 0.3,
            time: 0.6,
            question: 0.1,
            echo: 0.6,
            reply: 0.35,
            polarity: 0.3,
            day: 1.5,
            other_scripts: 0.3,
            context: 0.3,
            word_likeness: 0.35,
        }
    }
}
