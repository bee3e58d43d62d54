//! Batching, caching, deduplication and durable group commit in front of a memory store.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use whisperengine_memory_batcher::{Config, MemoryBatcher};
//! use whisperengine_types::{BotId, MemoryId, MemoryOwner, MemoryRecord, NoMemory, Timestamp, UserId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let store = Arc::new(NoMemory); // Any `MemoryStore` and `MemoryRecall`; this one refuses all writes.
//! let batcher = MemoryBatcher::start(store.clone(), store, Config::default())?;
//!
//! let ana = MemoryOwner::person(BotId::new("ember")?, UserId::new("ana")?);
//! let record = MemoryRecord::new(MemoryId::new("m1")?, "I moved to Lisbon", Timestamp::from_millis(0));
//! let refused = batcher.store(&ana, record).await; // `Ok` once it is durable.
//! assert!(refused.is_err() && batcher.dead_letters().len() == 1);
//!
//! let report = batcher.shutdown(Duration::from_secs(5)).await?;
//! assert!(report.is_complete());
//! # Ok(()) })
//! # }
//! ```
//!
//! # Concepts
//! - **Acknowledged means durable.** A write's future resolves after the commit that holds it has returned.
//!   While commits are in flight the next batch gathers, so nobody waits when it is idle and batches grow
//!   under load. Each operation has its own result.
//! - **Order.** The writes of one owner take effect in the order they were handed in, retries included.
//!   Between owners, four priority lanes with aging decide who is served first.
//! - **Repeats.** A store that repeats one of the same owner within a window is not written; its caller
//!   waits for the first one's outcome and gets its id ([`Dedup`]). A write that failed is never taken for
//!   stored.
//! - **Answers.** A query sees every earlier write of its owner: pending ones are written first. An answer
//!   is served again only while its owner has handed in no write; equal queries in flight are searched for
//!   once. Two queries are equal if owner, whole text, `k`, filter and embedding are, and their `now` lie
//!   within [`Config::recency_tolerance`].
//! - **Failures.** What the store may take later is tried again with backoff and a shared budget; then it is
//!   a [`DeadLetter`], and its caller is told. A panic fails the one operation that causes it.
//! - **Full.** Queues are bounded. Callers wait for room in turn, or are refused ([`Overload`]).
//! - **The end.** [`MemoryBatcher::shutdown`] answers every caller and accounts for every write.
//! - **As a port.** The batcher is itself a `MemoryStore` and a `MemoryRecall`: for code with threads of its
//!   own that knows only those, it takes the place of what it stands in front of.
//!
//! # It is not
//! A store, nor a second copy of one: what is pending is in memory only, and so are dead letters.
//!
//! # Limits
//! One commit at a time for an owner. A query that finds writes of its owner pending waits for them, at most
//! [`Config::read_wait`]. The clock inside is monotonic; records and queries bring their own times.
//!
//! # How it works
//! [`Machine`] decides everything and knows no clock, thread or store; the handle's threads do what it says.
//! Futures need no particular runtime.
#![forbid(unsafe_code)]

mod buffer;
mod cache;
mod commits;
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
mod port;
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
pub use handle::{MemoryBatcher, WriteGroup};
pub use machine::{DrainReport, Input, Machine, Output, OwnerView, Prepared};
pub use stats::{QueryStats, Stats, WriteStats};
pub use submission::Submission;
pub use write::{Dedup, IdempotencyKey, Stored, Write, Written};
