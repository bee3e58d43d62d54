//! The vectors, the owners they belong to, and the truth.

use std::{error::Error, fs, path::Path};

use rayon::prelude::*;
use whisperengine_examples::progress;
use whisperengine_vector_memory::index::SlotSet;

use crate::Args;

/// Neighbours of each query in a truth file.
const TRUTH_WIDTH: usize = 100;

/// One owner's vectors, or all of them.
pub(crate) struct Owner {
    pub(crate) vectors: Vec<f32>,
    pub(crate) allowed: Option<SlotSet>,
}

pub(crate) struct Data {
    pub(crate) dim: usize,
    pub(crate) owners: Vec<Owner>,
    pub(crate) queries: Vec<f32>,
    /// For each query the slots of its k nearest vectors within its owner, nearest first.
    pub(crate) truth: Vec<Vec<u32>>,
}

impl Data {
    pub(crate) fn read(args: &Args) -> Result<Self, Box<dyn Error>> {
        let dim = args.dim;
        if dim == 0 || args.k == 0 || args.owners == 0 || args.threads == 0 {
            return Err("--dim, --k, --owners and --threads must be at least 1".into());
        }
        let base = floats(&args.base, dim)?;
        let queries = floats(&args.queries, dim)?;
        let mut owners: Vec<Owner> = (0..args.owners)
            .map(|_| Owner {
                vectors: Vec::new(),
                allowed: None,
            })
            .collect();
        for (row, vector) in base.chunks_exact(dim).enumerate() {
            owners[row % args.owners].vectors.extend_from_slice(vector);
        }
        if let Some(share) = args.allowed {
            if !(0.0..=1.0).contains(&share) {
                return Err("--allowed must be from 0 to 1".into());
            }
            let mut random = Random(args.seed);
            for owner in &mut owners {
                let slots = 0..(owner.vectors.len() / dim) as u32;
                owner.allowed = Some(slots.filter(|_| random.chance(share)).collect());
            }
        }
        let mut data = Self {
            dim,
            owners,
            queries,
            truth: Vec::new(),
        };
        let given = args
            .truth
            .as_deref()
            .filter(|_| args.owners == 1 && args.allowed.is_none());
        data.truth = match given {
            Some(path) => data.read_truth(path, args.k)?,
            None => data.compute_truth(args.k),
        };
        Ok(data)
    }

    pub(crate) fn vectors(&self) -> usize {
        self.owners
            .iter()
            .map(|owner| owner.vectors.len() / self.dim)
            .sum()
    }

    pub(crate) fn queries(&self) -> usize {
        self.queries.len() / self.dim
    }

    pub(crate) fn query(&self, at: usize) -> &[f32] {
        &self.queries[at * self.dim..][..self.dim]
    }

    /// The owner that a query is asked of.
    pub(crate) fn owner_of(&self, query: usize) -> usize {
        query % self.owners.len()
    }

    /// The share of the `k` nearest of each query that `found` holds.
    pub(crate) fn recall(&self, found: &[Vec<u32>]) -> f64 {
        let hits: usize = self
            .truth
            .iter()
            .zip(found)
            .map(|(truth, found)| truth.iter().filter(|slot| found.contains(slot)).count())
            .sum();
        hits as f64 / self.truth.iter().map(Vec::len).sum::<usize>().max(1) as f64
    }

    fn read_truth(&self, path: &Path, k: usize) -> Result<Vec<Vec<u32>>, Box<dyn Error>> {
        if k > TRUTH_WIDTH {
            return Err(format!("a truth file has {TRUTH_WIDTH} neighbours a query, not {k}").into());
        }
        let bytes = read(path)?;
        if bytes.len() != self.queries() * TRUTH_WIDTH * 4 {
            return Err(format!("{} is not {TRUTH_WIDTH} int32 for each query", path.display()).into());
        }
        let vectors = self.owners[0].vectors.len() / self.dim;
        let ids: Vec<u32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|id| u32::from_le_bytes(*id))
            .collect();
        if ids.iter().any(|&id| id as usize >= vectors) {
            return Err(format!("{} has ids beyond the base", path.display()).into());
        }
        Ok(ids
            .chunks_exact(TRUTH_WIDTH)
            .map(|row| row[..k].to_vec())
            .collect())
    }

    fn compute_truth(&self, k: usize) -> Vec<Vec<u32>> {
        let bar = progress::bar(self.queries() as u64, "exact truth");
        let truth = (0..self.queries()).into_par_iter().map(|query| {
            let owner = &self.owners[self.owner_of(query)];
            let wanted = self.query(query);
            let mut all: Vec<(f64, u32)> = (0..)
                .zip(owner.vectors.chunks_exact(self.dim))
                .filter(|&(slot, _)| {
                    owner
                        .allowed
                        .as_ref()
                        .is_none_or(|allowed| allowed.contains(slot))
                })
                .map(|(slot, vector)| (dot(wanted, vector), slot))
                .collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            bar.inc(1);
            all.iter().take(k).map(|&(_, slot)| slot).collect()
        });
        let truth = truth.collect();
        bar.finish_and_clear();
        truth
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

fn floats(path: &Path, dim: usize) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = read(path)?;
    if bytes.is_empty() || bytes.len() % (4 * dim) != 0 {
        return Err(format!("{} is not rows of {dim} f32", path.display()).into());
    }
    Ok(bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect())
}

fn read(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

/// A linear congruential generator (Knuth's MMIX constants): the same filter for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(crate) fn chance(&mut self, share: f64) -> bool {
        (self.next() as f64) < share * (1_u64 << 31) as f64
    }
}
