//! The part of a long memory that matched.

use std::ops::Range;

use crate::text::{content_words, stem_hash};

/// The sentences of `text` that hold most of the question's words, by stem, as a byte range; `None` where
/// the text is short or no word decides.
pub(crate) fn passage(text: &str, stems: &[(u32, f32)]) -> Option<Range<u32>> {
    if text.len() <= LONGEST_WHOLE {
        return None;
    }
    let sentences = sentences(text);
    let scores: Vec<f32> = sentences
        .iter()
        .map(|range| score(&text[range.clone()], stems))
        .collect();
    let (best, &score) = scores
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))?;
    if score <= 0.0 {
        return None;
    }
    let (mut from, mut until) = (best, best + 1);
    // What follows a sentence goes on with it more often than what precedes.
    loop {
        let len = |from: usize, until: usize| sentences[until - 1].end - sentences[from].start;
        if until < sentences.len() && len(from, until + 1) <= LONGEST_PASSAGE {
            until += 1;
        } else if from > 0 && len(from - 1, until) <= LONGEST_PASSAGE {
            from -= 1;
        } else {
            break;
        }
    }
    let range = sentences[from].start..sentences[until - 1].end;
    let trimmed = text[range.clone()].trim();
    let start = range.start + (text[range.clone()].len() - text[range].trim_start().len());
    Some(start as u32..(start + trimmed.len()) as u32)
}

fn score(sentence: &str, stems: &[(u32, f32)]) -> f32 {
    let found: Vec<u32> = content_words(sentence)
        .iter()
        .map(|(_, word)| stem_hash(word))
        .collect();
    let has = |&&(stem, _): &&(u32, f32)| found.contains(&stem);
    stems.iter().filter(has).map(|&(_, worth)| worth).sum()
}

/// The sentences of a text; one that is very long is cut between words.
fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let end = at + c.len_utf8();
        let is_followed_by_blank = chars.peek().is_none_or(|&(_, next)| next.is_whitespace());
        let ends = matches!(c, '\n' | '\u{3002}' | '\u{ff01}' | '\u{ff1f}')
            || matches!(c, '.' | '!' | '?') && is_followed_by_blank
            || c.is_whitespace() && end - from > LONGEST_PASSAGE / 2;
        if ends {
            found.push(from..end);
            from = end;
        }
    }
    if from < text.len() {
        found.push(from..text.len());
    }
    found
}

/// In bytes: a shorter text is its own passage.
const LONGEST_WHOLE: usize = 360;
const LONGEST_PASSAGE: usize = 320;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sentence_with_the_words_is_the_passage() {
        let filler = "We talked about the weather for a while. ".repeat(12);
        let text = format!("{filler}The vault opens with the word swordfish. {filler}");
        let stems = [(stem_hash("vault"), 2.0), (stem_hash("word"), 1.0)];
        let range = passage(&text, &stems).unwrap();
        let passage_text = &text[range.start as usize..range.end as usize];
        assert!(passage_text.starts_with("The vault opens"), "{passage_text}");
        assert!(passage_text.len() <= LONGEST_PASSAGE);
        assert_eq!(passage(&text, &[(stem_hash("submarine"), 1.0)]), None);
        assert_eq!(passage("The vault.", &stems), None);
    }

    proptest! {
        #[test]
        fn a_passage_lies_on_character_boundaries(text in "([a-c\u{e9}\u{3002}\u{1f600}. \n]{1,9}word ){40,90}") {
            if let Some(range) = passage(&text, &[(stem_hash("word"), 1.0)]) {
                prop_assert!(text.get(range.start as usize..range.end as usize).is_some_and(|part| !part.is_empty()));
            }
        }
    }
}
