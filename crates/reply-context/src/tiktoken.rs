//! The tokenizers of OpenAI's models.

use std::fmt;

use tiktoken_rs::CoreBPE;

use crate::tokens::TokenCounter;

/// Counts as OpenAI's models do, by walking their vocabularies: much slower than
/// [`ScriptEstimate`](crate::ScriptEstimate). A vocabulary is loaded when it is first asked for.
pub struct Tiktoken {
    vocabulary: &'static str,
    bpe: &'static CoreBPE,
}

impl Tiktoken {
    /// GPT-4o, GPT-4.1, GPT-5 and the o models.
    pub fn o200k() -> Self {
        Self {
            vocabulary: "o200k_base",
            bpe: tiktoken_rs::o200k_base_singleton(),
        }
    }

    /// GPT-4 and GPT-3.5.
    pub fn cl100k() -> Self {
        Self {
            vocabulary: "cl100k_base",
            bpe: tiktoken_rs::cl100k_base_singleton(),
        }
    }
}

impl TokenCounter for Tiktoken {
    fn count(&self, text: &str) -> u32 {
        u32::try_from(self.bpe.encode_ordinary(text).len()).unwrap_or(u32::MAX)
    }
}

impl fmt::Debug for Tiktoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tiktoken")
            .field("vocabulary", &self.vocabulary)
            .finish_non_exhaustive()
    }
}
