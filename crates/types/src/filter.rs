//! Conditions on memories, applied before anything is ranked.

use serde::{Deserialize, Serialize};

use crate::{ChannelId, MemoryKind, SessionId, Timestamp};

/// Which memories may be found. The default, [`Filter::Any`], admits all of the owner's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Every memory.
    #[default]
    Any,
    /// Memories of one of these kinds.
    Kind(Vec<MemoryKind>),
    /// Memories of this session.
    Session(SessionId),
    /// Memories of this channel.
    Channel(ChannelId),
    /// Memories sent in `from..until`; either end may be open.
    SentAt {
        /// The earliest time that passes.
        from: Option<Timestamp>,
        /// The earliest time that no longer passes.
        until: Option<Timestamp>,
    },
    /// Memories of at least this importance, `0..=1`.
    ImportanceAtLeast(f32),
    /// Memories whose metadata value under `key` compares so; a memory without the key passes only
    /// [`Comparison::Ne`] and [`Comparison::NotIn`].
    Metadata {
        /// The key.
        key: String,
        /// The condition.
        is: Comparison,
    },
    /// Memories whose text contains these characters, case and all.
    TextContains(String),
    /// Memories that pass every one.
    And(Vec<Self>),
    /// Memories that pass at least one.
    Or(Vec<Self>),
    /// Memories that do not pass.
    Not(Box<Self>),
}

/// A condition on one metadata value. Values of different types are never equal and never ordered,
/// except that integers and floats compare as numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Equal.
    Eq(MetadataValue),
    /// Not equal, or absent.
    Ne(MetadataValue),
    /// Greater (numbers).
    Gt(MetadataValue),
    /// Greater or equal (numbers).
    Gte(MetadataValue),
    /// Less (numbers).
    Lt(MetadataValue),
    /// Less or equal (numbers).
    Lte(MetadataValue),
    /// Equal to one of these.
    In(Vec<MetadataValue>),
    /// Equal to none of these, or absent.
    NotIn(Vec<MetadataValue>),
}

/// What a memory's metadata may hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetadataValue {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(String),
}

impl From<bool> for MetadataValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for MetadataValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for MetadataValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for MetadataValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
