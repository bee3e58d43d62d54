//! Whether a recalled text can come to a moment at all, found out without reading it.

use whisperengine_types::{EmotionalState, RecalledMemory, Similarity};

use super::{
    connect::{ALIKE, NEAR_WORD},
    note::Marks,
    pick::Occasion,
};
use crate::text::Term;

/// The beginnings of the telling words of a message: inflected forms of a word mostly begin alike.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beginnings {
    starts: Vec<([u8; LETTERS], usize)>,
    /// Some word cannot be compared by its bytes.
    unsure: bool,
}

const LETTERS: usize = 4;

impl Beginnings {
    pub(crate) fn of<'t>(terms: impl Iterator<Item = &'t Term>) -> Self {
        let mut beginnings = Self::default();
        for term in terms {
            let word = term.word.as_str().as_bytes();
            let len = word.len().min(LETTERS);
            let mut start = [0; LETTERS];
            start[..len].copy_from_slice(&word[..len]);
            beginnings.unsure |= !start.is_ascii();
            beginnings.starts.push((start, len));
        }
        beginnings
    }

    /// How many of the words a text may hold; too many rather than too few, but for irregular forms.
    fn held_by(&self, text: &str) -> usize {
        if self.unsure {
            return self.starts.len();
        }
        let bytes = text.as_bytes();
        let mut held = 0_u64;
        let mut inside = false;
        for (at, byte) in bytes.iter().enumerate() {
            let letter = byte.is_ascii_alphanumeric();
            if letter && !inside {
                let rest = &bytes[at..];
                for (place, (start, len)) in self.starts.iter().enumerate().take(64) {
                    if rest.len() >= *len && rest[..*len].eq_ignore_ascii_case(&start[..*len]) {
                        held |= 1 << place;
                    }
                }
            }
            inside = letter;
        }
        held.count_ones() as usize
    }
}

/// Whether reading the text could lead anywhere: feelings and achievements connect without a word in
/// common, everything else takes nearness or words.
pub(super) fn is_worth_reading(recalled: &RecalledMemory, now: &Occasion<'_>) -> bool {
    let emotion = now.emotion;
    let glad = now.marks.has(Marks::ACHIEVEMENT) && emotion.valence > 0.2 && !emotion.is_unpleasant();
    let low = matches!(emotion.state, EmotionalState::Sadness | EmotionalState::Fear);
    if glad || low {
        return true;
    }
    let Some(similarity) = recalled.similarity.map(Similarity::value) else {
        return now.beginnings.held_by(&recalled.memory.text) >= 1;
    };
    if similarity >= now.config.similarity {
        return true;
    }
    // In a good or plain mood one word is enough only for what is nearer.
    let angry = matches!(emotion.state, EmotionalState::Anger | EmotionalState::Disgust);
    let needed = if similarity >= NEAR_WORD || angry || now.marks.has(Marks::SOLVED) {
        1
    } else {
        2
    };
    similarity >= ALIKE && now.beginnings.held_by(&recalled.memory.text) >= needed
}
