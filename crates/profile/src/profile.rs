use std::{fmt, time::Duration};

use whisperengine_types::{Audience, Fact, FactSource, MemoryId, Polarity, Slot, Timestamp};

use crate::{
    FactAnswer, FactChange, Result, Speaker, Statement, answer, codec,
    correction::correct,
    extract::Reading,
    ledger::{Entry, Ledger},
    relation::{is_same, is_unnamed, same_value},
};

/// What is known of one person.
///
/// A value: the same calls in the same order give the same bytes. Its binary form never exceeds
/// [`MAX_BYTES`](crate::MAX_BYTES); when it would, what no longer holds goes first, then the oldest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    ledger: Ledger,
}

impl Profile {
    /// Of somebody of whom nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the facts that a statement states, and enters them.
    ///
    /// Nothing is learned from a crisis, from other speakers, or in a language without rules.
    pub fn learn(&mut self, statement: &Statement<'_>) -> Vec<FactChange> {
        let mut changes = Vec::new();
        if statement.crisis || statement.speaker == Speaker::Other {
            return changes;
        }
        let Some(mut reading) = Reading::new(statement) else {
            return changes;
        };
        let mut found = Vec::new();
        for (sentence, marked) in reading.tokens.sentences() {
            let question = reading.is_question(&sentence, marked);
            if !question && let Some(entry) = correct(&mut reading, &sentence, &self.ledger) {
                self.replace_corrected(&entry, &mut changes);
                self.ledger.state(entry, &mut changes);
                continue;
            }
            reading.facts(&sentence, marked, &mut found);
            for entry in found.drain(..) {
                self.ledger.state(entry, &mut changes);
            }
        }
        changes
    }

    /// The facts that hold at `now`, by slot and then oldest first. A repeated fact is there once.
    pub fn facts_in_force(&self, now: Timestamp) -> Vec<&Fact> {
        self.facts_for(now, &Audience::Private)
    }

    /// The facts that hold at `now` and may be brought up before `audience`.
    pub fn facts_for(&self, now: Timestamp, audience: &Audience) -> Vec<&Fact> {
        let mut facts: Vec<&Fact> = Vec::new();
        let shown = |fact: &Fact| fact.holds_at(now) && fact.is_visible_to(audience);
        for entry in self
            .ledger
            .entries
            .iter()
            .filter(|entry| !entry.silent && shown(&entry.fact))
        {
            let fact = &entry.fact;
            if facts.iter().any(|other| covers(other, fact)) {
                continue;
            }
            facts.retain(|other| !covers(fact, other));
            facts.push(fact);
        }
        facts.sort_by_key(|fact| fact.slot);
        facts
    }

    /// The facts that ceased to hold within `window` before `now`, the latest first.
    pub fn recently_ended(&self, now: Timestamp, window: Duration) -> Vec<&Fact> {
        let from = now - window;
        let ended = |fact: &Fact| fact.until.is_some_and(|until| from <= until && until <= now);
        let entries = self.ledger.entries.iter().filter(|entry| !entry.silent);
        let mut facts: Vec<&Fact> = entries
            .map(|entry| &entry.fact)
            .filter(|fact| ended(fact))
            .collect();
        facts.sort_by_key(|fact| std::cmp::Reverse(fact.until));
        facts
    }

    /// All that is known of a slot, in the order in which it was said.
    pub fn history(&self, slot: Slot) -> impl Iterator<Item = &Fact> {
        self.all().filter(move |fact| fact.slot == slot)
    }

    /// Everything, in the order in which it was said, repetitions apart.
    pub fn all(&self) -> impl Iterator<Item = &Fact> {
        let entries = &self.ledger.entries;
        let repeats = |at: usize| {
            let fact = &entries[at].fact;
            entries[..at]
                .iter()
                .any(|e| !e.silent && e.fact.until == fact.until && is_same(fact, &e.fact))
        };
        (0..entries.len())
            .filter(move |&at| !entries[at].silent && !repeats(at))
            .map(|at| &entries[at].fact)
    }

    /// The message that ended a fact of [`all`](Self::all); `None` while it holds or when it ended by itself.
    pub fn ended_by(&self, fact: &Fact) -> Option<&MemoryId> {
        self.ledger
            .entries
            .iter()
            .find(|entry| entry.fact == *fact)?
            .ended_by
            .as_ref()
    }

    /// Sets a fact for the app or on behalf of a model; like any other it ends what it replaces.
    /// `fact.source` is the memory or the change that it goes with, `fact.since` the time.
    pub fn set_fact(&mut self, fact: Fact) -> Vec<FactChange> {
        let mut changes = Vec::new();
        let entry = Entry {
            said_at: fact.since,
            size: 0,
            own_until: fact.until,
            fact,
            ended_by: None,
            silent: false,
            known_only: false,
        };
        self.ledger.state(entry, &mut changes);
        changes
    }

    /// Ends the facts of `slot` with this value at `at`, on behalf of the app; `source` names the change.
    pub fn end_fact(&mut self, slot: Slot, value: &str, source: &MemoryId, at: Timestamp) -> Vec<FactChange> {
        let mut changes = Vec::new();
        for entry in &mut self.ledger.entries {
            let fact = &entry.fact;
            if fact.slot == slot && fact.holds_at(at) && same_value(&fact.value, value) {
                entry.fact.until = Some(at);
                entry.ended_by = Some(source.clone());
                entry.size = codec::size(entry);
                changes.push(FactChange::Ended {
                    fact: entry.fact.clone(),
                    by: source.clone(),
                });
            }
        }
        changes
    }

    /// Marks the facts of `slot` with this value that hold at `now` as sure; false when there is none.
    pub fn confirm(&mut self, slot: Slot, value: &str, now: Timestamp) -> bool {
        let mut any = false;
        for entry in &mut self.ledger.entries {
            let fact = &mut entry.fact;
            if fact.slot == slot && fact.holds_at(now) && same_value(&fact.value, value) {
                fact.confidence = 1.0;
                any = true;
            }
        }
        any
    }

    /// Removes all that a message stated, since it is deleted or edited; what it had ended holds again.
    pub fn forget_source(&mut self, source: &MemoryId) -> Vec<FactChange> {
        self.ledger.forget(source)
    }

    /// The messages whose facts have all ceased to hold at `now`, in the order in which they were said.
    pub fn superseded_sources(&self, now: Timestamp) -> Vec<MemoryId> {
        let mut sources: Vec<MemoryId> = Vec::new();
        for entry in self.ledger.entries.iter().filter(|entry| !entry.silent) {
            let source = &entry.fact.source;
            let ended = |entry: &Entry| entry.fact.until.is_some_and(|until| until <= now);
            let of_it = self
                .ledger
                .entries
                .iter()
                .filter(|other| !other.silent && other.fact.source == *source);
            if ended(entry) && !sources.contains(source) && of_it.into_iter().all(ended) {
                sources.push(source.clone());
            }
        }
        sources
    }

    /// What is known of what `question` asks; `None` when it asks for none of the slots, or nothing is known.
    ///
    /// Only what may be brought up before the question's audience is given.
    pub fn answer(&self, question: &Statement<'_>) -> Option<FactAnswer> {
        answer::answer(self, question)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.ledger.entries.is_empty()
    }

    /// The binary form, version 1.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&self.ledger)
    }

    /// Reads [`to_bytes`](Self::to_bytes) of this or an earlier version.
    ///
    /// # Errors
    /// [`Error`](crate::Error) when the bytes are no profile, of a later version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Ok(Self {
            ledger: codec::decode(bytes)?,
        })
    }

    /// Ends what a correction replaces: it never held.
    fn replace_corrected(&mut self, new: &Entry, changes: &mut Vec<FactChange>) {
        let wrong = self.ledger.entries.iter_mut().rev().find(|entry| {
            let fact = &entry.fact;
            entry.is_open()
                && !entry.silent
                && fact.slot == new.fact.slot
                && fact.since == new.fact.since
                && (fact.value != new.fact.value
                    || fact.detail != new.fact.detail
                    || fact.note != new.fact.note)
                && (fact.value == new.fact.value || fact.detail == new.fact.detail)
        });
        if let Some(entry) = wrong {
            entry.fact.until = Some(new.said_at.max(entry.fact.since));
            entry.ended_by = Some(new.fact.source.clone());
            entry.size = codec::size(entry);
            changes.push(FactChange::Ended {
                fact: entry.fact.clone(),
                by: new.fact.source.clone(),
            });
        }
    }
}

/// One line a fact: slot, value, detail and the day since when it holds.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fact in self.facts_in_force(self.ledger.latest) {
            write!(f, "{}: ", fact.slot)?;
            if fact.polarity == Polarity::Denied {
                f.write_str("no ")?;
            }
            f.write_str(&fact.value)?;
            if let Some(detail) = &fact.detail {
                write!(f, " ({detail})")?;
            }
            if let Some(note) = &fact.note {
                write!(f, ", {note}")?;
            }
            let since = fact.since.to_string();
            writeln!(f, ", since {}", &since[..10])?;
        }
        Ok(())
    }
}

/// Whether `other` makes `fact` superfluous in a list: it says the same and more, or was said first.
fn covers(other: &Fact, fact: &Fact) -> bool {
    if other.slot != fact.slot
        || other.polarity != fact.polarity
        || (fact.note.is_some() && fact.note != other.note)
    {
        return false;
    }
    let detail = match (&fact.detail, &other.detail) {
        (Some(a), Some(b)) => same_value(a, b),
        (None, _) => true,
        (Some(_), None) => false,
    };
    detail
        && fact.due.is_none_or(|due| other.due == Some(due))
        && (same_value(&fact.value, &other.value) || (is_unnamed(fact) && fact.note.is_none()))
        && (fact.told_by != FactSource::App || other.told_by == FactSource::App)
}
