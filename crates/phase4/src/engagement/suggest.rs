//! What the bot could say: all eight strategies, the best three.

use whisperengine_types::{EmotionalState, EngagementStrategy, Suggestion, TopicRelevance};

use super::{Engagement, initiative::suggestion_id};
use crate::{
    boundary::Boundaries,
    lexicon::Lexicon,
    number::unit,
    text::{clip, fold32, hash64},
    thread::{ItemKind, Scope, Threads},
};

/// What suggestions are made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) lexicon: &'a Lexicon,
    pub(crate) threads: &'a Threads,
    pub(crate) boundaries: &'a Boundaries,
    pub(crate) scope: Scope,
    pub(crate) turn: u64,
    /// The latest feeling: state, intensity, whether an achievement was told.
    pub(crate) felt: (EmotionalState, f32, bool),
    /// Something to go on with or to help with was said to be too much.
    pub(crate) stressed: bool,
    /// A memory that fits a pause, quoted.
    pub(crate) memory: Option<&'a str>,
    /// Whether the person is there (a reply) or silent (a message of the bot's own).
    pub(crate) present: bool,
}

/// A suggestion before it is chosen.
struct Candidate {
    strategy: EngagementStrategy,
    subject: String,
    phrase: &'static str,
    because: String,
    relevance: TopicRelevance,
    boost: f32,
}

/// The best suggestions, best first, at most three and no strategy twice.
pub(crate) fn suggest(engagement: &Engagement, ground: &Ground<'_>) -> Vec<Suggestion> {
    if !ground.lexicon.speaks() {
        return Vec::new();
    }
    let mut candidates = candidates(engagement, ground);
    for candidate in &mut candidates {
        let learnt = engagement.initiative.success(candidate.strategy) - 0.5;
        let stale = engagement.initiative.is_stale(candidate.key());
        candidate.boost = unit(candidate.boost + 0.4 * learnt - if stale { 0.5 } else { 0.0 });
    }
    candidates.retain(|candidate| {
        candidate.boost > 0.2 && !ground.boundaries.cover(ground.lexicon, &candidate.subject)
    });
    candidates.sort_by(|a, b| b.boost.total_cmp(&a.boost).then(a.strategy.cmp(&b.strategy)));
    let mut chosen: Vec<Suggestion> = Vec::new();
    for candidate in candidates {
        if chosen.len() == 3 || chosen.iter().any(|before| before.strategy == candidate.strategy) {
            continue;
        }
        chosen.push(candidate.finish(ground));
    }
    chosen
}

impl Candidate {
    fn key(&self) -> u32 {
        fold32(hash64(self.subject.as_bytes()) ^ hash64(self.phrase.as_bytes()))
    }

    fn finish(self, ground: &Ground<'_>) -> Suggestion {
        let places = [("topic", self.subject.as_str()), ("item", self.subject.as_str())];
        Suggestion {
            id: suggestion_id(ground.turn, self.strategy, self.key()),
            strategy: self.strategy,
            text: ground.lexicon.fill(self.phrase, &places),
            because: self.because,
            relevance: self.relevance,
            boost: self.boost,
        }
    }
}

/// Collects candidates.
struct Candidates(Vec<Candidate>);

impl Candidates {
    fn add(&mut self, strategy: EngagementStrategy, subject: String, phrase: &'static str, why: Why) {
        let Why(because, relevance, boost) = why;
        self.0.push(Candidate {
            strategy,
            subject,
            phrase,
            because: because.to_owned(),
            relevance,
            boost,
        });
    }
}

/// Why, how near to what moves the person, and how much it is expected to do.
#[derive(Debug, Clone, Copy)]
struct Why(&'static str, TopicRelevance, f32);

fn candidates(engagement: &Engagement, ground: &Ground<'_>) -> Vec<Candidate> {
    let mut all = Candidates(Vec::new());
    feelings(ground, &mut all);
    open_items(ground, &mut all);
    subjects(engagement, ground, &mut all);
    new_ground(ground, &mut all);
    all.0
}

fn feelings(ground: &Ground<'_>, all: &mut Candidates) {
    use EngagementStrategy as S;
    use TopicRelevance as R;
    let (state, intensity, achieved) = ground.felt;
    let low = matches!(
        state,
        EmotionalState::Sadness | EmotionalState::Fear | EmotionalState::Anger
    );
    let none = String::new;
    if achieved {
        let why = Why("an achievement was told", R::HighlyRelevant, 0.85);
        all.add(S::Celebration, none(), "suggest.celebration", why);
    }
    if (low && intensity > 0.5) || ground.stressed {
        let why = Why("something weighs on them", R::HighlyRelevant, 0.8);
        all.add(S::SupportOffer, none(), "suggest.support_offer", why);
    } else if low && ground.scope == Scope::Private {
        let why = Why("the last mood was low", R::Relevant, 0.6);
        all.add(S::EmotionalCheckIn, none(), "suggest.emotional_check_in", why);
    }
}

fn open_items(ground: &Ground<'_>, all: &mut Candidates) {
    for item in ground
        .threads
        .items(ground.scope)
        .filter(|item| !item.is_fresh() || !ground.present)
    {
        let (phrase, because, boost) = match item.kind {
            ItemKind::Commitment => (
                "suggest.follow_up_question.commitment",
                "they said they would",
                0.72,
            ),
            ItemKind::Question => ("suggest.follow_up_question.question", "a question is open", 0.62),
        };
        let why = Why(because, TopicRelevance::HighlyRelevant, boost);
        all.add(
            EngagementStrategy::FollowUpQuestion,
            quote(&clip(&item.text, 80)),
            phrase,
            why,
        );
    }
}

fn subjects(engagement: &Engagement, ground: &Ground<'_>, all: &mut Candidates) {
    use EngagementStrategy as S;
    use TopicRelevance as R;
    let current = ground.threads.current_topics(1, ground.scope);
    if let Some(topic) = current.first() {
        let why = |boost| Why("the present subject", R::Relevant, boost);
        all.add(
            S::FollowUpQuestion,
            quote(topic),
            "suggest.follow_up_question",
            why(0.55),
        );
        all.add(
            S::CuriosityPrompt,
            quote(topic),
            "suggest.curiosity_prompt.topic",
            why(0.5),
        );
    }
    if let Some(memory) = ground.memory {
        let why = Why("a memory fits the pause", R::Relevant, 0.66);
        all.add(
            S::MemoryConnection,
            quote(memory),
            "suggest.memory_connection",
            why,
        );
    }
    let fresh = |word: &String| !current.contains(word);
    let interests = engagement.interests.strongest(ground.scope);
    for (word, score) in interests.into_iter().filter(|(word, _)| fresh(word)).take(3) {
        let why = Why(
            "they keep coming back to it",
            R::HighlyRelevant,
            0.5 + 0.2 * score,
        );
        all.add(S::SharedInterest, quote(&word), "suggest.shared_interest", why);
    }
    for topic in ground
        .threads
        .resting_topics(ground.scope)
        .into_iter()
        .filter(fresh)
        .take(3)
    {
        let why = Why("it was left open", R::SomewhatRelevant, 0.56);
        all.add(S::TopicSuggestion, quote(&topic), "suggest.topic_suggestion", why);
    }
}

/// Something new, another one each time: which is next depends on the turn and on what came before.
fn new_ground(ground: &Ground<'_>, all: &mut Candidates) {
    for step in 0..8 {
        let number = (ground.turn / 7 + step) % 8 + 1;
        let phrase = ground.lexicon.phrase(&format!("explore.{number}")).to_owned();
        let why = Why(
            "new ground",
            TopicRelevance::Exploratory,
            0.42 - 0.01 * step as f32,
        );
        all.add(
            EngagementStrategy::CuriosityPrompt,
            phrase,
            "suggest.curiosity_prompt",
            why,
        );
    }
}

fn quote(words: &str) -> String {
    format!("'{words}'")
}
