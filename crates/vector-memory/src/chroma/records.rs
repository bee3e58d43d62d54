use std::collections::BTreeMap;

use serde_json::Value;
use whisperengine_types::MetadataValue;

/// Metadata of one record.
pub type Metadata = BTreeMap<String, MetadataValue>;

/// Records to write, as parallel lists.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The ids; every list that is given is as long as this one.
    pub ids: Vec<String>,
    /// The embeddings; made of the documents when not given.
    pub embeddings: Option<Vec<Vec<f32>>>,
    /// The documents.
    pub documents: Option<Vec<String>>,
    /// The metadata, `None` where a record has none.
    pub metadatas: Option<Vec<Option<Metadata>>>,
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Include {
    /// The embeddings.
    Embeddings,
    /// The documents.
    Documents,
    /// The metadata.
    Metadatas,
    /// The distances; queries only.
    Distances,
}

/// Which records to get or delete; all conditions hold together.
#[derive(Debug, Clone)]
pub struct Get {
    /// These ids only.
    pub ids: Option<Vec<String>>,
    /// A condition on the metadata, in Chroma's language.
    pub where_metadata: Option<Value>,
    /// A condition on the document, in Chroma's language.
    pub where_document: Option<Value>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Leave out the first ones.
    pub offset: usize,
    /// What to answer with; metadata and documents by default.
    pub include: Vec<Include>,
}

impl Default for Get {
    fn default() -> Self {
        Self {
            ids: None,
            where_metadata: None,
            where_document: None,
            limit: None,
            offset: 0,
            include: vec![Include::Metadatas, Include::Documents],
        }
    }
}

/// The records found, as parallel lists; a list that was not asked for is `None`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GetResult {
    /// The ids.
    pub ids: Vec<String>,
    /// The embeddings.
    pub embeddings: Option<Vec<Vec<f32>>>,
    /// The documents.
    pub documents: Option<Vec<Option<String>>>,
    /// The metadata.
    pub metadatas: Option<Vec<Option<Metadata>>>,
}

/// What to search for: one answer for each embedding or text.
#[derive(Debug, Clone)]
pub struct Query {
    /// The query embeddings.
    pub embeddings: Option<Vec<Vec<f32>>>,
    /// The query texts, where no embeddings are given.
    pub texts: Option<Vec<String>>,
    /// How many records to find for each, 10 by default.
    pub n_results: usize,
    /// A condition on the metadata, in Chroma's language.
    pub where_metadata: Option<Value>,
    /// A condition on the document, in Chroma's language.
    pub where_document: Option<Value>,
    /// What to answer with; metadata, documents and distances by default.
    pub include: Vec<Include>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            embeddings: None,
            texts: None,
            n_results: 10,
            where_metadata: None,
            where_document: None,
            include: vec![Include::Metadatas, Include::Documents, Include::Distances],
        }
    }
}

/// The records found, one list for each query, nearest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryResult {
    /// The ids.
    pub ids: Vec<Vec<String>>,
    /// The embeddings.
    pub embeddings: Option<Vec<Vec<Vec<f32>>>>,
    /// The documents.
    pub documents: Option<Vec<Vec<Option<String>>>>,
    /// The metadata.
    pub metadatas: Option<Vec<Vec<Option<Metadata>>>>,
    /// The distances, lower is nearer: squared Euclidean, `1 - inner product` or `1 - cosine`.
    pub distances: Option<Vec<Vec<f32>>>,
}
