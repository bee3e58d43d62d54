//! MiniLM-class sentence transformers on candle: BERT, mean pooling, unit length. Needs a local folder.

mod bert;
mod folder;

use std::path::Path;

use candle_core::{Device, Tensor};
use rayon::prelude::*;
use whisperengine_types::{Embedder, Embedding, EmbeddingError, EmbeddingSpace};

use self::{bert::Bert, folder::Folder};
use crate::{Result, WordPiece, pool::normalize};

/// Embeds texts with a sentence transformer of BERT's architecture (all-MiniLM-L6-v2 and its kin).
///
/// Mean pooling over all tokens and unit length, as sentence-transformers does by default; longer texts
/// are cut at the model's `max_seq_length`. Runs on the CPU; a text costs tens of milliseconds, so put a
/// [`CachedEmbedder`](crate::CachedEmbedder) before it.
#[derive(Debug)]
pub struct CandleEmbedder {
    space: EmbeddingSpace,
    tokenizer: WordPiece,
    bert: Bert,
    max_tokens: usize,
}

impl CandleEmbedder {
    /// Loads the model in `folder`: `config.json`, `vocab.txt` or `tokenizer.json`, `model.safetensors`
    /// and, where present, `sentence_bert_config.json`. Nothing is downloaded.
    ///
    /// The space's name holds a checksum of the weights: two models never share one by accident.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read) for a missing file,
    /// [`Error::InvalidModel`](crate::Error::InvalidModel) for files that are not such a model,
    /// [`Error::Candle`](crate::Error::Candle) for weights of the wrong shape.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = Folder::new(folder.as_ref());
        let config = folder.config()?;
        let tokenizer = folder.tokenizer()?;
        let weights = folder.weights()?;
        let name = format!("bert-{:08x}", crc32fast::hash(&weights));
        Ok(Self {
            space: EmbeddingSpace::new(name, config.hidden_size)?,
            max_tokens: folder.max_tokens()?.min(config.max_position_embeddings),
            bert: Bert::load(&config, weights)?,
            tokenizer,
        })
    }

    /// `[CLS]`, the text's pieces as far as there is room, `[SEP]`.
    fn tokens(&self, text: &str) -> Vec<u32> {
        let (class, separator) = self.tokenizer.frame();
        let mut tokens = vec![class];
        tokens.extend(self.tokenizer.encode(text));
        tokens.truncate(self.max_tokens - 1);
        tokens.push(separator);
        tokens
    }

    /// The embeddings of texts of one length in tokens, so that nothing is padded.
    fn embed_equal(&self, texts: &[Vec<u32>]) -> Result<Vec<Embedding>> {
        let length = texts[0].len();
        let ids = Tensor::from_vec(texts.concat(), (texts.len(), length), &Device::Cpu)?;
        let pooled = self.bert.forward(&ids)?.mean(1)?.to_vec2::<f32>()?;
        let embeddings = pooled.into_iter().map(|mut values| {
            normalize(&mut values);
            Ok(Embedding::new(&self.space, values)?)
        });
        embeddings.collect()
    }
}

impl Embedder for CandleEmbedder {
    fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        let mut tokens: Vec<(usize, Vec<u32>)> = texts
            .par_iter()
            .map(|text| self.tokens(text))
            .enumerate()
            .collect();
        tokens.sort_by_key(|(_, tokens)| tokens.len());
        let mut embeddings: Vec<Option<Embedding>> = vec![None; texts.len()];
        for equal in tokens.chunk_by(|(_, a), (_, b)| a.len() == b.len()) {
            let room = (BATCH_TOKENS / equal[0].1.len()).max(1);
            for batch in equal.chunks(room) {
                let (places, batch): (Vec<usize>, Vec<Vec<u32>>) = batch.iter().cloned().unzip();
                for (place, embedding) in places.into_iter().zip(self.embed_equal(&batch)?) {
                    embeddings[place] = Some(embedding);
                }
            }
        }
        Ok(embeddings.into_iter().flatten().collect())
    }
}

/// So many tokens go through the model at once: more would leave the processor's cache.
const BATCH_TOKENS: usize = 1024;
