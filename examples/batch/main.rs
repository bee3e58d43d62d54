//! `cargo run --release --example batch` — what the memory batcher does for a durable store, and what it costs.
//!
//! Prints, for the same run: stores acknowledged per second by many concurrent writers beside the store fed
//! directly with the same batch sizes; one writer beside direct calls; a mix of stores and queries with
//! repeats beside what an ideal cache would save; and operations per CPU second on a store that takes no time. Every acknowledged record is looked up after reopening. `--json` prints one object.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report is the output"
)]

mod mix;
mod store;
mod stores;
mod workload;

use std::{error::Error, process::ExitCode};

use clap::Parser;
use serde::Serialize;
use whisperengine_examples::{measure::Latencies, progress};

use crate::{
    mix::{Outcome, Size},
    stores::Run,
    workload::Mix,
};

/// Measure the memory batcher against the durable store.
#[derive(Debug, Parser)]
struct Args {
    /// Concurrent writers.
    #[arg(long, default_value_t = 64)]
    writers: usize,
    /// Stores in each round, over all writers.
    #[arg(long, default_value_t = 64_000)]
    ops: usize,
    /// Whose memories they are, in turn.
    #[arg(long, default_value_t = 1_000)]
    owners: usize,
    /// Rounds of batched and direct stores; the median is printed.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Share of queries in the mix, 0 to 1.
    #[arg(long, default_value_t = 0.5)]
    query_share: f64,
    /// Share of queries that repeat an earlier one of the same owner, 0 to 1.
    #[arg(long, default_value_t = 0.33)]
    repeated_queries: f64,
    /// Stores of the single writer; the same number goes directly.
    #[arg(long, default_value_t = 4_000)]
    single: usize,
    /// Operations of the mix on a store that takes no time.
    #[arg(long, default_value_t = 1_000_000)]
    free_ops: usize,
    /// Most commits in flight at a time; without it, the batcher's own setting.
    #[arg(long)]
    parallel_commits: Option<usize>,
    /// Folder for the stores; a temporary one if not given. Must be on the disk to be measured.
    #[arg(long)]
    data: Option<std::path::PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Everything measured, in the units the names say.
#[derive(Debug, Serialize)]
struct Report {
    writers: usize,
    stores_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    mean_batch: f64,
    largest_batch: usize,
    fsyncs: usize,
    batched_commit_p99_ms: f64,
    direct_stores_per_s: f64,
    direct_commit_p50_ms: f64,
    direct_commit_p99_ms: f64,
    ratio_to_direct: f64,
    lost: usize,
    single_p50_us: f64,
    single_direct_p50_us: f64,
    single_ratio: f64,
    mix_ops_per_s: f64,
    mix_p99_ms: f64,
    hit_rate: f64,
    ideal_hit_rate: f64,
    answers_checked: u64,
    stale: u64,
    invalidations: u64,
    evictions: u64,
    cache_bytes: u64,
    no_latency_ops_per_cpu_s: f64,
    no_latency_ops_per_s: f64,
    no_latency_mean_batch: f64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match measure(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("batch: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(args: &Args) -> Result<(), Box<dyn Error>> {
    if args.writers == 0 || args.ops < args.writers || args.owners == 0 || args.rounds == 0 {
        return Err(
            "there must be at least one writer, owner and round, and one store for each writer".into(),
        );
    }
    let folder = match &args.data {
        Some(parent) => {
            std::fs::create_dir_all(parent)?;
            tempfile::tempdir_in(parent)?
        }
        None => tempfile::tempdir()?,
    };
    let path = |name: &str, round: usize| folder.path().join(format!("{name}-{round}"));
    let kind = Mix {
        query_share: args.query_share,
        repeated_queries: args.repeated_queries,
    };
    let size = Size {
        writers: args.writers,
        steps_per_writer: args.ops / args.writers,
        owners_per_writer: args.owners.div_ceil(args.writers),
    };
    // First, while the heap is fresh and no store has worked in this process: all that is counted is the batcher.
    let free_size = Size {
        steps_per_writer: args.free_ops / args.writers,
        ..size
    };
    let bar = progress::bar(args.free_ops as u64, "mix, no latency");
    let free = mix::no_latency(free_size, kind, &bar).await?;
    bar.finish_and_clear();
    let mut rounds = Vec::new();
    let bar = progress::bar((args.ops * args.rounds) as u64, "stores");
    for round in 0..args.rounds {
        let offer = stores::Offer {
            writers: args.writers,
            per_writer: args.ops / args.writers,
            owners: args.owners,
            parallel_commits: args.parallel_commits,
        };
        let run = stores::many(&path("batched", round), offer, &bar).await?;
        let sizes: Vec<usize> = run.commits.iter().map(|&(size, _)| size).collect();
        let direct = stores::direct(&path("direct", round), &sizes, args.owners)?;
        rounds.push((run, direct));
    }
    bar.finish_and_clear();
    let (single, single_direct) = stores::one(&path("single", 0), args.single).await?;
    let bar = progress::bar(args.ops as u64, "mix");
    let durable = mix::durable(&path("mix", 0), size, kind, &bar).await?;
    bar.finish_and_clear();
    let report = report(
        args,
        &rounds,
        single.as_secs_f64() * 1e6,
        single_direct.as_secs_f64() * 1e6,
        &durable,
        &free,
    );
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    if report.lost > 0 || report.stale > 0 {
        return Err(format!("{} records lost, {} stale answers", report.lost, report.stale).into());
    }
    Ok(())
}

fn report(
    args: &Args,
    rounds: &[(Run, Run)],
    single: f64,
    direct: f64,
    mix: &Outcome,
    free: &Outcome,
) -> Report {
    let over = |value: &dyn Fn(&(Run, Run)) -> f64| median(rounds.iter().map(value).collect());
    let of_all = |part: &dyn Fn(&(Run, Run)) -> Latencies| {
        rounds.iter().fold(Latencies::default(), |mut sum, round| {
            sum.merge(&part(round));
            sum
        })
    };
    let latencies = of_all(&|(run, _)| run.latencies.clone());
    let batched_commits = of_all(&|(run, _)| run.commit_latencies());
    let direct_commits = of_all(&|(_, direct)| direct.commit_latencies());
    Report {
        writers: args.writers,
        stores_per_s: over(&|(run, _)| run.per_second()),
        p50_ms: latencies.p50_ms(),
        p99_ms: latencies.p99_ms(),
        mean_batch: over(&|(run, _)| run.stores as f64 / run.commits.len() as f64),
        largest_batch: rounds
            .iter()
            .flat_map(|(run, _)| &run.commits)
            .map(|&(size, _)| size)
            .max()
            .unwrap_or(0),
        fsyncs: rounds.iter().map(|(run, _)| run.commits.len()).sum(),
        batched_commit_p99_ms: batched_commits.p99_ms(),
        direct_stores_per_s: over(&|(_, direct)| direct.per_second()),
        direct_commit_p50_ms: direct_commits.p50_ms(),
        direct_commit_p99_ms: direct_commits.p99_ms(),
        ratio_to_direct: over(&|(run, direct)| run.per_second() / direct.per_second()),
        lost: rounds.iter().map(|(run, _)| run.lost).sum(),
        single_p50_us: single,
        single_direct_p50_us: direct,
        single_ratio: direct / single,
        mix_ops_per_s: mix.steps as f64 / mix.wall.as_secs_f64(),
        mix_p99_ms: mix.latencies.p99_ms(),
        hit_rate: mix.recalls.hit_rate(),
        ideal_hit_rate: mix.ideal_hits as f64 / (mix.queries as f64).max(1.0),
        answers_checked: mix.checked,
        stale: mix.stale,
        invalidations: mix.recalls.invalidations,
        evictions: mix.recalls.evictions,
        cache_bytes: mix.recalls.bytes,
        no_latency_ops_per_cpu_s: free.steps as f64 / free.cpu.as_secs_f64(),
        no_latency_ops_per_s: free.steps as f64 / free.wall.as_secs_f64(),
        no_latency_mean_batch: free.writes.committed_items as f64 / (free.writes.commits as f64).max(1.0),
    }
}

fn print(report: &Report) {
    println!("{} writers on the durable store, fsync on", report.writers);
    println!(
        "  batched   {:>9.0} stores/s   p50 {:.2} ms   p99 {:.2} ms",
        report.stores_per_s, report.p50_ms, report.p99_ms
    );
    println!(
        "  direct    {:>9.0} stores/s   commit p50 {:.2} ms   p99 {:.2} ms   (same batch sizes)",
        report.direct_stores_per_s, report.direct_commit_p50_ms, report.direct_commit_p99_ms
    );
    println!(
        "  ratio {:.3}   mean batch {:.1}, largest {}   {} fsyncs   {} lost after reopening",
        report.ratio_to_direct, report.mean_batch, report.largest_batch, report.fsyncs, report.lost
    );
    println!("one writer, one store at a time");
    println!(
        "  batched {:.0} us   direct {:.0} us   ratio {:.3}",
        report.single_p50_us, report.single_direct_p50_us, report.single_ratio
    );
    println!("stores and queries with repeats, durable");
    println!(
        "  {:>9.0} operations/s   p99 {:.2} ms",
        report.mix_ops_per_s, report.mix_p99_ms
    );
    println!(
        "  hit rate {:.4} (ideal {:.4})   {} stale of {} answers checked",
        report.hit_rate, report.ideal_hit_rate, report.stale, report.answers_checked
    );
    println!("the same on a store that takes no time");
    println!(
        "  {:>9.0} operations per CPU second   {:.0} per second   mean batch {:.1}",
        report.no_latency_ops_per_cpu_s, report.no_latency_ops_per_s, report.no_latency_mean_batch
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
