//! `cargo run --release --example load` — the scale table: how many turns a second the engine does, and how
//! long an answer takes, for 10 to 10,000 people at once, with durable acknowledgements.
//!
//! For each number of people it plays the same turns twice, each time to an engine that knows nobody yet:
//! closed loop (everyone writes again when answered) for the throughput, then open loop at a share of that
//! (`--share`) for the latency. Then it syncs small appends to the same disk for two seconds: what
//! share of the time the disk pauses for more than 10 ms is a share of the turns that nobody could answer
//! sooner. `--json` prints one object per scale; `--plot DIR` draws both against the
//! number of people, and the slowest answer of each tenth of a second. `--acks FILE` writes every acknowledged turn down as it comes; after a crash,
//! `--verify FILE` checks that each is there once.

mod verify;

use std::{
    collections::BTreeMap,
    error::Error,
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::{Parser, ValueEnum};
use serde::Serialize;
use whisperengine::{BotId, ChannelId, Message, Priority, Timestamp, UserId, WhisperEngine};
use whisperengine_examples::{
    disk,
    drive::{self, AckLog, Arrivals, Run, Session},
    input, measure,
    plot::{self, Chart, Scale, Series},
    progress, report,
};

/// Measure throughput and latency by number of people.
#[derive(Debug, Parser)]
struct Args {
    /// How many people write at once; one row each.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 50, 100, 250, 1_000, 10_000])]
    users: Vec<usize>,
    /// Turns in each loop of each scale; at least one for everybody.
    #[arg(long, default_value_t = 30_000)]
    turns: usize,
    /// What people write: .jsonl, .tsv or plain lines; the sample log if not given.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/chat.jsonl"))]
    texts: PathBuf,
    /// Which loop to run.
    #[arg(long = "loop", value_enum, default_value_t = Loop::Both)]
    kind: Loop,
    /// Share of the closed loop's throughput at which the open loop measures latency.
    #[arg(long, default_value_t = 0.7)]
    share: f64,
    /// Turns a second of the open loop, instead of a share of the closed loop's.
    #[arg(long)]
    rate: Option<f64>,
    /// Folder that keeps the memories; a temporary one if not given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Print one JSON object per scale.
    #[arg(long)]
    json: bool,
    /// Draw throughput.svg, latency.svg and slowest.svg into this folder.
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    /// Append every acknowledged turn to this file as it comes.
    #[arg(long, value_name = "FILE")]
    acks: Option<PathBuf>,
    /// Do not run: check that every turn in FILE is in `--data` exactly once.
    #[arg(long, value_name = "FILE", requires = "data")]
    verify: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Loop {
    Closed,
    Open,
    Both,
}

#[derive(Debug, Serialize)]
struct Row {
    users: usize,
    /// Answered, over all loops.
    turns: u64,
    /// Of the closed loop; of the open loop when it runs alone.
    turns_per_s: f64,
    turns_per_cpu_s: f64,
    /// Of the open loop at `offered_per_s`; of the closed loop when it runs alone.
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    offered_per_s: Option<f64>,
    closed_p99_ms: Option<f64>,
    /// Of the disk alone, after the loops: small appends, each synced.
    sync_p50_ms: f64,
    sync_p99_ms: f64,
    /// Share of that time, `0..=1`, that went into syncs longer than 10 ms.
    sync_pauses: f64,
    success_rate: f64,
    refused: u64,
    lost: u64,
    out_of_order: u64,
    /// At the end of the loop that took most.
    rss_mb: f64,
    /// Of the loop that the percentiles are of, by stage: p50 and p99 in milliseconds.
    stages_ms: BTreeMap<&'static str, [f64; 2]>,
    /// Of the same, the slowest answer to the messages of each tenth of a second, in milliseconds.
    slowest_ms: Vec<f64>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    let args = Args::parse();
    report::exit(match &args.verify {
        Some(acks) => verify::verify(args.data.as_deref().expect("clap requires it"), acks).await,
        None => load(&args).await,
    })
}

async fn load(args: &Args) -> Result<(), Box<dyn Error>> {
    let texts = input::texts(&args.texts)?;
    let temporary = tempfile::tempdir()?;
    let data = args.data.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(data)?;
    let acks: Option<AckLog> = match &args.acks {
        Some(path) => Some(Arc::new(Mutex::new(
            OpenOptions::new().create(true).append(true).open(path)?,
        ))),
        None => None,
    };
    if !args.json {
        println!(
            "  people    turns   turns/s  p50 ms  p95 ms  p99 ms  success  lost  disorder  RSS MB  disk pauses"
        );
    }
    let mut rows = Vec::new();
    for &users in &args.users {
        let row = scale(args, users.max(1), &texts, data, acks.as_ref()).await?;
        if args.json {
            println!("{}", serde_json::to_string(&row)?);
        } else {
            println!(
                "{:>8} {:>8} {:>9.0} {:>7.2} {:>7.2} {:>7.2}  {:>6.2}% {:>5} {:>9} {:>7.0} {:>11.1}%",
                row.users,
                row.turns,
                row.turns_per_s,
                row.p50_ms,
                row.p95_ms,
                row.p99_ms,
                row.success_rate * 100.0,
                row.lost,
                row.out_of_order,
                row.rss_mb,
                row.sync_pauses * 100.0
            );
        }
        rows.push(row);
    }
    if let Some(folder) = &args.plot {
        draw(folder, &rows)?;
    }
    let (lost, disorder) = rows
        .iter()
        .fold((0, 0), |(l, d), row| (l + row.lost, d + row.out_of_order));
    if lost + disorder > 0 {
        return Err(format!("{lost} lost, {disorder} out of order").into());
    }
    Ok(())
}

/// One row of the table.
async fn scale(
    args: &Args,
    users: usize,
    texts: &[String],
    data: &Path,
    acks: Option<&AckLog>,
) -> Result<Row, Box<dyn Error>> {
    let folder = |name: &str| data.join(format!("{users}-users-{name}"));
    let mut runs = Vec::new();
    if args.kind != Loop::Open {
        let closed = Arrivals::Closed { in_flight: 1 };
        runs.push(one_run(args, users, texts, &folder("closed"), closed, acks).await?);
    }
    let mut offered_per_s = None;
    if args.kind != Loop::Closed {
        let capacity = runs.first().map(|(run, _)| run.turns_per_second());
        let per_second = args
            .rate
            .or(capacity.map(|c| c * args.share))
            .ok_or("--loop open needs --rate")?;
        offered_per_s = Some(per_second);
        let open = Arrivals::Open { per_second };
        runs.push(one_run(args, users, texts, &folder("open"), open, acks).await?);
    }
    let disk = {
        let folder = data.to_owned();
        tokio::task::spawn_blocking(move || disk::probe(&folder, DISK_PROBE)).await??
    };
    let (first, last) = (&runs[0].0, &runs[runs.len() - 1].0);
    let latency = last.answer();
    let sum = |of: fn(&Run) -> u64| runs.iter().map(|(run, _)| of(run)).sum::<u64>();
    let (turns, failed) = (sum(|run| run.turns), sum(Run::failed));
    Ok(Row {
        users,
        turns,
        turns_per_s: first.turns_per_second(),
        turns_per_cpu_s: first.turns as f64 / first.cpu.as_secs_f64(),
        p50_ms: latency.p50_ms(),
        p95_ms: latency.p95_ms(),
        p99_ms: latency.p99_ms(),
        offered_per_s,
        closed_p99_ms: (args.kind != Loop::Open).then(|| first.answer().p99_ms()),
        sync_p50_ms: disk.latencies.p50_ms(),
        sync_p99_ms: disk.latencies.p99_ms(),
        sync_pauses: disk.pauses,
        success_rate: turns as f64 / (turns + failed) as f64,
        refused: sum(|run| run.refused.values().sum()),
        lost: runs.iter().map(|(_, kept)| kept.lost).sum(),
        out_of_order: sum(|run| run.out_of_order),
        rss_mb: runs.iter().map(|(_, kept)| kept.rss_mb).fold(0.0, f64::max),
        stages_ms: last
            .stages
            .iter()
            .map(|(&stage, took)| (stage, [took.p50_ms(), took.p99_ms()]))
            .collect(),
        slowest_ms: last.slowest.iter().map(|took| took.as_secs_f64() * 1e3).collect(),
    })
}

/// How long the disk is looked at alone.
const DISK_PROBE: Duration = Duration::from_secs(2);

/// What was found in an engine after its run.
#[derive(Debug, Clone, Copy)]
struct Kept {
    lost: u64,
    rss_mb: f64,
}

/// One loop, with an engine of its own.
async fn one_run(
    args: &Args,
    users: usize,
    texts: &[String],
    data: &Path,
    arrivals: Arrivals,
    acks: Option<&AckLog>,
) -> Result<(Run, Kept), Box<dyn Error>> {
    let engine = WhisperEngine::builder()
        .from_environment(None)?
        .data_dir(data)
        .build()?;
    let turns = args.turns.max(users);
    let bar = progress::bar(turns as u64, &format!("{users} people"));
    let run = drive::run(&engine, sessions(users, turns, texts)?, arrivals, &bar, acks).await;
    bar.finish_and_clear();
    for (reason, count) in &run.failures {
        eprintln!("{count} turns failed: {reason}");
    }
    let kept = Kept {
        lost: drive::count_lost(&engine, &run.acknowledged).await?
            + (turns as u64 - run.turns - run.failed()),
        rss_mb: measure::rss_bytes() as f64 / 1e6,
    };
    engine.shutdown().await;
    Ok((run, kept))
}

/// Deals `turns` texts out to `users` people. In twenty turns one is critical, two high, three low and
/// the rest for the scheduler to score.
fn sessions(users: usize, turns: usize, texts: &[String]) -> Result<Vec<Session>, Box<dyn Error>> {
    let (bot, channel) = (BotId::new("ember")?, ChannelId::new("direct")?);
    let start: Timestamp = "2026-01-01T09:00:00Z".parse()?;
    let mut sessions: Vec<Session> = vec![Vec::with_capacity(turns / users + 1); users];
    for n in 0..turns {
        let user = n % users;
        let sent_at = start + Duration::from_millis(40_000 * (n / users) as u64 + user as u64);
        let text = texts[(n * 7 + user) % texts.len()].as_str();
        let user_id = UserId::new(format!("user-{user}"))?;
        let mut message = Message::new(bot.clone(), user_id, channel.clone(), text, sent_at);
        message.priority = match n % 20 {
            0 => Some(Priority::Critical),
            1 | 2 => Some(Priority::High),
            3..=5 => Some(Priority::Low),
            _ => None,
        };
        sessions[user].push(message);
    }
    Ok(sessions)
}

fn draw(folder: &Path, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let series = |name: &str, y: fn(&Row) -> f64| Series {
        name: name.to_owned(),
        points: rows.iter().map(|row| (row.users as f64, y(row))).collect(),
    };
    let people = ("people at once", Scale::Log);
    let throughput = Chart {
        title: "Throughput, durable acknowledgements",
        x: people,
        y: ("turns a second", Scale::Linear),
    };
    plot::lines(
        &folder.join("throughput.svg"),
        &throughput,
        &[series("turns/s", |row| row.turns_per_s)],
    )?;
    let latency = Chart {
        title: "Latency of an answer",
        x: people,
        y: ("milliseconds", Scale::Log),
    };
    let lines = [
        series("p50", |row| row.p50_ms),
        series("p95", |row| row.p95_ms),
        series("p99", |row| row.p99_ms),
    ];
    plot::lines(&folder.join("latency.svg"), &latency, &lines)?;
    let slowest = Chart {
        title: "Slowest answer by when it was asked for",
        x: ("seconds", Scale::Linear),
        y: ("milliseconds", Scale::Log),
    };
    let lines: Vec<Series> = rows
        .iter()
        .map(|row| Series {
            name: format!("{} people", row.users),
            points: (0..)
                .map(|tenth| f64::from(tenth) / 10.0)
                .zip(row.slowest_ms.iter().copied())
                .collect(),
        })
        .collect();
    plot::lines(&folder.join("slowest.svg"), &slowest, &lines)
}
