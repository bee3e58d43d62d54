//! Embeddings and the space they live in; checked once, when made.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The coordinate system of an embedding: which model made it and how many dimensions it has.
/// Embeddings of different spaces are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawSpace")]
pub struct EmbeddingSpace {
    model: Arc<str>,
    dim: usize,
}

#[derive(Deserialize)]
struct RawSpace {
    model: String,
    dim: usize,
}

impl TryFrom<RawSpace> for EmbeddingSpace {
    type Error = EmbeddingError;

    fn try_from(raw: RawSpace) -> Result<Self, EmbeddingError> {
        Self::new(raw.model, raw.dim)
    }
}

impl EmbeddingSpace {
    /// The highest accepted dimension.
    pub const MAX_DIM: usize = 65_536;

    /// Names a space.
    ///
    /// # Errors
    /// [`EmbeddingError::InvalidSpace`] when the name is empty or `dim` is not in `1..=MAX_DIM`.
    pub fn new(model: impl AsRef<str>, dim: usize) -> Result<Self, EmbeddingError> {
        if model.as_ref().is_empty() || dim == 0 || dim > Self::MAX_DIM {
            return Err(EmbeddingError::InvalidSpace {
                model: model.as_ref().to_owned(),
                dim,
            });
        }
        Ok(Self {
            model: model.as_ref().into(),
            dim,
        })
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The number of dimensions.
    pub fn dim(&self) -> usize {
        self.dim
    }
}

impl fmt::Display for EmbeddingSpace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.model, self.dim)
    }
}

/// A point in an [`EmbeddingSpace`]: `dim` finite numbers, not necessarily of unit length.
///
/// **Zero norm.** An all-zero embedding is allowed (a text of unknown words) and its similarity to
/// everything, itself included, is 0: it is never "identical" to anything.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawEmbedding")]
pub struct Embedding {
    space: EmbeddingSpace,
    /// Apart from their counter: 256 numbers are what glibc keeps at hand for each thread, 16 bytes more are not.
    values: Arc<Vec<f32>>,
}

#[derive(Deserialize)]
struct RawEmbedding {
    space: EmbeddingSpace,
    values: Vec<f32>,
}

impl TryFrom<RawEmbedding> for Embedding {
    type Error = EmbeddingError;

    fn try_from(raw: RawEmbedding) -> Result<Self, EmbeddingError> {
        Self::new(&raw.space, raw.values)
    }
}

impl Embedding {
    /// Checks `values` against `space`.
    ///
    /// # Errors
    /// [`EmbeddingError::DimensionMismatch`] or [`EmbeddingError::NotFinite`].
    pub fn new(space: &EmbeddingSpace, values: impl Into<Vec<f32>>) -> Result<Self, EmbeddingError> {
        let values = values.into();
        if values.len() != space.dim {
            return Err(EmbeddingError::DimensionMismatch {
                expected: space.dim,
                got: values.len(),
            });
        }
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(EmbeddingError::NotFinite { index });
        }
        Ok(Self {
            space: space.clone(),
            values: Arc::new(values),
        })
    }

    /// The space the embedding lives in.
    pub fn space(&self) -> &EmbeddingSpace {
        &self.space
    }

    /// The coordinates, `dim` of them.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The coordinates, shared and not copied.
    pub fn shared_values(&self) -> Arc<Vec<f32>> {
        Arc::clone(&self.values)
    }

    /// Cosine similarity; 0 when either norm is 0.
    ///
    /// # Errors
    /// [`EmbeddingError::SpaceMismatch`] when the two live in different spaces.
    pub fn similarity(&self, other: &Self) -> Result<Similarity, EmbeddingError> {
        if self.space != other.space {
            return Err(EmbeddingError::SpaceMismatch {
                expected: self.space.to_string(),
                got: other.space.to_string(),
            });
        }
        let (mut dot, mut a2, mut b2) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (&a, &b) in self.values.iter().zip(&*other.values) {
            let (a, b) = (f64::from(a), f64::from(b));
            dot += a * b;
            a2 += a * a;
            b2 += b * b;
        }
        let norm = (a2 * b2).sqrt();
        Ok(if norm > 0.0 {
            Similarity::new((dot / norm) as f32)
        } else {
            Similarity::ZERO
        })
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding({})", self.space)
    }
}

/// Cosine similarity in `-1..=1`; higher is nearer.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(from = "f32")]
pub struct Similarity(f32);

impl From<f32> for Similarity {
    fn from(cosine: f32) -> Self {
        Self::new(cosine)
    }
}

impl Similarity {
    /// Neither near nor opposite; also the similarity to an embedding without length.
    pub const ZERO: Self = Self(0.0);

    /// Wraps a cosine; rounding overshoot is clamped to `-1..=1` and NaN becomes 0.
    pub fn new(cosine: f32) -> Self {
        if cosine.is_nan() {
            Self::ZERO
        } else {
            Self(cosine.clamp(-1.0, 1.0))
        }
    }

    /// The cosine.
    pub fn value(self) -> f32 {
        self.0
    }

    /// `1 - similarity`, in `0..=2`.
    pub fn to_distance(self) -> Distance {
        Distance(1.0 - self.0)
    }
}

/// How far apart two embeddings are in some metric; lower is nearer.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
pub struct Distance(f32);

impl Distance {
    /// Wraps a distance; the unit is the metric's.
    pub fn new(value: f32) -> Self {
        Self(value)
    }

    /// The number.
    pub fn value(self) -> f32 {
        self.0
    }
}

/// Why numbers are not an embedding, or two embeddings cannot be compared.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// The space has no name or an impossible dimension.
    #[error("no embedding space has model {model:?} and dimension {dim}")]
    InvalidSpace {
        /// The name given.
        model: String,
        /// The dimension given.
        dim: usize,
    },
    /// The number of values is not the space's dimension.
    #[error("embedding has {got} values, its space has {expected} dimensions")]
    DimensionMismatch {
        /// The space's dimension.
        expected: usize,
        /// The number of values given.
        got: usize,
    },
    /// A value is NaN or infinite.
    #[error("embedding value {index} is not finite")]
    NotFinite {
        /// The position of the first such value.
        index: usize,
    },
    /// Two embeddings of different spaces met.
    #[error("embedding of space {got} where {expected} is in use")]
    SpaceMismatch {
        /// The space in use.
        expected: String,
        /// The space given.
        got: String,
    },
    /// The model failed.
    #[error("embedding model failed")]
    Model(#[source] Arc<dyn std::error::Error + Send + Sync>),
}
