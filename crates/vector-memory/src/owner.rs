//! One owner's memories: the typed door.

use std::sync::Arc;

use whisperengine_types::{
    Committed, Embedding, EmbeddingError, Filter, MemoryError, MemoryId, MemoryOwner, MemoryPatch,
    MemoryRecord, MemoryStore, Recall, RecallQuery, RecalledMemory, Similarity, Timestamp, WriteOp,
};

use crate::{
    memory::{Shared, VectorMemory},
    partition::{TextTest, check_filter},
    recall::{Asked, Certainty, Evidence, Metric, Question, UnitQuery, passage, rank, search},
    record,
    store::{OwnerKey, Table},
};

/// The memories of one owner.
///
/// Nothing reached through it is another owner's, and nothing is searched without it:
///
/// ```compile_fail
/// # fn check(memory: whisperengine_vector_memory::VectorMemory, query: whisperengine_types::RecallQuery) {
/// memory.recall(&query);
/// # }
/// ```
/// ```compile_fail
/// # fn check(memory: whisperengine_vector_memory::VectorMemory, embedding: whisperengine_types::Embedding) {
/// memory.search(&embedding, 10, &whisperengine_types::Filter::Any);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OwnerMemory {
    memory: VectorMemory,
    owner: MemoryOwner,
    key: OwnerKey,
}

/// A memory found by its embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which.
    pub id: MemoryId,
    /// How near.
    pub similarity: Similarity,
}

/// Counts of one owner's memories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OwnerStats {
    /// Memories.
    pub memories: usize,
    /// Those that are pinned.
    pub pinned: usize,
    /// What is searched: a long text counts once for each of its parts.
    pub rows: usize,
    /// Bytes that the partition takes in memory.
    pub partition_bytes: usize,
}

impl OwnerMemory {
    pub(crate) fn new(memory: VectorMemory, owner: MemoryOwner) -> Self {
        let key = OwnerKey::new(&owner);
        Self { memory, owner, key }
    }

    /// Whose memories these are.
    pub fn owner(&self) -> &MemoryOwner {
        &self.owner
    }

    /// Stores a record, in place of one with the same id, and returns once it is durable.
    ///
    /// # Errors
    /// [`MemoryError::InvalidRecord`], [`MemoryError::Embedding`] or [`MemoryError::ReadOnly`]; then
    /// nothing was changed.
    pub fn remember(&self, record: MemoryRecord) -> Result<Committed, MemoryError> {
        self.commit_one(WriteOp::Store {
            owner: self.owner.clone(),
            record: Arc::new(record),
        })
    }

    /// Stores records with one sync; one result for each.
    pub fn remember_all(
        &self,
        records: impl IntoIterator<Item = MemoryRecord>,
    ) -> Vec<Result<Committed, MemoryError>> {
        let store = |record| WriteOp::Store {
            owner: self.owner.clone(),
            record: Arc::new(record),
        };
        let ops: Vec<WriteOp> = records.into_iter().map(store).collect();
        self.memory.commit(&ops)
    }

    /// The memories that answer `query` best, without their embeddings ([`get`](Self::get) has those).
    ///
    /// # Errors
    /// [`MemoryError::InvalidQuery`], [`MemoryError::Embedding`], [`MemoryError::Unavailable`] or
    /// [`MemoryError::Corrupt`].
    pub fn recall(&self, query: &RecallQuery) -> Result<Recall, MemoryError> {
        self.memory.shared.recall(&self.key, query)
    }

    /// The memories that [`recall`](Self::recall) finds, whatever their relevance, each with what its relevance is made of.
    ///
    /// # Errors
    /// As [`recall`](Self::recall).
    pub fn evidence(&self, query: &RecallQuery) -> Result<Vec<(MemoryId, Evidence)>, MemoryError> {
        let all = RecallQuery {
            min_relevance: 0.0,
            ..query.clone()
        };
        let (recall, evidence) = self.memory.shared.recall_with_evidence(&self.key, &all)?;
        let ids = recall.memories.iter().map(|hit| hit.memory.id.clone());
        Ok(ids.zip(evidence).collect())
    }

    /// The `k` memories nearest to `embedding` among those that `filter` admits, nearest first; equally
    /// near: the newer first. Exact: where the codes in memory leave the order open, the stored
    /// embeddings decide.
    ///
    /// # Errors
    /// As [`recall`](Self::recall).
    pub fn search(&self, embedding: &Embedding, k: usize, filter: &Filter) -> Result<Vec<Hit>, MemoryError> {
        let nearest = self
            .memory
            .shared
            .nearest(&self.key, embedding, filter, None, k, Metric::Cosine)?;
        let hit = |(id, nearness)| Hit {
            id,
            similarity: Similarity::new(nearness),
        };
        Ok(nearest.into_iter().map(hit).collect())
    }

    /// The record with this id, its embedding included.
    ///
    /// # Errors
    /// [`MemoryError::Unavailable`] or [`MemoryError::Corrupt`].
    pub fn get(&self, id: &MemoryId) -> Result<Option<MemoryRecord>, MemoryError> {
        self.memory.shared.stored(&self.key, id)
    }

    /// Up to `limit` records in the order of their ids, those after `after` only.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn list(
        &self,
        after: Option<&MemoryId>,
        limit: usize,
    ) -> Result<Vec<Arc<MemoryRecord>>, MemoryError> {
        self.memory.scan(&self.owner, after, limit)
    }

    /// The ids of the memories that `filter` admits, in the order of ids.
    ///
    /// # Errors
    /// [`MemoryError::InvalidQuery`] for a bottomless filter, and as [`get`](Self::get).
    pub fn matching(&self, filter: &Filter) -> Result<Vec<MemoryId>, MemoryError> {
        check_filter(filter)?;
        self.memory.shared.read(&self.key, |partition| {
            let admitted = partition.admitted(filter)?;
            let ids = partition.in_id_order().iter();
            ids.filter(|&&record| admitted[record as usize])
                .map(|&record| id_of(partition.id(record)))
                .collect()
        })
    }

    /// Changes a record.
    ///
    /// # Errors
    /// [`MemoryError::NotFound`], and as [`remember`](Self::remember).
    pub fn update(&self, id: &MemoryId, patch: MemoryPatch) -> Result<Committed, MemoryError> {
        self.commit_one(WriteOp::Update {
            owner: self.owner.clone(),
            id: id.clone(),
            patch: Arc::new(patch),
        })
    }

    /// Exempts a memory from the decay of importance.
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn pin(&self, id: &MemoryId) -> Result<Committed, MemoryError> {
        self.update(
            id,
            MemoryPatch {
                pinned: Some(true),
                ..MemoryPatch::default()
            },
        )
    }

    /// Takes back [`pin`](Self::pin).
    ///
    /// # Errors
    /// As [`update`](Self::update).
    pub fn unpin(&self, id: &MemoryId) -> Result<Committed, MemoryError> {
        self.update(
            id,
            MemoryPatch {
                pinned: Some(false),
                ..MemoryPatch::default()
            },
        )
    }

    /// Removes a memory; removing it twice is removing it once.
    ///
    /// # Errors
    /// [`MemoryError::ReadOnly`].
    pub fn forget(&self, id: &MemoryId) -> Result<Committed, MemoryError> {
        self.commit_one(WriteOp::Delete {
            owner: self.owner.clone(),
            id: id.clone(),
        })
    }

    /// Removes everything of the owner, the conversation state too. The bytes leave the disk with the
    /// next [`VectorMemory::compact`].
    ///
    /// # Errors
    /// [`MemoryError::ReadOnly`].
    pub fn forget_all(&self) -> Result<Committed, MemoryError> {
        self.commit_one(WriteOp::ForgetAll {
            owner: self.owner.clone(),
        })
    }

    /// How many memories there are, and what they take.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn stats(&self) -> Result<OwnerStats, MemoryError> {
        self.memory.shared.read(&self.key, |partition| {
            let living = partition.in_id_order();
            Ok(OwnerStats {
                memories: living.len(),
                pinned: living
                    .iter()
                    .filter(|&&record| partition.is_pinned(record))
                    .count(),
                rows: living.iter().map(|&record| partition.rows_of(record).len()).sum(),
                partition_bytes: partition.bytes(),
            })
        })
    }

    fn commit_one(&self, op: WriteOp) -> Result<Committed, MemoryError> {
        let mut results = self.memory.commit(&[op]);
        results.pop().expect("one result for one operation")
    }
}

impl Shared {
    pub(crate) fn recall(&self, owner: &OwnerKey, query: &RecallQuery) -> Result<Recall, MemoryError> {
        Ok(self.recall_with_evidence(owner, query)?.0)
    }

    fn recall_with_evidence(
        &self,
        owner: &OwnerKey,
        query: &RecallQuery,
    ) -> Result<(Recall, Vec<Evidence>), MemoryError> {
        check_filter(&query.filter)?;
        if query.text.trim().is_empty() && query.embedding.is_none() {
            return Err(MemoryError::InvalidQuery {
                reason: "it has neither text nor embedding".to_owned(),
            });
        }
        if let Some(embedding) = &query.embedding {
            self.check_space(embedding)?;
        }
        let question = self.read(owner, |partition| {
            // It arrives while the question is looked at and embedded.
            partition.prefetch();
            Ok(Question::new(query, partition, &self.lexicon))
        })?;
        let (unit, degraded) = match &query.embedding {
            Some(embedding) => (UnitQuery::new(embedding), None),
            None => match self.embed_question(&question) {
                Ok(embedding) => (UnitQuery::new(&embedding), None),
                Err(error) => (None, Some(format!("searched by words only: {error}"))),
            },
        };
        self.read(owner, |partition| {
            check_dim(partition.dim(), unit.as_ref())?;
            let admitted = partition.admitted(&query.filter)?;
            let weights = &self.config.recall;
            let asked = Asked {
                question: &question,
                embedding: unit.as_ref(),
                now: query.now,
            };
            let (ranked, asked_time) = rank(partition, &admitted, &asked, weights, &self.lexicon, query.k);
            let mut copy = partition.copies();
            let stems = self.lexicon.stems_of(&question.words);
            let evidence: Vec<Evidence> = ranked.iter().map(|ranked| ranked.evidence).collect();
            let relevances = self.config.relevance.relevances(&evidence);
            let ranked = ranked.into_iter().zip(relevances);
            let ranked = ranked.filter(|&(_, relevance)| relevance >= query.min_relevance);
            let memories = ranked.map(|(ranked, relevance)| {
                let matched = question.written.iter().take(64).enumerate();
                let memory = copy(ranked.record)?;
                Ok(RecalledMemory {
                    passage: passage(&memory.text, &stems),
                    memory: Arc::new(memory),
                    score: ranked.score,
                    relevance,
                    copies: ranked.copies.count,
                    last_copy_at: (ranked.copies.count > 0)
                        .then(|| Timestamp::from_millis(ranked.copies.last)),
                    superseded: false,
                    similarity: ranked.similarity,
                    parts: ranked.parts,
                    matched_terms: matched
                        .filter(|(at, _)| ranked.matched >> at & 1 == 1)
                        .map(|(_, word)| word.clone())
                        .collect(),
                })
            });
            let recall = Recall {
                memories: memories.collect::<Result<_, MemoryError>>()?,
                asked_time,
                degraded: degraded.clone(),
            };
            Ok((recall, evidence))
        })
    }

    /// The embedding of a question, turned somewhat towards what was said before it.
    fn embed_question(&self, question: &Question) -> Result<Embedding, MemoryError> {
        let own = self.embedder.embed(&question.text_to_embed)?;
        let Some((context, share)) = &question.context_to_embed else {
            return Ok(own);
        };
        let context = self.embedder.embed(context)?;
        let values = own.values().iter().zip(context.values());
        let mixed: Vec<f32> = values.map(|(own, context)| own + share * context).collect();
        Ok(Embedding::new(own.space(), mixed)?)
    }

    /// The ids of the `k` memories nearest to `embedding`, nearest first, each with its nearness.
    pub(crate) fn nearest(
        &self,
        owner: &OwnerKey,
        embedding: &Embedding,
        filter: &Filter,
        test: Option<TextTest<'_>>,
        k: usize,
        metric: Metric,
    ) -> Result<Vec<(MemoryId, f32)>, MemoryError> {
        check_filter(filter)?;
        self.check_space(embedding)?;
        let unit = UnitQuery::new(embedding);
        let (mut nearest, certainty) = self.read(owner, |partition| {
            check_dim(partition.dim(), unit.as_ref())?;
            let admitted = partition.admitted_with(filter, test)?;
            let (candidates, certainty) = search(partition, &admitted, unit.as_ref(), k, metric);
            let nearest = candidates
                .iter()
                .map(|candidate| {
                    let id = id_of(partition.id(candidate.record))?;
                    Ok((id, candidate.nearness, candidate.open))
                })
                .collect::<Result<Vec<_>, MemoryError>>()?;
            Ok((nearest, certainty))
        })?;
        if certainty == Certainty::Open {
            self.decide(owner, embedding, metric, &mut nearest)?;
        }
        nearest.truncate(k);
        let nearest = nearest.into_iter().map(|(id, nearness, _)| (id, nearness));
        Ok(nearest.collect())
    }

    /// Ranks those whose order is open by the stored embeddings; the equally near stay in their order.
    fn decide(
        &self,
        owner: &OwnerKey,
        query: &Embedding,
        metric: Metric,
        nearest: &mut [(MemoryId, f32, bool)],
    ) -> Result<(), MemoryError> {
        for (id, nearness, _) in nearest.iter_mut().filter(|&&mut (_, _, open)| open) {
            let Some(value) = self.storage.read(Table::Records, &owner.memory(id))? else {
                continue;
            };
            let rows = record::decode(&value)?.rows;
            let exact = rows
                .iter()
                .map(|row| metric.nearness(query.values(), &row.coordinates.to_f32()));
            *nearness = exact.fold(f32::NEG_INFINITY, f32::max);
        }
        nearest.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(())
    }
}

pub(crate) fn id_of(text: &str) -> Result<MemoryId, MemoryError> {
    text.parse()
        .map_err(|error| record::corrupt(&format!("names something impossible: {error}")))
}

fn check_dim(expected: usize, query: Option<&UnitQuery>) -> Result<(), MemoryError> {
    match query {
        Some(query) if expected != 0 && query.dim() != expected => Err(EmbeddingError::DimensionMismatch {
            expected,
            got: query.dim(),
        }
        .into()),
        _ => Ok(()),
    }
}
