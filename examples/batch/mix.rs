//! Stores and queries mixed, with repeats: what the cache and the deduplicator save, and what it all costs.

use std::{error::Error, path::Path, sync::Arc, time::Duration};

use indicatif::ProgressBar;
use whisperengine_examples::measure::{self, Latencies};
use whisperengine_memory_batcher::{BatcherError, Config, MemoryBatcher, Stats};
use whisperengine_types::{EmbeddingSpace, MemoryRecall, MemoryStore, WriteOp};

use crate::{
    store::NoLatency,
    stores::open,
    workload::{Mix, Step, Trace, owner, trace},
};

/// What came of a trace.
pub struct Outcome {
    pub steps: usize,
    pub wall: Duration,
    pub cpu: Duration,
    pub latencies: Latencies,
    pub stats: Stats,
    /// Answers that were compared with the store's own, and those that differed.
    pub checked: u64,
    pub stale: u64,
    pub ideal_hit_rate: f64,
    pub ideal_dedup_share: f64,
}

/// How large a trace is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub writers: usize,
    pub steps_per_writer: usize,
    pub owners_per_writer: usize,
}

/// On the durable store; every fourth answer is compared with what the store itself answers.
pub async fn durable(folder: &Path, size: Size, mix: Mix, bar: &ProgressBar) -> Result<Outcome, Box<dyn Error>> {
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
    let batcher = MemoryBatcher::start(memory.clone(), memory.clone(), Config::default())?;
    let traces: Vec<Trace> = (0..size.writers)
        .map(|writer| {
            let first = writer * size.owners_per_writer;
            let owners: Vec<usize> = (first..first + size.owners_per_writer).collect();
            trace(writer as u64 + 1, size.steps_per_writer, &owners, mix, space)
        })
        .collect();
    let sum = |part: fn(&Trace) -> u64| traces.iter().map(part).sum::<u64>() as f64;
    let ideal_hit_rate = sum(|t| t.ideal_hits) / sum(|t| t.queries).max(1.0);
    let ideal_dedup_share = sum(|t| t.ideal_duplicates) / sum(|t| t.stores).max(1.0);
    let steps = traces.iter().map(|t| t.steps.len()).sum();
    let (from, cpu) = (measure::now(), measure::process_cpu());
    let mut tasks = tokio::task::JoinSet::new();
    for trace in traces {
        tasks.spawn(writer(batcher.clone(), judge.clone(), trace, bar.clone()));
    }
    let (mut latencies, mut checked, mut stale) = (Latencies::default(), 0, 0);
    while let Some(done) = tasks.join_next().await {
        let (theirs, checks, differed) = done??;
        latencies.merge(&theirs);
        checked += checks;
        stale += differed;
    }
    let (wall, cpu) = (from.elapsed(), measure::process_cpu() - cpu);
    let stats = batcher.stats();
    batcher.shutdown(Duration::from_secs(10)).await?;
    Ok(Outcome {
        steps,
        wall,
        cpu,
        latencies,
        stats,
        checked,
        stale,
        ideal_hit_rate,
        ideal_dedup_share,
    })
}

async fn writer(
    batcher: MemoryBatcher,
    judge: Option<Arc<dyn MemoryRecall>>,
    trace: Trace,
    bar: ProgressBar,
) -> Result<(Latencies, u64, u64), BatcherError> {
    let (mut latencies, mut checked, mut stale) = (Latencies::default(), 0, 0);
    for (n, step) in trace.steps.into_iter().enumerate() {
        let from = measure::now();
        match step {
            Step::Store { owner: at, record } => {
                let owner = owner(at);
                batcher.write(WriteOp::Store { owner, record }).await?;
                latencies.record(from.elapsed());
            }
            Step::Query { owner: at, query } => {
                let owner = owner(at);
                let again = judge.as_ref().filter(|_| n % 4 == 0).map(|judge| (judge, query.clone()));
                let answer = batcher.query(&owner, query).await?;
                latencies.record(from.elapsed());
                if let Some((judge, query)) = again {
                    checked += 1;
                    stale += u64::from(judge.recall(&owner, &query)? != *answer);
                }
            }
        }
        if n % 64 == 0 {
            bar.inc(64);
        }
    }
    Ok((latencies, checked, stale))
}
