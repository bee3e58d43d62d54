//! Stores and queries mixed, with repeats: what the query cache saves, and what it all costs.

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use indicatif::ProgressBar;
use whisperengine_examples::measure::{self, Latencies};
use whisperengine_memory_batcher::{CacheConfig, CacheStats, CachedRecall, Config, MemoryBatcher, Stats};
use whisperengine_types::{EmbeddingSpace, MemoryError, MemoryRecall, MemoryStore, WriteOp};

use crate::{
    store::NoLatency,
    stores::open,
    workload::{Mix, Step, Trace, owner, trace},
};

/// What came of traces.
#[derive(Debug, Default)]
pub struct Outcome {
    pub steps: usize,
    pub wall: Duration,
    pub cpu: Duration,
    pub latencies: Latencies,
    pub writes: Stats,
    pub recalls: CacheStats,
    /// Answers that were compared with the store's own, and those that differed.
    pub checked: u64,
    pub stale: u64,
    pub queries: u64,
    pub ideal_hits: u64,
}

/// How large a trace is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub writers: usize,
    pub steps_per_writer: usize,
    pub owners_per_writer: usize,
}

/// On the durable store; every fourth answer is compared with what the store itself answers.
pub async fn durable(
    folder: &Path,
    size: Size,
    mix: Mix,
    bar: &ProgressBar,
) -> Result<Outcome, Box<dyn Error>> {
    let memory = Arc::new(open(folder)?);
    let space = memory.space().clone();
    run(&memory, Some(memory.clone()), size, mix, &space, bar).await
}

/// On a store that takes no time: the batcher's own cost.
pub async fn no_latency(size: Size, mix: Mix, bar: &ProgressBar) -> Result<Outcome, Box<dyn Error>> {
    let memory = Arc::new(NoLatency::default());
    let space = EmbeddingSpace::new("bench", 4)?;
    run(&memory, None, size, mix, &space, bar).await
}

async fn run<S: MemoryStore + MemoryRecall + 'static>(
    memory: &Arc<S>,
    judge: Option<Arc<dyn MemoryRecall>>,
    size: Size,
    mix: Mix,
    space: &EmbeddingSpace,
    bar: &ProgressBar,
) -> Result<Outcome, Box<dyn Error>> {
    let recall = CachedRecall::new(memory.clone(), CacheConfig::default());
    let batcher = MemoryBatcher::start(recall.store(memory.clone()), Config::default())?;
    let mut sum = Outcome::default();
    let mut left = size.steps_per_writer;
    let mut seed = 1;
    while left > 0 {
        // In portions that fit a cache, since a caller's own data is seldom cold.
        let steps = left.min(if judge.is_some() { left } else { PORTION });
        left -= steps;
        let traces = (0..size.writers).map(|writer| {
            let first = writer * size.owners_per_writer;
            let owners: Vec<usize> = (first..first + size.owners_per_writer).collect();
            seed += 1;
            trace(seed, steps, &owners, mix, space)
        });
        portion(&batcher, &recall, judge.as_ref(), traces.collect(), bar, &mut sum).await?;
    }
    sum.writes = batcher.stats();
    sum.recalls = recall.stats();
    batcher.shutdown(Duration::from_secs(10)).await?;
    Ok(sum)
}

/// Runs traces, one task each, and adds what came of them to `sum`.
async fn portion(
    batcher: &MemoryBatcher,
    recall: &CachedRecall,
    judge: Option<&Arc<dyn MemoryRecall>>,
    traces: Vec<Trace>,
    bar: &ProgressBar,
    sum: &mut Outcome,
) -> Result<(), Box<dyn Error>> {
    for trace in &traces {
        sum.steps += trace.steps.len();
        sum.queries += trace.queries;
        sum.ideal_hits += trace.ideal_hits;
    }
    let (from, cpu) = (measure::now(), measure::process_cpu());
    let mut tasks = tokio::task::JoinSet::new();
    for trace in traces {
        tasks.spawn(writer(
            batcher.clone(),
            recall.clone(),
            judge.cloned(),
            trace,
            bar.clone(),
        ));
    }
    let done = tasks.join_all().await;
    sum.wall += from.elapsed();
    sum.cpu += measure::process_cpu() - cpu;
    for outcome in done {
        let (latencies, checked, stale) = outcome?;
        latencies
            .into_iter()
            .for_each(|latency| sum.latencies.record(latency));
        sum.checked += checked;
        sum.stale += stale;
    }
    Ok(())
}

async fn writer(
    batcher: MemoryBatcher,
    recall: CachedRecall,
    judge: Option<Arc<dyn MemoryRecall>>,
    trace: Trace,
    bar: ProgressBar,
) -> Result<(Vec<Duration>, u64, u64), MemoryError> {
    let (mut latencies, mut checked, mut stale) = (Vec::with_capacity(trace.steps.len()), 0, 0);
    for (n, step) in trace.steps.into_iter().enumerate() {
        let from = measure::now();
        match step {
            Step::Store { owner: at, record } => {
                let owner = owner(at);
                batcher.write(WriteOp::Store { owner, record }).await?;
                latencies.push(from.elapsed());
            }
            Step::Query { owner: at, query } => {
                let owner = owner(at);
                let again = judge
                    .as_ref()
                    .filter(|_| n % 4 == 0)
                    .map(|judge| (judge, query.clone()));
                let answer = recall.recall(&owner, &query)?;
                latencies.push(from.elapsed());
                if let Some((judge, query)) = again {
                    checked += 1;
                    stale += u64::from(judge.recall(&owner, &query)? != answer);
                }
            }
        }
        if n % 64 == 0 {
            bar.inc(64);
        }
    }
    Ok((latencies, checked, stale))
}

/// Steps of each writer that are made ready at once.
const PORTION: usize = 100;
