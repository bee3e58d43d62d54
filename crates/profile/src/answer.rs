//! Questions about what is known.

use std::ops::Range;

use whisperengine_types::{Fact, Polarity, Slot};

use crate::{
    Profile, Statement,
    extract::Reading,
    grammar::{Act, Match, Role, Rule, Special, find},
    relation::{same_value, shares_word},
    text::{Kind, folded},
};

pub use crate::grammar::Asked;

/// What is known of what was asked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FactAnswer {
    /// The slots that the question is about, the first foremost.
    pub slots: Vec<Slot>,
    /// What of them it asks for.
    pub asked: Asked,
    /// The facts that answer it, the best first: with [`Asked::Before`] those that no longer hold.
    pub facts: Vec<Fact>,
    /// The person said that there is nothing: no dog, no longer a partner. `facts` holds the denials.
    pub is_none: bool,
}

pub(crate) fn answer(profile: &Profile, question: &Statement<'_>) -> Option<FactAnswer> {
    let reading = Reading::new(question)?;
    for (sentence, _) in reading.tokens.sentences() {
        let mut rules = Vec::new();
        reading
            .grammar
            .candidates(&reading.tokens, sentence.clone(), &mut rules);
        let asks = rules
            .iter()
            .map(|&at| &reading.grammar.rules[usize::from(at)])
            .filter(|rule| rule.act == Act::Ask);
        for rule in asks {
            let Some(found) = find(
                reading.grammar,
                &reading.tokens,
                &sentence,
                sentence.start,
                &rule.pattern,
            ) else {
                continue;
            };
            if let Some(answer) = select(profile, &reading, &sentence, rule, &found) {
                return Some(answer);
            }
        }
        if let Some(answer) = by_name(profile, &reading, &sentence) {
            return Some(answer);
        }
    }
    None
}

fn select(
    profile: &Profile,
    reading: &Reading<'_>,
    sentence: &Range<usize>,
    rule: &Rule,
    found: &Match,
) -> Option<FactAnswer> {
    let question = reading.statement;
    let captured = found
        .capture(Role::Detail)
        .map(|captured| reading.text(&captured.range).to_owned());
    let about = match (&rule.detail, captured) {
        (Some(fixed), Some(word)) => Some(fixed.replace("{d}", &folded(&word))),
        (Some(fixed), None) => Some(fixed.to_string()),
        (None, word) => word,
    };
    let fits = |fact: &Fact| {
        rule.slots.contains(&fact.slot)
            && about.as_deref().is_none_or(|about| {
                let detail = fact
                    .detail
                    .as_deref()
                    .is_some_and(|detail| is_about(reading, about, detail));
                detail || is_about(reading, about, &fact.value)
            })
    };
    let facts: Vec<&Fact> = if rule.asked == Asked::Before {
        let ended = profile
            .all()
            .filter(|fact| fact.until.is_some_and(|until| until <= question.sent_at));
        let mut ended: Vec<&Fact> = ended
            .filter(|fact| fact.is_visible_to(&question.audience))
            .collect();
        ended.reverse();
        ended
    } else {
        profile.facts_for(question.sent_at, &question.audience)
    };
    let mut facts: Vec<&Fact> = facts.into_iter().filter(|fact| fits(fact)).collect();
    let rank = |fact: &&Fact| rule.slots.iter().position(|slot| *slot == fact.slot);
    let affirmed = facts.iter().any(|fact| fact.polarity == Polarity::Affirmed);
    if affirmed {
        facts.retain(|fact| fact.polarity == Polarity::Affirmed);
    }
    facts.sort_by_key(rank);
    let words = content_words(reading, sentence);
    let relevant = |fact: &&Fact| words.iter().any(|word| mentions(fact, word));
    facts.sort_by_key(|fact| (rank(fact), !relevant(fact)));
    (!facts.is_empty()).then(|| FactAnswer {
        slots: rule.slots.clone(),
        asked: rule.asked,
        is_none: !affirmed,
        facts: facts.into_iter().cloned().collect(),
    })
}

/// "who is Astrid?": the facts that bear the name.
fn by_name(profile: &Profile, reading: &Reading<'_>, sentence: &Range<usize>) -> Option<FactAnswer> {
    let question = reading.statement;
    if !reading.is_question(sentence, question.text.trim_end().ends_with(['?', '？', '؟'])) {
        return None;
    }
    let words = content_words(reading, sentence);
    let known = profile.facts_for(question.sent_at, &question.audience);
    let mut facts: Vec<&Fact> = known
        .into_iter()
        .filter(|fact| NAMED.contains(&fact.slot))
        .filter(|fact| {
            words
                .iter()
                .any(|word| fact.value.split_whitespace().any(|part| same_value(part, word)))
        })
        .collect();
    let by_detail = |fact: &&Fact| {
        !fact
            .detail
            .as_deref()
            .is_some_and(|detail| words.iter().any(|w| shares_word(w, detail)))
    };
    facts.sort_by_key(by_detail);
    if facts.iter().any(|fact| !by_detail(fact)) {
        facts.retain(|fact| !by_detail(fact));
    }
    let first = facts.first()?;
    Some(FactAnswer {
        slots: vec![first.slot],
        asked: Asked::Value,
        is_none: false,
        facts: facts.into_iter().cloned().collect(),
    })
}

/// The words of the sentence that say something, folded.
fn content_words(reading: &Reading<'_>, sentence: &Range<usize>) -> Vec<String> {
    let grammar = reading.grammar;
    sentence
        .clone()
        .filter(|&at| reading.tokens.all[at].kind == Kind::Word)
        .filter(|&at| grammar.class_at(grammar.role(Special::Stop), &reading.tokens, at, sentence.end) == 0)
        .map(|at| reading.tokens.folded(&reading.tokens.all[at]).to_owned())
        .filter(|word| word.len() > 2)
        .collect()
}

fn mentions(fact: &Fact, word: &str) -> bool {
    let texts = [
        Some(fact.value.as_str()),
        fact.detail.as_deref(),
        fact.note.as_deref(),
        Some(&*fact.quote),
    ];
    texts.into_iter().flatten().any(|text| shares_word(text, word))
}

/// Whether a detail is what the question names: the same word, or of one class ("dog", "puppy").
fn is_about(reading: &Reading<'_>, about: &str, detail: &str) -> bool {
    same_value(about, detail) || shares_word(about, detail) || reading.grammar.same_sort(about, detail)
}

const NAMED: &[Slot] = &[
    Slot::Partner,
    Slot::Pet,
    Slot::Sibling,
    Slot::Child,
    Slot::Parent,
    Slot::Relative,
    Slot::Friend,
    Slot::Contact,
];
