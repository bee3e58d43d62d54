//! Export, import and re-embedding carry everything over.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use support::{embedder, id, in_memory, open, person, record};
use whisperengine_types::{Embedder, Filter, MemoryRecord, MemoryStore, MetadataValue, RecallQuery, WriteOp};
use whisperengine_vector_memory::{Error, VectorMemory, VectorMemoryConfig};

fn fill(memory: &VectorMemory) {
    for user in ["ana", "bo"] {
        let records = (0..300).map(|n| record(&format!("m{n}"), &format!("{user} says {n}")));
        for result in memory.owner(&person(user)).remember_all(records) {
            result.unwrap();
        }
    }
    let put = WriteOp::PutState {
        owner: person("ana"),
        state: b"\x00\xffstate"[..].into(),
    };
    memory.commit(&[put])[0].as_ref().unwrap();
}

#[test]
fn an_export_imports_as_the_same_store() {
    let (from, to) = (in_memory(), in_memory());
    fill(&from);
    let mut lines = Vec::new();
    let mut told = 0;
    assert_eq!(from.owners().unwrap(), [person("ana"), person("bo")]);
    let written = from
        .export(&from.owners().unwrap(), &mut lines, |n| told = n)
        .unwrap();
    assert_eq!((written, told), (601, 601));
    for _ in 0..2 {
        assert_eq!(to.import(&*lines, |n| told = n).unwrap(), 601);
        for user in ["ana", "bo"] {
            let (a, b) = (
                from.scan(&person(user), None, 1000),
                to.scan(&person(user), None, 1000),
            );
            assert_eq!(a.unwrap(), b.unwrap());
        }
        assert_eq!(
            to.state(&person("ana")).unwrap().as_deref(),
            Some(&b"\x00\xffstate"[..])
        );
    }
}

#[test]
fn a_broken_line_is_named() {
    let memory = in_memory();
    let good = r#"{"memory":{"owner":{"person":{"bot":"b","user":"u"}},"record":{"id":"m","text":"x","sent_at":0}}}"#;
    let result = memory.import(format!("{good}\n\n{{\"memory\":1}}\n").as_bytes(), |_| {});
    assert!(matches!(result, Err(Error::Line { line: 3, .. })), "{result:?}");
    assert_eq!(memory.owners().unwrap().len(), 1);
}

#[test]
fn a_store_moves_into_another_space() {
    let folder = tempfile::tempdir().unwrap();
    fill(&open(folder.path()));
    let config = VectorMemoryConfig::default();
    let new = support::WordEmbedder::new(4096);
    let mut told = 0;
    assert_eq!(
        VectorMemory::reembed(folder.path(), &new, &config, |n| told = n).unwrap(),
        600
    );
    assert_eq!(told, 600);
    let old = VectorMemory::open(folder.path(), embedder(), config.clone());
    assert!(matches!(old, Err(Error::Space { .. })), "{old:?}");
    let memory = VectorMemory::open(
        folder.path(),
        Arc::new(support::WordEmbedder::new(4096)),
        config.clone(),
    )
    .unwrap();
    let ana = memory.owner(&person("ana"));
    let stored = ana.get(&id("m7")).unwrap().unwrap();
    assert_eq!(stored.embedding.as_ref().unwrap().space().dim(), 4096);
    assert_eq!(
        ana.search(stored.embedding.as_ref().unwrap(), 1, &Filter::Any)
            .unwrap()[0]
            .id,
        id("m7")
    );
    let query = RecallQuery::new("says 7", 1, support::at(0));
    assert_eq!(ana.recall(&query).unwrap().memories[0].memory.id, id("m7"));
    assert_eq!(
        memory.state(&person("ana")).unwrap().as_deref(),
        Some(&b"\x00\xffstate"[..])
    );
    drop((memory, ana));
    assert_eq!(
        VectorMemory::reembed(folder.path(), &new, &config, |_| ()).unwrap(),
        0
    );
}

#[test]
fn floats_survive_an_export_to_the_bit() {
    let (from, to) = (in_memory(), in_memory());
    let mut numbers = support::Numbers(3);
    let mut record = record("m", "floats");
    let mut add = |value: f64| {
        let key = format!("f{}", record.metadata.len());
        record.metadata.insert(key, MetadataValue::Float(value));
    };
    [0.1, -0.0, f64::MIN_POSITIVE, 5e-324, f64::MAX, 1.0 / 3.0]
        .into_iter()
        .for_each(&mut add);
    let any = std::iter::from_fn(|| Some(f64::from_bits(numbers.next())));
    any.filter(|value| value.is_finite()).take(200).for_each(&mut add);
    from.owner(&person("ana")).remember(record.clone()).unwrap();
    let mut lines = Vec::new();
    from.export(&[person("ana")], &mut lines, |_| ()).unwrap();
    to.import(&*lines, |_| ()).unwrap();
    let imported = to.owner(&person("ana")).get(&id("m")).unwrap().unwrap();
    let bits = |record: &MemoryRecord| -> Vec<(String, u64)> {
        let value = |value: &MetadataValue| match value {
            MetadataValue::Float(value) => value.to_bits(),
            other => panic!("{other:?}"),
        };
        let pairs = record.metadata.iter();
        pairs.map(|(key, of)| (key.clone(), value(of))).collect()
    };
    assert_eq!(bits(&imported), bits(&record));
}

#[test]
fn re_embedding_replaces_the_names_of_everyone_who_spoke() {
    let folder = tempfile::tempdir().unwrap();
    let memory = open(folder.path());
    let ana = memory.owner(&person("ana"));
    for (name, speaker, text) in [("m1", "Ana", "Bo sings"), ("m2", "Bo", "Ana paints")] {
        let mut record = record(name, text);
        record.speaker = Some(speaker.to_owned());
        ana.remember(record).unwrap();
    }
    let bo = memory.owner(&person("bo"));
    bo.remember(record("m1", "Ana paints")).unwrap();
    drop((memory, ana, bo));
    let new: Arc<dyn Embedder> = Arc::new(support::WordEmbedder::new(4096));
    let config = VectorMemoryConfig::default();
    VectorMemory::reembed(folder.path(), &*new, &config, |_| ()).unwrap();
    let memory = VectorMemory::open(folder.path(), Arc::clone(&new), config).unwrap();
    for (user, name, embedded) in [
        ("ana", "m1", "they sings"),
        ("ana", "m2", "they paints"),
        ("bo", "m1", "Ana paints"),
    ] {
        let stored = memory.owner(&person(user)).get(&id(name)).unwrap().unwrap();
        let similarity = stored
            .embedding
            .unwrap()
            .similarity(&new.embed(embedded).unwrap());
        assert!(similarity.unwrap().value() > 0.999, "{user} {name}");
    }
}
