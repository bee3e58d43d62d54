//! What sort of saying a memory is: what recall knows of it apart from its words.

use std::hash::{DefaultHasher, Hash, Hasher};

use whisperengine_types::MemoryError;

use crate::{
    record::{Body, Row},
    text::{is_question, only_asks, polarity},
};

/// What sort of saying a memory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nature {
    /// It ends as a question.
    pub(crate) asks: bool,
    /// It is nothing but questions.
    pub(crate) only_asks: bool,
    /// It is the companion's reply to the person.
    pub(crate) replies: bool,
    /// Liking 1, disliking -1.
    pub(crate) polarity: i8,
    /// How many distinct words of it say something.
    pub(crate) words: u16,
    /// Equal for texts of one speaker that differ in case, blanks and punctuation only.
    pub(crate) same: u64,
}

impl Nature {
    pub(super) fn of(body: &Body<'_>, rows: &[Row]) -> Result<Self, MemoryError> {
        Ok(Self {
            asks: is_question(body.text),
            only_asks: only_asks(body.text),
            replies: body.find_metadata(REPLY_TO)?.is_some(),
            polarity: polarity(body.text),
            words: rows
                .iter()
                .map(|row| row.words.len())
                .sum::<usize>()
                .min(usize::from(u16::MAX)) as u16,
            same: same(body.speaker, body.text),
        })
    }
}

fn same(speaker: Option<&str>, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    speaker.hash(&mut hasher);
    let mut letters = text.chars().filter(|c| c.is_alphanumeric()).peekable();
    if letters.peek().is_none() {
        text.hash(&mut hasher);
    }
    for letter in letters.flat_map(char::to_lowercase) {
        letter.hash(&mut hasher);
    }
    hasher.finish()
}

/// The metadata of a reply: the id of the message that it answers.
const REPLY_TO: &str = "reply_to";
