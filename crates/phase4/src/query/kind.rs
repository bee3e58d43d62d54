//! What a memory is asked for.

/// What to ask the memory for.
#[derive(Debug, Clone, PartialEq)]
pub struct RecallQueries {
    /// Names and things in the message, two neighbouring words as one, at most eight.
    pub entities: Vec<String>,
    /// What the person wants.
    pub intent: MessageIntent,
    /// How the words sound.
    pub polarity: Polarity,
    /// What the message is about, for whoever reads its emotion.
    pub topic: TopicHint,
    /// The queries, heaviest first, at most five.
    pub queries: Vec<RecallQuery>,
    /// What to fill up with when these find too little.
    pub fallback: RecallQuery,
    /// Queries for the background of the reply rather than its subject: mood, patterns, relationship.
    pub background: Vec<RecallQuery>,
    /// The message as one query: as written, and with the words of the current thread when it leans on
    /// what was said before. For a memory that is asked only once.
    pub expanded: String,
}

/// One query.
#[derive(Debug, Clone, PartialEq)]
pub struct RecallQuery {
    /// Words to look for.
    pub text: String,
    /// What they are.
    pub kind: QueryKind,
    /// How much a memory found by it counts, `0..=1`.
    pub weight: f32,
    /// How sure it is that the query is about the message, `0..=1`.
    pub confidence: f32,
    /// Memories to ask for.
    pub limit: usize,
}

/// What a query is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum QueryKind {
    Entities,
    Topics,
    Intent,
    Emotion,
    Pairs,
    Thread,
    Fallback,
    Mood,
    Patterns,
    Relationship,
}

/// What a person wants with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MessageIntent {
    Question,
    HelpRequest,
    Sharing,
    Problem,
    Preference,
    General,
}

/// How the words of a message sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// More pleasant words than unpleasant ones.
    Positive,
    /// The other way round.
    Negative,
    /// As many of either.
    Neutral,
    /// None of either.
    None,
}

/// What a message is about, coarsely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TopicHint {
    Technology,
    Emotional,
    Professional,
    Social,
    General,
}
