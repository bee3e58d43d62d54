use serde::{Deserialize, Serialize};

/// How an [`EmotionEngine`](crate::EmotionEngine) works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EmotionConfig {
    /// Readings kept for texts that come again; least used ones go first. Default 10,000; 0 turns the
    /// cache off. More cost about 1 kB each.
    pub cache_items: u64,
    /// Seconds for which a kept reading is used; the text is read anew after them. Default 600; 0 is as good
    /// as no cache.
    pub cache_ttl_seconds: u64,
    /// Longest text whose reading is kept, in bytes. Default 1,024: longer ones rarely come again.
    pub cache_text_bytes: usize,
    /// Texts from which a batch is spread over the threads of rayon. Default 256; more keeps small
    /// batches on the caller's thread.
    pub parallel_items: usize,
}

impl Default for EmotionConfig {
    fn default() -> Self {
        Self {
            cache_items: 10_000,
            cache_ttl_seconds: 600,
            cache_text_bytes: 1_024,
            parallel_items: 256,
        }
    }
}
