//! Batching, caching, deduplication and durable group commit in front of a memory store.
