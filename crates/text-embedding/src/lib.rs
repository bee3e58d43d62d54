//! Text to embedding: an embedded static table, MiniLM through candle, and a hashing reference.
