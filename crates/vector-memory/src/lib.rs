//! Per-person long-term memory: a durable store, exact and approximate indexes, hybrid recall with reasons.
