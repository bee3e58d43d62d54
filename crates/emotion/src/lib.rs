//! Vectorized emotion analysis: bit-exact VADER, learned emotions, valence, arousal and dominance.
#![forbid(unsafe_code)]

mod engine;
mod vader;

pub use engine::EmotionEngine;
pub use vader::Vader;
