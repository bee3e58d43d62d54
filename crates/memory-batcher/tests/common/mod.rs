//! What the tests share: a store in memory that fails on demand, and short ways to say things.
#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

pub(crate) mod gated;
pub(crate) mod world;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use whisperengine_types::{
    BotId, Committed, MemoryError, MemoryId, MemoryOwner, MemoryPatch, MemoryRecall, MemoryRecord,
    MemoryStore, Recall, RecallQuery, RecalledMemory, ScoreParts, Timestamp, UserId, WriteOp,
};

pub(crate) fn owner(user: &str) -> MemoryOwner {
    MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new(user).unwrap())
}

pub(crate) fn id(n: u64) -> MemoryId {
    MemoryId::from_number(n)
}

/// Record `n`, said at millisecond `n`.
pub(crate) fn record(n: u64, text: &str) -> MemoryRecord {
    MemoryRecord::new(id(n), text, Timestamp::from_millis(n as i64))
}

pub(crate) fn store(owner: &MemoryOwner, record: MemoryRecord) -> WriteOp {
    WriteOp::Store {
        owner: owner.clone(),
        record: Arc::new(record),
    }
}

pub(crate) fn update(owner: &MemoryOwner, n: u64, text: &str) -> WriteOp {
    let patch = MemoryPatch {
        text: Some(text.to_owned()),
        ..MemoryPatch::default()
    };
    WriteOp::Update {
        owner: owner.clone(),
        id: id(n),
        patch: Arc::new(patch),
    }
}

pub(crate) fn delete(owner: &MemoryOwner, n: u64) -> WriteOp {
    WriteOp::Delete {
        owner: owner.clone(),
        id: id(n),
    }
}

pub(crate) fn forget_all(owner: &MemoryOwner) -> WriteOp {
    WriteOp::ForgetAll { owner: owner.clone() }
}

pub(crate) fn put_state(owner: &MemoryOwner, state: &[u8]) -> WriteOp {
    WriteOp::PutState {
        owner: owner.clone(),
        state: state.into(),
    }
}

pub(crate) fn query(text: &str) -> RecallQuery {
    RecallQuery::new(text, 10, Timestamp::from_millis(0))
}

pub(crate) fn unavailable() -> MemoryError {
    MemoryError::Unavailable {
        reason: "on demand".to_owned(),
        source: None,
    }
}

/// What owners have: the naive reference.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) records: HashMap<MemoryOwner, BTreeMap<String, Arc<MemoryRecord>>>,
    pub(crate) states: HashMap<MemoryOwner, Arc<[u8]>>,
}

impl Model {
    pub(crate) fn apply(&mut self, op: &WriteOp) -> Result<Committed, MemoryError> {
        let records = self.records.entry(op.owner().clone()).or_default();
        let missing = |id: &MemoryId| MemoryError::NotFound { id: id.clone() };
        let id = match op {
            WriteOp::Store { record, .. } => {
                if record.text.is_empty() {
                    return Err(MemoryError::InvalidRecord {
                        id: record.id.clone(),
                        reason: "empty".to_owned(),
                    });
                }
                records.insert(record.id.as_str().to_owned(), Arc::clone(record));
                Some(record.id.clone())
            }
            WriteOp::Update { id, patch, .. } => {
                let record = records.get_mut(id.as_str()).ok_or_else(|| missing(id))?;
                if let Some(text) = &patch.text {
                    Arc::make_mut(record).text.clone_from(text);
                }
                Some(id.clone())
            }
            WriteOp::Delete { id, .. } => {
                records.remove(id.as_str()).ok_or_else(|| missing(id))?;
                Some(id.clone())
            }
            WriteOp::ForgetAll { owner } => {
                records.clear();
                self.states.remove(owner);
                None
            }
            WriteOp::PutState { owner, state } => {
                self.states.insert(owner.clone(), Arc::clone(state));
                None
            }
        };
        Ok(Committed { id })
    }

    pub(crate) fn texts(&self, owner: &MemoryOwner) -> Vec<String> {
        let records = self.records.get(owner);
        records.map_or_else(Vec::new, |r| {
            r.values().map(|record| record.text.clone()).collect()
        })
    }
}

/// A store without latency whose recall finds every record that holds the query's text.
#[derive(Debug, Default)]
pub(crate) struct MemoryOfOps {
    pub(crate) model: Mutex<Model>,
    pub(crate) batches: Mutex<Vec<Vec<WriteOp>>>,
}

impl MemoryStore for MemoryOfOps {
    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        self.batches.lock().unwrap().push(ops.to_vec());
        let mut model = self.model.lock().unwrap();
        ops.iter().map(|op| model.apply(op)).collect()
    }

    fn get(
        &self,
        owner: &MemoryOwner,
        ids: &[MemoryId],
    ) -> Result<Vec<Option<Arc<MemoryRecord>>>, MemoryError> {
        let model = self.model.lock().unwrap();
        let records = model.records.get(owner);
        let find = |id: &MemoryId| records.and_then(|r| r.get(id.as_str()).cloned());
        Ok(ids.iter().map(find).collect())
    }

    fn scan(
        &self,
        owner: &MemoryOwner,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        let model = self.model.lock().unwrap();
        let records = model.records.get(owner);
        let after = after.map_or("", MemoryId::as_str);
        let all = records.into_iter().flatten();
        let later = all.filter(|(id, _)| id.as_str() > after).map(|(_, r)| r.clone());
        Ok(later.take(limit).collect())
    }

    fn state(&self, owner: &MemoryOwner) -> Result<Option<Arc<[u8]>>, MemoryError> {
        Ok(self.model.lock().unwrap().states.get(owner).cloned())
    }

    fn owners_with_state(
        &self,
        after: Option<&MemoryOwner>,
        limit: usize,
    ) -> Result<Vec<MemoryOwner>, MemoryError> {
        let model = self.model.lock().unwrap();
        let mut owners: Vec<MemoryOwner> = model.states.keys().cloned().collect();
        owners.sort_unstable();
        owners.retain(|owner| after.is_none_or(|after| owner > after));
        owners.truncate(limit);
        Ok(owners)
    }
}

impl MemoryRecall for MemoryOfOps {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        Ok(answer(&self.model.lock().unwrap(), owner, query))
    }
}

/// Every record of the owner that holds the query's text.
pub(crate) fn answer(model: &Model, owner: &MemoryOwner, query: &RecallQuery) -> Recall {
    let records = model.records.get(owner).into_iter().flat_map(BTreeMap::values);
    let found = records
        .filter(|record| record.text.contains(&query.text))
        .take(query.k);
    let memories = found.map(|record| RecalledMemory {
        memory: Arc::clone(record),
        score: 1.0,
        relevance: 1.0,
        similarity: None,
        parts: ScoreParts::default(),
        matched_terms: Vec::new(),
        passage: None,
        copies: 0,
        last_copy_at: None,
        superseded: false,
    });
    Recall {
        memories: memories.collect(),
        asked_time: None,
        degraded: None,
    }
}
