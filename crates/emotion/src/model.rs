//! The learned emotions: a one-vs-rest linear model over hashed words, pairs, negated words and the
//! character n-grams inside words, with whole-text features.

mod decide;
mod features;
mod score;
mod weights;
mod words;

pub use weights::EmotionModel;

pub(crate) use decide::Thresholds;
pub(crate) use features::{Buckets, Reach, SHAPES, negates, shapes};
pub(crate) use score::Scorer;
pub(crate) use weights::{GROUPS, LANES, SQUARE_PARTS};
pub(crate) use words::Words;
