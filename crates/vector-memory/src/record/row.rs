//! What is searched of a memory.

use whisperengine_types::MemoryError;

use super::{Reader, Writer};

/// How often a term occurs in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TermCount {
    /// The term's hash; see [`crate::text::term_hash`].
    pub(crate) term: u32,
    /// Occurrences, at most 255.
    pub(crate) count: u8,
}

/// The embedding and the terms of a text or of one part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) embedding: Vec<f32>,
    /// Ascending by term.
    pub(crate) terms: Vec<TermCount>,
}

impl Row {
    pub(super) fn encode(&self, out: &mut Writer) {
        for value in &self.embedding {
            out.raw(&value.to_le_bytes());
        }
        out.varint(self.terms.len() as u64);
        for &TermCount { term, count } in &self.terms {
            out.raw(&term.to_le_bytes());
            out.u8(count);
        }
    }

    pub(super) fn decode(input: &mut Reader<'_>, dim: usize) -> Result<Self, MemoryError> {
        let (values, _) = input.take(dim.saturating_mul(4))?.as_chunks::<4>();
        let embedding = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let count = input.varint()? as usize;
        let (terms, _) = input.take(count.saturating_mul(5))?.as_chunks::<5>();
        let terms = terms.iter().map(|&[a, b, c, d, count]| TermCount {
            term: u32::from_le_bytes([a, b, c, d]),
            count,
        });
        Ok(Self {
            embedding,
            terms: terms.collect(),
        })
    }
}
