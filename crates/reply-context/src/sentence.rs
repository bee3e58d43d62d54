//! Where sentences begin and end, in scripts with and without blanks.

use std::ops::Range;

/// The sentences of `text`, trimmed, none empty.
pub(crate) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while from < text.len() {
            let end = next_end(text, from);
            let sentence = text[from..end].trim();
            from = end;
            if !sentence.is_empty() {
                return Some(sentence);
            }
        }
        None
    })
}

/// `range` widened to the sentences that it touches.
pub(crate) fn whole_sentences(text: &str, range: Range<usize>) -> Range<usize> {
    let mut start = 0;
    loop {
        let end = next_end(text, start);
        if end > range.start || end >= text.len() {
            break;
        }
        start = end;
    }
    let mut end = next_end(text, start);
    while end < range.end {
        end = next_end(text, end);
    }
    let sentence = &text[start..end];
    let lead = sentence.len() - sentence.trim_start().len();
    let tail = sentence.len() - sentence.trim_end().len();
    start + lead..(end - tail).max(start + lead)
}

/// The end of the sentence that begins at `from`, with the blanks after it.
fn next_end(text: &str, from: usize) -> usize {
    let mut chars = text[from..].char_indices().peekable();
    let mut word = from;
    while let Some((at, c)) = chars.next() {
        let at = from + at;
        let next = chars.peek().map(|&(_, next)| next);
        let ends = match c {
            '\n' | '。' | '！' | '？' | '।' => true,
            '.' => {
                next.is_none_or(char::is_whitespace)
                    && !is_abbreviation(&text[word..at])
                    && !(may_abbreviate(&text[word..at]) && continues(&text[at + 1..]))
            }
            '!' | '?' | '…' | '؟' | '۔' => next.is_none_or(char::is_whitespace),
            _ => false,
        };
        if c.is_whitespace() {
            word = at + c.len_utf8();
        }
        if ends {
            let after = at + c.len_utf8();
            let closing =
                text[after..].trim_start_matches(['"', '”', '’', '»', ')', '」', '』', '。', '！', '？']);
            return text.len() - closing.trim_start().len();
        }
    }
    text.len()
}

/// Ordinals and short words before a small letter are abbreviations; longer ones end a sentence all the same,
/// as many people write without capitals.
fn may_abbreviate(word: &str) -> bool {
    word.chars().filter(|c| c.is_alphabetic()).count() <= 3
}

fn continues(rest: &str) -> bool {
    rest.trim_start().chars().next().is_some_and(char::is_lowercase)
}

/// Whether two texts are the same but for case, blanks and punctuation.
pub(crate) fn same_words(a: &str, b: &str) -> bool {
    const MARKS: usize = 4;
    a == b || (a.len().abs_diff(b.len()) <= MARKS && letters(a).eq(letters(b)))
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase)
}

fn is_abbreviation(word: &str) -> bool {
    const KNOWN: [&str; 18] = [
        "mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "no", "nr", "bzw", "ca", "sra", "mme",
        "dra", "ул", "им",
    ];
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let single = letters.next().is_some() && letters.next().is_none() && !word.contains(char::is_numeric);
    (single
        && word.chars().count() == 1
        && word != "I"
        && word.chars().all(|c| c.to_lowercase().ne(c.to_uppercase())))
        || word.contains('.')
        || KNOWN.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fall_into_sentences() {
        let cases: [(&str, &[&str]); 8] = [
            ("One. Two! Three?", &["One.", "Two!", "Three?"]),
            (
                "Dr. Ito called at 3.30 today. Ok",
                &["Dr. Ito called at 3.30 today.", "Ok"],
            ),
            (
                "see example.org/a.b for more. Bye",
                &["see example.org/a.b for more.", "Bye"],
            ),
            ("今日は雨。猫が寝ている。", &["今日は雨。", "猫が寝ている。"]),
            ("मैं थका हूँ। सो रहा हूँ", &["मैं थका हूँ।", "सो रहा हूँ"]),
            (
                "i moved to porto. what's up?",
                &["i moved to porto.", "what's up?"],
            ),
            ("a line\nanother line", &["a line", "another line"]),
            ("z. B. am 3. mai. Gut.", &["z. B. am 3. mai.", "Gut."]),
        ];
        for (text, expected) in cases {
            assert_eq!(sentences(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn a_passage_grows_to_its_sentences() {
        let text = "Hello there. The code is 4711. Bye now.";
        let at = text.find("4711").unwrap();
        assert_eq!(&text[whole_sentences(text, at..at + 4)], "The code is 4711.");
        assert_eq!(
            &text[whole_sentences(text, at..text.len() - 5)],
            "The code is 4711. Bye now."
        );
        assert_eq!(&text[whole_sentences(text, 0..0)], "Hello there.");
        assert_eq!(whole_sentences("", 0..0), 0..0);
    }
}
