//! Indexes of other projects, each behind the feature of its name.

#[cfg(feature = "hnsw_rs")]
mod hnsw_rs;

#[cfg(not(feature = "hnsw_rs"))]
use super::error::IndexError;
use super::{IndexConfig, VectorIndex, error::Result, rows::Rows};

#[cfg(feature = "hnsw_rs")]
pub(super) fn hnsw_rs(rows: Rows, config: &IndexConfig) -> Result<Box<dyn VectorIndex>> {
    Ok(Box::new(hnsw_rs::HnswRsIndex::from_rows(rows, config)?))
}

#[cfg(not(feature = "hnsw_rs"))]
pub(super) fn hnsw_rs(_rows: Rows, _config: &IndexConfig) -> Result<Box<dyn VectorIndex>> {
    Err(IndexError::BackendDisabled {
        backend: "hnsw_rs",
        feature: "hnsw_rs",
    })
}
