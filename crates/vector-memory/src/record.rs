//! A memory as bytes: what lies on disk, and what a partition keeps of it.
//!
//! ```text
//! record   = version u8 · body length varint · body · rows · crc32 u32 (of all before)
//! body     = id · flags u8 · kind u8 · seq varint · sent_at i64 · importance f32 · trust f32
//!          · [speaker] · [session] · [channel] · text · metadata count varint · (key · tag u8 · value)*
//! rows     = dim varint · analysis u8 · count varint · row*
//! row      = (0 u8 · f32 × dim | 1 u8 · step f32 · code i16 × dim) · words varint · (hash u32 · count u8)*
//! text     = length varint · UTF-8
//! ```
//! Numbers are little-endian. A row is what is searched: the whole text, or one part of a long one.
//! Its words are kept so that paging an owner in needs no analysis; `analysis` says which one found them.

mod body;
mod row;
mod wire;

pub(crate) use self::{
    body::{Body, Value, decode_body, encode_body},
    row::{Coordinates, Row, WordCount},
    wire::{Reader, Writer},
};

use whisperengine_types::MemoryError;

/// The bytes of a memory, checked.
pub(crate) struct Stored<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) dim: usize,
    pub(crate) rows: Vec<Row>,
    /// Whether the words were found by the present analysis.
    pub(crate) words_are_current: bool,
}

/// The stored form of a memory.
pub(crate) fn encode(body: &[u8], dim: usize, rows: &[Row]) -> Vec<u8> {
    let row_bytes: usize = rows
        .iter()
        .map(|row| row.coordinates.dim() * 4 + row.words.len() * 5 + 8)
        .sum();
    let mut out = Writer::with_capacity(body.len() + row_bytes + 32);
    out.u8(VERSION);
    out.bytes(body);
    out.varint(dim as u64);
    out.u8(crate::text::ANALYSIS);
    out.varint(rows.len() as u64);
    for row in rows {
        row.encode(&mut out);
    }
    let mut bytes = out.into_bytes();
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
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
