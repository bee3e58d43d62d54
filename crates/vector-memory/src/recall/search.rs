//! Exact nearest neighbours by embedding alone.

use serde::{Deserialize, Serialize};
use whisperengine_types::Embedding;

use super::{Column, narrow::near_enough};
use crate::partition::{CoarseQuery, Partition, norm};

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
    pub(super) values: Vec<f32>,
    pub(super) l1: f32,
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

    /// About the similarity of every row: what the order of a recall is made of.
    pub(crate) fn coarse_similarities(&self, partition: &Partition) -> Column<f32> {
        let coarse = CoarseQuery::new(&self.values);
        let mut similarities = Column::with_room_for(partition.row_count());
        let push = |_, similarity| similarities.push(similarity);
        partition.codes().coarse_similarities(&coarse, |_| true, push);
        similarities
    }

    /// The similarity of a record, that of the best of its rows.
    pub(crate) fn similarity(&self, partition: &Partition, record: u32) -> f32 {
        let rows = partition.rows_of(record);
        rows.map(|row| partition.codes().similarity(&self.values, row))
            .fold(f32::NEG_INFINITY, f32::max)
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
        let (cosine, error) = query.map_or((0.0, 0.0), |query| {
            let codes = partition.codes();
            (
                codes.similarity(&query.values, row),
                codes.error_bound(query.l1, row),
            )
        });
        self.at_cosine(partition, query, row, cosine, error)
    }

    /// Nearness of a row at an angle whose cosine is known but for `error`.
    pub(super) fn at_cosine(
        self,
        partition: &Partition,
        query: Option<&UnitQuery>,
        row: usize,
        cosine: f32,
        error: f32,
    ) -> (f32, f32) {
        let length = partition.codes().length(row);
        let Some(query) = query else {
            return (if self == Self::L2 { -length * length } else { 0.0 }, 0.0);
        };
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
    /// Whether a neighbour in the order is too near to be told apart.
    pub(crate) open: bool,
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
    if k == 0 {
        return (Vec::new(), Certainty::Certain);
    }
    let mut widest = 0.0_f32;
    let near = near_enough(partition, admitted, query, k, metric);
    let mut candidates: Vec<Candidate> = Vec::with_capacity(near.len());
    for (at, &record) in near.iter().enumerate() {
        if let Some(&later) = near.get(at + AHEAD) {
            partition
                .rows_of(later)
                .for_each(|row| partition.codes().prefetch(row));
        }
        let mut best = Candidate {
            record,
            nearness: f32::NEG_INFINITY,
            error: 0.0,
            open: false,
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
    if query.is_some() {
        for at in 1..candidates.len() {
            let (nearer, other) = (candidates[at - 1], candidates[at]);
            if nearer.nearness - nearer.error <= other.nearness + other.error {
                candidates[at - 1].open = true;
                candidates[at].open = true;
            }
        }
    }
    let certainty = if candidates.iter().any(|candidate| candidate.open) {
        Certainty::Open
    } else {
        Certainty::Certain
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
/// So many candidates ahead rows are fetched.
const AHEAD: usize = 4;
