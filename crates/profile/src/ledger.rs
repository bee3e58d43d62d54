//! Facts in the order in which they were stated, and which of them ended which.

use whisperengine_types::{Fact, MemoryId, Polarity, Slot, Timestamp};

use crate::{
    FactChange,
    relation::{denies, is_same, same_value, supersedes},
    text::floor,
};

/// The most that one person's profile takes in its binary form.
pub const MAX_BYTES: usize = 16 * 1024;

/// A fact and what became of it. `fact.until` is what holds; `own_until` is the end that the statement named.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub fact: Fact,
    pub said_at: Timestamp,
    /// The bytes of its binary form.
    pub size: usize,
    pub own_until: Option<Timestamp>,
    pub ended_by: Option<MemoryId>,
    /// Ends others without being worth mentioning.
    pub silent: bool,
    /// Only to be kept when it ends a fact that is known.
    pub known_only: bool,
}

impl Entry {
    pub(crate) fn is_open(&self) -> bool {
        self.ended_by.is_none()
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ledger {
    pub entries: Vec<Entry>,
    /// The latest time that anything was said.
    pub latest: Timestamp,
}

impl Ledger {
    /// Enters a statement: it repeats, ends or adds to what is known.
    pub(crate) fn state(&mut self, mut new: Entry, changes: &mut Vec<FactChange>) {
        shorten(&mut new);
        self.latest = self.latest.max(new.said_at);
        let at = new.said_at;
        let open = |entry: &Entry| entry.is_open() && entry.fact.until.is_none_or(|until| until > at);
        let repeats: Vec<usize> = (0..self.entries.len())
            .filter(|&i| open(&self.entries[i]) && is_same(&new.fact, &self.entries[i].fact))
            .collect();
        if !repeats.is_empty() && new.silent {
            return;
        }
        if new.fact.polarity == Polarity::Denied && self.is_ambiguous(&new.fact, &open) {
            return;
        }
        let mut ended = Vec::new();
        if repeats.is_empty() {
            for entry in &mut self.entries {
                if open(entry) && supersedes(&new.fact, &entry.fact) {
                    end(entry, &new);
                    if !entry.silent {
                        ended.push(FactChange::Ended {
                            fact: entry.fact.clone(),
                            by: new.fact.source.clone(),
                        });
                    }
                }
            }
        }
        if new.known_only && ended.is_empty() {
            return;
        }
        new.known_only = false;
        new.size = crate::codec::size(&new);
        changes.append(&mut ended);
        if let Some((_, later)) = repeats.split_first() {
            let extra: Vec<usize> = later.to_vec();
            for i in extra.into_iter().rev() {
                self.entries.remove(i);
            }
            changes.push(FactChange::Repeated(new.fact.clone()));
        } else if !new.silent {
            changes.push(FactChange::Learned(new.fact.clone()));
        }
        self.entries.push(new);
        self.shrink(changes);
    }

    /// "my cat died" when there are two cats.
    fn is_ambiguous(&self, new: &Fact, open: &dyn Fn(&Entry) -> bool) -> bool {
        let by_kind = |entry: &&Entry| {
            let fact = &entry.fact;
            fact.slot == new.slot
                && open(entry)
                && fact.polarity == Polarity::Affirmed
                && !same_value(&fact.value, &new.value)
                && denies(new, fact)
        };
        let mut names: Vec<&str> = self
            .entries
            .iter()
            .filter(by_kind)
            .map(|e| e.fact.value.as_str())
            .collect();
        names.dedup();
        new.slot == Slot::Pet && !new.value.is_empty() && names.len() > 1
    }

    /// Removes what `source` stated; what that had ended holds again, unless a later statement ends it.
    pub(crate) fn forget(&mut self, source: &MemoryId) -> Vec<FactChange> {
        let mut changes = Vec::new();
        self.entries.retain(|entry| {
            let gone = entry.fact.source == *source;
            if gone && !entry.silent {
                changes.push(FactChange::Removed(entry.fact.clone()));
            }
            !gone
        });
        for at in 0..self.entries.len() {
            if self.entries[at].ended_by.as_ref() != Some(source) {
                continue;
            }
            self.entries[at].ended_by = None;
            self.entries[at].fact.until = self.entries[at].own_until;
            self.entries[at].size = crate::codec::size(&self.entries[at]);
            let (before, after) = self.entries.split_at_mut(at + 1);
            let entry = &mut before[at];
            match after.iter().find(|later| supersedes(&later.fact, &entry.fact)) {
                Some(later) => end(entry, later),
                None if !entry.silent => changes.push(FactChange::Restored(entry.fact.clone())),
                None => {}
            }
        }
        changes
    }

    /// Makes room: first the oldest of what no longer holds, then the oldest.
    fn shrink(&mut self, changes: &mut Vec<FactChange>) {
        let mut bytes: usize =
            self.entries.iter().map(|entry| entry.size).sum::<usize>() + crate::codec::HEAD;
        while bytes > MAX_BYTES {
            let over = |entry: &Entry| {
                !entry.is_open() || entry.silent || entry.fact.until.is_some_and(|until| until <= self.latest)
            };
            let minor = |entry: &Entry| {
                matches!(
                    entry.fact.slot,
                    Slot::Plan | Slot::Like | Slot::Friend | Slot::Goal
                )
            };
            let at = self.entries.iter().position(over);
            let at = at.or_else(|| self.entries.iter().position(minor)).unwrap_or(0);
            bytes -= self.entries[at].size;
            let entry = self.entries.remove(at);
            if !entry.silent {
                changes.push(FactChange::Removed(entry.fact));
            }
        }
    }
}

fn end(entry: &mut Entry, by: &Entry) {
    // What was said later began later: a fact does not end before it was stated.
    entry.fact.until = Some(
        by.fact
            .since
            .max(entry.fact.since)
            .min(by.said_at.max(entry.fact.since)),
    );
    entry.ended_by = Some(by.fact.source.clone());
    entry.size = crate::codec::size(entry);
}

fn shorten(entry: &mut Entry) {
    let cut = |text: &mut String, most: usize| {
        if text.len() > most {
            text.truncate(floor(text, most));
        }
    };
    cut(&mut entry.fact.value, 120);
    if let Some(detail) = &mut entry.fact.detail {
        cut(detail, 80);
    }
    if let Some(note) = &mut entry.fact.note {
        cut(note, 160);
    }
    if entry.fact.quote.len() > 200 {
        let end = floor(&entry.fact.quote, 200);
        entry.fact.quote = entry.fact.quote[..end].into();
        entry.fact.span.end = entry.fact.span.start + end as u32;
    }
}
