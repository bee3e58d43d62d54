//! Why an index cannot do what it was asked to.

use std::io;

/// A failed index operation; the index is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// A vector or query is of another dimension than the index.
    #[error("vector has {got} dimensions, the index {expected}")]
    DimensionMismatch {
        /// The index's dimension.
        expected: usize,
        /// The vector's.
        got: usize,
    },
    /// A vector or query is neither of unit length nor all zero, or not finite.
    #[error("vector has the squared norm {norm_squared}, neither 1 nor 0")]
    NotUnit {
        /// Its squared length.
        norm_squared: f32,
    },
    /// The slot to insert into is in use; `update` replaces.
    #[error("slot {slot} is taken")]
    SlotTaken {
        /// The slot.
        slot: u32,
    },
    /// The slot to insert into would leave a gap; slots are dense.
    #[error("slot {slot} leaves a gap after the {next} slots so far")]
    SlotGap {
        /// The slot.
        slot: u32,
        /// The lowest slot never used.
        next: u32,
    },
    /// The slot to update holds nothing.
    #[error("slot {slot} is empty")]
    SlotEmpty {
        /// The slot.
        slot: u32,
    },
    /// A setting is out of its range.
    #[error("index setting {setting} is out of range")]
    InvalidConfig {
        /// The field of [`IndexConfig`](super::IndexConfig), with its range.
        setting: &'static str,
    },
    /// The backend was left out of this build.
    #[error("index backend {backend} is not compiled in: enable the feature {feature}")]
    BackendDisabled {
        /// The backend asked for.
        backend: &'static str,
        /// The cargo feature that adds it.
        feature: &'static str,
    },
    /// A backend failed.
    #[error("index backend {backend} failed: {message}")]
    Backend {
        /// Which.
        backend: &'static str,
        /// What it said.
        message: String,
    },
    /// A saved index is truncated, altered or of another kind of file.
    #[error("not a saved index: {reason}")]
    Corrupt {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A saved index has a format that this version does not read.
    #[error("saved index has format version {found}, this build reads up to {supported}")]
    UnsupportedVersion {
        /// The file's version.
        found: u32,
        /// The highest version that this build reads.
        supported: u32,
    },
    /// Reading or writing failed.
    #[error("reading or writing the index failed")]
    Io(#[from] io::Error),
}

/// What index operations return.
pub type Result<T, E = IndexError> = std::result::Result<T, E>;
