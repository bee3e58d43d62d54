//! Collections as in Chroma, in this process: for code and people that come from there.
//!
//! A [`Client`] holds collections, a [`Collection`] holds ids with embeddings, documents and metadata.
//! Names, defaults, errors, `include` lists, `where` and `where_document` are Chroma's; answers are exact,
//! not approximate. Each collection is a partition of its own, as an owner's memories are.
//!
//! ```
//! use serde_json::json;
//! use whisperengine_vector_memory::chroma::{Client, CollectionOptions, Query, Records};
//!
//! let client = Client::in_memory(None);
//! let pets = client.create_collection("pets", CollectionOptions::default())?;
//! pets.add(Records {
//!     ids: vec!["rex".into(), "tom".into()],
//!     embeddings: Some(vec![vec![1.0, 0.0], vec![0.0, 1.0]]),
//!     documents: Some(vec!["a dog".into(), "a cat".into()]),
//!     ..Records::default()
//! })?;
//! let found = pets.query(&Query {
//!     embeddings: Some(vec![vec![0.9, 0.1]]),
//!     where_document: Some(json!({"$contains": "dog"})),
//!     ..Query::default()
//! })?;
//! assert_eq!(found.ids, [["rex"]]);
//! # Ok::<(), whisperengine_vector_memory::chroma::Error>(())
//! ```
//!
//! What differs: ids have at most 256 bytes and no control characters; records come in the order in which
//! they were added; `$regex` takes linear time and knows no look-around; image data and Chroma's server
//! calls are not there.

mod client;
mod collection;
mod document;
mod error;
mod filter;
mod records;

pub use self::{
    client::{Client, CollectionOptions},
    collection::Collection,
    error::{Error, Result},
    records::{Get, GetResult, Include, Metadata, Query, QueryResult, Records},
};
