//! The Phase 4 conversation engine: threads, memory-triggered moments, proactive engagement, personality.
