//! Stores only: many writers, one writer, and the store fed directly with the same batches.

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use indicatif::ProgressBar;
use whisperengine_examples::measure::{self, Latencies};
use whisperengine_memory_batcher::{Config, MemoryBatcher};
use whisperengine_types::{EmbeddingSpace, MemoryOwner, MemoryRecord, MemoryStore, WriteOp, ZeroEmbedder};
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

use crate::{
    store::Watched,
    workload::{owner, record, store},
};

/// Who writes how much, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    pub writers: usize,
    pub per_writer: usize,
    pub owners: usize,
    pub parallel_commits: Option<usize>,
}

/// One run of many writers.
pub struct Run {
    pub stores: usize,
    pub wall: Duration,
    pub latencies: Latencies,
    pub commits: Vec<(usize, Duration)>,
    pub lost: usize,
}

impl Run {
    pub fn per_second(&self) -> f64 {
        self.stores as f64 / self.wall.as_secs_f64()
    }

    pub fn commit_latencies(&self) -> Latencies {
        let mut latencies = Latencies::default();
        for &(_, took) in &self.commits {
            latencies.record(took);
        }
        latencies
    }
}

pub fn open(folder: &Path) -> Result<VectorMemory, Box<dyn Error>> {
    let embedder = Arc::new(ZeroEmbedder::of(EmbeddingSpace::new("bench", 256)?));
    Ok(VectorMemory::open(
        folder,
        embedder,
        VectorMemoryConfig::default(),
    )?)
}

/// `writers` tasks, each of which stores its records one after the other; afterwards the store is opened
/// anew and every acknowledged record is looked up.
pub async fn many(folder: &Path, offer: Offer, bar: &ProgressBar) -> Result<Run, Box<dyn Error>> {
    let Offer {
        writers,
        per_writer,
        owners,
        parallel_commits,
    } = offer;
    let mut config = Config::default();
    if let Some(commits) = parallel_commits {
        config.parallel_commits = commits;
    }
    let memory = open(folder)?;
    let space = memory.space().clone();
    let watched = Watched::new(memory);
    let batcher = MemoryBatcher::start(watched.clone(), config)?;
    let mut lists = Vec::new();
    for writer in 0..writers {
        let list: Vec<(MemoryOwner, MemoryRecord)> = (0..per_writer)
            // In turn: at any time the writers write for as many owners as a batch of the store fed directly has.
            .map(|n| (n * writers + writer) as u64)
            .map(|n| (owner(n as usize % owners), record(n, &space)))
            .collect();
        lists.push(list);
    }
    let expected: Vec<(MemoryOwner, MemoryRecord)> = lists.iter().flatten().cloned().collect();
    let from = measure::now();
    let mut tasks = tokio::task::JoinSet::new();
    for list in lists {
        let (batcher, bar) = (batcher.clone(), bar.clone());
        tasks.spawn(async move {
            let mut latencies = Latencies::default();
            for (n, (owner, record)) in list.into_iter().enumerate() {
                let from = measure::now();
                batcher.store(&owner, record).await?;
                latencies.record(from.elapsed());
                if n % 64 == 0 {
                    bar.inc(64);
                }
            }
            Ok::<_, whisperengine_memory_batcher::BatcherError>(latencies)
        });
    }
    let mut latencies = Latencies::default();
    while let Some(done) = tasks.join_next().await {
        latencies.merge(&done??);
    }
    let wall = from.elapsed();
    let commits = watched.take_commits();
    batcher.shutdown(Duration::from_secs(10)).await?;
    drop(batcher);
    let memory = reopen(watched, folder)?;
    let lost = lost(&memory, &expected)?;
    Ok(Run {
        stores: expected.len(),
        wall,
        latencies,
        commits,
        lost,
    })
}

/// The same records, given to the store in batches of the sizes given.
pub fn direct(folder: &Path, sizes: &[usize], owners: usize) -> Result<Run, Box<dyn Error>> {
    let memory = open(folder)?;
    let space = memory.space().clone();
    let stores: usize = sizes.iter().sum();
    let ops: Vec<WriteOp> = (0..stores as u64)
        .map(|n| store(&owner(n as usize % owners), record(n, &space)))
        .collect();
    let watched = Watched::new(memory);
    let from = measure::now();
    let mut rest = &ops[..];
    for &size in sizes {
        let (batch, later) = rest.split_at(size);
        for result in watched.commit(batch) {
            result?;
        }
        rest = later;
    }
    let wall = from.elapsed();
    let commits = watched.take_commits();
    Ok(Run {
        stores,
        wall,
        latencies: Latencies::default(),
        commits,
        lost: 0,
    })
}

/// One writer with a record in hand, one store at a time, through the batcher and directly in turns of
/// [`BLOCK`]; median latencies.
pub async fn one(folder: &Path, stores: usize) -> Result<(Duration, Duration), Box<dyn Error>> {
    let memory = open(folder)?;
    let space = memory.space().clone();
    let memory = Arc::new(memory);
    let batcher = MemoryBatcher::start(memory.clone(), Config::default())?;
    let ana = owner(0);
    let (mut through, mut direct) = (Latencies::default(), Latencies::default());
    let mut ids = 0..;
    let mut next = || record(ids.next().expect("numbers do not end"), &space);
    for _ in 0..stores.div_ceil(BLOCK) {
        for record in (0..BLOCK).map(|_| next()).collect::<Vec<_>>() {
            let from = measure::now();
            batcher.store(&ana, record).await?;
            through.record(from.elapsed());
        }
        for record in (0..BLOCK).map(|_| next()).collect::<Vec<_>>() {
            let from = measure::now();
            memory
                .commit(&[store(&ana, record)])
                .pop()
                .expect("one result for one operation")?;
            direct.record(from.elapsed());
        }
    }
    Ok((through.quantile(0.5), direct.quantile(0.5)))
}

fn lost(memory: &VectorMemory, expected: &[(MemoryOwner, MemoryRecord)]) -> Result<usize, Box<dyn Error>> {
    let mut lost = 0;
    for (owner, record) in expected {
        let found = memory.get(owner, std::slice::from_ref(&record.id))?;
        lost += usize::from(found[0].as_ref().is_none_or(|found| found.text != record.text));
    }
    Ok(lost)
}

/// Opens the store again once the batcher's threads have let go of it.
fn reopen(watched: Arc<Watched<VectorMemory>>, folder: &Path) -> Result<VectorMemory, Box<dyn Error>> {
    let mut watched = watched;
    loop {
        match Arc::try_unwrap(watched) {
            Ok(only) => {
                drop(only);
                return open(folder);
            }
            Err(shared) => watched = shared,
        }
        std::thread::yield_now();
    }
}

const BLOCK: usize = 50;
