//! Words that look like a word that is asked for: misspelt, or inflected in a language without a stemmer.
//!
//! Only a word that nothing else matches is looked for in this way, so a well spelt question pays nothing;
//! a count of letters rules out most of the vocabulary before any two words are compared.

use super::{Lexicon, Vocabulary, Words};

/// The letters of a word, one bit for each of 32 classes.
pub(super) fn letters_of(word: &str) -> u32 {
    word.chars()
        .fold(0, |letters, c| letters | 1 << (u32::from(c) & 31))
}

impl Lexicon {
    /// The words of `vocabulary` that look like the word with number `asked`, by hash, each with how much.
    pub(crate) fn formed_like(&self, asked: u32, vocabulary: &Vocabulary) -> Vec<(u32, f32)> {
        let words = self.read();
        let Some(word) = words.text(asked) else {
            return Vec::new();
        };
        if word.chars().any(|c| c.is_ascii_digit()) || word.chars().count() < SHORTEST {
            return Vec::new();
        }
        let word: Vec<char> = word.chars().collect();
        let letters = words.letters[asked as usize];
        let mut found = Vec::new();
        for &(number, hash) in vocabulary.since(0) {
            if (words.letters[number as usize] ^ letters).count_ones() > MOST_OTHER_LETTERS {
                continue;
            }
            if let Some(likeness) = words.text(number).and_then(|other| likeness(&word, other)) {
                found.push((hash, likeness));
            }
        }
        found
    }

    /// Whether the word with number `asked` is a misspelt word that says nothing.
    pub(crate) fn nearly_stops(&self, asked: u32) -> bool {
        self.read().text(asked).is_some_and(crate::text::nearly_stops)
    }
}

impl Words {
    fn text(&self, number: u32) -> Option<&str> {
        let at = number as usize;
        let from = at
            .checked_sub(1)
            .map_or(0, |before| self.text_ends[before] as usize);
        let end = *self.text_ends.get(at)? as usize;
        self.texts.get(from..end)
    }
}

/// How much two words that are not equal look alike; `None` when they do not.
fn likeness(a: &[char], b: &str) -> Option<f32> {
    let mut other = ['\0'; LONGEST];
    let mut len = 0;
    for c in b.chars() {
        if c.is_ascii_digit() {
            return None;
        }
        *other.get_mut(len)? = c;
        len += 1;
    }
    let b = &other[..len];
    if len < SHORTEST || a.len().abs_diff(len) > MOST_ENDING || a.len() > LONGEST {
        return None;
    }
    let prefix = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let longer = a.len().max(len);
    if prefix >= 4 && prefix * 10 >= longer * 6 && longer - prefix <= MOST_ENDING {
        return Some(INFLECTED);
    }
    let most = if longer >= 8 { 2 } else { 1 };
    (distance(a, b, most) <= most).then_some(MISSPELT)
}

/// Edits between two words, neighbours exchanged counting as one (optimal string alignment); what exceeds
/// `most` is not told apart.
fn distance(a: &[char], b: &[char], most: usize) -> usize {
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut rows = [[0_usize; LONGEST + 1]; 3];
    for (at, cell) in rows[0].iter_mut().enumerate() {
        *cell = at;
    }
    for i in 1..=a.len() {
        let (row, before, two_before) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[row][0] = i;
        let mut least = i;
        for j in 1..=b.len() {
            let other = usize::from(a[i - 1] != b[j - 1]);
            let mut cell = (rows[before][j] + 1)
                .min(rows[row][j - 1] + 1)
                .min(rows[before][j - 1] + other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cell = cell.min(rows[two_before][j - 2] + 1);
            }
            rows[row][j] = cell;
            least = least.min(cell);
        }
        if least > most {
            return most + 1;
        }
    }
    rows[a.len() % 3][b.len()]
}

/// Characters of the shortest word that may be misspelt.
const SHORTEST: usize = 4;
const LONGEST: usize = 24;
/// Letters in which endings differ at most.
const MOST_ENDING: usize = 3;
const MOST_OTHER_LETTERS: u32 = 6;
const INFLECTED: f32 = 0.92;
const MISSPELT: f32 = 0.9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_and_inflected_words_look_alike_and_others_do_not() {
        let check = |a: &str, b: &str, expected: Option<f32>| {
            let chars: Vec<char> = a.chars().collect();
            assert_eq!(likeness(&chars, b), expected, "{a} {b}");
        };
        check("birtday", "birthday", Some(MISSPELT));
        check("frined", "friend", Some(MISSPELT));
        check("hermanas", "hermano", Some(INFLECTED));
        check(
            "\u{441}\u{435}\u{441}\u{442}\u{440}\u{443}",
            "\u{441}\u{435}\u{441}\u{442}\u{440}\u{430}",
            Some(INFLECTED),
        );
        check("house", "horse", Some(MISSPELT));
        check("cats", "cat", None);
        check("window", "garden", None);
        check("code4471", "code4472", None);
    }

    #[test]
    fn the_distance_is_that_of_the_definition() {
        let chars = |word: &str| word.chars().collect::<Vec<char>>();
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "", 3),
            ("abcd", "abdc", 1),
            ("kitten", "sitting", 3),
            ("a", "b", 1),
        ] {
            assert_eq!(distance(&chars(a), &chars(b), 9), expected, "{a} {b}");
        }
    }
}
