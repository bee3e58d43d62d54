//! Emoji are replaced by their descriptions before anything else looks at the text.

use std::{ops::Range, sync::LazyLock};

/// Where a stretch of an expanded text comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    /// First byte in the expanded text.
    pub(crate) expanded: u32,
    /// First byte in the original text.
    pub(crate) original: u32,
    /// Bytes of the emoji that the stretch describes; 0 for a stretch that was copied.
    pub(crate) emoji_len: u32,
}

/// Writes `text` with its emoji described to `out` and says whether there were any; without any, `out`
/// and `segments` stay empty.
///
/// A description is set off by a space in front unless a space (only U+0020 counts) or the start of the
/// text is there; what follows it is glued to its last word.
pub(crate) fn expand(text: &str, out: &mut String, segments: &mut Vec<Segment>) -> bool {
    out.clear();
    segments.clear();
    let table = &*TABLE;
    let mut copied = 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] < 0xC2 {
            at += 1;
            continue;
        }
        let c = text[at..].chars().next().expect("a lead byte starts a character");
        let Some(description) = table.description(c) else {
            at += c.len_utf8();
            continue;
        };
        copy(text, copied..at, out, segments);
        let after_space = match out.as_bytes().last() {
            None => true,
            Some(&last) => last == b' ' && copied < at,
        };
        if !after_space {
            out.push(' ');
        }
        segments.push(Segment {
            expanded: out.len() as u32,
            original: at as u32,
            emoji_len: c.len_utf8() as u32,
        });
        out.push_str(description);
        at += c.len_utf8();
        copied = at;
    }
    if segments.is_empty() {
        return false;
    }
    copy(text, copied..text.len(), out, segments);
    true
}

/// Whether `text` has emoji with a description.
pub(crate) fn has_any(text: &str) -> bool {
    let table = &*TABLE;
    text.chars()
        .any(|c| !c.is_ascii() && table.description(c).is_some())
}

/// The byte range of the original text behind `start..end` of the expanded one.
pub(crate) fn original_span(segments: &[Segment], start: u32, end: u32) -> Range<u32> {
    let behind = |at: u32| {
        let index = segments
            .partition_point(|segment| segment.expanded <= at)
            .saturating_sub(1);
        segments[index]
    };
    let (first, last) = (behind(start), behind(end - 1));
    let from = if first.emoji_len > 0 {
        first.original
    } else {
        first.original + (start - first.expanded)
    };
    let to = if last.emoji_len > 0 {
        last.original + last.emoji_len
    } else {
        last.original + (end - last.expanded)
    };
    from..to
}

fn copy(text: &str, range: Range<usize>, out: &mut String, segments: &mut Vec<Segment>) {
    if !range.is_empty() {
        segments.push(Segment {
            expanded: out.len() as u32,
            original: range.start as u32,
            emoji_len: 0,
        });
        out.push_str(&text[range]);
    }
}

/// Descriptions by code point: a page per 256 code points, an entry per code point in it.
struct Table {
    pages: [u8; PAGES],
    entries: Vec<[u16; 256]>,
    descriptions: Vec<&'static str>,
}

/// Pages up to U+1FFFF; there are no emoji above.
const PAGES: usize = 0x200;

impl Table {
    fn description(&self, c: char) -> Option<&'static str> {
        let code = c as usize;
        let page = *self.pages.get(code >> 8)?;
        match self.entries[usize::from(page)][code & 0xFF] {
            0 => None,
            entry => Some(self.descriptions[usize::from(entry) - 1]),
        }
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        pages: [0; PAGES],
        entries: vec![[0; 256]],
        descriptions: Vec::new(),
    };
    for line in include_str!("../../data/vader_emoji.tsv").lines() {
        let (emoji, description) = line.split_once('\t').expect("vader_emoji.tsv has two columns");
        let code = emoji
            .chars()
            .next()
            .expect("vader_emoji.tsv has an emoji in each row") as usize;
        if table.pages[code >> 8] == 0 {
            table.pages[code >> 8] = table.entries.len() as u8;
            table.entries.push([0; 256]);
        }
        table.descriptions.push(description);
        let page = usize::from(table.pages[code >> 8]);
        table.entries[page][code & 0xFF] = table.descriptions.len() as u16;
    }
    table
});
