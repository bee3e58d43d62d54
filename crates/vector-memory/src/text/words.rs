//! Text to words: lower case, without the words that say nothing, without possessive endings.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

use super::{stop_words::is_stop_word, word_hash};
use crate::record::WordCount;

/// The words of `text` and how often each occurs, ascending by hash.
pub(crate) fn analyze(text: &str) -> Vec<WordCount> {
    let mut hashes = Vec::with_capacity(text.len() / BYTES_PER_CONTENT_WORD + 1);
    let mut scratch = String::new();
    for written in words(text) {
        let lower = in_lower_case(without_possessive(written), &mut scratch);
        if says_something(lower) {
            hashes.push(word_hash(lower));
        }
    }
    hashes.sort_unstable();
    let mut counts: Vec<WordCount> = Vec::with_capacity(hashes.len());
    for word in hashes {
        match counts.last_mut() {
            Some(last) if last.word == word => last.count = last.count.saturating_add(1),
            _ => counts.push(WordCount { word, count: 1 }),
        }
    }
    counts
}

/// The words that say something: as written, and in lower case without possessive ending.
pub(crate) fn content_words(text: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    words(text).filter_map(|written| {
        let bare = without_possessive(written);
        let lower = if is_in_lower_case(bare) {
            Cow::Borrowed(bare)
        } else {
            Cow::Owned(bare.to_lowercase())
        };
        says_something(&lower).then_some((written, lower))
    })
}

/// The words of `text` as written: runs of letters, digits and inner apostrophes.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    Runs(text)
        .map(|run| match run.as_bytes() {
            [first, .., last] if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => run,
            _ => run.trim_matches(['\'', '\u{2019}']),
        })
        .filter(|word| !word.is_empty())
}

/// The runs of letters, digits and apostrophes in what is left of a text.
struct Runs<'a>(&'a str);

impl<'a> Iterator for Runs<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0;
        let mut from = 0;
        loop {
            match character(text, from)? {
                (true, _) => break,
                (false, bytes) => from += bytes,
            }
        }
        let mut to = from;
        while let Some((true, bytes)) = character(text, to) {
            to += bytes;
        }
        self.0 = &text[to..];
        Some(&text[from..to])
    }
}

/// Whether the character of `text` that begins at `at` may be in a word, and its bytes; most are ASCII.
fn character(text: &str, at: usize) -> Option<(bool, usize)> {
    let byte = *text.as_bytes().get(at)?;
    if byte.is_ascii() {
        return Some((IN_WORDS[usize::from(byte)], 1));
    }
    let c = text[at..].chars().next()?;
    Some((c.is_alphanumeric() || c == '\u{2019}', c.len_utf8()))
}

fn says_something(lower: &str) -> bool {
    !lower.is_empty() && !is_stop_word(lower)
}

fn is_in_lower_case(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// `word` in lower case; what has to be changed is written to `scratch`.
fn in_lower_case<'a>(word: &'a str, scratch: &'a mut String) -> &'a str {
    if is_in_lower_case(word) {
        return word;
    }
    scratch.clear();
    if word.is_ascii() {
        scratch.push_str(word);
        scratch.make_ascii_lowercase();
    } else {
        scratch.push_str(&word.to_lowercase());
    }
    scratch
}

/// The hash of a word's stem (Porter 2, English).
pub(crate) fn stem_hash(word: &str) -> u32 {
    // Every ending that a stem loses is of letters or an apostrophe; of beginnings, only an apostrophe goes.
    if word.ends_with(|last: char| last.is_ascii_digit()) && !word.starts_with('\'') {
        return word_hash(word);
    }
    word_hash(&Stemmer::create(Algorithm::English).stem(word))
}

/// `text` as an embedder should see it: without notes of attachments (`[shares a picture: …]`), and with
/// the names in `names` replaced by a pronoun, because a name is a strong and misleading feature.
pub(crate) fn text_to_embed<'a>(text: &'a str, names: &[&str]) -> Cow<'a, str> {
    let spoken = without_notes(text);
    let spoken = if spoken.trim().is_empty() {
        Cow::Borrowed(text)
    } else {
        spoken
    };
    let pronoun_for = |word: &str| {
        let bare = without_possessive(word);
        names
            .contains(&bare)
            .then_some(if bare.len() < word.len() { "their" } else { "they" })
    };
    if names.is_empty() || !words(&spoken).any(|word| pronoun_for(word).is_some()) {
        return spoken;
    }
    let mut changed = String::with_capacity(spoken.len());
    let mut copied = 0;
    for word in words(&spoken) {
        if let Some(pronoun) = pronoun_for(word) {
            let at = word.as_ptr() as usize - spoken.as_ptr() as usize;
            changed.push_str(&spoken[copied..at]);
            changed.push_str(pronoun);
            copied = at + word.len();
        }
    }
    changed.push_str(&spoken[copied..]);
    Cow::Owned(changed)
}

/// Whether what is said ends as a question, notes aside.
pub(crate) fn is_question(text: &str) -> bool {
    without_notes(text).trim_end().ends_with('?')
}

/// The text without bracketed notes that hold a colon.
fn without_notes(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut kept = String::new();
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']') else {
            break;
        };
        let note = &rest[open..=open + close];
        kept.push_str(&rest[..open]);
        if !note.contains(':') {
            kept.push_str(note);
        }
        rest = &rest[open + close + 1..];
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

fn without_possessive(word: &str) -> &str {
    if !word.ends_with('s') {
        return word;
    }
    ["'s", "\u{2019}s"]
        .into_iter()
        .find_map(|suffix| word.strip_suffix(suffix))
        .unwrap_or(word)
}

/// Which ASCII characters may be in a word.
const IN_WORDS: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'\'';
        byte += 1;
    }
    table
};
/// About as many in English; decides what is reserved.
pub(crate) const BYTES_PER_CONTENT_WORD: usize = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, character by character.
    fn plain_words(text: &str) -> Vec<&str> {
        text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '\u{2019}'))
            .map(|word| word.trim_matches(['\'', '\u{2019}']))
            .filter(|word| !word.is_empty())
            .collect()
    }

    proptest! {
        #[test]
        fn words_are_found_as_defined(text in "[a-cI's\u{2019} .2\u{c9}\u{df}\u{130}\u{4e00}\u{1f600}]{0,40}|\\PC{0,20}") {
            prop_assert_eq!(words(&text).collect::<Vec<_>>(), plain_words(&text));
            let mut counts = std::collections::BTreeMap::new();
            for (_, word) in content_words(&text) {
                *counts.entry(word_hash(&word)).or_insert(0) += 1;
            }
            let counts: Vec<_> = counts.into_iter().map(|(word, count)| WordCount { word, count }).collect();
            prop_assert_eq!(analyze(&text), counts);
        }

        #[test]
        fn stems_are_those_of_the_algorithm(word in "[a-z'\u{e9}]{0,12}[0-9]{0,3}") {
            let stem = Stemmer::create(Algorithm::English).stem(&word).into_owned();
            prop_assert_eq!(stem_hash(&word), word_hash(&stem));
        }
    }

    #[test]
    fn words_lose_case_and_possession_and_small_words_fall_out() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<String> = content_words(text).map(|(_, word)| word.into_owned()).collect();
            assert_eq!(found, expected, "{text:?}");
        };
        check(
            "Caroline's dogs, AND the 2 cats!",
            &["caroline", "dogs", "2", "cats"],
        );
        check("it\u{2019}s Ana\u{2019}s caf\u{c9}", &["ana", "caf\u{e9}"]);
        check("the and of it was", &[]);
        check("", &[]);
    }

    #[test]
    fn inflected_forms_share_a_stem() {
        for (a, b) in [("painting", "paints"), ("dogs", "dog"), ("hobbies", "hobby")] {
            assert_eq!(stem_hash(a), stem_hash(b), "{a} {b}");
        }
        assert_ne!(stem_hash("paint"), stem_hash("pain"));
    }

    #[test]
    fn occurrences_are_counted_and_capped() {
        assert_eq!(analyze(&"dog ".repeat(3))[0].count, 3);
        assert_eq!(analyze(&"dog ".repeat(300))[0].count, 255);
    }

    #[test]
    fn names_and_notes_are_not_embedded() {
        let check = |text: &str, expected: &str| assert_eq!(text_to_embed(text, &["Ana", "Bo"]), expected);
        check("Ana's dog likes Bo.", "their dog likes they.");
        check("Look! [shares a picture: a dog] Nice?", "Look!  Nice?");
        check("[shares a picture: a dog]", "[shares a picture: a dog]");
        check("a [b] c [d", "a [b] c [d");
        check("Anabel ana", "Anabel ana");
        assert!(is_question("Is it? [shares a picture: a dog]") && !is_question("It is."));
    }
}
