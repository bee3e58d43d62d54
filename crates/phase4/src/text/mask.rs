//! What of a message is no word of the person's: links, mentions, emotes, file names, code, logs, quoted lines.
//!
//! Blanked out byte for byte, so that every place in the rest stays where it was.

use std::{borrow::Cow, ops::Range};

/// `text` with blanks in place of everything that is no word.
pub(super) fn words_only(text: &str) -> Cow<'_, str> {
    if !is_suspect(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    let mut spans = code_spans(text);
    for line in pieces(text, |c| c == '\n') {
        if is_log_or_code(&text[line.clone()]) {
            spans.push(line);
        } else {
            let from = line.start;
            let chunks = pieces(&text[line], char::is_whitespace);
            spans.extend(chunks.filter_map(|chunk| no_word(text, from + chunk.start..from + chunk.end)));
        }
    }
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for byte in spans.into_iter().flatten() {
        if bytes[byte] != b'\n' {
            bytes[byte] = b' ';
        }
    }
    Cow::Owned(String::from_utf8(bytes).expect("whole characters were replaced"))
}

/// Whether a text may hold something to blank out.
fn is_suspect(bytes: &[u8]) -> bool {
    let word = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_alphanumeric)
    };
    bytes.iter().enumerate().any(|(at, byte)| match byte {
        b'/' | b'<' | b'>' | b'@' | b'_' | b'`' | b':' | b'\\' | b'{' | b'}' | b'[' | b'=' | b'#' => true,
        b'.' => word(at.checked_sub(1)) && word(Some(at + 1)),
        _ => false,
    })
}

/// The byte ranges between separators, empty ones left out.
fn pieces(text: &str, separator: impl Fn(char) -> bool) -> impl Iterator<Item = Range<usize>> {
    let whole = text.as_ptr() as usize;
    text.split(separator).filter_map(move |piece| {
        let start = piece.as_ptr() as usize - whole;
        (!piece.is_empty()).then(|| start..start + piece.len())
    })
}

/// Between three backticks, else between two single ones on a line.
fn code_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let (mark, end_of_rest) = if text[start..].starts_with("```") {
            ("```", text.len())
        } else {
            (
                "`",
                text[start..].find('\n').map_or(text.len(), |line| start + line),
            )
        };
        let inside = start + mark.len();
        at = match text[inside..end_of_rest].find(mark) {
            Some(close) => inside + close + mark.len(),
            None if mark.len() == 3 => text.len(),
            None => {
                at = inside;
                continue;
            }
        };
        spans.push(start..at);
    }
    spans
}

/// The part of a chunk without the marks around it, where that is no word.
fn no_word(text: &str, chunk: Range<usize>) -> Option<Range<usize>> {
    let whole = &text[chunk.clone()];
    let core = whole.trim_start_matches(['(', '[', '"', '\'', '*']);
    let start = chunk.end - core.len();
    let core = core.trim_end_matches(['.', ',', ';', '!', '?', '"', '\'', '*']);
    let core = if core.contains(['(', '[']) {
        core
    } else {
        core.trim_end_matches([')', ']'])
    };
    // A colon at the end is an emote's as well as a sentence's.
    let plain = core.trim_end_matches(':');
    let blank = is_emote(core) || is_address(plain) || is_mention(core) || is_file(plain) || is_code(plain);
    blank.then(|| start..start + core.len())
}

fn is_emote(core: &str) -> bool {
    let names = core.strip_prefix(':').and_then(|rest| rest.strip_suffix(':'));
    names.is_some_and(|names| {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '~' | '+' | '-' | ':');
        !names.is_empty() && names.chars().all(letter)
    })
}

fn is_mention(core: &str) -> bool {
    (core.starts_with('<') && core.ends_with('>') && core.len() > 2)
        || (core.starts_with('@') && core.len() > 1)
        || core
            .strip_prefix('#')
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()))
}

const HOSTS: [&str; 12] = [
    "com", "org", "net", "io", "dev", "gg", "app", "edu", "gov", "tv", "be", "xyz",
];

/// A link or an e-mail address.
fn is_address(core: &str) -> bool {
    let head = core.get(..4).unwrap_or("");
    if core.contains("://") || head.eq_ignore_ascii_case("www.") || core.starts_with("mailto:") {
        return true;
    }
    if let Some((name, host)) = core.split_once('@') {
        return !name.is_empty() && host.contains('.');
    }
    let (host, path) = core
        .split_once(['/', '?'])
        .map_or((core, false), |(host, _)| (host, true));
    let Some((label, top)) = host.rsplit_once('.') else {
        return false;
    };
    let named = label.len() >= 2
        && label
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '.'));
    let is_top = |known: &str| top.eq_ignore_ascii_case(known);
    let foreign = path && top.len() == 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    named && (HOSTS.iter().any(|known| is_top(known)) || foreign)
}

const EXTENSIONS: [&str; 48] = [
    "rs", "py", "js", "ts", "tsx", "jsx", "txt", "log", "pdf", "png", "jpg", "jpeg", "gif", "webp", "svg",
    "mp3", "mp4", "mov", "wav", "flac", "zip", "tar", "gz", "rar", "exe", "dll", "json", "toml", "yaml",
    "yml", "xml", "html", "css", "md", "csv", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "sh", "bat",
    "cpp", "java", "sql", "ini", "cfg",
];

/// A file's name or path, or a command.
fn is_file(core: &str) -> bool {
    let extension = core.rsplit_once('.');
    let known = extension.is_some_and(|(name, extension)| {
        !name.is_empty()
            && EXTENSIONS
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
    });
    let rooted = ["/", "~/", "./", "../"].iter().any(|root| {
        let rest = core.strip_prefix(root);
        rest.is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
    });
    known || rooted || core.contains('\\')
}

fn is_code(core: &str) -> bool {
    const MARKS: [&str; 10] = ["::", "->", "=>", "()", "==", "!=", "&&", "||", "{", "}"];
    let bytes = core.as_bytes();
    let joined = |window: &[u8]| {
        window[1] == b'_' && window[0].is_ascii_alphanumeric() && window[2].is_ascii_alphanumeric()
    };
    MARKS
        .iter()
        .any(|mark| core.contains(mark) && core.len() > mark.len())
        || bytes.windows(3).any(joined)
}

/// Whether a line is pasted: a log entry, a stack trace, a line of code, words quoted from somebody else.
fn is_log_or_code(line: &str) -> bool {
    const STARTS: [&str; 9] = [
        "> ",
        "$ ",
        "Traceback (most",
        "File \"",
        "Exception in",
        "error[",
        "#include",
        "thread '",
        "Caused by:",
    ];
    let trimmed = line.trim();
    STARTS.iter().any(|start| trimmed.starts_with(start))
        || is_stamped(trimmed)
        || has_level(trimmed)
        || is_frame(trimmed)
        || is_dense(trimmed)
}

/// Begins with a date and a time, or with a time of day to the second.
fn is_stamped(line: &str) -> bool {
    let line = line.trim_start_matches(['[', '(']);
    let shape: String = line
        .chars()
        .take(16)
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let dated = ["0000-00-00T00:00", "0000-00-00 00:00", "0000/00/00 00:00"];
    dated.iter().any(|date| shape.starts_with(date)) || shape.starts_with("00:00:00")
}

/// Names a level as logs do (`ERROR:`, `[warn]`), or an exception.
fn has_level(line: &str) -> bool {
    const LEVELS: [&str; 7] = ["ERROR", "WARN", "WARNING", "INFO", "DEBUG", "TRACE", "FATAL"];
    line.split_whitespace().take(3).any(|chunk| {
        let name = chunk.trim_matches(['[', ']', ':', '(', ')']);
        let marked = name.len() < chunk.len();
        let exception = name.starts_with(|c: char| c.is_ascii_uppercase())
            && (name.ends_with("Error") || name.ends_with("Exception"));
        marked && (LEVELS.contains(&name) || (exception && chunk.ends_with(':')))
    })
}

/// A frame of a stack trace: `at com.example.Main.run(Main.java:42)`.
fn is_frame(line: &str) -> bool {
    line.strip_prefix("at ").is_some_and(|rest| {
        rest.contains(['.', '/']) && (rest.contains('(') || rest.contains(':')) && !rest.contains(", ")
    })
}

/// Mostly the marks that code is made of.
fn is_dense(line: &str) -> bool {
    let marks = line
        .bytes()
        .filter(|byte| b"{}();=<>[]\\|&*$%^+".contains(byte))
        .count();
    let ends = line.ends_with([';', '{', '}']);
    let all = line.bytes().filter(|byte| !byte.is_ascii_whitespace()).count();
    marks >= 4 && 100 * marks >= if ends { 8 } else { 15 } * all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_no_word_goes() {
        let cases = [
            ("look at https://example.com/a?b=c, nice", "look at , nice"),
            ("have you seen www.example.org?", "have you seen ?"),
            ("hey <@123456789> and @sam", "hey and"),
            ("so sad <:sadge:1> :sadge: :a::b:", "so sad"),
            ("mail me at ana@example.com.", "mail me at ."),
            ("the report.pdf in C:\\Users\\ana and /usr/bin/env", "the in and"),
            ("call foo_bar() or std::mem::swap", "call or"),
            ("run `cargo test` please", "run please"),
            ("before\n```\nlet x = 1;\n```\nafter", "before after"),
            (
                "2026-12-01T10:00:00Z ERROR connection refused\nthat again",
                "that again",
            ),
            ("[WARN] disk is full\nhelp", "help"),
            (
                "TypeError: x is not a function\n    at run (main.js:3:1)\nwhy?",
                "why?",
            ),
            ("if (a == b) { return c; }", ""),
            ("> you said so\nI did", "I did"),
            (
                "either he/she or 10:30, e.g. this: well; 3.5 = ok",
                "either he/she or 10:30, e.g. this: well; 3.5 = ok",
            ),
            (
                "I'm at 50% and _really_ tired :) :( <3",
                "I'm at 50% and _really_ tired :) :( <3",
            ),
            ("Note: the plan: sleep", "Note: the plan: sleep"),
        ];
        for (text, left) in cases {
            let kept = words_only(text);
            let kept: Vec<&str> = kept.split_whitespace().collect();
            assert_eq!(kept.join(" "), left, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_place_stays_where_it_was(text in "\\PC{0,80}|[a-c:/<>@#.`_\\\\{} \\n\u{e9}]{0,80}") {
            let kept = words_only(&text);
            prop_assert_eq!(kept.len(), text.len());
            for ((at, c), (same, kept)) in text.char_indices().zip(text.char_indices().filter_map(|(at, c)| kept.get(at..at + c.len_utf8()).map(|kept| (at, kept)))) {
                prop_assert_eq!(at, same);
                prop_assert!(kept.trim().is_empty() || kept == c.to_string(), "{}", kept);
            }
        }
    }
}
