//! Long texts in parts: one embedding of a long text is an average that resembles nothing in it.

use crate::config::VectorMemoryConfig;

/// `text` in overlapping parts, or as one part when it is short enough.
///
/// A part ends after a sentence or a word where one ends in its last third, so that words stay whole.
pub(crate) fn chunks<'a>(text: &'a str, config: &VectorMemoryConfig) -> Vec<&'a str> {
    // A character has at least one byte, so short texts need no counting.
    if text.len() <= config.chunk_over_chars || text.chars().count() <= config.chunk_over_chars {
        return vec![text];
    }
    let size = config.chunk_chars.max(1);
    let overlap = config.chunk_overlap_chars.min(size / 2);
    let starts: Vec<usize> = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect();
    let chars = starts.len() - 1;
    let mut parts = Vec::new();
    let mut from = 0;
    loop {
        let end = from + size;
        if end >= chars {
            parts.push(&text[starts[from]..]);
            return parts;
        }
        let least = from + size - size / 3;
        let end = break_before(text, &starts, least, end);
        parts.push(&text[starts[from]..starts[end]]);
        from = (end - overlap).max(from + 1);
    }
}

/// The best place to cut in `least..=most`: after a sentence, else after a word, else at `most`.
fn break_before(text: &str, starts: &[usize], least: usize, most: usize) -> usize {
    let char_at = |at: usize| text[starts[at]..].chars().next().unwrap_or(' ');
    let ends_sentence =
        |at: usize| matches!(char_at(at - 1), '.' | '!' | '?' | '\n') && char_at(at).is_whitespace();
    let places = || (least.max(1)..=most).rev();
    places()
        .find(|&at| ends_sentence(at))
        .or_else(|| places().find(|&at| char_at(at).is_whitespace()))
        .unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(over: usize, size: usize, overlap: usize) -> VectorMemoryConfig {
        VectorMemoryConfig {
            chunk_over_chars: over,
            chunk_chars: size,
            chunk_overlap_chars: overlap,
            ..VectorMemoryConfig::default()
        }
    }

    #[test]
    fn short_texts_stay_whole() {
        let config = config(10, 5, 1);
        assert_eq!(chunks("", &config), [""]);
        assert_eq!(chunks("0123456789", &config), ["0123456789"]);
        assert_eq!(chunks("\u{e9}".repeat(10).as_str(), &config).len(), 1);
    }

    #[test]
    fn parts_cover_the_text_and_overlap() {
        let text: String = (0..400)
            .flat_map(|i| ["Word".to_owned(), i.to_string(), " goes on. ".to_owned()])
            .collect();
        let config = config(1000, 500, 50);
        let parts = chunks(&text, &config);
        assert!(parts.len() >= text.len() / 500);
        let mut covered = 0;
        for part in parts {
            let at = part.as_ptr() as usize - text.as_ptr() as usize;
            assert!(at <= covered && part.len() <= 500);
            assert!(covered == 0 || covered - at >= 50);
            covered = at + part.len();
        }
        assert_eq!(covered, text.len());
    }

    #[test]
    fn text_without_breaks_and_odd_sizes_ends() {
        let text = "\u{1f600}".repeat(97);
        for (size, overlap) in [(1, 0), (1, 1), (0, 9), (10, 50), (96, 95)] {
            let parts = chunks(&text, &config(20, size, overlap));
            assert!(parts.concat().len() >= text.len(), "{size} {overlap}");
        }
    }
}
