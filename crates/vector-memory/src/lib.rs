//! Per-person long-term memory: a durable store, exact search, hybrid recall with reasons.

mod check;
pub mod chroma;
mod config;
pub mod conformance;
mod error;
mod header;
pub mod index;
#[expect(
    unsafe_code,
    reason = "vector instructions, each behind a run-time check of the machine"
)]
mod kernel;
mod lexicon;
mod memory;
mod owner;
mod partition;
mod partitions;
mod recall;
mod record;
mod reembed;
mod store;
mod text;
mod transfer;
mod write;

pub use config::VectorMemoryConfig;
pub use error::{Error, Result};
pub use memory::VectorMemory;
pub use owner::{Hit, OwnerMemory, OwnerStats};
pub use partitions::PartitionStats;
pub use recall::{Metric, RecallWeights};
