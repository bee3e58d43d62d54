//! A window as bytes. Version 1: the version as one byte, then [`Wire`] in postcard's encoding.

use serde::{Deserialize, Serialize};
use whisperengine_types::{DialogueLine, MemoryId, Timestamp, UserId};

use super::{DialogueWindow, Digest, SummaryLine, WindowLimits};

const VERSION: u8 = 1;

pub(super) fn encode(window: &DialogueWindow) -> Vec<u8> {
    let lines = window.lines.iter().zip(&window.authors);
    let wire = Wire {
        lines: lines
            .map(|(line, author)| Line {
                id: line.id.clone(),
                from_bot: line.from_bot,
                name: line.name.as_deref(),
                author: author.clone(),
                text: &line.text,
                at: line.at,
            })
            .collect(),
        summary: window
            .summary
            .iter()
            .map(|line| Kept {
                source: line.source.clone(),
                author: line.author.clone(),
                name: line.name.as_deref(),
                from_bot: line.from_bot,
                text: &line.text,
                at: line.at,
                weight: line.weight,
            })
            .collect(),
        digest: window
            .digest
            .as_ref()
            .map(|digest| (digest.text.as_str(), digest.at)),
    };
    let out = vec![VERSION];
    postcard::to_extend(&wire, out).expect("every part of a window can be encoded")
}

pub(super) fn decode(bytes: &[u8], limits: WindowLimits) -> Result<DialogueWindow, WindowError> {
    let (&version, body) = bytes.split_first().ok_or(WindowError::Damaged)?;
    if version != VERSION {
        return Err(WindowError::UnknownVersion { version });
    }
    let (wire, rest): (Wire<'_>, _) = postcard::take_from_bytes(body).map_err(|_| WindowError::Damaged)?;
    if !rest.is_empty() {
        return Err(WindowError::Damaged);
    }
    let mut window = DialogueWindow::new(limits);
    window.summary = wire.summary.into_iter().map(Kept::into_line).collect();
    window.digest = wire.digest.map(|(text, at)| Digest {
        text: text.to_owned(),
        at,
    });
    for line in wire.lines {
        let (line, author) = line.into_line();
        window.push(line, author);
    }
    Ok(window)
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    lines: Vec<Line<'a>>,
    #[serde(borrow)]
    summary: Vec<Kept<'a>>,
    #[serde(borrow)]
    digest: Option<(&'a str, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
struct Line<'a> {
    id: Option<MemoryId>,
    from_bot: bool,
    #[serde(borrow)]
    name: Option<&'a str>,
    author: Option<UserId>,
    text: &'a str,
    at: Timestamp,
}

impl Line<'_> {
    fn into_line(self) -> (DialogueLine, Option<UserId>) {
        let line = DialogueLine {
            id: self.id,
            from_bot: self.from_bot,
            name: self.name.map(str::to_owned),
            text: self.text.to_owned(),
            at: self.at,
        };
        (line, self.author)
    }
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    source: Option<MemoryId>,
    author: Option<UserId>,
    #[serde(borrow)]
    name: Option<&'a str>,
    from_bot: bool,
    text: &'a str,
    at: Timestamp,
    weight: u8,
}

impl Kept<'_> {
    fn into_line(self) -> SummaryLine {
        SummaryLine {
            source: self.source,
            author: self.author,
            name: self.name.map(str::to_owned),
            from_bot: self.from_bot,
            text: self.text.to_owned(),
            at: self.at,
            weight: self.weight,
        }
    }
}

/// Why bytes are no [`DialogueWindow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// Written by a later version.
    #[error("dialogue window has version {version}, which is unknown")]
    UnknownVersion {
        /// The version.
        version: u8,
    },
    /// Cut off or changed.
    #[error("dialogue window is damaged")]
    Damaged,
}
