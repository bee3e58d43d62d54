//! The files of a model as sentence-transformers writes them.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::{Error, Result, WordPiece};

/// What `config.json` says of the architecture.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Config {
    pub(super) hidden_size: usize,
    pub(super) num_attention_heads: usize,
    pub(super) num_hidden_layers: usize,
    pub(super) layer_norm_eps: f64,
    pub(super) max_position_embeddings: usize,
    model_type: String,
    hidden_act: String,
}

#[derive(Deserialize)]
struct SentenceConfig {
    max_seq_length: usize,
}

#[derive(Deserialize)]
struct TokenizerFile {
    model: TokenizerModel,
}

#[derive(Deserialize)]
struct TokenizerModel {
    vocab: HashMap<String, usize>,
}

pub(super) struct Folder<'a> {
    path: &'a Path,
}

impl<'a> Folder<'a> {
    pub(super) fn new(path: &'a Path) -> Self {
        Self { path }
    }

    pub(super) fn config(&self) -> Result<Config> {
        let path = self.path.join("config.json");
        let config: Config = parse(&path)?;
        let known = config.model_type == "bert" && config.hidden_act == "gelu";
        let heads = config.num_attention_heads;
        if !known || heads == 0 || !config.hidden_size.is_multiple_of(heads) {
            return Err(invalid(path, "only BERT with GELU and whole heads is supported"));
        }
        if config.max_position_embeddings < 3 {
            return Err(invalid(path, "there must be positions for at least three tokens"));
        }
        Ok(config)
    }

    /// From `vocab.txt`, else from `tokenizer.json`.
    pub(super) fn tokenizer(&self) -> Result<WordPiece> {
        let text = self.path.join("vocab.txt");
        if text.exists() {
            let bytes = read(&text)?;
            let pieces = String::from_utf8(bytes).map_err(|_| invalid(text, "it is not UTF-8"))?;
            return WordPiece::new(pieces.lines());
        }
        let path = self.path.join("tokenizer.json");
        let vocab = parse::<TokenizerFile>(&path)?.model.vocab;
        let mut pieces = vec![None; vocab.len()];
        for (piece, &id) in &vocab {
            *pieces
                .get_mut(id)
                .ok_or_else(|| invalid(path.clone(), "ids have gaps"))? = Some(piece.as_str());
        }
        let pieces: Option<Vec<&str>> = pieces.into_iter().collect();
        WordPiece::new(pieces.ok_or_else(|| invalid(path, "an id is used twice"))?)
    }

    pub(super) fn weights(&self) -> Result<Vec<u8>> {
        read(&self.path.join("model.safetensors"))
    }

    /// How long a text may be, in tokens with `[CLS]` and `[SEP]`.
    pub(super) fn max_tokens(&self) -> Result<usize> {
        let path = self.path.join("sentence_bert_config.json");
        if !path.exists() {
            return Ok(usize::MAX);
        }
        let tokens = parse::<SentenceConfig>(&path)?.max_seq_length;
        if tokens < 3 {
            return Err(invalid(path, "max_seq_length leaves no room for a token of text"));
        }
        Ok(tokens)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

fn parse<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_slice(&read(path)?).map_err(|error| invalid(path.to_owned(), error.to_string()))
}

fn invalid(path: PathBuf, reason: impl Into<String>) -> Error {
    Error::InvalidModel {
        path,
        reason: reason.into(),
    }
}
