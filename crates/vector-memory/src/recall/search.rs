//! Exact nearest neighbours by embedding alone.

use serde::{Deserialize, Serialize};
use whisperengine_types::Embedding;

use crate::partition::{Partition, norm};

/// What "near" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The angle, whatever the lengths.
    #[default]
    Cosine,
    /// The inner product: long embeddings are nearer.
    Ip,
    /// The squared Euclidean distance.
    L2,
}

/// A query embedding, brought to unit length.
#[derive(Debug)]
pub(crate) struct UnitQuery {
    values: Vec<f32>,
    l1: f32,
    length: f32,
}

impl UnitQuery {
    /// `None` for an embedding without length, which is similar to nothing.
    pub(crate) fn new(embedding: &Embedding) -> Option<Self> {
        let norm = norm(embedding.values());
        if norm == 0.0 {
            return None;
        }
        let values: Vec<f32> = embedding
            .values()
            .iter()
            .map(|&x| (f64::from(x) / norm) as f32)
            .collect();
        let l1 = values.iter().map(|x| x.abs()).sum();
        Some(Self {
            values,
            l1,
            length: norm as f32,
        })
    }

    pub(crate) fn similarity(&self, partition: &Partition, row: usize) -> f32 {
        partition.codes().similarity(&self.values, row)
    }

    pub(crate) fn dim(&self) -> usize {
        self.values.len()
    }
}

impl Metric {
    /// How near two embeddings of one space are, exactly; higher is nearer.
    pub(crate) fn nearness(self, a: &[f32], b: &[f32]) -> f32 {
        let pairs = || a.iter().zip(b).map(|(&a, &b)| (f64::from(a), f64::from(b)));
        let nearness = match self {
            Self::Cosine => {
                let norms = norm(a) * norm(b);
                let dot: f64 = pairs().map(|(a, b)| a * b).sum();
                if norms > 0.0 {
                    (dot / norms).clamp(-1.0, 1.0)
                } else {
                    0.0
                }
            }
            Self::Ip => pairs().map(|(a, b)| a * b).sum(),
            Self::L2 => -pairs().map(|(a, b)| (a - b) * (a - b)).sum::<f64>(),
        };
        nearness as f32
    }

    /// Nearness by the codes, and how far off it can be.
    fn approximate(self, partition: &Partition, query: Option<&UnitQuery>, row: usize) -> (f32, f32) {
        let length = partition.codes().length(row);
        let Some(query) = query else {
            return (if self == Self::L2 { -length * length } else { 0.0 }, 0.0);
        };
        let cosine = query.similarity(partition, row);
        let error = partition.codes().error_bound(query.l1, row);
        let scale = query.length * length;
        match self {
            Self::Cosine => (cosine, error),
            Self::Ip => (cosine * scale, error * scale),
            Self::L2 => {
                let squares = query.length * query.length + length * length;
                (
                    2.0 * cosine * scale - squares,
                    2.0 * error * scale + 4.0 * f32::EPSILON * squares,
                )
            }
        }
    }
}

/// A record that may be among the nearest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) record: u32,
    pub(crate) nearness: f32,
    error: f32,
}

/// The admitted records that may be among the `k` nearest, nearest first, and whether their order is
/// certain. Where it is not, the originals decide.
pub(crate) fn search(
    partition: &Partition,
    admitted: &[bool],
    query: Option<&UnitQuery>,
    k: usize,
    metric: Metric,
) -> (Vec<Candidate>, Certainty) {
    let mut candidates: Vec<Candidate> = Vec::with_capacity(partition.len());
    let mut widest = 0.0_f32;
    for record in (0..admitted.len() as u32).filter(|&record| admitted[record as usize]) {
        let mut best = Candidate {
            record,
            nearness: f32::NEG_INFINITY,
            error: 0.0,
        };
        for row in partition.rows_of(record) {
            let (nearness, error) = metric.approximate(partition, query, row);
            best.nearness = best.nearness.max(nearness);
            best.error = best.error.max(error);
        }
        widest = widest.max(best.error);
        candidates.push(best);
    }
    let newest_first = |record: u32| (partition.sent_at(record), partition.seq(record));
    let nearer = |a: &Candidate, b: &Candidate| {
        b.nearness
            .total_cmp(&a.nearness)
            .then_with(|| newest_first(b.record).cmp(&newest_first(a.record)))
    };
    if k == 0 {
        return (Vec::new(), Certainty::Certain);
    }
    if k < candidates.len() {
        candidates.select_nth_unstable_by(k - 1, nearer);
        let least = candidates[k - 1].nearness - 2.0 * widest;
        let mut kept = k;
        for at in k..candidates.len() {
            if candidates[at].nearness >= least {
                candidates.swap(kept, at);
                kept += 1;
            }
        }
        candidates.truncate(kept);
    }
    candidates.sort_unstable_by(nearer);
    candidates.truncate(k.saturating_add(MOST_TIES));
    let apart = |pair: &[Candidate]| pair[0].nearness - pair[0].error > pair[1].nearness + pair[1].error;
    let certainty = if query.is_none() || candidates.windows(2).all(apart) {
        Certainty::Certain
    } else {
        Certainty::Open
    };
    (candidates, certainty)
}

/// Whether 16 bits decide an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    Certain,
    Open,
}

/// A greater crowd of candidates is one text said over and over; the newest of it serve.
const MOST_TIES: usize = 64;
