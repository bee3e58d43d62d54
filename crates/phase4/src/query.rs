//! What to ask the memory for: queries made from a message, the thread it belongs to and what is known of
//! the person.
//!
//! A message is a poor query: half of its words say nothing, and "how did it go?" says nothing at all. So
//! its names and things are asked for first, then its subjects, then what the person wants and how they
//! feel, each with a weight; a message that leans on what was said before borrows the words of the current
//! thread. The results of several queries become one list with [`merge_recalled`].

use std::collections::HashMap;

use whisperengine_types::{MemoryId, RecalledMemory, RelationshipLevel};

use crate::{
    config::Config,
    lexicon::{Cue, Lexicon, Theme},
    state::UserState,
    text::{Term, Utterance},
    thread::Scope,
};

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

const MAX_ENTITIES: usize = 8;
const MAX_QUERIES: usize = 5;
const ENTITIES_ASKED: usize = 4;
const MAX_TOPIC_TERMS: usize = 6;
const MAX_PAIRS: usize = 3;
const FALLBACK_WORDS: usize = 8;
/// Memories of one query.
const LIMIT: usize = 15;
/// Telling words below which a message leans on its thread.
const FEW: usize = 2;

/// The queries for a message, from it and from what is known of its writer. Changes nothing; call it before
/// [`plan_turn`](crate::plan_turn), which then takes what was recalled.
///
/// ```
/// use whisperengine_phase4::{Config, QueryKind, UserState, enriched_query};
/// use whisperengine_types::{BotId, MemoryOwner, UserId};
///
/// let owner = MemoryOwner::person(BotId::new("ember")?, UserId::new("ana")?);
/// let asked = enriched_query(&Config::default(), &UserState::new(&owner), "Is the guitar teacher from Porto nice?");
/// assert_eq!(asked.queries[0].kind, QueryKind::Entities);
/// assert_eq!(asked.queries[0].text, "guitar teacher porto");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn enriched_query(config: &Config, state: &UserState, message: &str) -> RecallQueries {
    let lexicon = config.language.lexicon();
    let utterance = Utterance::read(&lexicon, message);
    let asked = Asked::of(&utterance);
    let thread = state.threads.current_topics(3, state.session.scope);
    let leans = asked.telling < FEW
        || utterance
            .hits
            .iter()
            .any(|hit| hit.cue == Cue::Anaphora && hit.token < 3);
    let borrowed: Vec<&str> = thread
        .iter()
        .map(String::as_str)
        .filter(|word| leans && !asked.words.contains(word))
        .collect();
    RecallQueries {
        intent: intent(&utterance),
        polarity: polarity(&utterance),
        topic: topic(&utterance),
        queries: asked.queries(&utterance, &borrowed),
        fallback: query(
            QueryKind::Fallback,
            first(&asked.words, FALLBACK_WORDS),
            if asked.entities.is_empty() { 0.5 } else { 0.3 },
            0.3,
        ),
        background: background(&lexicon, state, config),
        expanded: if borrowed.is_empty() {
            message.to_owned()
        } else {
            format!("{message} {}", borrowed.join(" "))
        },
        entities: asked.entities,
    }
}

/// One list from the results of several queries, best first: each memory once, with its best weight times
/// score, at most `limit`. Give the fallback's results last: they come in only where the others leave room.
pub fn merge_recalled(results: &[(RecallQuery, Vec<RecalledMemory>)], limit: usize) -> Vec<RecalledMemory> {
    let mut places: HashMap<&MemoryId, usize> = HashMap::new();
    let mut merged: Vec<(bool, f32, &RecalledMemory)> = Vec::new();
    for (query, found) in results {
        let filler = query.kind == QueryKind::Fallback;
        for recalled in found {
            let rank = query.weight
                * if recalled.score.is_finite() {
                    recalled.score
                } else {
                    0.0
                };
            match places.get(&recalled.memory.id) {
                Some(&place) if merged[place].0 || !filler => {
                    let known = &mut merged[place];
                    known.0 &= filler;
                    known.1 = known.1.max(rank);
                }
                Some(_) => {}
                None => {
                    places.insert(&recalled.memory.id, merged.len());
                    merged.push((filler, rank, recalled));
                }
            }
        }
    }
    merged.sort_by(|a, b| {
        a.0.cmp(&b.0)
            .then(b.1.total_cmp(&a.1))
            .then_with(|| a.2.memory.id.as_str().cmp(b.2.memory.id.as_str()))
    });
    let ranked = merged.into_iter().take(limit);
    ranked
        .map(|(_, rank, recalled)| RecalledMemory {
            score: rank,
            ..recalled.clone()
        })
        .collect()
}

/// The parts of a message that queries are made from.
struct Asked<'u> {
    entities: Vec<String>,
    /// Words that are no stop words and longer than two letters.
    words: Vec<&'u str>,
    telling: usize,
}

impl<'u> Asked<'u> {
    fn of(utterance: &'u Utterance<'_>) -> Self {
        let content = |token: &&crate::text::Token| !token.stop && !token.symbol && !token.aside;
        let mut words = Vec::new();
        for token in utterance.tokens.iter().filter(content) {
            let word = utterance.lower(token);
            if word.chars().count() > 2 && !words.contains(&word) {
                words.push(word);
            }
        }
        Self {
            entities: entities(utterance),
            words,
            telling: utterance.terms.iter().filter(|term| term.is_telling()).count(),
        }
    }

    fn queries(&self, utterance: &Utterance<'_>, borrowed: &[&str]) -> Vec<RecallQuery> {
        let names = || self.entities.iter().map(String::as_str);
        let with = |word: &str| -> String {
            std::iter::once(word)
                .chain(names().take(2))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let mut queries = Vec::new();
        if !self.entities.is_empty() {
            let text = first(&names().collect::<Vec<_>>(), ENTITIES_ASKED);
            queries.push(query(QueryKind::Entities, text, 1.0, 0.9));
        }
        if !borrowed.is_empty() {
            queries.push(query(QueryKind::Thread, borrowed.join(" "), 0.9, 0.7));
        }
        let topics = topic_words(utterance);
        if !topics.is_empty() {
            queries.push(query(QueryKind::Topics, topics.join(" "), 0.8, 0.8));
        }
        let wanted = cue_word(utterance, &[Cue::Support, Cue::Problem, Cue::Goal]);
        if let Some(word) = wanted.filter(|_| !self.entities.is_empty()) {
            queries.push(query(QueryKind::Intent, with(&word), 0.7, 0.7));
        }
        let felt = cue_word(utterance, &FELT);
        if let Some(word) = felt.filter(|_| !self.entities.is_empty()) {
            queries.push(query(QueryKind::Emotion, with(&word), 0.6, 0.6));
        }
        if self.entities.len() >= 2 {
            let pairs: Vec<String> = self
                .entities
                .windows(2)
                .take(MAX_PAIRS)
                .map(|pair| pair.join(" "))
                .collect();
            queries.push(query(QueryKind::Pairs, pairs.join(" "), 0.5, 0.5));
        }
        queries.truncate(MAX_QUERIES);
        queries
    }
}

const FELT: [Cue; 6] = [
    Cue::Joy,
    Cue::Sadness,
    Cue::Anger,
    Cue::Fear,
    Cue::Stress,
    Cue::Feeling,
];

fn query(kind: QueryKind, text: String, weight: f32, confidence: f32) -> RecallQuery {
    RecallQuery {
        text,
        kind,
        weight,
        confidence,
        limit: LIMIT,
    }
}

fn first(words: &[&str], limit: usize) -> String {
    words[..words.len().min(limit)].join(" ")
}

/// Telling words, neighbours joined.
fn entities(utterance: &Utterance<'_>) -> Vec<String> {
    let telling = |id: u32| {
        let known = |term: &&Term| term.id == id && term.is_telling();
        utterance.terms.iter().any(|term| known(&term))
    };
    let mut found: Vec<String> = Vec::new();
    let mut before = None;
    for (index, token) in utterance.tokens.iter().enumerate() {
        let word = utterance.lower(token);
        // What is wanted or felt is asked for on its own.
        let stance = |hit: &crate::text::Hit| {
            usize::from(hit.token) == index && (FELT.contains(&hit.cue) || hit.cue == Cue::Support)
        };
        if utterance.hits.iter().any(stance) {
            continue;
        }
        if token.symbol || token.aside || word.len() < 3 || !telling(crate::text::fold32(token.stem)) {
            continue;
        }
        let joins = before == index.checked_sub(1) && before.is_some() && !token.clause_start;
        if let Some(last) = found.last_mut().filter(|last| joins && !last.contains(' ')) {
            last.push(' ');
            last.push_str(word);
        } else if found.len() < MAX_ENTITIES {
            found.push(word.to_owned());
        } else {
            break;
        }
        before = Some(index);
    }
    let mut seen = Vec::with_capacity(found.len());
    for entity in found {
        if !seen.contains(&entity) {
            seen.push(entity);
        }
    }
    seen
}

/// The words that stand for the message's subjects.
fn topic_words(utterance: &Utterance<'_>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for hit in &utterance.hits {
        if !Theme::from_cue(hit.cue).is_some_and(Theme::is_subject) {
            continue;
        }
        let from = usize::from(hit.token);
        let tokens = &utterance.tokens[from..from + usize::from(hit.len)];
        let word = tokens
            .iter()
            .map(|token| utterance.lower(token))
            .collect::<Vec<_>>()
            .join(" ");
        if !words.contains(&word) {
            words.push(word);
        }
        if words.len() == MAX_TOPIC_TERMS {
            break;
        }
    }
    words
}

fn cue_word(utterance: &Utterance<'_>, families: &[Cue]) -> Option<String> {
    Some(utterance.cue_words(families, 1)).filter(|word| !word.is_empty())
}

fn intent(utterance: &Utterance<'_>) -> MessageIntent {
    let has = |cue| utterance.has(cue);
    if utterance.is_question() {
        MessageIntent::Question
    } else if has(Cue::Support) {
        MessageIntent::HelpRequest
    } else if has(Cue::Problem) {
        MessageIntent::Problem
    } else if has(Cue::Preference) {
        MessageIntent::Preference
    } else if utterance.told() != 0 {
        MessageIntent::Sharing
    } else {
        MessageIntent::General
    }
}

fn polarity(utterance: &Utterance<'_>) -> Polarity {
    let sum = |cues: &[Cue]| cues.iter().map(|&cue| utterance.weight(cue)).sum::<f32>();
    let lost = utterance.negated(Cue::Joy) + utterance.negated(Cue::Trust);
    let pleasant = sum(&[Cue::Joy, Cue::Anticipation, Cue::Trust, Cue::Achievement]);
    let unpleasant = lost + sum(&[Cue::Sadness, Cue::Anger, Cue::Fear, Cue::Disgust, Cue::Stress]);
    if pleasant + unpleasant <= 0.0 {
        Polarity::None
    } else if pleasant > unpleasant {
        Polarity::Positive
    } else if unpleasant > pleasant {
        Polarity::Negative
    } else {
        Polarity::Neutral
    }
}

fn topic(utterance: &Utterance<'_>) -> TopicHint {
    let themes = utterance.themes;
    let about = |list: &[Theme]| list.iter().any(|&theme| themes.contains(theme));
    if about(&[Theme::Technology]) {
        TopicHint::Technology
    } else if about(&[Theme::Emotions]) {
        TopicHint::Emotional
    } else if about(&[Theme::Work, Theme::Finance, Theme::Learning]) {
        TopicHint::Professional
    } else if about(&[Theme::Relationships, Theme::Family]) {
        TopicHint::Social
    } else {
        TopicHint::General
    }
}

/// What the reply may want to know besides the subject.
fn background(lexicon: &Lexicon, state: &UserState, config: &Config) -> Vec<RecallQuery> {
    let background = |kind, text: String, limit| RecallQuery {
        limit,
        ..query(kind, text, 0.4, 0.4)
    };
    let mut queries = Vec::new();
    let ((feeling, intensity, _), _) = state.emotional.last_felt();
    if intensity >= 0.4 {
        let key = format!("feeling.{}", crate::emotional::state_name(feeling));
        queries.push(background(QueryKind::Mood, lexicon.phrase(&key).to_owned(), 10));
    }
    let patterns = state.moments.connections();
    let words: Vec<&str> = patterns
        .iter()
        .take(3)
        .flat_map(|pattern| pattern.keywords.iter().map(String::as_str))
        .collect();
    if !words.is_empty() {
        queries.push(background(QueryKind::Patterns, words.join(" "), 8));
    }
    let level = state.relationship(config).level;
    let known = level != RelationshipLevel::New && state.session.scope == Scope::Private;
    let interests: Vec<String> = if known {
        let strongest = state.engagement.interests.strongest(Scope::Private);
        strongest.into_iter().take(3).map(|(word, _)| word).collect()
    } else {
        Vec::new()
    };
    if !interests.is_empty() {
        queries.push(background(QueryKind::Relationship, interests.join(" "), 12));
    }
    queries
}
