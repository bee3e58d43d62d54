//! Readings of texts that come again: found by a hash of the text, for a time. No text is kept.

use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use quick_cache::sync::Cache;
use whisperengine_types::{Clock, EmotionReading};
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::EmotionConfig;

pub(super) struct ReadingCache {
    kept: Cache<u128, Kept>,
    /// Differs from process to process: nobody can prepare two texts of one hash.
    seed: u64,
    ttl: Duration,
    text_bytes: usize,
    clock: Arc<dyn Clock>,
}

/// The age is checked here, by the clock that is given.
#[derive(Clone)]
struct Kept {
    reading: Arc<EmotionReading>,
    read_at: Instant,
}

impl ReadingCache {
    /// `None` where the configuration wants no cache.
    pub(super) fn new(config: &EmotionConfig, clock: Arc<dyn Clock>) -> Option<Self> {
        (config.cache_items > 0).then(|| Self {
            kept: Cache::new(config.cache_items as usize),
            seed: RandomState::new().hash_one(0_u8),
            ttl: Duration::from_secs(config.cache_ttl_seconds),
            text_bytes: config.cache_text_bytes,
            clock,
        })
    }

    /// The reading of this text, if it is kept and not too old; else what `read` returns, which is
    /// kept from now on.
    pub(super) fn reading_or(
        &self,
        text: &str,
        read: impl FnOnce() -> Arc<EmotionReading>,
    ) -> Arc<EmotionReading> {
        if text.len() > self.text_bytes {
            return read();
        }
        let now = self.clock.instant();
        let key = xxh3_128_with_seed(text.as_bytes(), self.seed);
        if let Some(kept) = self.kept.get(&key)
            && now.saturating_duration_since(kept.read_at) < self.ttl
        {
            return kept.reading;
        }
        let reading = read();
        let kept = Kept {
            reading: Arc::clone(&reading),
            read_at: now,
        };
        self.kept.insert(key, kept);
        reading
    }

    pub(super) fn clear(&self) {
        self.kept.clear();
    }

    /// Readings in memory now.
    pub(super) fn len(&self) -> u64 {
        self.kept.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use whisperengine_types::ManualClock;

    use super::*;

    #[test]
    fn a_reading_is_found_by_its_text_until_the_cache_is_cleared() {
        let clock = Arc::new(ManualClock::new("2026-03-02T18:00:00Z".parse().unwrap()));
        let cache = ReadingCache::new(&EmotionConfig::default(), clock).unwrap();
        let reading = || Arc::new(EmotionReading::neutral());
        let first = cache.reading_or("a private line", reading);
        let again = cache.reading_or("a private line", || unreachable!("it is kept"));
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(&first, &cache.reading_or("another line", reading)));
        assert_eq!(cache.len(), 2);
        cache.clear();
        assert_eq!(cache.len(), 0);
        assert!(!Arc::ptr_eq(&first, &cache.reading_or("a private line", reading)));
    }
}
