//! Moving memories between stores: one JSON object a line, readable and diffable.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use whisperengine_types::{MemoryError, MemoryOwner, MemoryRecord, MemoryStore, WriteOp};

use crate::{
    error::{Error, Result},
    memory::VectorMemory,
};

/// A line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Memory {
        owner: MemoryOwner,
        record: MemoryRecord,
    },
    State {
        owner: MemoryOwner,
        /// Two hexadecimal digits a byte.
        bytes: String,
    },
}

impl VectorMemory {
    /// Writes the memories and states of `owners` ([`owners`](Self::owners) lists all) as JSON Lines.
    /// `progress` is told how many lines are written so far.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Memory`].
    pub fn export(
        &self,
        owners: &[MemoryOwner],
        mut out: impl Write,
        mut progress: impl FnMut(u64),
    ) -> Result<u64> {
        let mut lines = 0;
        let mut write = |line: &Line| -> Result<()> {
            serde_json::to_writer(&mut out, line).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
            lines += 1;
            progress(lines);
            Ok(())
        };
        for owner in owners {
            let mut after = None;
            loop {
                let page = self.scan(owner, after.as_ref(), PAGE)?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                for record in page {
                    write(&Line::Memory {
                        owner: owner.clone(),
                        record: (*record).clone(),
                    })?;
                }
            }
            if let Some(state) = self.state(owner)? {
                write(&Line::State {
                    owner: owner.clone(),
                    bytes: to_hex(&state),
                })?;
            }
        }
        out.flush()?;
        Ok(lines)
    }

    /// Stores what [`export`](Self::export) wrote. An embedding of another space is left out and made
    /// anew. Importing twice is importing once.
    ///
    /// # Errors
    /// [`Error::Line`] names the first line that cannot be read; those before it are stored.
    /// [`Error::Io`] or [`Error::Memory`].
    pub fn import(&self, input: impl BufRead, mut progress: impl FnMut(u64)) -> Result<u64> {
        let mut ops = Vec::with_capacity(PAGE);
        let mut lines = 0;
        for (at, line) in input.lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            match self.parse(&line) {
                Ok(op) => ops.push(op),
                Err(source) => {
                    self.store(&ops)?;
                    return Err(Error::Line {
                        line: at as u64 + 1,
                        source,
                    });
                }
            }
            lines += 1;
            if ops.len() == PAGE {
                self.store(&ops)?;
                ops.clear();
                progress(lines);
            }
        }
        self.store(&ops)?;
        progress(lines);
        Ok(lines)
    }

    fn parse(&self, line: &str) -> serde_json::Result<WriteOp> {
        Ok(match serde_json::from_str(line)? {
            Line::Memory { owner, mut record } => {
                if record
                    .embedding
                    .as_ref()
                    .is_some_and(|embedding| embedding.space() != self.space())
                {
                    record.embedding = None;
                }
                WriteOp::Store {
                    owner,
                    record: record.into(),
                }
            }
            Line::State { owner, bytes } => WriteOp::PutState {
                owner,
                state: from_hex(&bytes)
                    .ok_or_else(|| serde::de::Error::custom("a state is not hexadecimal"))?
                    .into(),
            },
        })
    }

    fn store(&self, ops: &[WriteOp]) -> Result<(), MemoryError> {
        self.commit(ops)
            .into_iter()
            .try_for_each(|result| result.map(|_| ()))
    }
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).expect("four bits are a digit");
    bytes
        .iter()
        .flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |&[high, low]: &[u8; 2]| Some((digit(high)? * 16 + digit(low)?) as u8);
    if rest.is_empty() {
        pairs.iter().map(byte).collect()
    } else {
        None
    }
}

const PAGE: usize = 256;
