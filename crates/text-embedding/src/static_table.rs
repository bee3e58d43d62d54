//! The default embedder: a text is the weighted sum of its pieces' vectors, looked up in a table.
//!
//! The table is distilled from a sentence transformer, so that the sum comes near the embedding that the
//! whole model would give. No word order and no context, but thousands of times faster.

use std::{
    borrow::Cow,
    path::Path,
    sync::{Arc, OnceLock},
};

use rayon::prelude::*;
use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};

use crate::{Error, Result, WordPiece, pool::normalize, table::Table};

/// Embeds a text by the sum of its WordPiece vectors; unit length, zero for a text without known pieces.
///
/// [`embedded`](Self::embedded) needs no file: its table, distilled from all-MiniLM-L6-v2, is part of the
/// program. Cloning is cheap and shares the table.
#[derive(Debug, Clone)]
pub struct StaticEmbedder {
    model: Arc<Model>,
}

#[derive(Debug)]
struct Model {
    space: EmbeddingSpace,
    tokenizer: WordPiece,
    table: Table,
}

impl Default for StaticEmbedder {
    /// [`embedded`](Self::embedded).
    fn default() -> Self {
        Self::embedded()
    }
}

impl StaticEmbedder {
    /// The table that the program carries, decoded on first use.
    pub fn embedded() -> Self {
        static EMBEDDED: OnceLock<StaticEmbedder> = OnceLock::new();
        EMBEDDED
            .get_or_init(|| {
                let bytes = include_bytes!("../data/static-minilm-v1.bin");
                Self::decode(Cow::Borrowed(bytes)).expect("a test decodes the embedded table")
            })
            .clone()
    }

    /// The table in a file made by `scripts/build_table.py`.
    ///
    /// # Errors
    /// [`Error::Read`]; else as [`from_bytes`](Self::from_bytes).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::from_bytes(bytes)
    }

    /// The table in `bytes`, in the format of `scripts/build_table.py`.
    ///
    /// # Errors
    /// [`Error::InvalidTable`] for bytes that are no table or damaged, [`Error::MissingToken`] for a
    /// vocabulary without `[UNK]`, `[CLS]` or `[SEP]`.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::decode(Cow::Owned(bytes))
    }

    fn decode(bytes: Cow<'static, [u8]>) -> Result<Self> {
        let (table, vocabulary) = Table::decode(bytes)?;
        let model = Model {
            space: EmbeddingSpace::new(&table.name, table.dim)?,
            tokenizer: WordPiece::new(vocabulary.lines())?,
            table,
        };
        Ok(Self {
            model: Arc::new(model),
        })
    }

    /// The tokenizer, whose ids are the table's rows.
    pub fn tokenizer(&self) -> &WordPiece {
        &self.model.tokenizer
    }

    /// Writes the embedding of `text` into `values` without allocating.
    ///
    /// # Errors
    /// [`EmbeddingError::DimensionMismatch`] when `values` is not as long as the space has dimensions.
    pub fn embed_into(&self, text: &str, values: &mut [f32]) -> Result<(), EmbeddingError> {
        let Model {
            space,
            tokenizer,
            table,
        } = &*self.model;
        if values.len() != space.dim() {
            return Err(EmbeddingError::DimensionMismatch {
                expected: space.dim(),
                got: values.len(),
            });
        }
        values.fill(0.0);
        let mut ids = [0; IDS];
        let mut count = 0;
        tokenizer.for_each(text, |id| {
            if count == IDS {
                table.add(&ids, values);
                count = 0;
            }
            ids[count] = id;
            count += 1;
        });
        table.add(&ids[..count], values);
        normalize(values);
        Ok(())
    }

    fn embed_one(&self, text: &str) -> Result<Embedding, EmbeddingError> {
        // Filled by hand: memory that is asked for with zeros in it does not come from a thread's own heap.
        let dim = self.model.space.dim();
        let mut values = Vec::with_capacity(dim);
        values.resize(dim, 0.0);
        self.embed_into(text, &mut values)?;
        Embedding::new(&self.model.space, values)
    }
}

impl Embedder for StaticEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.model.space
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        if texts.len() < crate::PARALLEL_BATCH {
            return texts.iter().map(|text| self.embed_one(text)).collect();
        }
        texts.par_iter().map(|text| self.embed_one(text)).collect()
    }
}

/// How many pieces are collected before their vectors are summed.
const IDS: usize = 128;
