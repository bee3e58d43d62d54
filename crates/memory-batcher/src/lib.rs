//! Group commit, retry and dead letters in front of a memory store, and a query cache in front of its recall.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use whisperengine_memory_batcher::{Config, MemoryBatcher};
//! use whisperengine_types::{BotId, MemoryId, MemoryOwner, MemoryRecord, NoMemory, Timestamp, UserId};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! // Any `MemoryStore`; this one refuses all writes.
//! let batcher = MemoryBatcher::start(Arc::new(NoMemory), Config::default())?;
//!
//! let ana = MemoryOwner::person(BotId::new("ember")?, UserId::new("ana")?);
//! let record = MemoryRecord::new(MemoryId::new("m1")?, "I moved to Lisbon", Timestamp::from_millis(0));
//! let refused = batcher.store(&ana, record).await; // `Ok` once it is durable.
//! assert!(refused.is_err() && batcher.dead_letter_count() == 1);
//!
//! let report = batcher.shutdown(Duration::from_secs(5)).await?;
//! assert!(report.is_complete());
//! # Ok(()) })
//! # }
//! ```
//!
//! # Concepts
//! - **Acknowledged means durable.** A write's future resolves after the commit that holds it has returned.
//!   While commits are in flight the next batch gathers, so a lone write never waits and batches grow under
//!   load. Each operation has its own result.
//! - **Order.** The writes of one owner take effect in the order of submission, retries included. Owners take
//!   turns.
//! - **Failures.** What the store may take later is tried again with backoff and a shared budget. Then it is a
//!   [`DeadLetter`], and its caller has the error. A store that fails everything is probed, and what waits is
//!   given up together, so that an outage answers every caller within about the time of one write's retries. A
//!   panic fails the one operation that causes it.
//! - **Dead letters.** They can be replayed, in order, and are bounded: without room new writes are refused
//!   while the store fails, and no letter is dropped. A later write on the same record or state that succeeds
//!   makes a letter void, so a replay undoes nothing. A `ForgetAll` is never a letter, and takes those of its
//!   owner with it.
//! - **Full.** The queue is bounded. Callers wait for room in turn, or are refused ([`Overload`]).
//! - **The end.** [`MemoryBatcher::shutdown`] answers every caller and accounts for every write.
//! - **Queries.** [`CachedRecall`] keeps answers until their owner writes.
//!
//! The batcher is itself a `MemoryStore`, for code with threads of its own that knows only the port.
//!
//! # It is not
//! A store: what is pending is in memory only, and so are dead letters.
//!
//! # Limits
//! One commit at a time for an owner. The clock inside is monotonic; records and queries bring their own times.
//!
//! # How it works
//! [`Machine`] decides everything and knows no clock, thread or store. [`Config::parallel_commits`] threads carry
//! out its commits and mind its timer; there are no others, but for one while a shutdown runs. Futures need no
//! particular runtime.
#![forbid(unsafe_code)]

mod cached_recall;
mod config;
mod dead_letter;
mod driver;
mod error;
mod handle;
mod machine;
mod policy;
mod port;
mod queue;
mod retry;
mod size;
mod stats;
mod submission;

pub use cached_recall::{CacheConfig, CacheStats, CachedRecall};
pub use config::{Config, ConfigError, Overload, RetryConfig};
pub use dead_letter::{DeadLetter, DeadLetterId, Replay};
pub use error::{BatcherError, Result};
pub use handle::{MemoryBatcher, WriteGroup};
pub use machine::{DrainReport, Input, Machine, Output};
pub use size::estimated_bytes;
pub use stats::Stats;
pub use submission::Submission;
