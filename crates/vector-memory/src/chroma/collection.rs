//! Records with embeddings, documents and metadata.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use whisperengine_types::{
    Embedding, EmbeddingSpace, Filter, MemoryError, MemoryId, MemoryKind, MemoryOwner, MemoryPatch,
    MemoryRecord, MemoryStore, Timestamp, WriteOp,
};

use super::{
    Client, Get, GetResult, Include, Metadata, Query, QueryResult, Records,
    client::{check_metadata, owner},
    document::DocumentCondition,
    error::{Error, Result, invalid},
    filter,
};
use crate::{
    memory::GIVEN,
    partition::{TextTest, check_filter},
    recall::Metric,
    store::OwnerKey,
};

/// One collection; a handle that is cheap to clone.
#[derive(Debug, Clone)]
pub struct Collection {
    client: Client,
    id: u64,
    owner: MemoryOwner,
}

/// One record of a call, checked.
struct Given {
    id: MemoryId,
    embedding: Option<Embedding>,
    document: Option<String>,
    metadata: Option<Metadata>,
}

/// What happens to a record whose id is there already, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Add,
    Upsert,
    Update,
}

impl Collection {
    pub(super) fn new(client: Client, id: u64) -> Self {
        Self {
            client,
            id,
            owner: owner(id),
        }
    }

    /// Its name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was deleted.
    pub fn name(&self) -> Result<String> {
        Ok(self.client.entry(self.id)?.0)
    }

    /// Its metadata.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was deleted.
    pub fn metadata(&self) -> Result<Option<Metadata>> {
        Ok(self.client.entry(self.id)?.1.metadata)
    }

    /// Gives it another name, other metadata, or both.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], [`Error::InvalidArgument`] or [`Error::NotFound`].
    pub fn modify(&self, name: Option<&str>, metadata: Option<Metadata>) -> Result<()> {
        self.client.modify(self.id, name, metadata)
    }

    /// How many records there are.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Memory`].
    pub fn count(&self) -> Result<usize> {
        self.client.entry(self.id)?;
        Ok(self.client.shared.memory.owner(&self.owner).stats()?.memories)
    }

    /// Adds records; one whose id is there already is left as it is.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], [`Error::DuplicateId`], [`Error::InvalidDimension`], [`Error::NotFound`]
    /// or [`Error::Memory`].
    pub fn add(&self, records: Records) -> Result<()> {
        self.write(records, Mode::Add)
    }

    /// Adds records, and updates those whose id is there already.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn upsert(&self, records: Records) -> Result<()> {
        self.write(records, Mode::Upsert)
    }

    /// Changes what is given of the records; metadata is merged key by key, unknown ids are skipped.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn update(&self, records: Records) -> Result<()> {
        self.write(records, Mode::Update)
    }

    /// The records that meet all conditions, in the order in which they were added.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], [`Error::NotFound`] or [`Error::Memory`].
    pub fn get(&self, get: &Get) -> Result<GetResult> {
        if get.include.contains(&Include::Distances) {
            return invalid("distances are only part of an answer to a query");
        }
        let ids = self.matching(get)?;
        let ids = ids
            .into_iter()
            .skip(get.offset)
            .take(get.limit.unwrap_or(usize::MAX));
        let records = self.records(&ids.collect::<Vec<_>>())?;
        Ok(Self::answer(&records, &get.include))
    }

    /// The first records, with everything.
    ///
    /// # Errors
    /// [`Error::NotFound`] or [`Error::Memory`].
    pub fn peek(&self, limit: usize) -> Result<GetResult> {
        self.get(&Get {
            limit: Some(limit),
            include: vec![Include::Embeddings, Include::Metadatas, Include::Documents],
            ..Get::default()
        })
    }

    /// Removes the records that meet all conditions, and tells which; `limit`, `offset` and `include` mean
    /// nothing here.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] without any condition; [`Error::NotFound`] or [`Error::Memory`].
    pub fn delete(&self, conditions: &Get) -> Result<Vec<String>> {
        let Get {
            ids,
            where_metadata,
            where_document,
            ..
        } = conditions;
        if ids.is_none() && where_metadata.is_none() && where_document.is_none() {
            return invalid("at least one of ids, where, or where_document must be provided");
        }
        let ids = self.matching(conditions)?;
        let delete = |id: &MemoryId| WriteOp::Delete {
            owner: self.owner.clone(),
            id: id.clone(),
        };
        let ops: Vec<WriteOp> = ids.iter().map(delete).collect();
        self.commit(&ops)?;
        Ok(ids.iter().map(ToString::to_string).collect())
    }

    /// The nearest records to each query among those that meet the conditions.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], [`Error::InvalidDimension`], [`Error::NotFound`] or [`Error::Memory`].
    pub fn query(&self, query: &Query) -> Result<QueryResult> {
        if query.n_results == 0 {
            return invalid("number of requested results 0, cannot be negative, or zero");
        }
        let (_, entry) = self.client.entry(self.id)?;
        let filter = filter::parse(query.where_metadata.as_ref())?;
        let document = query.where_document.as_ref();
        let document = document.map(DocumentCondition::parse).transpose()?;
        let mut result = QueryResult {
            embeddings: query.include.contains(&Include::Embeddings).then(Vec::new),
            documents: query.include.contains(&Include::Documents).then(Vec::new),
            metadatas: query.include.contains(&Include::Metadatas).then(Vec::new),
            distances: query.include.contains(&Include::Distances).then(Vec::new),
            ids: Vec::new(),
        };
        for embedding in self.query_embeddings(query)? {
            if let Some(expected) = entry.dim
                && expected != embedding.space().dim()
            {
                let got = embedding.space().dim();
                return Err(Error::InvalidDimension { expected, got });
            }
            self.answer_query(
                &embedding,
                &filter,
                document.as_ref(),
                query,
                entry.metric,
                &mut result,
            )?;
        }
        Ok(result)
    }

    fn answer_query(
        &self,
        embedding: &Embedding,
        filter: &Filter,
        document: Option<&DocumentCondition>,
        query: &Query,
        metric: Metric,
        result: &mut QueryResult,
    ) -> Result<()> {
        let key = OwnerKey::new(&self.owner);
        let shared = &self.client.shared.memory.shared;
        let test = document.map(|document| |text: &str| document.admits(text));
        let test = test.as_ref().map(|test| test as TextTest<'_>);
        let nearest = shared.nearest(&key, embedding, filter, test, query.n_results, metric)?;
        let ids: Vec<MemoryId> = nearest.into_iter().map(|(id, _)| id).collect();
        let records = self.records(&ids)?;
        let answer = Self::answer(&records, &query.include);
        result.ids.push(answer.ids);
        push(&mut result.embeddings, answer.embeddings);
        push(&mut result.documents, answer.documents);
        push(&mut result.metadatas, answer.metadatas);
        let distance = |record: &Arc<MemoryRecord>| {
            let nearness = record
                .embedding
                .as_ref()
                .map_or(0.0, |stored| metric.nearness(embedding.values(), stored.values()));
            if metric == Metric::L2 {
                -nearness
            } else {
                1.0 - nearness
            }
        };
        push(
            &mut result.distances,
            Some(records.iter().map(distance).collect()),
        );
        Ok(())
    }

    fn query_embeddings(&self, query: &Query) -> Result<Vec<Embedding>> {
        match (&query.embeddings, &query.texts) {
            (Some(embeddings), None) if !embeddings.is_empty() => embeddings
                .iter()
                .map(|values| embedding(values.clone()))
                .collect(),
            (None, Some(texts)) if !texts.is_empty() => self.embed(texts),
            (Some(_), Some(_)) => {
                invalid("you must provide either query_embeddings or query_texts, not both")
            }
            _ => invalid("you must provide one of query_embeddings, query_texts"),
        }
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>> {
        let Some(embedder) = &self.client.shared.embedder else {
            return invalid("you must provide an embedding function to compute embeddings");
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let made = embedder.embed_batch(&texts)?;
        made.iter()
            .map(|made| embedding(made.values().to_vec()))
            .collect()
    }

    fn write(&self, records: Records, mode: Mode) -> Result<()> {
        self.client.entry(self.id)?;
        let given = self.check(records, mode)?;
        let ids: Vec<MemoryId> = given.iter().map(|given| given.id.clone()).collect();
        let present = self.client.shared.memory.get(&self.owner, &ids)?;
        let ops: Vec<WriteOp> = given
            .into_iter()
            .zip(present)
            .filter_map(|(given, present)| match (mode, present) {
                (Mode::Add, Some(_)) | (Mode::Update, None) => None,
                (Mode::Add | Mode::Upsert, None) => Some(self.store(given)),
                (_, Some(present)) => Some(self.change(given, &present)),
            })
            .collect();
        self.commit(&ops)
    }

    fn check(&self, records: Records, mode: Mode) -> Result<Vec<Given>> {
        let Records {
            ids,
            embeddings,
            documents,
            metadatas,
        } = records;
        if ids.is_empty() {
            return invalid("expected IDs to be a non-empty list, got 0 IDs");
        }
        check_unique(&ids)?;
        let lengths = [
            ("embeddings", embeddings.as_ref().map(Vec::len)),
            ("documents", documents.as_ref().map(Vec::len)),
            ("metadatas", metadatas.as_ref().map(Vec::len)),
        ];
        for (what, length) in lengths {
            if let Some(length) = length.filter(|&length| length != ids.len()) {
                return invalid(format!(
                    "unequal lengths for fields: ids {}, {what} {length}",
                    ids.len()
                ));
            }
        }
        let embeddings: Vec<Option<Embedding>> = match (embeddings, &documents) {
            (Some(embeddings), _) => embeddings
                .into_iter()
                .map(|values| embedding(values).map(Some))
                .collect::<Result<_>>()?,
            (None, Some(documents)) => self.embed(documents)?.into_iter().map(Some).collect(),
            (None, None) if mode == Mode::Update => vec![None; ids.len()],
            (None, None) => return invalid("you must provide either embeddings or documents"),
        };
        for embedding in embeddings.iter().flatten() {
            self.client.settle_dim(self.id, embedding.space().dim())?;
        }
        let mut documents = documents.map(Vec::into_iter);
        let mut metadatas = metadatas.map(Vec::into_iter);
        let mut given = Vec::with_capacity(ids.len());
        for (id, embedding) in ids.into_iter().zip(embeddings) {
            let metadata = metadatas.as_mut().and_then(Iterator::next).flatten();
            check_metadata(metadata.as_ref())?;
            given.push(Given {
                id: parse_id(&id)?,
                embedding,
                document: documents.as_mut().and_then(Iterator::next),
                metadata,
            });
        }
        Ok(given)
    }

    fn store(&self, given: Given) -> WriteOp {
        let kind = if given.document.is_some() {
            MemoryKind::Document
        } else {
            MemoryKind::Message
        };
        let text = given.document.unwrap_or_default();
        let mut record = MemoryRecord::new(given.id, text, Timestamp::default());
        record.kind = kind;
        record.embedding = given.embedding;
        record.metadata = given.metadata.unwrap_or_default();
        WriteOp::Store {
            owner: self.owner.clone(),
            record: Arc::new(record),
        }
    }

    fn change(&self, given: Given, present: &MemoryRecord) -> WriteOp {
        // A record that had no document becomes one that has: its kind changes too.
        if given.document.is_some() && present.kind != MemoryKind::Document {
            let mut metadata = present.metadata.clone();
            metadata.extend(given.metadata.unwrap_or_default());
            return self.store(Given {
                embedding: given.embedding.or_else(|| present.embedding.clone()),
                metadata: Some(metadata),
                ..given
            });
        }
        WriteOp::Update {
            owner: self.owner.clone(),
            id: given.id,
            patch: Arc::new(MemoryPatch {
                text: given.document,
                embedding: given.embedding,
                metadata: given.metadata.unwrap_or_default(),
                ..MemoryPatch::default()
            }),
        }
    }

    /// The ids that meet the conditions, in the order in which they were added.
    fn matching(&self, get: &Get) -> Result<Vec<MemoryId>> {
        self.client.entry(self.id)?;
        let filter = filter::parse(get.where_metadata.as_ref())?;
        check_filter(&filter)?;
        let document = get.where_document.as_ref();
        let document = document.map(DocumentCondition::parse).transpose()?;
        let test = document
            .as_ref()
            .map(|document| |text: &str| document.admits(text));
        let test = test.as_ref().map(|test| test as TextTest<'_>);
        let wanted = match &get.ids {
            Some(ids) => {
                check_unique(ids)?;
                Some(ids.iter().map(String::as_str).collect::<HashSet<&str>>())
            }
            None => None,
        };
        let shared = &self.client.shared.memory.shared;
        let mut found = shared.read(&OwnerKey::new(&self.owner), |partition| {
            let admitted = partition.admitted_with(&filter, test)?;
            let records = partition.in_id_order().iter().copied();
            let records = records.filter(|&record| admitted[record as usize]);
            let records = records.filter(|&record| {
                wanted
                    .as_ref()
                    .is_none_or(|ids| ids.contains(partition.id(record)))
            });
            records
                .map(|record| Ok((partition.seq(record), crate::owner::id_of(partition.id(record))?)))
                .collect::<Result<Vec<_>, MemoryError>>()
        })?;
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    fn records(&self, ids: &[MemoryId]) -> Result<Vec<Arc<MemoryRecord>>> {
        let records = self.client.shared.memory.get(&self.owner, ids)?;
        Ok(records.into_iter().flatten().collect())
    }

    fn answer(records: &[Arc<MemoryRecord>], include: &[Include]) -> GetResult {
        let embedding = |record: &Arc<MemoryRecord>| {
            let values = record
                .embedding
                .as_ref()
                .map(|embedding| embedding.values().to_vec());
            values.unwrap_or_default()
        };
        let document =
            |record: &Arc<MemoryRecord>| (record.kind == MemoryKind::Document).then(|| record.text.clone());
        let metadata =
            |record: &Arc<MemoryRecord>| (!record.metadata.is_empty()).then(|| record.metadata.clone());
        let wants = |part| include.contains(&part);
        GetResult {
            ids: records.iter().map(|record| record.id.to_string()).collect(),
            embeddings: wants(Include::Embeddings).then(|| records.iter().map(embedding).collect()),
            documents: wants(Include::Documents).then(|| records.iter().map(document).collect()),
            metadatas: wants(Include::Metadatas).then(|| records.iter().map(metadata).collect()),
        }
    }

    fn commit(&self, ops: &[WriteOp]) -> Result<()> {
        for result in self.client.shared.memory.commit(ops) {
            result?;
        }
        Ok(())
    }
}

fn push<T>(lists: &mut Option<Vec<Vec<T>>>, list: Option<Vec<T>>) {
    if let (Some(lists), Some(list)) = (lists, list) {
        lists.push(list);
    }
}

fn embedding(values: Vec<f32>) -> Result<Embedding> {
    if values.is_empty() {
        return invalid("expected each embedding to be a non-empty list of numbers");
    }
    Ok(Embedding::new(
        &EmbeddingSpace::new(GIVEN, values.len())?,
        values,
    )?)
}

fn parse_id(id: &str) -> Result<MemoryId> {
    id.parse()
        .or_else(|error| invalid(format!("expected ID to be usable: {error}")))
}

fn check_unique(ids: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    let repeated: BTreeSet<&String> = ids.iter().filter(|id| !seen.insert(id.as_str())).collect();
    if repeated.is_empty() {
        return Ok(());
    }
    Err(Error::DuplicateId {
        ids: repeated.into_iter().cloned().collect(),
    })
}
