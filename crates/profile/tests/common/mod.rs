//! Statements as text, facts as `slot = value (detail): note`.
#![allow(dead_code, reason = "not every test uses every part")]

use whisperengine_profile::{Profile, Statement};
use whisperengine_types::{Fact, MemoryId, Polarity, Timestamp};

/// Midday of a day in January 2026, a Thursday the first.
pub(crate) fn day(n: i64) -> Timestamp {
    Timestamp::from_millis(1_767_268_800_000 + n * 86_400_000)
}

pub(crate) fn id(n: u64) -> MemoryId {
    MemoryId::from_number(n)
}

pub(crate) fn said<'a>(n: u64, text: &'a str, at: Timestamp, language: &str) -> Statement<'a> {
    let mut statement = Statement::new(id(n), text, at);
    statement.language = language.parse().ok();
    statement
}

/// A person who says the lines on successive days, in memories 1, 2, ...
pub(crate) fn person(language: &str, lines: &[&str]) -> Profile {
    let mut profile = Profile::new();
    for (n, line) in lines.iter().enumerate() {
        profile.learn(&said(n as u64 + 1, line, day(n as i64), language));
    }
    profile
}

pub(crate) fn show(fact: &Fact) -> String {
    let denied = if fact.polarity == Polarity::Denied {
        "not "
    } else {
        ""
    };
    let detail = fact
        .detail
        .as_ref()
        .map(|detail| format!(" ({detail})"))
        .unwrap_or_default();
    let note = fact
        .note
        .as_ref()
        .map(|note| format!(": {note}"))
        .unwrap_or_default();
    format!("{} = {denied}{}{detail}{note}", fact.slot, fact.value)
}

pub(crate) fn in_force(profile: &Profile, at: Timestamp) -> Vec<String> {
    profile.facts_in_force(at).into_iter().map(show).collect()
}

/// Each sentence, said alone, states these facts; all that differ are shown.
#[track_caller]
pub(crate) fn check(language: &str, cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let mut found = in_force(&person(language, &[text]), day(0));
        let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        found.sort();
        expected.sort();
        if found != expected {
            let case = [
                format!("{text:?}"),
                format!("    expected {expected:?}"),
                format!("    found    {found:?}"),
            ];
            wrong.push_str(&case.join("\n"));
            wrong.push('\n');
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
