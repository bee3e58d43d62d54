//! Per-person long-term memory: a durable store, exact search, hybrid recall with reasons.
#![forbid(unsafe_code)]

mod check;
mod config;
pub mod conformance;
mod error;
mod header;
mod memory;
mod owner;
mod partition;
mod partitions;
mod recall;
mod record;
mod store;
mod text;
mod write;

pub use config::VectorMemoryConfig;
pub use error::{Error, Result};
pub use memory::VectorMemory;
pub use owner::{Hit, OwnerMemory, OwnerStats};
pub use partitions::PartitionStats;
pub use recall::RecallWeights;
