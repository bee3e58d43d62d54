//! What to ask the memory for: queries made from a message, the thread it belongs to and what is known of
//! the person.
//!
//! A message is a poor query: half of its words say nothing, and "how did it go?" says nothing at all. So
//! its names and things are asked for first, then its subjects, then what the person wants and how they
//! feel, each with a weight; a message that leans on what was said before borrows the words of the current
//! thread. The results of several queries become one list with [`merge_recalled`].

mod asked;
mod background;
mod kind;
mod merge;
mod stance;

use std::borrow::Cow;

use asked::{Asked, entities, first, queries, query};
use background::background;
pub use kind::{MessageIntent, Polarity, QueryKind, RecallQueries, RecallQuery, TopicHint};
pub use merge::merge_recalled;
use stance::{intent, polarity, topic};

use crate::{config::Config, state::UserState, text::Utterance};

const FALLBACK_WORDS: usize = 8;

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
    let borrowed = asked.borrowed(&utterance, state);
    let entities = entities(&utterance);
    RecallQueries {
        intent: intent(&utterance),
        polarity: polarity(&utterance),
        topic: topic(&utterance),
        queries: queries(&utterance, &entities, &borrowed),
        fallback: query(
            QueryKind::Fallback,
            first(&asked.words, FALLBACK_WORDS),
            if entities.is_empty() { 0.5 } else { 0.3 },
            0.3,
        ),
        background: background(&lexicon, state, config),
        expanded: expanded(message, &borrowed).into_owned(),
        entities,
    }
}

/// [`RecallQueries::expanded`] alone: the message, and the words that it borrows from its thread.
pub(crate) fn expanded_query<'m>(config: &Config, state: &UserState, message: &'m str) -> Cow<'m, str> {
    let utterance = Utterance::read(&config.language.lexicon(), message);
    expanded(message, &Asked::of(&utterance).borrowed(&utterance, state))
}

fn expanded<'m>(message: &'m str, borrowed: &[String]) -> Cow<'m, str> {
    if borrowed.is_empty() {
        Cow::Borrowed(message)
    } else {
        Cow::Owned(format!("{message} {}", borrowed.join(" ")))
    }
}
