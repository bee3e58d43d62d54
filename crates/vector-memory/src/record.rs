//! A memory as bytes: what lies on disk, and what a partition keeps of it.
//!
//! ```text
//! record   = version u8 · body length varint · body · rows · crc32 u32 (of all before)
//! body     = id · flags u8 · kind u8 · seq varint · sent_at i64 · importance f32 · trust f32
//!          · [speaker] · [session] · [channel] · text · metadata count varint · (key · tag u8 · value)*
//! rows     = dim varint · analysis u8 · count varint · row*
//! row      = (0 u8 · f32 × dim | 1 u8 · step f32 · code i16 × dim | 2 u8) · words varint · (hash u32 · count u8)*
//! text     = length varint · UTF-8
//! ```
//! Numbers are little-endian. A row is what is searched: the whole text, or one part of a long one.
//! Its words are kept so that paging an owner in needs no analysis; `analysis` says which one found them.

mod body;
mod row;
mod wire;

pub(crate) use self::{
    body::{Body, Value, decode_body, id_of},
    row::{Coordinates, Row, WordCount},
    wire::{Reader, Writer},
};

use std::ops::Range;

use whisperengine_types::{MemoryError, MemoryRecord};

use self::body::encode_body;
use crate::store::Bytes;

/// The bytes of a memory, checked.
pub(crate) struct Stored<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) dim: usize,
    pub(crate) rows: Vec<Row>,
    /// Whether the words were found by the present analysis.
    pub(crate) words_are_current: bool,
}

/// Brings memories into the stored form, in buffers that are used again.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    body: Writer,
    record: Writer,
}

/// A memory in the stored form, and where its body is.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) value: Bytes,
    body: Range<usize>,
}

impl Encoder {
    /// The stored form of a memory.
    pub(crate) fn encode_record(
        &mut self,
        record: &MemoryRecord,
        seq: u64,
        embedding_given: bool,
        rows: &[Row],
    ) -> Encoded {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        encode_body(record, seq, embedding_given, &mut body);
        let dim = rows.first().map_or(0, |row| row.coordinates.dim());
        let encoded = self.encode(body.as_bytes(), dim, rows);
        self.body = body;
        encoded
    }

    /// The same of a memory that is stored already, with other rows.
    pub(crate) fn encode(&mut self, body: &[u8], dim: usize, rows: &[Row]) -> Encoded {
        let out = &mut self.record;
        out.clear();
        out.u8(VERSION);
        out.bytes(body);
        let body = out.as_bytes().len() - body.len()..out.as_bytes().len();
        out.varint(dim as u64);
        out.u8(crate::text::ANALYSIS);
        out.varint(rows.len() as u64);
        for row in rows {
            row.encode(out);
        }
        let checksum = crc32fast::hash(out.as_bytes());
        out.raw(&checksum.to_le_bytes());
        Encoded {
            value: Bytes::new(out.as_bytes()),
            body,
        }
    }
}

impl Encoded {
    pub(crate) fn body(&self) -> &[u8] {
        &self.value[self.body.clone()]
    }
}

/// Checks and takes apart the stored form.
pub(crate) fn decode(bytes: &[u8]) -> Result<Stored<'_>, MemoryError> {
    let mut input = checked(bytes)?;
    let body = input.bytes()?;
    let dim = input.varint()? as usize;
    let words_are_current = input.u8()? == crate::text::ANALYSIS;
    let count = input.varint()? as usize;
    let mut rows = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        rows.push(Row::decode(&mut input, dim)?);
    }
    input.end()?;
    Ok(Stored {
        body,
        dim,
        rows,
        words_are_current,
    })
}

/// The body alone, for readers that need no rows.
pub(crate) fn decode_without_rows(bytes: &[u8]) -> Result<&[u8], MemoryError> {
    checked(bytes)?.bytes()
}

fn checked(bytes: &[u8]) -> Result<Reader<'_>, MemoryError> {
    let (content, checksum) = bytes
        .split_last_chunk::<4>()
        .ok_or_else(|| corrupt("is too short"))?;
    if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
        return Err(corrupt("does not match its checksum"));
    }
    let mut input = Reader::new(content);
    match input.u8()? {
        VERSION => Ok(input),
        version => Err(corrupt(&format!("has the unknown version {version}"))),
    }
}

pub(crate) fn corrupt(what: &str) -> MemoryError {
    MemoryError::Corrupt {
        reason: format!("a record {what}"),
    }
}

const VERSION: u8 = 1;
