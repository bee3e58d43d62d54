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
    /// Four letters as one number, and which bits of them count.
    starts: Vec<(u32, u32)>,
    /// Some word cannot be compared by its bytes.
    unsure: bool,
}

const LETTERS: usize = 4;
/// Set in every lower-case letter and in every digit.
const LOWER: u32 = 0x2020_2020;

impl Beginnings {
    pub(crate) fn of<'t>(terms: impl Iterator<Item = &'t Term>) -> Self {
        let mut beginnings = Self::default();
        for term in terms.take(64) {
            let word = term.word.as_str().as_bytes();
            let start = first(word);
            let mask = match word.len() {
                len if len >= LETTERS => u32::MAX,
                len => (1 << (8 * len)) - 1,
            };
            beginnings.unsure |= !start.to_le_bytes().is_ascii();
            beginnings.starts.push(((start | LOWER) & mask, mask));
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
                let start = first(&bytes[at..]) | LOWER;
                for (place, &(wanted, mask)) in self.starts.iter().enumerate() {
                    held |= u64::from(start & mask == wanted) << place;
                }
            }
            inside = letter;
        }
        held.count_ones() as usize
    }
}

fn first(bytes: &[u8]) -> u32 {
    if let Some(start) = bytes.first_chunk::<LETTERS>() {
        return u32::from_le_bytes(*start);
    }
    let mut start = [0; LETTERS];
    start[..bytes.len()].copy_from_slice(bytes);
    u32::from_le_bytes(start)
}

/// Whether reading the text could lead anywhere: feelings and achievements connect without a word in
/// common, everything else takes nearness or words.
pub(super) fn is_worth_reading(recalled: &RecalledMemory, now: &Occasion<'_>) -> bool {
    let emotion = now.emotion;
    let glad = now.marks.has(Marks::ACHIEVEMENT) && emotion.valence > 0.2 && !emotion.is_unpleasant();
    let low = matches!(emotion.state, EmotionalState::Sadness | EmotionalState::Fear);
    if glad || (low && now.is_bare()) {
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
    let needed = if similarity >= NEAR_WORD || angry || low || now.marks.has(Marks::SOLVED) {
        1
    } else {
        2
    };
    similarity >= ALIKE && now.beginnings.held_by(&recalled.memory.text) >= needed
}
