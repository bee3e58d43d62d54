//! `cargo run --release -p whisperengine-examples --example sessions -- --sessions 100000 --seconds 5`: drives
//! the conversation scheduler and prints throughput, waits by class, fairness, memory per idle session and
//! what an overload comes to; draws the wait against the load with and without admission control.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the report is the output")]

mod idle;
mod overload;
mod queue;
mod throughput;

use std::{error::Error, num::NonZeroUsize, path::PathBuf, time::Duration};

use clap::Parser;
use serde::Serialize;
use whisperengine_examples::{
    plot::{self, Chart, Scale, Series},
    progress,
};

/// Measure the conversation scheduler.
#[derive(Debug, Parser)]
struct Args {
    /// People who talk, each in one session.
    #[arg(long, default_value_t = NonZeroUsize::new(100_000).expect("not zero"))]
    sessions: NonZeroUsize,
    /// Turns a second over all sessions; without it, as many as are answered.
    #[arg(long)]
    rate: Option<f64>,
    /// One session sends a thousand times as many turns as any other.
    #[arg(long)]
    flooder: bool,
    /// How long turns are sent; each load of the overload part takes a quarter of it.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Workers that serve, and tasks that send.
    #[arg(long, default_value_t = NonZeroUsize::new(2).expect("not zero"))]
    workers: NonZeroUsize,
    /// The workers of the throughput part are tasks of the callers' runtime instead of threads.
    #[arg(long)]
    on_runtime: bool,
    /// Sessions that are left idle.
    #[arg(long, default_value_t = NonZeroUsize::new(1_000_000).expect("not zero"))]
    idle_sessions: NonZeroUsize,
    /// Where the plot of the wait against the load goes.
    #[arg(long, default_value = "sessions.svg")]
    plot: PathBuf,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Everything that was measured.
#[derive(Debug, Serialize)]
struct Report {
    turns_per_s: f64,
    put_per_s: f64,
    get_per_s: f64,
    bytes_per_idle_session: f64,
    order_violations: u64,
    goodput_share: f64,
    p99_ratio: f64,
    throughput: throughput::Outcome,
    idle: idle::Outcome,
    overload: overload::Outcome,
    plot: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    if !(args.seconds.is_finite() && args.seconds > 0.0) {
        return Err("--seconds must be above 0".into());
    }
    if args.rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
        return Err("--rate must be above 0".into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.workers.get())
        .enable_time()
        .build()?;
    let bar = progress::spinner("idle sessions");
    // First, while the heap is still small: the resident memory is what the sessions take.
    let idle = runtime.block_on(idle::run(args.idle_sessions.get()))?;
    bar.set_message("weighted queue");
    let queue = queue::run();
    bar.set_message("throughput");
    let throughput = runtime.block_on(throughput::run(throughput::Offer {
        sessions: args.sessions.get(),
        rate: args.rate,
        flooder: args.flooder,
        span: Duration::from_secs_f64(args.seconds),
        workers: args.workers,
        on_runtime: args.on_runtime,
    }))?;
    drop(runtime);
    let span = Duration::from_secs_f64(args.seconds / 4.0);
    let overload = overload::run(span, |what| bar.set_message(what.to_owned()))?;
    bar.finish_and_clear();
    draw(&args.plot, &overload)?;
    let report = Report {
        turns_per_s: throughput.turns_per_s,
        put_per_s: queue.put_per_s,
        get_per_s: queue.get_per_s,
        bytes_per_idle_session: idle.bytes_per_idle_session,
        order_violations: throughput.order_violations,
        goodput_share: overload.goodput_share,
        p99_ratio: overload.p99_ratio,
        throughput,
        idle,
        overload,
        plot: args.plot,
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    if report.order_violations > 0 {
        return Err(format!("{} turns were out of order", report.order_violations).into());
    }
    Ok(())
}

fn print(report: &Report) {
    println!(
        "weighted queue       {:>12.0} put/s   {:>12.0} get/s",
        report.put_per_s, report.get_per_s
    );
    let turns = &report.throughput;
    println!(
        "throughput           {:>12.0} turns/s ({} served, {} refused, {:.2} us CPU each, {} out of order)",
        turns.turns_per_s, turns.turns, turns.refused, turns.cpu_us_per_turn, turns.order_violations
    );
    println!("\nclass       started    mean wait     p50 wait     p99 wait");
    for class in &turns.metrics.classes {
        println!(
            "{:<10} {:>8} {:>12.1?} {:>12.1?} {:>12.1?}",
            class.class, class.started, class.mean_wait, class.p50_wait, class.p99_wait
        );
    }
    let fair = &turns.fairness;
    println!(
        "\nturns per session: fewest {}, median {}, most {}; Jain's index {:.4}",
        fair.fewest, fair.median, fair.most, fair.jain_index
    );
    if let Some(share) = fair.flooder_share {
        println!("the flooder got {:.4}% of all turns", 100.0 * share);
    }
    let idle = &report.idle;
    println!(
        "\nidle: {} sessions, {:.0} bytes each; ended in {:.0} ms, longest round {:.2} ms ({:.2} ms CPU), longest turn meanwhile {:.2} ms, {} left",
        idle.idle_sessions,
        idle.bytes_per_idle_session,
        idle.ending_all_ms,
        idle.longest_round_ms,
        idle.longest_round_cpu_ms,
        idle.longest_turn_while_ending_ms,
        idle.left
    );
    let overload = &report.overload;
    println!(
        "\npeak {:.0} turns/s, unloaded p99 {:.2} ms",
        overload.peak_per_s, overload.unloaded_p99_ms
    );
    println!("  load   served/s   p50 ms   p99 ms   refused   | without admission: p99 ms");
    for (with, without) in overload.with_admission.iter().zip(&overload.without_admission) {
        let refused: u64 = with.refused.values().sum();
        println!(
            "{:>6.1} {:>10.0} {:>8.2} {:>8.2} {:>9}   | {:>12.2}",
            with.load, with.served_per_s, with.p50_ms, with.p99_ms, refused, without.p99_ms
        );
    }
    println!(
        "at 10 times the load: goodput {:.3} of the peak, p99 {:.2} times the unloaded",
        overload.goodput_share, overload.p99_ratio
    );
    println!("plot: {}", report.plot.display());
}

fn draw(path: &std::path::Path, overload: &overload::Outcome) -> Result<(), Box<dyn Error>> {
    let line = |name: &str, points: &[overload::Point]| Series {
        name: name.to_owned(),
        points: points.iter().map(|point| (point.load, point.p99_ms)).collect(),
    };
    let chart = Chart {
        title: "Latency of accepted turns against the load",
        x: ("offered turns, as a multiple of the peak", Scale::Log),
        y: ("99th percentile, ms", Scale::Log),
    };
    let series = [
        line("admission by estimated wait", &overload.with_admission),
        line("no admission control", &overload.without_admission),
    ];
    plot::lines(path, &chart, &series)
}
