//! The static table's file: one int8 row and one scale for each piece of a vocabulary.
//!
//! All numbers little-endian: magic `WSET`, then `u32` version, dimension, pieces, bytes of the
//! vocabulary; the space's name as `u32` length and bytes; a `f32` scale for each piece; the rows, `dim`
//! `i8` each; the pieces, one a line; a CRC-32 of everything before it.

use std::borrow::Cow;

use crate::{Error, Result};

const MAGIC: &[u8] = b"WSET";
const VERSION: u32 = 1;
const CHECKSUM_BYTES: usize = 4;

/// Columns that are summed at once.
const BLOCK: usize = 32;

/// A decoded table. A piece's vector is its row times its scale, which holds the frequency weight.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) dim: usize,
    scales: Vec<f32>,
    bytes: Cow<'static, [u8]>,
    rows_at: usize,
}

impl Table {
    /// Checks and decodes; the second part is the vocabulary, one piece a line.
    pub(crate) fn decode(bytes: Cow<'static, [u8]>) -> Result<(Self, String)> {
        let mut reader = Reader::open(&bytes)?;
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(invalid("it does not begin with WSET"));
        }
        if reader.number()? != VERSION as usize {
            return Err(invalid("its version is not known"));
        }
        let [dim, pieces, vocabulary_bytes, name_bytes] = [
            reader.number()?,
            reader.number()?,
            reader.number()?,
            reader.number()?,
        ];
        let name = reader.text(name_bytes)?;
        let scales: Vec<f32> = reader
            .take(pieces.checked_mul(4).ok_or_else(too_short)?)?
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        if scales.iter().any(|scale| !scale.is_finite()) {
            return Err(invalid("a scale is not finite"));
        }
        let rows_at = reader.at;
        reader.take(pieces.checked_mul(dim).ok_or_else(too_short)?)?;
        let vocabulary = reader.text(vocabulary_bytes)?;
        if vocabulary.lines().count() != pieces {
            return Err(invalid(
                "the vocabulary has another number of lines than there are rows",
            ));
        }
        let table = Self {
            name,
            dim,
            scales,
            bytes,
            rows_at,
        };
        Ok((table, vocabulary))
    }

    /// Adds the vectors of the pieces `ids` to `sum`, which is `dim` long.
    ///
    /// Column block by column block, so that the running sums stay in registers.
    pub(crate) fn add(&self, ids: &[u32], sum: &mut [f32]) {
        for (block, sum) in sum.chunks_mut(BLOCK).enumerate() {
            let start = self.rows_at + block * BLOCK;
            if let Ok(sum) = <&mut [f32; BLOCK]>::try_from(&mut *sum) {
                self.add_block(ids, start, sum);
                continue;
            }
            for &id in ids {
                let row = &self.bytes[start + id as usize * self.dim..];
                for (sum, &value) in sum.iter_mut().zip(row) {
                    *sum += self.scales[id as usize] * f32::from(value.cast_signed());
                }
            }
        }
    }

    #[inline]
    fn add_block(&self, ids: &[u32], start: usize, sum: &mut [f32; BLOCK]) {
        let mut local = *sum;
        for &id in ids {
            let scale = self.scales[id as usize];
            let row = self.bytes[start + id as usize * self.dim..]
                .first_chunk::<BLOCK>()
                .expect("every row is `dim` long");
            for (sum, &value) in local.iter_mut().zip(row) {
                *sum += scale * f32::from(value.cast_signed());
            }
        }
        *sum = local;
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Table({}/{}, {} pieces)",
            self.name,
            self.dim,
            self.scales.len()
        )
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Checks the checksum and leaves it out.
    fn open(bytes: &'a [u8]) -> Result<Self> {
        let Some((body, checksum)) = bytes.split_last_chunk::<CHECKSUM_BYTES>() else {
            return Err(too_short());
        };
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err(invalid("the checksum does not match"));
        }
        Ok(Self { bytes: body, at: 0 })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len).ok_or_else(too_short)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(too_short)?;
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<usize> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    }

    fn text(&mut self, len: usize) -> Result<String> {
        let text = std::str::from_utf8(self.take(len)?);
        Ok(text.map_err(|_| invalid("a text is not UTF-8"))?.to_owned())
    }
}

fn too_short() -> Error {
    invalid("it is too short")
}

fn invalid(reason: &'static str) -> Error {
    Error::InvalidTable { reason }
}
