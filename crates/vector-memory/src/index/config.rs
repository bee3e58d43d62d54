//! Which index, and how it is built and searched.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::error::{IndexError, Result};

/// Which index holds the vectors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum IndexKind {
    /// Exact below [`IndexConfig::flat_below`] vectors, partitioned above; moves by itself, in the background.
    #[default]
    Auto,
    /// Exact.
    Flat,
    /// Partitioned 1-bit codes, narrowed by int8 and decided by f32.
    Ivf,
    /// The crate `hnsw_rs` (feature `hnsw_rs`).
    HnswRs,
    /// What [`IndexConfig::faiss`] describes, of the library faiss (feature `faiss`).
    Faiss,
}

impl fmt::Display for IndexKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Flat => "flat",
            Self::Ivf => "ivf",
            Self::HnswRs => "hnsw_rs",
            Self::Faiss => "faiss",
        })
    }
}

impl FromStr for IndexKind {
    type Err = IndexError;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "auto" => Self::Auto,
            "flat" => Self::Flat,
            "ivf" => Self::Ivf,
            "hnsw_rs" => Self::HnswRs,
            "faiss" => Self::Faiss,
            _ => {
                return Err(IndexError::InvalidConfig {
                    setting: "kind (auto, flat, ivf, hnsw_rs, faiss)",
                });
            }
        })
    }
}

impl From<IndexKind> for String {
    fn from(kind: IndexKind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for IndexKind {
    type Error = IndexError;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

/// How an index is built and searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct IndexConfig {
    /// Which index. Default: `auto`.
    pub kind: IndexKind,
    /// The recall@10 that a search aims at unless it says otherwise, `0..=1`. Default: 0.98. Higher is slower;
    /// 1 is exact.
    pub recall: f32,
    /// `auto`: vectors from which on the partitioned index takes over. Default: 8,192. Below, an exact search
    /// takes less than 0.1 ms at 384 dimensions.
    pub flat_below: usize,
    /// `ivf`: the number of lists. Default: about `0.6 sqrt(n)`; from 131,072 vectors on one for every 48 vectors, at
    /// most `16 sqrt(n)`. More make lists shorter and finding them dearer.
    pub lists: Option<usize>,
    /// `hnsw_rs`: links per node. Default: 16. More raise recall, memory and build time.
    pub m: usize,
    /// `hnsw_rs`: nodes kept in view while building. Default: 200. More raise recall and build time.
    pub ef_construction: usize,
    /// `hnsw_rs`: nodes kept in view while searching; at least `k` are. Default: 64. More raise recall and time.
    pub ef_search: usize,
    /// `faiss`: what its `index_factory` is to make, over inner products. Default: `HNSW32,SQ8`.
    pub faiss: String,
    /// `faiss`: parameters of the search, as `name=number` with commas between, such as `efSearch=64`. Default:
    /// none, and faiss's own hold.
    pub faiss_search: String,
    /// Seed of every random choice. Default: 0. The same vectors and seed give the same index.
    pub seed: u64,
    /// Threads to build with. Default: 0, those of rayon's global pool. The result does not depend on it.
    pub threads: usize,
}

impl Default for IndexConfig {
    fn default() -> Self {
        Self {
            kind: IndexKind::Auto,
            recall: 0.98,
            flat_below: 8_192,
            lists: None,
            m: 16,
            ef_construction: 200,
            ef_search: 64,
            faiss: "HNSW32,SQ8".to_owned(),
            faiss_search: String::new(),
            seed: 0,
            threads: 0,
        }
    }
}

impl IndexConfig {
    /// The defaults for `kind`.
    pub fn new(kind: IndexKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`IndexError::InvalidConfig`] names the first setting that is out of its range.
    pub fn validate(&self) -> Result<()> {
        let checks = [
            ((0.0..=1.0).contains(&self.recall), "recall (0 to 1)"),
            (self.lists != Some(0), "lists (at least 1)"),
            ((2..=256).contains(&self.m), "m (2 to 256)"),
            (self.ef_construction > 0, "ef_construction (at least 1)"),
            (self.ef_search > 0, "ef_search (at least 1)"),
            (self.threads <= 1024, "threads (at most 1024)"),
        ];
        match checks.into_iter().find(|check| !check.0) {
            Some((_, setting)) => Err(IndexError::InvalidConfig { setting }),
            None => Ok(()),
        }
    }

    /// Runs `build` on as many threads as asked for.
    pub(super) fn on_threads<T: Send>(&self, build: impl FnOnce() -> T + Send) -> T {
        if self.threads == 0 {
            return build();
        }
        match rayon::ThreadPoolBuilder::new().num_threads(self.threads).build() {
            Ok(pool) => pool.install(build),
            // Without threads of its own the work is done by those there are, with the same result.
            Err(_) => build(),
        }
    }
}

/// What one search asks for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SearchParams {
    /// How many hits; fewer come back only when fewer are there.
    pub k: usize,
    /// The recall to aim at; the index's own when absent. 1 is exact, where the index can.
    pub recall: Option<f32>,
    /// `ivf`: lists to scan, whatever the recall.
    pub probes: Option<usize>,
    /// `ivf`: estimates to narrow, whatever the recall; at least `2 k` are.
    pub candidates: Option<usize>,
    /// `hnsw_rs`: nodes kept in view; the index's own when absent.
    pub ef_search: Option<usize>,
}

impl SearchParams {
    /// The best `k`, at the index's own recall.
    pub fn new(k: usize) -> Self {
        Self {
            k,
            recall: None,
            probes: None,
            candidates: None,
            ef_search: None,
        }
    }

    /// Aims at `recall`.
    #[must_use]
    pub fn recall(mut self, recall: f32) -> Self {
        self.recall = Some(recall);
        self
    }
}
