//! Vectorized emotion analysis: bit-exact VADER, learned emotions, valence, arousal and dominance.
