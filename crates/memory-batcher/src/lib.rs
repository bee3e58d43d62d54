//! Batching, caching, deduplication and durable group commit in front of a memory store.
#![forbid(unsafe_code)]

mod buffer;
mod cache;
mod config;
mod conversation;
mod dead_letter;
mod dedup;
mod driver;
mod error;
mod handle;
mod lanes;
mod machine;
mod owners;
mod policy;
mod query_key;
mod reads;
mod retry;
mod single_flight;
mod stats;
mod submission;
mod write;

pub use config::{Config, ConfigError, Overload, RetryConfig};
pub use conversation::{Exchange, Fact};
pub use dead_letter::{DeadLetter, DeadLetterId, Replay};
pub use error::{BatcherError, Result};
pub use handle::MemoryBatcher;
pub use machine::{DrainReport, Input, Machine, Output, OwnerView, Prepared};
pub use stats::{QueryStats, Stats, WriteStats};
pub use submission::Submission;
pub use write::{Dedup, IdempotencyKey, Stored, Write, Written};
