//! The last lines of a conversation, and what is kept of those before.

mod codec;
mod summary;

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};
use whisperengine_types::{DialogueLine, MemoryId, Timestamp, UserId};

pub use codec::WindowError;
pub use summary::SummaryLine;

use crate::quote::shorten;

/// How much a [`DialogueWindow`] holds.
///
/// | field | default |
/// |---|---|
/// | `lines` | 32 |
/// | `bytes` | 8192 |
/// | `line_bytes` | 2048 |
/// | `max_age` | 720 h |
/// | `summary_bytes` | 1536 |
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WindowLimits {
    /// Lines of the dialogue.
    pub lines: usize,
    /// Bytes of their texts and names.
    pub bytes: usize,
    /// Bytes of one text; a longer one loses its middle.
    pub line_bytes: usize,
    /// How old a line may be; `"720h"` in text formats.
    #[serde(with = "duration_text::required")]
    pub max_age: Duration,
    /// Bytes of what is kept of the lines that fell out.
    pub summary_bytes: usize,
}

impl Default for WindowLimits {
    fn default() -> Self {
        Self {
            lines: 32,
            bytes: 8192,
            line_bytes: 2048,
            max_age: Duration::from_secs(30 * 86_400),
            summary_bytes: 1536,
        }
    }
}

/// The last lines of one conversation, oldest first: both sides of a private one, everyone of a channel.
///
/// Bounded by count, bytes and age. Lines fall out a quarter of the window at a time, so that a prompt
/// that holds the summary stays the same for several turns; the most informative sentences of people's
/// lines are kept as the summary. A function of its calls: the same ones give the same bytes.
///
/// ```
/// use whisperengine_reply_context::{DialogueWindow, WindowLimits};
/// use whisperengine_types::DialogueLine;
///
/// let mut window = DialogueWindow::new(WindowLimits::default());
/// let line = DialogueLine {
///     id: None,
///     from_bot: false,
///     name: None,
///     text: "I moved to Porto.".to_owned(),
///     at: "2026-03-01T10:00:00Z".parse()?,
/// };
/// window.push(line, None);
/// let restored = DialogueWindow::from_bytes(&window.to_bytes(), WindowLimits::default())?;
/// assert_eq!(restored.lines()[0].text, "I moved to Porto.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct DialogueWindow {
    limits: WindowLimits,
    lines: Vec<DialogueLine>,
    /// Who wrote each line of `lines`; `None` for the bot and for people without an id.
    authors: Vec<Option<UserId>>,
    summary: Vec<SummaryLine>,
    digest: Option<Digest>,
    /// Raised by every removal, so that a digest made of what was there before is refused.
    revision: u32,
}

/// A language model's summary in place of the extracted sentences.
#[derive(Debug, Clone, PartialEq)]
struct Digest {
    text: String,
    at: Timestamp,
}

impl DialogueWindow {
    /// An empty window.
    pub fn new(limits: WindowLimits) -> Self {
        Self {
            limits,
            lines: Vec::new(),
            authors: Vec::new(),
            summary: Vec::new(),
            digest: None,
            revision: 0,
        }
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> &[DialogueLine] {
        &self.lines
    }

    /// What was kept of the lines that fell out, oldest first.
    pub fn summary(&self) -> &[SummaryLine] {
        &self.summary
    }

    /// The digest by a language model, where there is one; lines of [`summary`](Self::summary) are newer.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_ref().map(|digest| digest.text.as_str())
    }

    /// Whether nothing was said, or nothing is left of it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.summary.is_empty() && self.digest.is_none()
    }

    /// Appends a line. A line whose id the window holds already replaces that one, so that a second delivery
    /// or a replay changes nothing.
    pub fn push(&mut self, mut line: DialogueLine, author: Option<UserId>) {
        if let Some(short) = bounded(&line.text, self.limits.line_bytes) {
            line.text = short;
        }
        let known = line.id.as_ref().and_then(|id| self.position(id));
        if let Some(at) = known {
            self.lines[at] = line;
            self.authors[at] = author;
            return;
        }
        let now = line.at;
        self.lines.push(line);
        self.authors.push(author);
        self.expire(now);
        let over = self.lines.len() > self.limits.lines.max(1) || self.bytes() > self.limits.bytes;
        if over {
            let (lines, bytes) = (self.limits.lines * 3 / 4, self.limits.bytes / 4 * 3);
            let mut held = self.bytes();
            let mut fall = 0;
            while self.lines.len() - fall > 1 && (self.lines.len() - fall > lines || held > bytes) {
                held -= size(&self.lines[fall]);
                fall += 1;
            }
            self.fall_out(fall);
        }
    }

    /// Lets lines older than [`WindowLimits::max_age`] fall out.
    pub fn expire(&mut self, now: Timestamp) {
        let old = |line: &DialogueLine| now.since(line.at) > self.limits.max_age;
        let fall = self.lines.iter().take_while(|line| old(line)).count();
        self.fall_out(fall);
    }

    /// Replaces the text of a line. What was extracted from the old text goes. Returns whether anything changed.
    pub fn edit(&mut self, id: &MemoryId, text: &str) -> bool {
        let Some(at) = self.position(id) else {
            return self.remove(id);
        };
        self.lines[at].text = bounded(text, self.limits.line_bytes).unwrap_or_else(|| text.to_owned());
        self.forget_summary(|line| line.source.as_ref() == Some(id));
        true
    }

    /// Removes a line and what was kept of it. A digest goes too, as it may hold words of the line. Returns
    /// whether anything was removed.
    pub fn remove(&mut self, id: &MemoryId) -> bool {
        let removed = self.position(id).map(|at| {
            self.authors.remove(at);
            self.lines.remove(at)
        });
        let kept = self.forget_summary(|line| line.source.as_ref() == Some(id));
        removed.is_some() || kept
    }

    /// Removes every line of `author` and what was kept of them, and with them the bot's replies that directly
    /// follow, as these repeat what was said. Returns whether anything was removed.
    pub fn remove_author(&mut self, author: &UserId) -> bool {
        let before = self.lines.len();
        let mut follows = false;
        let keep: Vec<bool> = self
            .lines
            .iter()
            .zip(&self.authors)
            .map(|(line, by)| {
                follows = by.as_ref() == Some(author) || (follows && line.from_bot);
                !follows
            })
            .collect();
        let mut kept = keep.iter();
        self.lines.retain(|_| *kept.next().unwrap_or(&true));
        let mut kept = keep.iter();
        self.authors.retain(|_| *kept.next().unwrap_or(&true));
        let summary = self.forget_summary(|line| line.author.as_ref() == Some(author) || line.from_bot);
        self.lines.len() != before || summary
    }

    /// What a [`Summarizer`](crate::Summarizer) is given, once something fell out.
    pub fn to_summarize(&self) -> Option<crate::SummaryRequest> {
        (!self.summary.is_empty()).then(|| crate::SummaryRequest {
            digest: self.digest().map(str::to_owned),
            lines: self.summary.clone(),
            limit_bytes: self.limits.summary_bytes,
            revision: self.revision,
        })
    }

    /// Puts a digest of `request` in place of the sentences that it covers. Refused, with `false`, when
    /// something was removed in the meantime: the digest could hold its words.
    pub fn accept_digest(&mut self, request: &crate::SummaryRequest, digest: &str, at: Timestamp) -> bool {
        if request.revision != self.revision {
            return false;
        }
        self.summary.retain(|line| !request.lines.contains(line));
        let text = bounded(digest, self.limits.summary_bytes).unwrap_or_else(|| digest.to_owned());
        self.digest = (!text.trim().is_empty()).then_some(Digest { text, at });
        true
    }

    /// The window as bytes: a version, then lines and summary.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `limits` may have changed since.
    ///
    /// # Errors
    /// [`WindowError`] when the bytes are of no known version or damaged.
    pub fn from_bytes(bytes: &[u8], limits: WindowLimits) -> Result<Self, WindowError> {
        codec::decode(bytes, limits)
    }

    fn position(&self, id: &MemoryId) -> Option<usize> {
        self.lines.iter().rposition(|line| line.id.as_ref() == Some(id))
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(size).sum()
    }

    fn fall_out(&mut self, count: usize) {
        let lines = self.lines.drain(..count);
        let authors = self.authors.drain(..count);
        for (line, author) in lines.zip(authors) {
            summary::extract(&mut self.summary, &line, author.as_ref());
        }
        if count > 0 {
            summary::bound(&mut self.summary, self.limits.summary_bytes);
        }
    }

    fn forget_summary(&mut self, concerns: impl Fn(&SummaryLine) -> bool) -> bool {
        self.revision = self.revision.wrapping_add(1);
        let before = self.summary.len();
        self.summary.retain(|line| !concerns(line));
        self.digest.take().is_some() || self.summary.len() != before
    }
}

fn size(line: &DialogueLine) -> usize {
    line.text.len() + line.name.as_ref().map_or(0, String::len)
}

/// `text` shortened to at most `bytes` bytes, if it is longer.
fn bounded(text: &str, bytes: usize) -> Option<String> {
    if text.len() <= bytes {
        return None;
    }
    let mut chars = bytes;
    loop {
        let short = shorten(text, chars);
        if short.len() <= bytes || chars < 8 {
            return Some(short.into_owned());
        }
        chars -= (short.len() - bytes).div_ceil(4).max(1);
    }
}
