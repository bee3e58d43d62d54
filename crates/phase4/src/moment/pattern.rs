use serde::{Deserialize, Serialize};
use whisperengine_types::{ConnectionType, EmotionalState, MemoryId, Timestamp};

use super::{
    MAX_PATTERNS, Moments,
    note::{Draft, Note},
};
use crate::{
    lexicon::{Theme, Themes},
    number::DAY,
    text::Word,
};

/// Messages that belong together, however many there are: one entry, with a count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pattern {
    key: Key,
    frequency: u32,
    words: Vec<Word>,
    first: Timestamp,
    last: Timestamp,
}

/// What ties the messages of a pattern together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Key {
    Theme(Theme),
    Term(u32),
    Feeling(EmotionalState),
}

/// Messages on one subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group<'a>(&'a Pattern);

impl<'a> Group<'a> {
    /// The theme, else the first of the words.
    pub(crate) fn name(self) -> &'a str {
        match self.0.key {
            Key::Theme(theme) => theme.name(),
            _ => self.0.words.first().map_or("", Word::as_str),
        }
    }

    /// Days from one message to the next on average; `None` within a day of the first.
    pub(crate) fn every_days(self) -> Option<f32> {
        let days = self.0.last.since(self.0.first).as_secs_f32() / DAY.as_secs_f32();
        let gaps = self.0.frequency.saturating_sub(1).max(1) as f32;
        (days >= 1.0).then_some(days / gaps)
    }
}

/// A pattern that has shown at least twice.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionReport {
    /// Thematic similarity, pattern recognition from the third time on, or emotional resonance.
    pub kind: ConnectionType,
    /// The theme that ties the messages together, if one does.
    pub theme: Option<Theme>,
    /// The feeling that does, if one does.
    pub feeling: Option<EmotionalState>,
    /// Its most telling words, at most three.
    pub keywords: Vec<String>,
    /// How many messages belong to it.
    pub frequency: u32,
    /// When the first one came.
    pub first: Timestamp,
    /// When the latest one came.
    pub last: Timestamp,
}

/// A feeling weaker than this ties nothing together.
const FELT: f32 = 0.4;

impl Moments {
    /// Counts the message in the patterns it belongs to: one of subject, one of feeling.
    pub(super) fn learn_patterns(&mut self, draft: &Draft) {
        let subject = subject_key(draft.note.themes, &draft.note.terms);
        let feeling = (draft.note.state != EmotionalState::Neutral && draft.note.intensity.value() >= FELT)
            .then_some(Key::Feeling(draft.note.state));
        for key in subject.into_iter().chain(feeling) {
            self.count(key, draft);
        }
    }

    fn count(&mut self, key: Key, draft: &Draft) {
        let at = draft.note.at;
        if let Some(known) = self.patterns.iter_mut().find(|known| known.key == key) {
            known.frequency = known.frequency.saturating_add(1);
            known.last = at;
            return;
        }
        if self.patterns.len() == MAX_PATTERNS {
            let oldest = self
                .patterns
                .iter()
                .enumerate()
                .min_by_key(|(_, known)| (known.frequency > 2, known.last));
            if let Some((index, _)) = oldest {
                self.patterns.remove(index);
            }
        }
        let words = draft.words.iter().copied().take(3).collect();
        self.patterns.push(Pattern {
            key,
            frequency: 1,
            words,
            first: at,
            last: at,
        });
    }

    /// How many messages belong to a pattern, the present one not counted.
    pub(super) fn frequency(&self, key: Key) -> u32 {
        self.patterns
            .iter()
            .find(|known| known.key == key)
            .map_or(0, |known| known.frequency)
    }

    /// Groups of two messages or more on one subject, and how many they are, largest first.
    pub(crate) fn groups(&self) -> Vec<(Group<'_>, u32)> {
        let mut found: Vec<&Pattern> = self
            .patterns
            .iter()
            .filter(|known| known.frequency >= 2 && !matches!(known.key, Key::Feeling(_)))
            .collect();
        found.sort_by_key(|known| (std::cmp::Reverse(known.frequency), known.first));
        found
            .iter()
            .map(|&known| (Group(known), known.frequency))
            .collect()
    }

    /// The memories of the notes in a group that are worth most, best first.
    pub(crate) fn representatives(&self, group: Group<'_>, limit: usize) -> Vec<MemoryId> {
        let Pattern { key, last, .. } = group.0;
        let own = |note: &&Note| note.memory.is_some() && note.subject() == Some(*key);
        let mut notes: Vec<(f32, &Note)> = self
            .notes
            .iter()
            .filter(own)
            .map(|note| (note.worth(*last), note))
            .collect();
        notes.sort_by(|(a, old), (b, new)| b.total_cmp(a).then(new.at.cmp(&old.at)));
        let best = notes.iter().take(limit);
        best.filter_map(|(_, note)| note.memory.clone()).collect()
    }

    /// Patterns with two messages or more, most frequent first.
    pub(crate) fn connections(&self) -> Vec<ConnectionReport> {
        let mut found: Vec<_> = self
            .patterns
            .iter()
            .filter(|known| known.frequency >= 2)
            .collect();
        found.sort_by_key(|known| (std::cmp::Reverse(known.frequency), known.first));
        let report = |known: &&Pattern| ConnectionReport {
            kind: match known.key {
                Key::Feeling(_) => ConnectionType::EmotionalResonance,
                _ if known.frequency >= 3 => ConnectionType::PatternRecognition,
                _ => ConnectionType::ThematicSimilarity,
            },
            theme: if let Key::Theme(theme) = known.key {
                Some(theme)
            } else {
                None
            },
            feeling: if let Key::Feeling(state) = known.key {
                Some(state)
            } else {
                None
            },
            keywords: known.words.iter().map(|word| word.as_str().to_owned()).collect(),
            frequency: known.frequency,
            first: known.first,
            last: known.last,
        };
        found.iter().map(report).collect()
    }
}

/// The theme that a message is about, else its most telling word.
pub(super) fn subject_key(themes: Themes, terms: &[u32]) -> Option<Key> {
    themes
        .subjects()
        .iter()
        .next()
        .map(Key::Theme)
        .or_else(|| terms.first().copied().map(Key::Term))
}

impl Note {
    pub(super) fn subject(&self) -> Option<Key> {
        subject_key(self.themes, &self.terms)
    }
}
