//! What a text is described by beside its words and pairs. Part of the weights' format: it must never
//! change without the format version.

use whisperengine_types::VaderScores;

use super::words::{Item, Kind, mix};

/// Calls `row` with the row, of `rows`, of each n-gram of 3 to 5 bytes inside a word, whose ends are marked;
/// the whole of it excepted.
pub(crate) fn grams(form: &[u8], rows: u32, mut row: impl FnMut(u32)) {
    let mut marked = [0; GRAM_BYTES];
    let len = (form.len() + 2).min(GRAM_BYTES);
    marked[0] = b'<';
    let copied = form.len().min(GRAM_BYTES - 1);
    marked[1..=copied].copy_from_slice(&form[..copied]);
    if form.len() + 2 <= GRAM_BYTES {
        marked[len - 1] = b'>';
    }
    let marked = &marked[..len];
    for start in 0..len {
        let longest = (len - start).min(5);
        let mut gram = mix(0x5851_F42D_4C95_7F2D, u64::from(marked[start]));
        for (size, &byte) in (2..=longest).zip(&marked[start + 1..]) {
            gram = mix(gram, u64::from(byte));
            if size >= 3 && size < len {
                row(reduce(gram, rows));
            }
        }
    }
}

/// How far into a word n-grams are looked for.
const GRAM_BYTES: usize = 32;

/// How many words after a negation are negated, at most.
const NEGATION_REACH: usize = 4;

/// Whether the words after this one are negated.
pub(crate) fn negates(form: &[u8]) -> bool {
    const NEGATIONS: &str = "not no never dont cannot cant wont isnt arent wasnt werent didnt doesnt wouldnt \
        shouldnt couldnt hasnt havent without nor neither nothing aint hardly nobody none";
    form.ends_with(b"n't")
        || NEGATIONS
            .split_ascii_whitespace()
            .any(|word| word.as_bytes() == form)
}

/// Keeps track of what a negation reaches.
#[derive(Debug, Default)]
pub(crate) struct Reach(usize);

impl Reach {
    /// Whether `item` is negated by one before it; `negates` says whether it starts a negation itself.
    #[inline]
    pub(crate) fn step(&mut self, item: &Item, negates: bool) -> bool {
        match item.kind {
            Kind::Stop => {
                self.0 = 0;
                false
            }
            Kind::Sign => false,
            Kind::Word | Kind::Capitals => {
                let is_reached = self.0 > 0;
                self.0 = if negates {
                    NEGATION_REACH
                } else {
                    self.0.saturating_sub(1)
                };
                is_reached
            }
        }
    }
}

/// How many rows the table of whole-text features has.
pub(crate) const SHAPES: usize = 44;

/// The rows of the whole-text features of a text: sentiment, length, capitals, a question at the end.
pub(crate) fn shapes(scores: &VaderScores, items: &[Item], text: &str) -> ([usize; 6], usize) {
    let capitals = items.iter().filter(|item| item.kind == Kind::Capitals).count();
    let mut rows = [0; 6];
    rows[0] = ((scores.compound + 1.0) * 5.0 + 0.5) as usize;
    rows[1] = 11 + (scores.pos * 5.0 + 0.5) as usize;
    rows[2] = 17 + (scores.neg * 5.0 + 0.5) as usize;
    rows[3] = 23 + ((items.len() + 1).ilog2() as usize).min(15);
    let mut count = 4;
    if capitals > 0 {
        rows[count] = 39 + capitals.min(3);
        count += 1;
    }
    if text.trim_end().ends_with('?') {
        rows[count] = 43;
        count += 1;
    }
    (rows, count)
}

/// Brings the upper half of `hash` into `0..rows`.
#[inline]
fn reduce(hash: u64, rows: u32) -> u32 {
    (((hash >> 32) * u64::from(rows)) >> 32) as u32
}
