//! Faults of the storage underneath, which only a substitute can have at will.

use std::{
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use whisperengine_types::{
    Filter, MemoryError, MemoryOwner, MemoryRecord, RecallQuery, Timestamp, ZeroEmbedder,
};

use crate::{
    VectorMemory, VectorMemoryConfig,
    memory::Spaces,
    store::{Bytes, Change, Storage, Table, Visit, VolatileStorage},
};

/// Refuses commits while `broken`, as a full disk does; calls `gate` before each commit.
struct FaultyStorage {
    inner: VolatileStorage,
    broken: AtomicBool,
    gate: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl std::fmt::Debug for FaultyStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FaultyStorage")
    }
}

impl Storage for FaultyStorage {
    fn read(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, MemoryError> {
        self.inner.read(table, key)
    }

    fn visit(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut Visit<'_>,
    ) -> Result<(), MemoryError> {
        self.inner.visit(table, prefix, after, visit)
    }

    fn commit(&self, changes: Vec<Change>) -> Result<(), MemoryError> {
        if let Some(gate) = &*self.gate.lock().unwrap() {
            gate();
        }
        if self.broken.load(Ordering::SeqCst) {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(MemoryError::Unavailable {
                reason: "a write failed".to_owned(),
                source: Some(Arc::new(full)),
            });
        }
        self.inner.commit(changes)
    }

    fn compact(&self) -> Result<(), MemoryError> {
        self.inner.compact()
    }

    fn disk_bytes(&self) -> u64 {
        self.inner.disk_bytes()
    }
}

fn store() -> (Arc<FaultyStorage>, VectorMemory) {
    let storage = Arc::new(FaultyStorage {
        inner: VolatileStorage::default(),
        broken: AtomicBool::new(false),
        gate: Mutex::new(None),
    });
    let embedder = Arc::new(ZeroEmbedder::default());
    let config = VectorMemoryConfig::default();
    let memory = VectorMemory::with_storage(Arc::clone(&storage) as _, embedder, Spaces::Embedders, config);
    (storage, memory.unwrap())
}

fn person(user: &str) -> MemoryOwner {
    MemoryOwner::person("bot".parse().unwrap(), user.parse().unwrap())
}

fn record(id: &str) -> MemoryRecord {
    MemoryRecord::new(
        id.parse().unwrap(),
        format!("the text of {id}"),
        Timestamp::default(),
    )
}

#[test]
fn a_full_disk_stops_acknowledging_and_loses_nothing_acknowledged() {
    let (storage, memory) = store();
    let ana = memory.owner(&person("ana"));
    ana.remember(record("kept")).unwrap();
    assert_eq!(ana.stats().unwrap().memories, 1);
    storage.broken.store(true, Ordering::SeqCst);
    let refused = ana.remember(record("refused"));
    assert!(
        matches!(&refused, Err(MemoryError::ReadOnly { reason }) if reason.contains("no storage space")),
        "{refused:?}"
    );
    // What happened to the failed write nobody knows, so the store stays closed until it is reopened.
    storage.broken.store(false, Ordering::SeqCst);
    for refused in [
        ana.remember(record("later")),
        ana.forget(&"kept".parse().unwrap()),
        ana.forget_all(),
    ] {
        assert!(
            matches!(refused, Err(MemoryError::ReadOnly { .. })),
            "{refused:?}"
        );
    }
    assert!(memory.read_only().is_some());
    let query = RecallQuery::new("text", 10, Timestamp::default());
    let found = ana.recall(&query).unwrap().memories;
    assert_eq!(found.len(), 1);
    assert_eq!(ana.list(None, 10).unwrap().len(), 1);
    assert_eq!(ana.matching(&Filter::Any).unwrap(), ["kept".parse().unwrap()]);
}

#[test]
fn reading_waits_for_no_commit() {
    let (storage, memory) = store();
    let (ana, bo) = (memory.owner(&person("ana")), memory.owner(&person("bo")));
    ana.remember(record("a")).unwrap();
    bo.remember(record("b")).unwrap();
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    *storage.gate.lock().unwrap() = Some(Box::new(move || {
        begun.send(()).unwrap();
        released.recv().unwrap();
    }));
    thread::scope(|scope| {
        let writer = scope.spawn(|| ana.remember(record("a2")).unwrap());
        has_begun.recv().unwrap();
        // The commit of ana is under way for as long as this block takes.
        assert_eq!(bo.stats().unwrap().memories, 1);
        assert_eq!(bo.list(None, 10).unwrap().len(), 1);
        assert_eq!(ana.stats().unwrap().memories, 1, "not acknowledged, not visible");
        assert!(!writer.is_finished());
        release.send(()).unwrap();
    });
    *storage.gate.lock().unwrap() = None;
    assert_eq!(ana.stats().unwrap().memories, 2);
}

#[test]
fn writers_that_arrive_during_a_commit_share_the_next() {
    let (storage, memory) = store();
    let commits = Arc::new(Mutex::new(0));
    let (begun, has_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let counter = Arc::clone(&commits);
    *storage.gate.lock().unwrap() = Some(Box::new(move || {
        *counter.lock().unwrap() += 1;
        begun.send(()).unwrap();
        released.recv().unwrap();
    }));
    let writers = 8;
    let ready = Barrier::new(writers + 1);
    thread::scope(|scope| {
        let first = memory.owner(&person("first"));
        scope.spawn(move || first.remember(record("m")).unwrap());
        has_begun.recv().unwrap();
        for writer in 0..writers {
            let (memory, ready) = (&memory, &ready);
            scope.spawn(move || {
                ready.wait();
                memory
                    .owner(&person(&writer.to_string()))
                    .remember(record("m"))
                    .unwrap();
            });
        }
        ready.wait();
        while memory.shared.commits.waiting() < writers {
            thread::yield_now();
        }
        release.send(()).unwrap();
        has_begun.recv().unwrap();
        release.send(()).unwrap();
    });
    assert_eq!(*commits.lock().unwrap(), 2);
}
