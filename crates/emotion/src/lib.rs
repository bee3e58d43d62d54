//! Reads how the writer of a text feels: bit-exact VADER sentiment, the 28 emotions of GoEmotions, one
//! emotion to act on, valence, arousal and dominance - a few microseconds a text, in pure Rust.
//!
//! ```
//! use whisperengine_emotion::{EmotionEngine, Readings};
//! use whisperengine_types::PrimaryEmotion;
//!
//! let engine = EmotionEngine::new();
//! let reading = engine.analyze("Thank you so much for your help!");
//! assert_eq!(reading.primary, PrimaryEmotion::Gratitude);
//! assert_eq!(reading.vader.compound, 0.6696);
//!
//! let mut readings = Readings::default();
//! engine.analyze_into(&["I am so happy", "I am not happy", "I am so happy"], &mut readings);
//! assert_eq!(readings.primary()[0], PrimaryEmotion::Joy);
//! assert_ne!(readings.primary()[1], PrimaryEmotion::Joy);
//! assert!(readings.valence()[1] < 0.0);
//! ```
//!
//! # Concepts
//! - [`Vader`] scores sentiment exactly as Python's vaderSentiment 3.3.2 does on CPython 3.12.
//! - [`EmotionModel`] is the learned part: a linear model of 1.2 MB, embedded, which [`train`] makes.
//! - [`EmotionEngine`] composes both into an `EmotionReading`, one text at a time (with a cache) or a batch
//!   into [`Readings`], a structure of arrays. It implements the port `EmotionAnalyzer`.
//! - [`EmotionStream`] does so for an asynchronous stream of texts; the timer is yours ([`BatchTimer`]).
//! - [`EmotionTrajectory`] follows one person over time, [`EmotionTrajectories`] many; their
//!   [`EmotionContext`] is what a bot needs to know before it answers.
//!
//! # It is not
//! A diagnosis, or a judgement of persons. Feelings and danger are read in English, German, Spanish, French, Portuguese,
//! Italian, Dutch, Polish, Russian, Turkish, Arabic, Hindi, Chinese, Japanese, Korean, Indonesian, Vietnamese and Thai; any
//! other language is neutral with low confidence. A sign of danger may be missed: `Safety` never replaces people.
//!
//! # Limits and units
//! Texts of any length are read in linear time (n log n where they hold "but"); positions are byte offsets
//! as `u32`, so texts stay below 4 GiB. Probabilities, intensity, confidence, arousal and dominance are in
//! `0..=1`, valence in `-1..=1`. Arousal and dominance come from anchors of our own, not from measured norms.
//!
//! # Trade-offs
//! Both models are linear: they see words and their neighbours, and of irony only what the rules of
//! `data/feelings.txt` have. Danger that is said indirectly is often missed. The learned labels are blind to
//! irony. A denied emotion word ("not happy") overrules them.
//!
//! # Features
//! None. No async runtime is needed.
#![forbid(unsafe_code)]

mod affect;
mod classes;
mod config;
mod engine;
mod error;
mod filter;
mod language;
mod model;
pub mod multilingual;
mod people;
mod perfect;
mod reading;
mod readings;
mod safety;
mod stream;
pub mod train;
mod trajectory;
mod vader;

pub use config::EmotionConfig;
pub use engine::EmotionEngine;
pub use error::{Error, Result};
pub use model::EmotionModel;
pub use people::EmotionTrajectories;
pub use readings::Readings;
pub use stream::{BatchTimer, EmotionStream, NoTimer, StreamBatch};
pub use trajectory::{EmotionContext, EmotionTrajectory, MoodTrend};
pub use vader::Vader;
