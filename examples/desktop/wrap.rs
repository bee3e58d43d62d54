//! Breaking text into rows by the width of its characters on the screen.

use ratatui::text::Span;

/// `text` in rows of at most `width` columns: broken between words, within a word that is wider than a
/// row, and at line feeds. Control characters become spaces. Never empty.
pub(crate) fn rows(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut rows = Vec::new();
    for line in text.split('\n') {
        let line: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let mut row = String::new();
        for word in line.split(' ').filter(|word| !word.is_empty()) {
            let separator = usize::from(!row.is_empty());
            if columns(&row) + separator + columns(word) <= width {
                row.extend(std::iter::repeat_n(' ', separator));
                row.push_str(word);
                continue;
            }
            if !row.is_empty() {
                rows.push(std::mem::take(&mut row));
            }
            for symbol in Span::raw(word).styled_graphemes(ratatui::style::Style::new()) {
                if columns(&row) + columns(symbol.symbol) > width {
                    rows.push(std::mem::take(&mut row));
                }
                row.push_str(symbol.symbol);
            }
        }
        rows.push(row);
    }
    rows
}

/// The first row of `text`, with an ellipsis if there is more.
pub(crate) fn one_row(text: &str, width: usize) -> String {
    let mut rows = rows(&text.replace('\n', " "), width.saturating_sub(1)).into_iter();
    let mut first = rows.next().unwrap_or_default();
    if rows.next().is_some() {
        first.push('…');
    }
    first
}

/// How many columns a text takes on the screen.
pub(crate) fn columns(text: &str) -> usize {
    Span::raw(text).width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_between_words_and_within_long_ones() {
        for (text, width, expected) in [
            ("", 10, vec![""]),
            ("one two three", 7, vec!["one two", "three"]),
            ("one two three", 6, vec!["one", "two", "three"]),
            ("incomprehensible", 6, vec!["incomp", "rehens", "ible"]),
            ("a incomprehensible b", 6, vec!["a", "incomp", "rehens", "ible b"]),
            ("two\n\nlines", 10, vec!["two", "", "lines"]),
            ("  much   space ", 10, vec!["much space"]),
            ("a\u{1b}[31mred\ttab", 20, vec!["a [31mred tab"]),
            ("日本語です", 4, vec!["日本", "語で", "す"]),
        ] {
            assert_eq!(rows(text, width), expected, "{text:?} in {width}");
        }
    }

    #[test]
    fn a_grapheme_is_never_torn() {
        assert_eq!(rows("👩‍👩‍👧👩‍👩‍👧", 2), ["👩‍👩‍👧", "👩‍👩‍👧"]);
        assert_eq!(
            rows("e\u{301}e\u{301}e\u{301}", 2),
            ["e\u{301}e\u{301}", "e\u{301}"]
        );
    }

    #[test]
    fn one_row_says_when_there_is_more() {
        assert_eq!(one_row("short", 10), "short");
        assert_eq!(one_row("much too long", 9), "much too…");
        assert_eq!(one_row("two\nlines", 6), "two…");
    }
}
