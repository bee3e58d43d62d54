//! "no, I meant Thursday", "not Tuesday, Thursday", "sorry, it's Lena with one n".

use std::{ops::Range, time::Duration};

use whisperengine_types::{Fact, Polarity, Slot, Timestamp};

use crate::{
    extract::Reading,
    grammar::{Calendar, Special, calendar_at},
    ledger::{Entry, Ledger},
    relation::same_value,
    text::{Kind, Token, folded},
};

/// What the right value replaces: found by its own words, or by its kind in what was said shortly before.
pub(crate) fn correct(reading: &mut Reading<'_>, sentence: &Range<usize>, ledger: &Ledger) -> Option<Entry> {
    let mut marked = 0;
    let mut at = sentence.start;
    while at < sentence.end {
        let step = reading.class_len(Special::Correction, at, sentence.end);
        if step == 0 {
            break;
        }
        marked += step;
        at += step;
        while at < sentence.end && reading.tokens.all[at].kind == Kind::Sign {
            at += 1;
        }
    }
    let negation =
        (sentence.start..sentence.end).find(|&at| reading.class_len(Special::Not, at, sentence.end) > 0);
    if marked == 0 && negation.is_none() {
        return None;
    }
    if let Some(negation) = negation
        && let Some(found) = not_this(reading, sentence, negation, ledger)
    {
        return Some(found);
    }
    if marked == 0 {
        return None;
    }
    at += reading.class_len(Special::Instead, at, sentence.end);
    instead(reading, sentence, at, ledger)
}

/// "not X, Y", "it isn't X, it's Y", "Y, not X".
fn not_this(
    reading: &mut Reading<'_>,
    sentence: &Range<usize>,
    negation: usize,
    ledger: &Ledger,
) -> Option<Entry> {
    let end = sentence.end;
    let after = negation + reading.class_len(Special::Not, negation, end);
    let wrong = word_run(reading, after, sentence.end)?;
    let mut right_at = wrong.end;
    while right_at < sentence.end {
        let sign = usize::from(reading.tokens.all[right_at].kind == Kind::Sign);
        let step = sign
            .max(reading.class_len(Special::Instead, right_at, end))
            .max(reading.class_len(Special::Correction, right_at, end));
        if step == 0 {
            break;
        }
        right_at += step;
    }
    let separated = right_at > wrong.end;
    let right = match word_run(reading, right_at, sentence.end).filter(|_| separated) {
        Some(right) => right,
        None => run_before(reading, sentence.start, negation)?,
    };
    let (wrong, right) = (reading.text(&wrong).to_owned(), reading.text(&right).to_owned());
    if same_value(&wrong, &right) {
        return None;
    }
    let old = ledger
        .entries
        .iter()
        .rev()
        .find(|entry| is_current(entry) && holds(&entry.fact, &wrong))?;
    let mut fact = old.fact.clone();
    replace(&mut fact, &wrong, &right);
    Some(entry(reading, sentence, fact, &old.fact))
}

/// The value after "no, I meant": it replaces one of its kind.
fn instead(reading: &mut Reading<'_>, sentence: &Range<usize>, at: usize, ledger: &Ledger) -> Option<Entry> {
    let since = reading.statement.sent_at - RECENT;
    let right = word_run(reading, at, sentence.end)?;
    let right = right.start..right.end.min(right.start + 3);
    let one = right.start..right.start + 1;
    let kind = kind_of(reading, &right)?;
    // "sorry, five minutes late" corrects no number.
    let next = right.start + if kind == Sort::Name { right.len() } else { 1 };
    let stands_alone = next >= sentence.end
        || reading.tokens.all[next].kind == Kind::Sign
        || kind == Sort::Month
        || reading.class_len(Special::Stop, next, sentence.end) > 0;
    if !stands_alone {
        return None;
    }
    let recent = |entry: &&Entry| is_current(entry) && entry.said_at >= since;
    for old in ledger.entries.iter().rev().filter(recent).take(4) {
        let Some((wrong, whole)) = wrong_of(reading, &old.fact, kind) else {
            continue;
        };
        let right = reading.text(if whole { &right } else { &one }).to_owned();
        let near = !whole || kind == Sort::Month || similar(&wrong, &right);
        if near && !same_value(&wrong, &right) {
            let mut fact = old.fact.clone();
            replace(&mut fact, &wrong, &right);
            return Some(entry(reading, sentence, fact, &old.fact));
        }
    }
    None
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Weekday,
    Month,
    Number,
    Name,
}

fn kind_of(reading: &Reading<'_>, range: &Range<usize>) -> Option<Sort> {
    let token = &reading.tokens.all[range.start];
    if let Some(sort) = sort_at(reading, range.start, range.end) {
        return Some(sort);
    }
    if reading.class_len(Special::Common, range.start, range.end) > 0 {
        return None;
    }
    let name =
        token.kind == Kind::Wide || (token.kind == Kind::Word && (token.capital || reading.tokens.caseless));
    name.then_some(Sort::Name)
}

fn sort_at(reading: &Reading<'_>, at: usize, end: usize) -> Option<Sort> {
    if reading.tokens.all[at].kind == Kind::Number {
        return Some(Sort::Number);
    }
    match calendar_at(reading.grammar, &reading.tokens, at, end)?.1 {
        Calendar::Weekday(_) => Some(Sort::Weekday),
        Calendar::Month(_) => Some(Sort::Month),
        Calendar::Number(_) => Some(Sort::Number),
        _ => None,
    }
}

/// The piece of an earlier fact that a value of this kind replaces, and whether it is the whole value.
fn wrong_of(reading: &Reading<'_>, fact: &Fact, kind: Sort) -> Option<(String, bool)> {
    if kind == Sort::Name {
        let named = fact
            .value
            .chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || !c.is_ascii());
        return (named && fact.slot != Slot::Plan).then(|| (fact.value.clone(), true));
    }
    if kind == Sort::Month {
        let dated = fact.due.is_some() || fact.slot == Slot::Birthday;
        let date = fact.detail.clone().unwrap_or_else(|| fact.value.clone());
        return dated.then_some((date, true));
    }
    let texts = [
        Some(fact.value.as_str()),
        fact.detail.as_deref(),
        fact.note.as_deref(),
    ];
    for text in texts.into_iter().flatten() {
        let tokens = reading.grammar.tokens(text);
        for at in 0..tokens.all.len() {
            let number = tokens.all[at].kind == Kind::Number;
            let unit = calendar_at(reading.grammar, &tokens, at, tokens.all.len());
            let sort = match unit {
                _ if number => Sort::Number,
                Some((_, Calendar::Weekday(_))) => Sort::Weekday,
                Some((_, Calendar::Month(_))) => Sort::Month,
                Some((_, Calendar::Number(_))) => Sort::Number,
                _ => continue,
            };
            if sort == kind {
                let token: &Token = &tokens.all[at];
                return Some((text[token.start as usize..token.end as usize].to_owned(), false));
            }
        }
    }
    None
}

fn word_run(reading: &Reading<'_>, from: usize, end: usize) -> Option<Range<usize>> {
    let grammar = reading.grammar;
    let len = |class: Special, at: usize| reading.class_len(class, at, end);
    let start = from + len(Special::Determiner, from);
    let mut at = start;
    let most = if grammar.wide { 8 } else { 3 };
    while at < end && at - start < most {
        let token = &reading.tokens.all[at];
        let dot = at > start && token.kind == Kind::Sign && reading.tokens.folded(token) == ".";
        let stop = !(token.is_text() || dot) || len(Special::Stop, at) > 0 || len(Special::Instead, at) > 0;
        if stop {
            break;
        }
        at += 1;
    }
    (at > start).then_some(start..at)
}

fn run_before(reading: &Reading<'_>, from: usize, end: usize) -> Option<Range<usize>> {
    let mut last = end;
    while last > from && reading.tokens.all[last - 1].kind == Kind::Sign {
        last -= 1;
    }
    let stop = |at: usize| {
        !reading.tokens.all[at].is_text()
            || reading.class_len(Special::Stop, at, end) > 0
            || reading.class_len(Special::Determiner, at, end) > 0
    };
    let first = (from..last).rev().take(3).take_while(|&at| !stop(at)).last()?;
    (first < last).then_some(first..last)
}

fn is_current(entry: &Entry) -> bool {
    entry.is_open() && !entry.silent && entry.fact.polarity == Polarity::Affirmed
}

fn holds(fact: &Fact, wrong: &str) -> bool {
    let wrong = folded(wrong);
    let texts = [
        Some(fact.value.as_str()),
        fact.detail.as_deref(),
        fact.note.as_deref(),
    ];
    texts
        .into_iter()
        .flatten()
        .any(|text| contains_word(&folded(text), &wrong))
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        let after = text[at + word.len()..]
            .chars()
            .next()
            .is_none_or(|c| !c.is_alphanumeric());
        before && after || word.chars().any(crate::text::is_wide)
    })
}

fn replace(fact: &mut Fact, wrong: &str, right: &str) {
    let swap = |text: &mut String| {
        let (low, wrong) = (text.to_lowercase(), wrong.to_lowercase());
        let found = low.len() == text.len() && low.contains(&wrong);
        if let Some(at) = low.find(&wrong).filter(|_| found) {
            text.replace_range(at..at + wrong.len(), right);
        }
        found
    };
    if swap(&mut fact.value) {
        return;
    }
    let _ = fact.detail.as_mut().is_some_and(swap) || fact.note.as_mut().is_some_and(swap);
}

/// Whether one may be a misspelling of the other: at most three edits apart, with the same beginning.
fn similar(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (folded(a).chars().collect(), folded(b).chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    let edits = row[b.len()];
    edits <= 3 && (edits < a.len().max(b.len()) / 2 || a.first() == b.first())
}

fn entry(reading: &mut Reading<'_>, sentence: &Range<usize>, mut fact: Fact, old: &Fact) -> Entry {
    let span = reading.span(sentence);
    let sent_at: Timestamp = reading.statement.sent_at;
    if fact.due.is_some() {
        let (grammar, range) = (reading.grammar, sentence.clone());
        reading.today();
        let period = reading.today_ref().and_then(|today| {
            today
                .period(grammar, &reading.tokens, range)
                .map(|period| today.start_of(period.first))
        });
        fact.due = period.or(old.due);
    }
    fact.source = reading.statement.memory.clone();
    fact.quote = reading.statement.text[span.clone()].into();
    fact.span = span.start as u32..span.end as u32;
    fact.since = old.since;
    fact.until = None;
    fact.audience = reading.statement.audience.clone();
    Entry {
        fact,
        said_at: sent_at,
        size: 0,
        own_until: None,
        ended_by: None,
        silent: false,
        known_only: false,
    }
}

/// How long after a line "no, I meant" still concerns it.
const RECENT: Duration = Duration::from_secs(36 * 3600);
