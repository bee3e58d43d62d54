//! Other people's words inside a prompt: data that cannot pose as instructions.

/// Appends `text` in double quotes on one line, at most `limit` characters between them. Control and direction
/// characters are gone, white space is one blank, quotes and brackets that could end the quotation or open
/// markup become harmless look-alikes.
pub(crate) fn push_quoted(out: &mut String, text: &str, limit: usize) {
    out.push('"');
    if text.len() <= limit && is_plain(text.as_bytes()) {
        out.push_str(text);
    } else {
        out.push_str(&clip(text, limit));
    }
    out.push('"');
}

/// As [`push_quoted`], without the quotes.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    clip_plain(text, limit).unwrap_or_else(|| clip_any(text, limit))
}

fn clip_any(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit * 4));
    let mut chars = 0;
    let mut blank = false;
    for c in text.chars() {
        let Some(c) = tame(c) else { continue };
        if c == ' ' {
            blank = chars > 0;
            continue;
        }
        if chars + 1 + usize::from(blank) > limit {
            while chars >= limit.max(1) {
                out.pop();
                chars -= 1;
            }
            if limit > 0 {
                out.truncate(out.trim_end().len());
                out.push('\u{2026}');
            }
            break;
        }
        if std::mem::take(&mut blank) {
            out.push(' ');
            chars += 1;
        }
        out.push(c);
        chars += 1;
    }
    out
}

/// [`clip`] of a text in which there is nothing to tame, as nearly every message is.
fn clip_plain(text: &str, limit: usize) -> Option<String> {
    let bytes = text.as_bytes();
    let seen = &bytes[..bytes.len().min(limit.checked_add(1)?)];
    if limit < 2 || !is_plain(seen) {
        return None;
    }
    if bytes.len() <= limit {
        return Some(text.to_owned());
    }
    let cut = text[..limit - 1].trim_end();
    let mut out = String::with_capacity(cut.len() + 3);
    out.push_str(cut);
    out.push('\u{2026}');
    Some(out)
}

/// Whether there is nothing to tame in a text, nor a blank to drop.
fn is_plain(bytes: &[u8]) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = b' ';
        while byte <= b'~' {
            plain[byte as usize] = !matches!(byte, b'"' | b'`' | b'<' | b'>' | b'[' | b']' | b'{' | b'}');
            byte += 1;
        }
        plain
    };
    let mut blank = true;
    let tame = bytes.iter().all(|&byte| {
        let twice = blank && byte == b' ';
        blank = byte == b' ';
        PLAIN[usize::from(byte)] && !twice
    });
    tame && !blank
}

/// As [`clip`], bounded in bytes: what a state may keep of a text.
pub(crate) fn keep(text: &str, bytes: usize) -> String {
    let mut kept = clip(text, bytes);
    if kept.len() > bytes {
        // The mark of the cut takes three bytes.
        let over = (kept.len() - bytes).max(2);
        kept = clip(text, bytes.saturating_sub(over));
    }
    if kept.len() > bytes {
        let cut = (0..=bytes)
            .rev()
            .find(|&at| kept.is_char_boundary(at))
            .unwrap_or(0);
        kept.truncate(cut);
        kept.truncate(kept.trim_end().len());
    }
    kept
}

fn tame(c: char) -> Option<char> {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => Some(c),
        _ if c.is_whitespace() => Some(' '),
        _ if c.is_control() || is_format(c) => None,
        '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{201f}' | '\u{ff02}' | '`' => Some('\''),
        '<' | '[' | '{' => Some('('),
        '>' | ']' | '}' => Some(')'),
        _ => Some(c),
    }
}

/// Characters without a glyph that change how others are read: joiners, direction marks, tags.
fn is_format(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180b..=0x180f | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3
        | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A state that is kept as bytes and read again says the same as one that is not.
        #[test]
        fn what_is_kept_stays_as_it_is(text in "[ a-c\"\u{e9}\u{1f574}]{0,40}|\\PC{0,60}", bytes in 0_usize..60) {
            let kept = keep(&text, bytes);
            prop_assert!(kept.len() <= bytes);
            prop_assert_eq!(keep(&kept, bytes), kept);
        }

        #[test]
        fn the_short_way_cuts_like_the_long_one(text in "[ a-c\"<]{0,20}|[ -~]{0,40}", limit in 0_usize..24) {
            prop_assert_eq!(clip(&text, limit), clip_any(&text, limit));
        }
    }
}
