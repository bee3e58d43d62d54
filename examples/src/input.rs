//! Reading what people feed to the examples.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

/// Why an input file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("{}, line {line}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file holds nothing.
    #[error("{} holds no lines", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// Every non-empty line of a file, as text.
///
/// # Errors
/// [`InputError::Io`] when the file cannot be read or is not UTF-8.
pub fn lines(path: &Path) -> Result<Vec<String>, InputError> {
    let failed = |source| InputError::Io {
        path: path.to_owned(),
        source,
    };
    let reader = BufReader::new(File::open(path).map_err(failed)?);
    let lines: Vec<String> = reader.lines().collect::<Result<_, _>>().map_err(failed)?;
    Ok(lines.into_iter().filter(|line| !line.trim().is_empty()).collect())
}

/// A JSON Lines file: one `T` a line.
///
/// # Errors
/// [`InputError`] names the file and the line.
pub fn json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, InputError> {
    let parse = |(at, line): (usize, &String)| {
        serde_json::from_str(line).map_err(|source| InputError::Line {
            path: path.to_owned(),
            line: at + 1,
            source,
        })
    };
    lines(path)?.iter().enumerate().map(parse).collect()
}

/// The texts of a file: JSON Lines of strings or of objects with `text`, a TSV whose first column is the
/// text, or plain lines; told apart by the file's ending (`.jsonl`, `.tsv`, anything else).
///
/// # Errors
/// [`InputError`] names the file and the line; a file without texts is [`InputError::Empty`].
pub fn texts(path: &Path) -> Result<Vec<String>, InputError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Line {
        Text(String),
        Object { text: String },
    }

    let texts = match path.extension().and_then(|ending| ending.to_str()) {
        Some("jsonl") => json_lines(path)?
            .into_iter()
            .map(|line| match line {
                Line::Text(text) | Line::Object { text } => text,
            })
            .collect(),
        Some("tsv") => lines(path)?
            .iter()
            .map(|line| first_column(line).to_owned())
            .collect(),
        _ => lines(path)?,
    };
    if texts.is_empty() {
        return Err(InputError::Empty {
            path: path.to_owned(),
        });
    }
    Ok(texts)
}

/// The part of a line before the first tab.
pub fn first_column(line: &str) -> &str {
    line.split_once('\t').map_or(line, |(first, _)| first)
}
