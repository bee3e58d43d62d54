//! Text to embedding: an embedded static table, MiniLM through candle, and a hashing reference.
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

pub use cached::{CacheLimits, CachedEmbedder};
#[cfg(feature = "candle")]
pub use candle::CandleEmbedder;
pub use error::{Error, Result};
pub use hashing::HashingEmbedder;
pub use static_table::StaticEmbedder;
pub use wordpiece::WordPiece;

/// Batches of at least so many texts are spread over rayon's threads.
const PARALLEL_BATCH: usize = 64;
