use whisperengine_types::RelationshipLevel;

use super::{QueryKind, RecallQuery, asked::query};
use crate::{config::Config, lexicon::Lexicon, state::UserState, thread::Scope};

/// What the reply may want to know besides the subject.
pub(super) fn background(lexicon: &Lexicon, state: &UserState, config: &Config) -> Vec<RecallQuery> {
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
