//! Whatever is done to a store, its answers are those of a list of records that is searched one by one.
#![allow(clippy::type_complexity, reason = "a table of cases")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use proptest::prelude::*;
use support::{Numbers, at, id, person};
use whisperengine_types::{
    Comparison, Embedding, EmbeddingSpace, Filter, MemoryKind, MemoryPatch, MemoryRecord, MetadataValue,
    RecallQuery,
};
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

const OWNERS: usize = 4;
const DIM: usize = 8;

/// The ids, texts and embeddings are drawn from so few that owners collide all the time.
#[derive(Debug, Clone)]
enum Step {
    Store { owner: usize, id: usize, content: u64 },
    Update { owner: usize, id: usize, content: u64 },
    Delete { owner: usize, id: usize },
    ForgetAll { owner: usize },
    PageOut,
    Reopen,
    Compare { owner: usize, content: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (owner, id, content) = (0..OWNERS, 0..12_usize, 0..40_u64);
    let store = (owner.clone(), id.clone(), content.clone());
    let update = (owner.clone(), id.clone(), content.clone());
    let step = prop_oneof![
        10 => store.prop_map(|(owner, id, content)| Step::Store { owner, id, content }),
        3 => update.prop_map(|(owner, id, content)| Step::Update { owner, id, content }),
        3 => (owner.clone(), id).prop_map(|(owner, id)| Step::Delete { owner, id }),
        1 => owner.clone().prop_map(|owner| Step::ForgetAll { owner }),
        1 => Just(Step::PageOut),
        1 => Just(Step::Reopen),
        6 => (owner, content).prop_map(|(owner, content)| Step::Compare { owner, content }),
    ];
    prop::collection::vec(step, 1..80)
}

fn space() -> EmbeddingSpace {
    EmbeddingSpace::new("words", DIM).unwrap()
}

fn embedding(content: u64) -> Embedding {
    Numbers(content % 10).embedding(&space())
}

fn record(name: usize, content: u64) -> MemoryRecord {
    let words = ["dog", "lake", "sunset", "paint", "sister"];
    let text = format!("{} {}", words[content as usize % 5], words[content as usize % 3]);
    let mut record = MemoryRecord::new(id(&format!("m{name}")), text, at(content as i64));
    record.embedding = Some(embedding(content));
    record.kind = if content.is_multiple_of(2) {
        MemoryKind::Fact
    } else {
        MemoryKind::Message
    };
    record.importance = content as f32 / 40.0;
    record.session = (!content.is_multiple_of(3)).then(|| format!("s{}", content % 4).parse().unwrap());
    record
        .metadata
        .insert("n".to_owned(), MetadataValue::Int(content as i64 % 7));
    record
}

fn open(path: &Path) -> VectorMemory {
    let mut config = VectorMemoryConfig::default();
    // One or two partitions and the words: every other access pages something in and out.
    config.partition_budget_bytes = 9000;
    VectorMemory::open(path, Arc::new(support::WordEmbedder::new(DIM)), config).unwrap()
}

fn filters(content: u64) -> Vec<(Filter, Box<dyn Fn(&MemoryRecord) -> bool>)> {
    let n = content as i64 % 7;
    let metadata = |is| Filter::Metadata {
        key: "n".to_owned(),
        is,
    };
    let is_n = move |record: &MemoryRecord| record.metadata["n"] == MetadataValue::Int(n);
    vec![
        (Filter::Any, Box::new(|_| true)),
        (metadata(Comparison::Eq(MetadataValue::Int(n))), Box::new(is_n)),
        (
            Filter::Or(vec![
                Filter::Kind(vec![MemoryKind::Fact]),
                Filter::Not(Box::new(Filter::TextContains("dog".to_owned()))),
            ]),
            Box::new(|record| record.kind == MemoryKind::Fact || !record.text.contains("dog")),
        ),
        (
            Filter::And(vec![
                Filter::SentAt {
                    from: Some(at(5)),
                    until: Some(at(30)),
                },
                Filter::ImportanceAtLeast(0.3),
            ]),
            Box::new(|r| r.sent_at >= at(5) && r.sent_at < at(30) && r.importance >= 0.3),
        ),
    ]
}

type Model = Vec<BTreeMap<String, MemoryRecord>>;

fn compare(memory: &VectorMemory, model: &Model, owner: usize, content: u64) -> Result<(), TestCaseError> {
    let door = memory.owner(&person(&format!("u{owner}")));
    let listed: Vec<MemoryRecord> = door
        .list(None, 1000)
        .unwrap()
        .iter()
        .map(|r| (**r).clone())
        .collect();
    let expected: Vec<MemoryRecord> = model[owner].values().cloned().collect();
    prop_assert_eq!(&listed, &expected);
    let query = embedding(content);
    for (filter, admits) in filters(content) {
        let mut best: Vec<f32> = expected
            .iter()
            .filter(|record| admits(record))
            .map(|record| {
                query
                    .similarity(record.embedding.as_ref().unwrap())
                    .unwrap()
                    .value()
            })
            .collect();
        best.sort_by(|a, b| b.total_cmp(a));
        for k in [1, 3, 100] {
            let hits = door.search(&query, k, &filter).unwrap();
            prop_assert_eq!(hits.len(), best.len().min(k), "{:?}", filter);
            for (hit, best) in hits.iter().zip(&best) {
                let record = &model[owner][hit.id.as_str()];
                prop_assert!(admits(record));
                let exact = query
                    .similarity(record.embedding.as_ref().unwrap())
                    .unwrap()
                    .value();
                prop_assert!((hit.similarity.value() - exact).abs() < 1e-4);
                // Ranks are exact, so the hit is as near as the best record of its rank.
                prop_assert!((exact - best).abs() < 1e-6, "{} instead of {}", exact, best);
            }
        }
        let mut question = RecallQuery::new("Who painted the dog?", 100, at(50));
        question.filter = filter;
        let recall = door.recall(&question).unwrap();
        let with_copies = recall.memories.iter().map(|hit| 1 + hit.copies as usize);
        prop_assert_eq!(with_copies.sum::<usize>(), best.len());
        for hit in &recall.memories {
            let mut expected = model[owner][hit.memory.id.as_str()].clone();
            prop_assert!(admits(&expected));
            expected.embedding = None;
            prop_assert_eq!(&*hit.memory, &expected);
            let parts = hit.parts;
            let sum = parts.dense + parts.lexical + parts.neighbours + parts.speaker + parts.prior;
            prop_assert!((sum - hit.score).abs() < 1e-5);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn answers_equal_those_of_a_list(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = open(folder.path());
        let mut model: Model = vec![BTreeMap::new(); OWNERS];
        for step in steps {
            match step {
                Step::Store { owner, id, content } => {
                    let record = record(id, content);
                    memory.owner(&person(&format!("u{owner}"))).remember(record.clone()).unwrap();
                    model[owner].insert(record.id.to_string(), record);
                }
                Step::Update { owner, id: name, content } => {
                    let name = format!("m{name}");
                    let patch = MemoryPatch {
                        embedding: Some(embedding(content)),
                        importance: Some(content as f32 / 40.0),
                        ..MemoryPatch::default()
                    };
                    let result = memory.owner(&person(&format!("u{owner}"))).update(&id(&name), patch);
                    prop_assert_eq!(result.is_ok(), model[owner].contains_key(&name));
                    if let Some(record) = model[owner].get_mut(&name) {
                        record.embedding = Some(embedding(content));
                        record.importance = content as f32 / 40.0;
                    }
                }
                Step::Delete { owner, id: name } => {
                    let name = format!("m{name}");
                    memory.owner(&person(&format!("u{owner}"))).forget(&id(&name)).unwrap();
                    model[owner].remove(&name);
                }
                Step::ForgetAll { owner } => {
                    memory.owner(&person(&format!("u{owner}"))).forget_all().unwrap();
                    model[owner].clear();
                }
                Step::PageOut => memory.page_out(),
                Step::Reopen => {
                    drop(memory);
                    memory = open(folder.path());
                }
                Step::Compare { owner, content } => compare(&memory, &model, owner, content)?,
            }
        }
        for owner in 0..OWNERS {
            compare(&memory, &model, owner, 7)?;
        }
    }
}
