//! Indexes of other projects, each behind the feature of its name.

#[cfg(feature = "faiss")]
mod faiss;
#[cfg(feature = "hnsw_rs")]
mod hnsw_rs;

#[cfg(not(all(feature = "faiss", feature = "hnsw_rs")))]
use super::error::IndexError;
use super::{IndexConfig, VectorIndex, error::Result, rows::Rows};

#[cfg(feature = "faiss")]
pub(super) fn faiss(rows: Rows, config: &IndexConfig) -> Result<Box<dyn VectorIndex>> {
    Ok(Box::new(faiss::FaissIndex::from_rows(rows, config)?))
}

#[cfg(not(feature = "faiss"))]
pub(super) fn faiss(_rows: Rows, _config: &IndexConfig) -> Result<Box<dyn VectorIndex>> {
    Err(IndexError::BackendDisabled {
        backend: "faiss",
        feature: "faiss",
    })
}

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
