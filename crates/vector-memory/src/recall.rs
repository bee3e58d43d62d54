//! Hybrid recall: what fits a question best, and why.
//!
//! Each memory gets a dense score (cosine of the embeddings) and a lexical one (its words against the
//! question's), both brought to `0..=1` over the memories that the filter admits, weighted and added. A
//! bonus goes to memories said by whom the question asks about. Then every memory receives a share of the
//! score of those said just before and after it in its session, because an answer often lies next to the
//! words that were asked for. What fits a date in the question gets more, and so does, a little, what is
//! recent, important or trusted. The parts of the sum are the explanation.

mod column;
mod evidence;
mod fuse;
mod narrow;
mod passage;
mod question;
mod search;
mod weights;

pub(crate) use self::{
    column::Column,
    fuse::{Asked, rank},
    passage::passage,
    question::Question,
    search::{Certainty, UnitQuery, search},
};
pub use self::{
    evidence::{Evidence, RelevanceWeights, answered_features, first_features},
    search::Metric,
    weights::RecallWeights,
};
