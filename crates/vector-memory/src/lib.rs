//! Per-person long-term memory: a durable store, exact search, hybrid recall with reasons.
//!
//! ```
//! use std::sync::Arc;
//! use whisperengine_types::{Embedder, MemoryOwner, MemoryRecord, RecallQuery, Timestamp, ZeroEmbedder};
//! use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path();
//! // Any `Embedder`; the static table of `whisperengine-text-embedding` is a good one.
//! let embedder: Arc<dyn Embedder> = Arc::new(ZeroEmbedder::default());
//! let memory = VectorMemory::open(path, embedder, VectorMemoryConfig::default())?;
//! let ana = memory.owner(&MemoryOwner::person("ember".parse()?, "ana".parse()?));
//! let now: Timestamp = "2026-11-22T12:00:00Z".parse()?;
//! ana.remember(MemoryRecord::new("m1".parse()?, "My dog is called Rex.", now))?;
//! let found = ana.recall(&RecallQuery::new("What is the dog called?", 5, now))?;
//! assert_eq!(found.memories[0].matched_terms, ["dog", "called"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`VectorMemory`] holds many owners and gives out one [`OwnerMemory`] at a time: there is no search
//! without an owner. What it acknowledges is synced to disk. An owner's memories are a *partition*, paged
//! in by one range read and out by a budget of bytes. Recall puts together what the embeddings, the words,
//! the neighbours in the conversation, the speaker and the time say, and [explains](whisperengine_types::ScoreParts)
//! each score. [`chroma`] offers the same store with Chroma's interface; [`conformance`] is the suite that
//! every store passes.
//!
//! # It is not
//! A server, or a database for arbitrary queries: one process opens a store, and searches stay within an owner.
//!
//! # Limits
//! Texts up to [`VectorMemoryConfig::max_text_bytes`], 2^32 memories an owner, one embedding space a store.
//! Stemming and stop words are English; other languages are found by whole words and by embedding.
//!
//! # Trade-offs
//! Embeddings that are given are stored to the bit; those that the store makes are rounded to 16 bits a
//! coordinate. In memory all have 16 bits, and where that could change the order of an answer, the stored ones decide.
//! After a failed write or sync the store takes no more writes until it is reopened, and goes on reading.
//!
//! # Features
//! `hnsw_rs` and `faiss` add foreign backends to [`index`], to compare with. `faiss` compiles C++: it needs
//! cmake, OpenBLAS and some twenty minutes.

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
mod missing;
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
pub use recall::{Evidence, Metric, RecallWeights, RelevanceWeights, answered_features, first_features};
