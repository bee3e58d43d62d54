//! How two facts stand to one another: the same, replaced, ended.

use std::collections::HashSet;

use whisperengine_types::{Fact, Polarity, Slot};

use crate::text::{folded, is_wide};

/// Whether `a` says nothing beyond `b`.
pub(crate) fn is_same(a: &Fact, b: &Fact) -> bool {
    a.slot == b.slot
        && a.polarity == b.polarity
        && same_value(&a.value, &b.value)
        && (a.note.is_none() || a.note == b.note)
        && a.due == b.due
        && match (&a.detail, &b.detail) {
            (Some(a), Some(b)) => folded(a) == folded(b),
            _ => true,
        }
}

/// Whether `new` ends `old`, which held until then.
pub(crate) fn supersedes(new: &Fact, old: &Fact) -> bool {
    if new.slot != old.slot {
        let opposite = matches!(
            (new.slot, old.slot),
            (Slot::Like, Slot::Dislike) | (Slot::Dislike, Slot::Like)
        );
        return opposite
            && new.polarity == Polarity::Affirmed
            && old.polarity == Polarity::Affirmed
            && same_value(&new.value, &old.value);
    }
    match (new.polarity, old.polarity) {
        (Polarity::Affirmed, Polarity::Affirmed) => replaces(new, old),
        (Polarity::Affirmed, Polarity::Denied) => {
            new.slot.is_single()
                || old.value.is_empty()
                || same_value(&new.value, &old.value)
                || new
                    .detail
                    .as_deref()
                    .is_some_and(|detail| same_value(detail, &old.value))
        }
        (Polarity::Denied, Polarity::Affirmed) => denies(new, old),
        (Polarity::Denied, Polarity::Denied) => new.slot.is_single() || same_value(&new.value, &old.value),
    }
}

/// Whether the denial `new` is about `old`.
pub(crate) fn denies(new: &Fact, old: &Fact) -> bool {
    if new.value.is_empty() {
        return true;
    }
    let detail = old
        .detail
        .as_deref()
        .is_some_and(|detail| same_value(detail, &new.value));
    detail || shares_word(&new.value, &old.value)
}

fn replaces(new: &Fact, old: &Fact) -> bool {
    let same = same_value(&new.value, &old.value);
    let same_detail = match (&new.detail, &old.detail) {
        (Some(a), Some(b)) => same_value(a, b),
        _ => false,
    };
    match new.slot {
        // "my wife" after "my wife Nadia" says less, the other way round it says more.
        Slot::Partner if is_unnamed(new) || (is_unnamed(old) && same_detail) => false,
        slot if slot.is_single() => !same,
        Slot::Note | Slot::Contact | Slot::Like | Slot::Dislike => {
            same_detail && !same && !is_unnamed(new) && !is_unnamed(old)
        }
        Slot::Plan if new.detail.as_deref() == Some(DONE) => {
            old.detail.as_deref() != Some(DONE) && shares_word(&new.value, &old.value)
        }
        Slot::Plan => same && new.due != old.due && new.due.is_some(),
        Slot::Sibling | Slot::Child | Slot::Parent | Slot::Relative | Slot::Friend => {
            same && same_detail
                && state_verb(new).is_some()
                && state_verb(new) == state_verb(old)
                && new.note != old.note
        }
        _ => false,
    }
}

/// `my sister`, of whom no name is known.
pub(crate) fn is_unnamed(fact: &Fact) -> bool {
    fact.detail
        .as_deref()
        .is_some_and(|detail| same_value(detail, &fact.value))
}

/// The verb of a note when its object is one at a time: one lives in one place and works at one.
fn state_verb(fact: &Fact) -> Option<&str> {
    let verb = fact.note.as_deref()?.split_whitespace().next()?;
    STATES.contains(&verb).then_some(verb)
}

/// Equal but for case, accents, articles and the plural.
pub(crate) fn same_value(a: &str, b: &str) -> bool {
    a == b || normal(a) == normal(b)
}

fn normal(text: &str) -> String {
    let text = folded(text);
    text.split_whitespace()
        .map(singular)
        .collect::<Vec<_>>()
        .join(" ")
}

fn singular(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with('s') => stem,
        _ => word,
    }
}

/// Whether a word of three letters or more stands in both, or one contains the other in a script without spaces.
pub(crate) fn shares_word(a: &str, b: &str) -> bool {
    let (a, b) = (folded(a), folded(b));
    if a.chars().any(is_wide) || b.chars().any(is_wide) {
        return !a.is_empty() && !b.is_empty() && (a.contains(&b) || b.contains(&a));
    }
    let words: HashSet<&str> = a
        .split_whitespace()
        .map(singular)
        .filter(|word| word.len() > 2)
        .collect();
    b.split_whitespace()
        .map(singular)
        .any(|word| words.contains(word))
}

/// The detail of a plan that was carried out.
pub(crate) const DONE: &str = "done";

const STATES: &[&str] = &["lives", "works"];
