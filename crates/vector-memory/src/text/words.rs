//! Text to words: lower case, without the words that say nothing, without possessive endings.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

use unicode_normalization::UnicodeNormalization;

use super::{
    marks::{Mark, marks},
    segment::{cut, needs_cutting},
    stop_words::{ENGLISH, GERMAN, LanguageVotes, Languages, stops_in},
    word_hash,
};
use crate::record::WordCount;

/// The words of `text` and how often each occurs, ascending by hash.
pub(crate) fn analyze(text: &str) -> Vec<WordCount> {
    let mut hashes = Vec::with_capacity(text.len() / BYTES_PER_CONTENT_WORD + 1);
    hashes.extend(content_words(text).iter().map(|(_, word)| word_hash(word)));
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

/// The words that say something: as written, and in the form in which they are compared: NFKC, lower case,
/// without possessive ending.
///
/// Scripts without spaces are cut into pairs of characters. Links, mentions and emotes are no words; of a
/// link the whole address counts, and the words of its path, and the word "link".
pub(crate) fn content_words(text: &str) -> Vec<(&str, Cow<'_, str>)> {
    let marks = marks(text);
    let mut found = Found {
        text,
        words: Vec::with_capacity(text.len() / BYTES_PER_CONTENT_WORD + 1),
        stops: Vec::with_capacity(text.len() / BYTES_PER_CONTENT_WORD + 1),
        votes: LanguageVotes::default(),
    };
    let mut from = 0;
    for (range, mark) in marks {
        found.add_plain(from, range.start);
        if mark == Mark::Link {
            found.add_link(&text[range.clone()]);
        }
        from = range.end;
    }
    found.add_plain(from, text.len());
    found.without_stop_words()
}

/// Whether `text` is written in a language that writes every noun with a capital.
pub(crate) fn capitals_are_common(text: &str) -> bool {
    let mut votes = LanguageVotes::default();
    for word in words(text) {
        votes.add(stops_in(&comparable(word)));
    }
    votes.winners() & GERMAN != 0
}

/// Words of a text on their way: which of them are stop words is known when its language is.
struct Found<'a> {
    text: &'a str,
    words: Vec<(&'a str, Cow<'a, str>)>,
    /// For each word the languages in which it is a stop word.
    stops: Vec<Languages>,
    votes: LanguageVotes,
}

impl<'a> Found<'a> {
    fn add_plain(&mut self, from: usize, until: usize) {
        let part = &self.text[from..until];
        for written in words(part) {
            if !written.is_ascii() && needs_cutting(written) {
                cut(written, |part| self.push(part, comparable(part), 0));
                continue;
            }
            let word = comparable(written);
            let mut stops = stops_in(&word);
            self.votes.add(stops);
            let at = written.as_ptr() as usize - self.text.as_ptr() as usize;
            if stops & ENGLISH != 0 && is_name(self.text, at, written) {
                stops = 0;
            }
            self.push(written, word, stops);
            self.add_identifier(written, at);
        }
    }

    /// The words of a name in code or of an account: `parse_header`, also as a whole.
    fn add_identifier(&mut self, written: &'a str, at: usize) {
        let starts_one = self.text[at + written.len()..].starts_with('_') && !self.text[..at].ends_with('_');
        if !starts_one {
            return;
        }
        let rest = &self.text[at..];
        let len = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let whole = rest[..len].trim_end_matches('_');
        if whole.len() > written.len() {
            self.push(whole, comparable(whole), 0);
        }
    }

    fn add_link(&mut self, link: &'a str) {
        self.push(link, Cow::Owned(link.to_lowercase()), 0);
        self.push(link, Cow::Borrowed(LINK), 0);
        for part in words(link) {
            let word = comparable(part);
            if word.len() >= 3 && !LINK_PARTS.contains(&&*word) {
                self.push(part, word, 0);
            }
        }
    }

    fn push(&mut self, written: &'a str, word: Cow<'a, str>, stops: Languages) {
        if !word.is_empty() {
            self.words.push((written, word));
            self.stops.push(stops);
        }
    }

    fn without_stop_words(self) -> Vec<(&'a str, Cow<'a, str>)> {
        let language = self.votes.winners();
        let mut stops = self.stops.into_iter();
        let mut words = self.words;
        words.retain(|_| stops.next().is_some_and(|stops| stops & language == 0));
        words
    }
}

/// The form in which words are compared.
fn comparable(written: &str) -> Cow<'_, str> {
    let bare = without_possessive(written);
    if is_in_lower_case(bare) {
        return Cow::Borrowed(bare);
    }
    if bare.is_ascii() {
        return Cow::Owned(bare.to_ascii_lowercase());
    }
    let normal: String = bare.nfkc().collect();
    Cow::Owned(
        without_possessive(&normal)
            .to_lowercase()
            .replace('\u{2019}', "'"),
    )
}

/// Whether a word that is common otherwise is a name here: it has a capital within a sentence, or at the
/// beginning of one that is no question ("Will is my brother.").
fn is_name(text: &str, at: usize, written: &str) -> bool {
    let bytes = written.as_bytes();
    let is_capitalized = bytes.len() > 2
        && bytes[0].is_ascii_uppercase()
        && bytes[1..]
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b'\'' || *byte == b's');
    if !is_capitalized || !NAMES.contains(&without_possessive(written)) {
        return false;
    }
    if !begins_sentence(text, at) {
        return true;
    }
    let rest = &text[at + written.len()..];
    let end = rest.find(['.', '!', '?', '\n']);
    let next = rest.trim_start();
    let is_verb = |verb: &&str| {
        next.strip_prefix(*verb)
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    end.is_none_or(|end| !rest[end..].starts_with('?')) && NAME_VERBS.iter().any(is_verb)
}

/// Whether a sentence begins at `at`.
pub(crate) fn begins_sentence(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end().chars().next_back();
    before.is_none_or(|before| {
        matches!(
            before,
            '.' | '?' | '!' | ':' | '"' | '\u{201c}' | '\u{bf}' | '\u{a1}' | '\n'
        )
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

fn is_in_lower_case(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The hash of a word's stem, by the algorithm of its script: Cyrillic Russian, Arabic, Greek and Tamil
/// their own; Latin the language that its letters give away, else English (Porter 2).
pub(crate) fn stem_hash(word: &str) -> u32 {
    // Every ending that a stem loses is of letters or an apostrophe; of beginnings, only an apostrophe goes.
    if word.ends_with(|last: char| last.is_ascii_digit()) && !word.starts_with('\'') {
        return word_hash(word);
    }
    let algorithm = if word.is_ascii() {
        Algorithm::English
    } else {
        algorithm_of(word)
    };
    word_hash(&Stemmer::create(algorithm).stem(word))
}

fn algorithm_of(word: &str) -> Algorithm {
    let of = |c: char| {
        Some(match c {
            '\u{400}'..='\u{4ff}' => Algorithm::Russian,
            '\u{600}'..='\u{6ff}' => Algorithm::Arabic,
            '\u{370}'..='\u{3ff}' => Algorithm::Greek,
            '\u{b80}'..='\u{bff}' => Algorithm::Tamil,
            'ä' | 'ö' | 'ü' | 'ß' => Algorithm::German,
            'ñ' | 'í' | 'ú' => Algorithm::Spanish,
            'ã' | 'õ' => Algorithm::Portuguese,
            'è' | 'ê' | 'ë' | 'î' | 'û' | 'œ' | 'ç' => Algorithm::French,
            'ì' | 'ò' => Algorithm::Italian,
            'ğ' | 'ş' | 'ı' => Algorithm::Turkish,
            'å' => Algorithm::Swedish,
            'ø' => Algorithm::Norwegian,
            'ă' | 'ț' => Algorithm::Romanian,
            'ő' | 'ű' => Algorithm::Hungarian,
            _ => return None,
        })
    };
    word.chars().find_map(of).unwrap_or(Algorithm::English)
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
    without_notes(text).trim_end().ends_with(QUESTION_MARKS)
}

/// The last sentences of `text` that ask, and the rest of it; all of it where none asks or nothing else is
/// said.
pub(crate) fn question_part(text: &str) -> (&str, String) {
    let text = text.trim();
    let whole = (text, String::new());
    let Some((mark, sign)) = text
        .char_indices()
        .rev()
        .find(|(_, c)| QUESTION_MARKS.contains(c))
    else {
        return whole;
    };
    let until = mark + sign.len_utf8();
    if !text[until..].is_empty() && !text[until..].starts_with(char::is_whitespace) && sign.is_ascii() {
        return whole;
    }
    let before = text[..mark].trim_end_matches(QUESTION_MARKS);
    let mut ends = before.char_indices().filter(|&(at, c)| {
        let next = before[at + c.len_utf8()..].chars().next();
        matches!(c, '\u{3002}' | '\u{ff01}' | '\n')
            || matches!(c, '.' | '!') && next.is_some_and(char::is_whitespace)
    });
    let from = ends.next_back().map_or(0, |(at, c)| at + c.len_utf8());
    let asks = text[from..until].trim();
    if (from == 0 && until == text.len()) || content_words(asks).is_empty() {
        return whole;
    }
    (asks, [&text[..from], " ", &text[until..]].concat())
}

/// The words of `text` in lower case, with a blank between them and before and after.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 2);
    plain.push(' ');
    for word in words(text) {
        plain.extend(word.chars().flat_map(char::to_lowercase));
        plain.push(' ');
    }
    plain
}

/// Whether most letters of `text` are Latin.
pub(crate) fn is_latin(text: &str) -> bool {
    let letters = || text.chars().filter(|c| c.is_alphabetic());
    text.is_ascii() || letters().filter(|&c| c < '\u{250}').count() * 2 >= letters().count()
}

/// Whether nothing but questions is said, with or without the mark.
pub(crate) fn only_asks(text: &str) -> bool {
    let spoken = without_notes(text);
    if spoken.len() < LONGEST_WONDERING && wonders(&spoken) {
        return true;
    }
    let mut asks = false;
    for sentence in
        spoken.split_inclusive(['.', '!', '?', '\u{ff1f}', '\u{3002}', '\u{ff01}', '\n', '\u{61f}'])
    {
        if !sentence.chars().any(char::is_alphanumeric) {
            continue;
        }
        let mut first = words(sentence).map(comparable);
        let is_short = words(sentence).count() <= 2;
        let is_marked = sentence.trim_end().ends_with(QUESTION_MARKS);
        let mut begins_as_one = || first.next().is_some_and(|word| ASKING.contains(&&*word));
        if is_marked || begins_as_one() && !sentence.trim_end().ends_with(['!', '\u{ff01}']) {
            asks = true;
        } else if !is_short {
            return false;
        }
    }
    asks
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
/// Whether a question is told of instead of asked.
fn wonders(text: &str) -> bool {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    WONDERING.iter().any(|phrase| lower.contains(phrase))
}

const WONDERING: [&str; 14] = [
    "wondering w",
    "wondering h",
    "wonder w",
    "wonder h",
    "can't remember w",
    "cant remember w",
    "don't remember w",
    "i forgot w",
    "i forget w",
    "no idea w",
    "no clue w",
    "not sure w",
    "frage mich",
    "je me demande",
];
/// In bytes: a longer text says more than that.
const LONGEST_WONDERING: usize = 100;
const QUESTION_MARKS: [char; 3] = ['?', '\u{ff1f}', '\u{61f}'];
/// Words that begin a question when it is written without its mark.
const ASKING: [&str; 14] = [
    "what", "whats", "what's", "where", "wheres", "where's", "who", "whos", "who's", "which", "how", "why",
    "whose", "remind",
];
/// What a link counts as, so that "the link" finds it.
const LINK: &str = "link";
/// Parts of links that say nothing.
const LINK_PARTS: [&str; 9] = ["http", "https", "www", "com", "org", "net", "html", "htm", "php"];
/// Stop words that are names, too.
const NAMES: [&str; 6] = ["Will", "May", "Her", "An", "Don", "Than"];
/// What follows a name at the beginning of a sentence.
const NAME_VERBS: [&str; 40] = [
    "is", "was", "has", "had", "and", "said", "says", "told", "gave", "works", "lives", "likes", "loves",
    "hates", "wants", "went", "came", "called", "asked", "got", "lent", "owes", "'s", "does", "did", "never",
    "always", "just", "made", "bought", "plays", "sent", "thinks", "helped", "moved", "turned", "texted",
    "repairs", "knows", "will",
];
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
            for (written, word) in content_words(&text) {
                prop_assert!(text.contains(written));
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
            let found: Vec<String> = content_words(text)
                .into_iter()
                .map(|(_, word)| word.into_owned())
                .collect();
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
