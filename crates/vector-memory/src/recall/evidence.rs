//! Relevance: the probability that a memory answers the question.
//!
//! The rank score compares memories of one recall; its parts are relative to the best of that recall, so
//! the best of nothing scores as high as an answer. [`Evidence`] holds what is comparable between recalls,
//! and [`RelevanceWeights`] makes a probability of it in two logistic steps: whether the question is
//! answered here at all, and whether the first hit is the answer. The first hit's relevance is the product,
//! but no less than one half where an answer is likely enough: then the hits are worth reading, though none
//! of them alone is likely the answer. A later hit has that floor, reduced as its score falls behind.

use serde::{Deserialize, Serialize};

/// What speaks for and against a memory being an answer; each part is comparable between recalls.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// Share of the question's own words that the memory covers, weighted by how rare they are; `0..=1`.
    pub coverage: f32,
    /// The same of the memory with those before and after it in its session.
    pub context_coverage: f32,
    /// Cosine similarity of the embeddings; 0 where there is none.
    pub similarity: f32,
    /// Share of the names in the question that no memory mentions; `0..=1`.
    pub unknown_names: f32,
    /// 1 where the question names somebody who speaks in the memories, else 0.
    pub known_speaker: f32,
    /// 1 for a memory that only asks or that is the companion's reply, else 0.
    pub echo: f32,
    /// The rank score divided by that of the best.
    pub lead: f32,
}

/// A logistic model of relevance; `examples/calibrate` fits it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RelevanceWeights {
    /// Whether the question is answered here: the constant, then the weights of the best of the first five
    /// hits' [coverage](Evidence::coverage), [context coverage](Evidence::context_coverage) and
    /// [similarity](Evidence::similarity), of [unknown names](Evidence::unknown_names) and of a
    /// [known speaker](Evidence::known_speaker).
    pub answered: [f32; 6],
    /// Whether the first hit is the answer: the constant, then the weights of its coverage and of how far the
    /// second and the fifth hit fall behind it.
    pub first: [f32; 4],
    /// The probability of an answer from which on hits are worth giving, default 0.38: then the first hit has
    /// a relevance of at least one half, and soon little below it.
    pub enough: f32,
    /// A later hit keeps that half down to this share of the best score and loses in proportion below it;
    /// default 0.5.
    pub knee: f32,
}

impl Default for RelevanceWeights {
    fn default() -> Self {
        Self {
            answered: [-3.90, 1.70, 1.60, 5.80, -3.80, 4.40],
            first: [-2.23, 2.05, 5.00, 0.60],
            enough: 0.38,
            knee: 0.5,
        }
    }
}

impl RelevanceWeights {
    /// The relevance of each hit of a recall, best first.
    pub fn relevances(&self, hits: &[Evidence]) -> Vec<f32> {
        let Some(first) = hits.first() else {
            return Vec::new();
        };
        let answered = logistic(&self.answered, &answered_features(hits));
        let certainty = logistic(&self.first, &first_features(hits));
        let floor = WORTH_GIVING * (answered / self.enough.max(f32::EPSILON)).min(1.0).powi(4);
        let best = (answered * certainty).max(floor);
        let relevance = |hit: &Evidence| {
            let kept = (hit.lead / self.knee.max(f32::EPSILON)).clamp(0.0, 1.0);
            best.min(floor * kept) * (1.0 - ECHO_LOSS * hit.echo)
        };
        let mut relevances: Vec<f32> = hits.iter().map(relevance).collect();
        if first.lead > 0.0 {
            relevances[0] = best * (1.0 - ECHO_LOSS * first.echo);
        }
        relevances
    }
}

/// What says whether the question is answered among the memories.
pub fn answered_features(hits: &[Evidence]) -> [f32; 5] {
    let hits = &hits[..hits.len().min(LOOKED_AT)];
    let most = |part: fn(&Evidence) -> f32| {
        let parts = hits.iter().map(|hit| part(hit) * (1.0 - ECHO_LOSS * hit.echo));
        parts.fold(0.0, f32::max)
    };
    [
        most(|hit| hit.coverage),
        most(|hit| hit.context_coverage),
        most(|hit| hit.similarity),
        hits.first().map_or(0.0, |hit| hit.unknown_names),
        hits.first().map_or(0.0, |hit| hit.known_speaker),
    ]
}

/// What says whether the first hit is the answer, where there is one.
pub fn first_features(hits: &[Evidence]) -> [f32; 3] {
    let lead = |place: usize| hits.get(place).map_or(0.0, |hit| hit.lead);
    let coverage = hits.first().map_or(0.0, |hit| hit.coverage);
    [
        coverage,
        1.0 - lead(1),
        1.0 - lead((LOOKED_AT - 1).min(hits.len().saturating_sub(1))),
    ]
}

fn logistic(weights: &[f32], features: &[f32]) -> f32 {
    let terms = weights[1..]
        .iter()
        .zip(features)
        .map(|(weight, feature)| weight * feature);
    (1.0 + (-(weights[0] + terms.sum::<f32>())).exp()).recip()
}

/// A hair above one half, so that rounding does not put a hit below it.
const WORTH_GIVING: f32 = 0.501;
/// The share that what only asks, or echoes, counts less.
const ECHO_LOSS: f32 = 0.5;
/// So many of the first hits decide whether the question is answered.
const LOOKED_AT: usize = 5;
