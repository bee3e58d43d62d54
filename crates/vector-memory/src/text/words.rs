//! Text to words: lower case, without the words that say nothing, without possessive endings.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

use super::{stop_words::is_stop_word, word_hash};
use crate::record::WordCount;

/// The words of `text` and how often each occurs, ascending by hash.
pub(crate) fn analyze(text: &str) -> Vec<WordCount> {
    let mut hashes: Vec<u32> = content_words(text).map(|(_, word)| word_hash(&word)).collect();
    hashes.sort_unstable();
    hashes
        .chunk_by(|a, b| a == b)
        .map(|run| WordCount {
            word: run[0],
            count: u8::try_from(run.len()).unwrap_or(u8::MAX),
        })
        .collect()
}

/// The words that say something: as written, and in lower case without possessive ending.
pub(crate) fn content_words(text: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    words(text).filter_map(|written| {
        let bare = without_possessive(written);
        let lower = if bare.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            Cow::Borrowed(bare)
        } else {
            Cow::Owned(bare.to_lowercase())
        };
        (!lower.is_empty() && !is_stop_word(&lower)).then_some((written, lower))
    })
}

/// The words of `text` as written: runs of letters, digits and inner apostrophes.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '\u{2019}'))
        .map(|word| word.trim_matches(['\'', '\u{2019}']))
        .filter(|word| !word.is_empty())
}

/// The hash of a word's stem (Porter 2, English).
pub(crate) fn stem_hash(word: &str) -> u32 {
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
    ["'s", "\u{2019}s"]
        .into_iter()
        .find_map(|suffix| word.strip_suffix(suffix))
        .unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

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
