//! The part of the analysis that reads every language: hashed words and n-grams in one linear model. Public for the
//! program that trains it.

mod features;
mod fold;
pub mod lanes;
mod negators;
mod score;
mod weights;

pub use features::{Features, Rows};
pub use score::GRAM_STRENGTH;
pub use weights::{MultilingualModel, WeightRow};

pub(crate) use features::Scripts;
pub(crate) use fold::{Kind, fold};
pub(crate) use score::Outputs;
