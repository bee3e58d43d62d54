//! Which queries are equal: same owner, same words in full, same `k`, filter and embedding.
//!
//! `now` is left out: it differs with every call. How far it may differ is
//! [`Config::recency_tolerance`](crate::Config::recency_tolerance)'s to say.

use std::{
    hash::{BuildHasher, Hash, Hasher},
    mem,
    sync::Arc,
};

use hashbrown::DefaultHashBuilder;
use whisperengine_types::{Comparison, Filter, MemoryOwner, MetadataValue, RecallQuery};

use crate::dedup::fold;

#[derive(Debug, Clone)]
pub(crate) struct QueryKey {
    owner: MemoryOwner,
    query: Arc<RecallQuery>,
    hash: u64,
}

impl QueryKey {
    /// Keys are comparable if made with the same `hasher`.
    pub(crate) fn new(hasher: &DefaultHashBuilder, owner: &MemoryOwner, query: RecallQuery) -> Self {
        let mut hasher = hasher.build_hasher();
        owner.hash(&mut hasher);
        query.text.hash(&mut hasher);
        query.k.hash(&mut hasher);
        hash_filter(&query.filter, &mut hasher);
        if let Some(embedding) = &query.embedding {
            hasher.write_u64(fold(embedding.values()));
        }
        Self {
            owner: owner.clone(),
            hash: hasher.finish(),
            query: Arc::new(query),
        }
    }

    /// Of all that decides equality.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn owner(&self) -> &MemoryOwner {
        &self.owner
    }

    pub(crate) fn query(&self) -> &RecallQuery {
        &self.query
    }

    /// False for a filter with NaN in it, which equals nothing: such a query is neither cached nor shared.
    pub(crate) fn is_comparable(&self) -> bool {
        matches!(self.query.filter, Filter::Any) || self.query.filter == self.query.filter.clone()
    }

    /// Bytes it holds, estimated.
    pub(crate) fn bytes(&self) -> usize {
        let embedding = self
            .query
            .embedding
            .as_ref()
            .map_or(0, |e| mem::size_of_val(e.values()));
        2 * mem::size_of::<Self>() + mem::size_of::<RecallQuery>() + self.query.text.len() + embedding
    }
}

impl PartialEq for QueryKey {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&*self.query, &*other.query);
        self.hash == other.hash
            && self.owner == other.owner
            && a.text == b.text
            && a.k == b.k
            && a.filter == b.filter
            && a.embedding == b.embedding
    }
}

impl Eq for QueryKey {}

/// Equal filters hash alike; numbers are left out, since 0.0 and -0.0 are equal and differ in bits.
fn hash_filter(filter: &Filter, state: &mut impl Hasher) {
    mem::discriminant(filter).hash(state);
    match filter {
        Filter::Any | Filter::ImportanceAtLeast(_) => {}
        Filter::Kind(kinds) => kinds.hash(state),
        Filter::Session(session) => session.hash(state),
        Filter::Channel(channel) => channel.hash(state),
        Filter::SentAt { from, until } => (from, until).hash(state),
        Filter::Metadata { key, is } => {
            key.hash(state);
            mem::discriminant(is).hash(state);
            match is {
                Comparison::In(values) | Comparison::NotIn(values) => {
                    for value in values {
                        hash_value(value, state);
                    }
                }
                Comparison::Eq(value)
                | Comparison::Ne(value)
                | Comparison::Gt(value)
                | Comparison::Gte(value)
                | Comparison::Lt(value)
                | Comparison::Lte(value) => hash_value(value, state),
            }
        }
        Filter::TextContains(text) => text.hash(state),
        Filter::And(parts) | Filter::Or(parts) => {
            for part in parts {
                hash_filter(part, state);
            }
        }
        Filter::Not(part) => hash_filter(part, state),
    }
}

fn hash_value(value: &MetadataValue, state: &mut impl Hasher) {
    match value {
        MetadataValue::Bool(v) => v.hash(state),
        MetadataValue::Int(v) => v.hash(state),
        MetadataValue::Float(_) => {}
        MetadataValue::Text(v) => v.hash(state),
    }
}
