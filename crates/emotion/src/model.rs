//! The learned emotions: a one-vs-rest linear model over words, pairs, negated words and the character
//! n-grams inside words, with whole-text features.

mod decide;
mod features;
mod grams;
mod item;
mod look_up;
mod row;
mod scan;
mod score;
mod vocabulary;
mod weights;
mod words;

pub use weights::EmotionModel;

pub(crate) use decide::{Thresholds, members};
pub(crate) use features::{Reach, SHAPES, grams, shapes};
pub(crate) use grams::Grams;
pub(crate) use item::{Item, PUNCTUATION, WORD};
pub(crate) use look_up::{Scan, look_up};
pub(crate) use row::{Row, sum};
pub(crate) use score::Scorer;
pub(crate) use vocabulary::{NEGATED, Pair, UNKNOWN, Vocabulary, Weighed};
pub(crate) use weights::{GROUPS, LANES, SQUARE_PARTS, fnv};
pub(crate) use words::{Words, seeded_hash};
