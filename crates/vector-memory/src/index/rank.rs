//! The last stages of every search: which candidates can still be among the best, and the best themselves.

use whisperengine_types::Similarity;

use super::{
    Hit,
    rows::{Query, Rows},
};
use crate::kernel::{Kernel, prefetch_early};

/// The similarity of the k-th best so far; higher is better.
#[derive(Debug)]
pub(super) struct Best {
    k: usize,
    /// A binary heap with the worst on top.
    heap: std::collections::BinaryHeap<Worst>,
}

#[derive(Debug, Clone, Copy)]
struct Worst(f32, u32);

impl Best {
    pub(super) fn new(k: usize) -> Self {
        Self {
            k,
            heap: std::collections::BinaryHeap::with_capacity(k.min(1024) + 1),
        }
    }

    /// The similarity that the next must exceed; minus infinity until there are k.
    pub(super) fn threshold(&self) -> f32 {
        match self.heap.peek() {
            Some(worst) if self.heap.len() >= self.k => worst.0,
            _ => f32::NEG_INFINITY,
        }
    }

    pub(super) fn offer(&mut self, similarity: f32, slot: u32) {
        if self.heap.len() < self.k {
            self.heap.push(Worst(similarity, slot));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && Worst(similarity, slot) < *worst
        {
            *worst = Worst(similarity, slot);
        }
    }

    /// The best, best first; ties by slot.
    pub(super) fn into_hits(self) -> Vec<Hit> {
        self.heap
            .into_sorted_vec()
            .into_iter()
            .map(|Worst(similarity, slot)| Hit {
                slot,
                similarity: Similarity::new(similarity),
            })
            .collect()
    }
}

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.total_cmp(&self.0).then(self.1.cmp(&other.1))
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Worst {}

/// The candidates of one search by similarity of codes, pruned to those that the codes' error bound leaves
/// in the running.
#[derive(Debug)]
pub(super) struct Contenders {
    best: Best,
    slack: f32,
    list: Vec<(f32, u32)>,
}

impl Contenders {
    pub(super) fn new(k: usize, query: &Query<'_>) -> Self {
        Self {
            best: Best::new(k),
            slack: 2.0 * query.bound,
            list: Vec::new(),
        }
    }

    /// The similarity of codes at or below which a row cannot be among the best any more.
    pub(super) fn threshold(&self) -> f32 {
        self.best.threshold() - self.slack
    }

    pub(super) fn offer(&mut self, similarity: f32, slot: u32) {
        if similarity > self.threshold() {
            self.list.push((similarity, slot));
            if similarity > self.best.threshold() {
                self.best.offer(similarity, slot);
            }
        }
    }

    /// The exact k best among all that were offered, best first; ties by slot.
    pub(super) fn decide(mut self, rows: &Rows, query: &Query<'_>) -> Vec<Hit> {
        let threshold = self.threshold();
        self.list.retain(|&(similarity, _)| similarity > threshold);
        self.list
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let kernel = Kernel::detect();
        let mut best = Best::new(self.best.k);
        for (at, &(similarity, slot)) in self.list.iter().enumerate() {
            if similarity + query.bound < best.threshold() {
                break;
            }
            if let Some(&(_, ahead)) = self.list.get(at + AHEAD) {
                prefetch_early(rows.original_unchecked(ahead));
            }
            best.offer(
                kernel.dot_f32(rows.original_unchecked(slot), query.original),
                slot,
            );
        }
        best.into_hits()
    }
}

/// Originals fetched ahead of the one being compared.
const AHEAD: usize = 6;
