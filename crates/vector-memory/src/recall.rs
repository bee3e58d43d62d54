//! Hybrid recall: what fits a question best, and why.
//!
//! Each memory gets a dense score (cosine of the embeddings) and a lexical one (BM25), both brought to
//! `0..=1` over the memories that the filter admits, weighted and added. A bonus goes to memories said by
//! whom the question asks about. Then every memory receives a share of the score of those said just before
//! and after it in its session, because an answer often lies next to the words that were asked for. What
//! is recent, important or trusted gets a little more. The parts of the sum are the explanation.

mod fuse;
mod question;
mod search;
mod weights;

pub use self::weights::RecallWeights;
pub(crate) use self::{
    fuse::rank,
    question::Question,
    search::{Certainty, UnitQuery, search},
};
