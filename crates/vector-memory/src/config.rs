//! Budgets, limits and recall weights; every field has a default that suits a chat companion.

use serde::{Deserialize, Serialize};

use crate::recall::{RecallWeights, RelevanceWeights};

/// How a [`VectorMemory`](crate::VectorMemory) behaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct VectorMemoryConfig {
    /// Bytes of searchable partitions kept in memory, default 384 MiB; the directory of owners, what is
    /// known of words and the allocator's slack are counted in. Owners beyond it are paged out, least
    /// recently used first, and paged in again by one range read. Higher: fewer page-ins.
    pub partition_budget_bytes: usize,
    /// Bytes of store blocks kept in memory, default 32 MiB. Higher: faster `get` and page-in.
    pub store_cache_bytes: u64,
    /// Bytes of fresh writes a table holds before they are sorted to disk, default 64 MiB; while one lot is
    /// written out the next is collected, so up to twice as much is held. Higher: less rewriting and fewer
    /// pauses of the disk, longer recovery.
    pub write_buffer_bytes: u64,
    /// The longest accepted text in bytes, default 64 KiB.
    pub max_text_bytes: usize,
    /// Texts longer than this many characters are split for search, default 1,000.
    pub chunk_over_chars: usize,
    /// The length of a part in characters, default 500.
    pub chunk_chars: usize,
    /// How many characters a part shares with the one before, default 50.
    pub chunk_overlap_chars: usize,
    /// What a recall score is made of.
    pub recall: RecallWeights,
    /// How the relevance of a hit follows from what is known of it.
    pub relevance: RelevanceWeights,
}

impl VectorMemoryConfig {
    /// The defaults with all memory that the store takes kept within about `bytes`: three quarters for
    /// partitions, a twelfth for store blocks, and the rest for fresh writes.
    ///
    /// A partition stays in memory while it is read, however small the budget.
    #[must_use]
    pub fn within(bytes: usize) -> Self {
        Self {
            partition_budget_bytes: bytes / 12 * 9,
            store_cache_bytes: (bytes / 12) as u64,
            write_buffer_bytes: (bytes / 12) as u64,
            ..Self::default()
        }
    }
}

impl Default for VectorMemoryConfig {
    fn default() -> Self {
        Self {
            partition_budget_bytes: PARTITION_BUDGET_BYTES,
            store_cache_bytes: STORE_CACHE_BYTES,
            write_buffer_bytes: WRITE_BUFFER_BYTES,
            max_text_bytes: MAX_TEXT_BYTES,
            chunk_over_chars: CHUNK_OVER_CHARS,
            chunk_chars: CHUNK_CHARS,
            chunk_overlap_chars: CHUNK_OVERLAP_CHARS,
            recall: RecallWeights::default(),
            relevance: RelevanceWeights::default(),
        }
    }
}

const PARTITION_BUDGET_BYTES: usize = 384 << 20;
const STORE_CACHE_BYTES: u64 = 32 << 20;
const WRITE_BUFFER_BYTES: u64 = 64 << 20;
const MAX_TEXT_BYTES: usize = 64 << 10;
const CHUNK_OVER_CHARS: usize = 1000;
const CHUNK_CHARS: usize = 500;
const CHUNK_OVERLAP_CHARS: usize = 50;
