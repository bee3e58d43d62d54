//! Parts of a text that are no words: links, mentions of the platform, emotes.

use std::ops::Range;

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A web address.
    Link,
    /// A number or name that the platform shows in another way: `<@123>`, `<:wave:456>`, `:wave:`.
    Sign,
}

/// The marks of `text`, ascending.
pub(super) fn marks(text: &str) -> Vec<(Range<usize>, Mark)> {
    let mut found = Vec::new();
    if !may_have_marks(text) {
        return found;
    }
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let begins = at == 0 || !text[..at].ends_with(char::is_alphanumeric);
        let mark = if begins && SCHEMES.iter().any(|scheme| starts_with(rest, scheme)) {
            Some((link_len(rest), Mark::Link))
        } else if rest.starts_with('<') {
            sign_len(rest).map(|len| (len, Mark::Sign))
        } else if rest.starts_with(':') && begins {
            emote_len(rest).map(|len| (len, Mark::Sign))
        } else {
            None
        };
        if let Some((len, mark)) = mark {
            found.push((at..at + len, mark));
            at += len;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

fn may_have_marks(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.contains(&b':')
        || bytes.contains(&b'<')
        || bytes.windows(4).any(|four| four.eq_ignore_ascii_case(b"www."))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Up to the next blank or bracket, without the punctuation of the sentence around it.
fn link_len(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '`'));
    text[..end.unwrap_or(text.len())]
        .trim_end_matches(['.', ',', '!', '?', ';', ':', ')', ']', '\''])
        .len()
}

/// `<@1>`, `<@!1>`, `<@&1>`, `<#1>`, `<:name:1>`, `<a:name:1>`.
fn sign_len(text: &str) -> Option<usize> {
    let end = text.bytes().take(MOST_SIGN).position(|byte| byte == b'>')?;
    let inner = &text[1..end];
    let is_sign = inner.starts_with(['@', '#', ':']) || inner.starts_with("a:");
    let ends_in_digits = inner.ends_with(|c: char| c.is_ascii_digit());
    (is_sign && ends_in_digits).then_some(end + 1)
}

/// `:name:`.
fn emote_len(text: &str) -> Option<usize> {
    let name = &text[1..];
    let len = name
        .bytes()
        .take(MOST_SIGN)
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    let has_letter = name[..len].bytes().any(|byte| byte.is_ascii_alphabetic());
    (len >= 2 && has_letter && name[len..].starts_with(':')).then_some(len + 2)
}

const SCHEMES: [&str; 3] = ["https://", "http://", "www."];
/// In bytes.
const MOST_SIGN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_mentions_and_emotes_are_found() {
        let check = |text: &str, expected: &[(&str, Mark)]| {
            let found: Vec<(&str, Mark)> = marks(text)
                .into_iter()
                .map(|(range, mark)| (&text[range], mark))
                .collect();
            assert_eq!(found, expected, "{text}");
        };
        check(
            "see https://a.example/x?y=1, ok",
            &[("https://a.example/x?y=1", Mark::Link)],
        );
        check("(www.b.example)", &[("www.b.example", Mark::Link)]);
        check(
            "<@12> said <:wave:34> and :smile:",
            &[
                ("<@12>", Mark::Sign),
                ("<:wave:34>", Mark::Sign),
                (":smile:", Mark::Sign),
            ],
        );
        check("at 10:30:45 it was 3 < 4: yes", &[]);
        check("\u{e9}<\u{e9}:", &[]);
    }
}
