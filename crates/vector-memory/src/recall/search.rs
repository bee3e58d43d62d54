//! Exact nearest neighbours by embedding alone.

use whisperengine_types::Embedding;

use crate::partition::{Partition, norm};

/// A query embedding of unit length.
#[derive(Debug)]
pub(crate) struct UnitQuery {
    values: Vec<f32>,
    l1: f32,
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
        Some(Self { values, l1 })
    }

    pub(crate) fn similarity(&self, partition: &Partition, row: usize) -> f32 {
        partition.codes().similarity(&self.values, row)
    }

    pub(crate) fn dim(&self) -> usize {
        self.values.len()
    }
}

/// A record that may be among the nearest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) record: u32,
    pub(crate) similarity: f32,
    error: f32,
}

/// The admitted records that may be among the `k` nearest, by falling similarity, and whether their
/// order is certain. Where it is not, the originals decide.
pub(crate) fn search(
    partition: &Partition,
    admitted: &[bool],
    query: Option<&UnitQuery>,
    k: usize,
) -> (Vec<Candidate>, Certainty) {
    let mut candidates: Vec<Candidate> = Vec::with_capacity(partition.len());
    for record in (0..admitted.len() as u32).filter(|&record| admitted[record as usize]) {
        let mut best = Candidate {
            record,
            similarity: f32::NEG_INFINITY,
            error: 0.0,
        };
        for row in partition.rows_of(record) {
            let similarity = query.map_or(0.0, |query| query.similarity(partition, row));
            best.similarity = best.similarity.max(similarity);
            let error = query.map_or(0.0, |query| partition.codes().error_bound(query.l1, row));
            best.error = best.error.max(error);
        }
        candidates.push(best);
    }
    let newest_first = |record: u32| (partition.sent_at(record), partition.seq(record));
    let by_similarity = |a: &Candidate, b: &Candidate| {
        b.similarity
            .total_cmp(&a.similarity)
            .then_with(|| newest_first(b.record).cmp(&newest_first(a.record)))
    };
    if k == 0 || query.is_none() {
        candidates.sort_unstable_by(by_similarity);
        candidates.truncate(k);
        return (candidates, Certainty::Certain);
    }
    let widest = candidates.iter().fold(0.0_f32, |widest, c| widest.max(c.error));
    if k < candidates.len() {
        candidates.select_nth_unstable_by(k - 1, by_similarity);
        let least = candidates[k - 1].similarity - 2.0 * widest;
        let mut kept = k;
        for at in k..candidates.len() {
            if candidates[at].similarity >= least {
                candidates.swap(kept, at);
                kept += 1;
            }
        }
        candidates.truncate(kept);
    }
    candidates.sort_unstable_by(by_similarity);
    candidates.truncate(k.saturating_add(MOST_TIES));
    let certain = candidates
        .windows(2)
        .all(|pair| pair[0].similarity - pair[0].error > pair[1].similarity + pair[1].error);
    let certainty = if certain {
        Certainty::Certain
    } else {
        Certainty::Open
    };
    (candidates, certainty)
}

/// A greater crowd of candidates is one text said over and over; the newest of it serve.
const MOST_TIES: usize = 64;

/// Whether 16 bits decide an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    Certain,
    Open,
}
