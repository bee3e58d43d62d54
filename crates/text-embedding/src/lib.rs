//! Text to embedding: an embedded static table, MiniLM through candle, and a hashing reference.
//!
//! ```
//! use whisperengine_text_embedding::StaticEmbedder;
//! use whisperengine_types::Embedder;
//!
//! let embedder = StaticEmbedder::embedded();
//! let embeddings = embedder.embed_batch(&[
//!     "we adopted a puppy from the shelter",
//!     "my sister got a new dog",
//!     "the train to Lisbon was late",
//! ])?;
//! let dog = embeddings[0].similarity(&embeddings[1])?;
//! let train = embeddings[0].similarity(&embeddings[2])?;
//! assert!(dog > train);
//! assert_eq!(embedder.space().to_string(), "static-minilm-v1/256");
//! # Ok::<(), whisperengine_types::EmbeddingError>(())
//! ```
//!
//! # Concepts
//! Every embedder implements the port [`Embedder`](whisperengine_types::Embedder) and names its
//! [`EmbeddingSpace`](whisperengine_types::EmbeddingSpace), version included; embeddings of different
//! spaces are never compared. Embeddings have unit length, or none at all for a text without a known word.
//!
//! - [`StaticEmbedder`]: the default. One int8 row of 256 for each of 30,522 WordPiece tokens, distilled
//!   from all-MiniLM-L6-v2 (Apache-2.0) and carried in the program (8.2 MB); hundreds of thousands of
//!   texts a second on a core.
//! - `CandleEmbedder` (feature `candle`): the whole transformer from a local folder; some 10 ms a text.
//! - [`HashingEmbedder`]: shared words and letters only; needs nothing, for tests and as the reference.
//! - [`CachedEmbedder`]: remembers what another embedder made.
//! - [`WordPiece`]: BERT's uncased tokenizer, equal to the reference in every id.
//!
//! [`conformance::check`] puts an embedder of your own through what all of them promise.
//!
//! # It is not
//! A trainer, a tokenizer for other model families, or a client of an embedding service.
//!
//! # Limits
//! English first: other languages are cut into small pieces that mean little. The static table knows no
//! word order ("dog bites man") and no negation; the model cuts texts at its `max_seq_length`, the table
//! does not. Texts are read once, in linear time.
//!
//! # Features
//! - `candle`: `CandleEmbedder`. Pure Rust, about forty more crates, no system library; weights are not
//!   included.
#![forbid(unsafe_code)]

mod cached;
#[cfg(feature = "candle")]
mod candle;
pub mod conformance;
mod error;
mod hashing;
mod pool;
mod static_table;
mod table;
mod wordpiece;

pub use cached::CachedEmbedder;
#[cfg(feature = "candle")]
pub use candle::CandleEmbedder;
pub use error::{Error, Result};
pub use hashing::HashingEmbedder;
pub use static_table::StaticEmbedder;
pub use wordpiece::WordPiece;

/// Batches of at least so many texts are spread over rayon's threads; for fewer, waking them costs more
/// than they save.
const PARALLEL_BATCH: usize = 512;
