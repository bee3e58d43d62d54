//! What a text is described by beside its words and pairs. Part of the weights' format: it must never
//! change without the format version.

use whisperengine_types::VaderScores;

use super::{
    item::{CAPITALS, Item, STOP, WORD},
    words::mix,
};

/// Replaces the content of `out` by the row, of `rows`, of each n-gram of 3 to 5 bytes inside a word, whose ends are
/// marked; the whole of it excepted.
pub(crate) fn grams(form: &[u8], rows: u32, out: &mut Vec<u32>) {
    let mut marked = [0; GRAM_BYTES + LONGEST_GRAM];
    let len = (form.len() + 2).min(GRAM_BYTES);
    marked[0] = b'<';
    let copied = form.len().min(GRAM_BYTES - 1);
    marked[1..=copied].copy_from_slice(&form[..copied]);
    if form.len() + 2 <= GRAM_BYTES {
        marked[len - 1] = b'>';
    }
    out.clear();
    out.resize(GRAMS * len, 0);
    let mut count = 0;
    for (start, bytes) in marked.windows(LONGEST_GRAM).take(len).enumerate() {
        let mut gram = mix(0x5851_F42D_4C95_7F2D, u64::from(bytes[0]));
        gram = mix(gram, u64::from(bytes[1]));
        for (size, &byte) in (SHORTEST_GRAM..).zip(&bytes[SHORTEST_GRAM - 1..]) {
            gram = mix(gram, u64::from(byte));
            // Not a branch, for nobody could foresee it.
            out[count] = reduce(gram, rows);
            count += usize::from(start + size <= len) & usize::from(size < len);
        }
    }
    out.truncate(count);
}

const SHORTEST_GRAM: usize = 3;
const LONGEST_GRAM: usize = 5;
/// How many start at one byte, at most.
const GRAMS: usize = LONGEST_GRAM - SHORTEST_GRAM + 1;

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
        if !item.is(WORD) {
            if item.is(STOP) {
                self.0 = 0;
            }
            return false;
        }
        let is_reached = self.0 > 0;
        self.0 = if negates {
            NEGATION_REACH
        } else {
            self.0.saturating_sub(1)
        };
        is_reached
    }
}

/// How many rows the table of whole-text features has.
pub(crate) const SHAPES: usize = 44;

/// The rows of the whole-text features of a text: sentiment, length, capitals, a question at the end.
pub(crate) fn shapes(scores: &VaderScores, items: &[Item], text: &str) -> ([usize; 6], usize) {
    let capitals = items.iter().filter(|item| item.is(CAPITALS)).count();
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn grams_are_all_short_stretches_but_the_whole(form in "[a-c]{0,40}") {
            let mut marked = format!("<{form}>");
            marked.truncate(GRAM_BYTES);
            let mut expected = Vec::new();
            for start in 0..marked.len() {
                for size in 3..=5 {
                    if start + size <= marked.len() && size < marked.len() {
                        let gram = &marked.as_bytes()[start..start + size];
                        let hash = gram.iter().fold(0x5851_F42D_4C95_7F2D, |hash, &byte| mix(hash, u64::from(byte)));
                        expected.push(reduce(hash, 8192));
                    }
                }
            }
            let mut found = vec![7; 3];
            grams(form.as_bytes(), 8192, &mut found);
            prop_assert_eq!(found, expected);
        }
    }
}
