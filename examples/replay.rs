//! `cargo run --release --example replay -- [FILE]` — feeds a chat log to the engine and ends with a
//! one-screen summary: turns/s, latency by stage, emotions, memories stored and found, memory used.
//!
//! FILE is JSON Lines of `{user, channel?, text, sent_at?}`, or a TSV whose first column is the text; its
//! lines are then dealt out to `--users N` people in turn. Without FILE it plays the sample log.

use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use serde::Deserialize;
use whisperengine::{
    BotId, ChannelId, Clock, ManualClock, Message, SessionKey, Timestamp, UserId, WhisperEngine,
};
use whisperengine_examples::{
    drive::{self, Arrivals, Run, Session},
    input, measure, progress, report,
};

/// Feed a chat log to the engine.
#[derive(Debug, Parser)]
struct Args {
    /// The log: .jsonl with {user, channel?, text, sent_at?} a line, or .tsv with the text first.
    #[arg(default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/chat.jsonl"))]
    file: PathBuf,
    /// Use the first N lines only.
    #[arg(long, value_name = "N")]
    lines: Option<usize>,
    /// People to deal the lines of a TSV out to.
    #[arg(long, value_name = "N", default_value_t = 250)]
    users: usize,
    /// Messages of one session that may be under way at once.
    #[arg(long, value_name = "N", default_value_t = 4)]
    in_flight: usize,
    /// Folder that keeps the memories; a temporary one if not given.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Deserialize)]
struct Line {
    user: UserId,
    channel: Option<ChannelId>,
    text: String,
    sent_at: Option<Timestamp>,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(replay(&Args::parse()).await)
}

async fn replay(args: &Args) -> Result<(), Box<dyn Error>> {
    let messages = read(args)?;
    let (last, total) = (
        messages.last().map_or(Timestamp::default(), |m| m.sent_at),
        messages.len(),
    );
    let sessions = by_session(messages);
    let people = sessions.len();
    let temporary = tempfile::tempdir()?;
    let data: &Path = args.data.as_deref().unwrap_or(temporary.path());
    let engine = WhisperEngine::builder()
        .data_dir(data)
        .clock(Arc::new(LogClock::new(last)))
        .build()?;

    let bar = progress::bar(total as u64, "replaying");
    let run = drive::run(
        &engine,
        sessions,
        Arrivals::Closed {
            in_flight: args.in_flight,
        },
        &bar,
        None,
    )
    .await;
    bar.finish_and_clear();
    let lost =
        drive::count_lost(&engine, &run.acknowledged).await? + (total as u64 - run.turns - run.failed());
    let rss_mb = measure::rss_bytes() as f64 / 1e6;
    engine.shutdown().await;

    if args.json {
        println!("{}", as_json(&run, people, lost, rss_mb));
    } else {
        print(&run, people, lost, rss_mb);
    }
    if lost > 0 || run.out_of_order > 0 {
        return Err(format!("{lost} lost, {} out of order", run.out_of_order).into());
    }
    Ok(())
}

/// The log's own time for records, the machine's for latencies.
#[derive(Debug)]
struct LogClock {
    log: ManualClock,
}

impl LogClock {
    fn new(now: Timestamp) -> Self {
        Self {
            log: ManualClock::new(now),
        }
    }
}

impl Clock for LogClock {
    fn now(&self) -> Timestamp {
        self.log.now()
    }

    fn instant(&self) -> std::time::Instant {
        measure::now()
    }
}

fn read(args: &Args) -> Result<Vec<Message>, Box<dyn Error>> {
    let limit = args.lines.unwrap_or(usize::MAX);
    let start: Timestamp = "2026-01-01T09:00:00Z".parse()?;
    let (bot, direct) = (BotId::new("ember")?, ChannelId::new("direct")?);
    let message = |(at, line): (usize, Line)| {
        let sent_at = line
            .sent_at
            .unwrap_or(start + Duration::from_secs(20 * at as u64));
        Message::new(
            bot.clone(),
            line.user,
            line.channel.unwrap_or_else(|| direct.clone()),
            line.text,
            sent_at,
        )
    };
    let lines: Vec<Line> = if args.file.extension().is_some_and(|ending| ending == "jsonl") {
        input::json_lines(&args.file)?
    } else {
        let people: Vec<UserId> = (0..args.users.max(1))
            .map(|n| UserId::new(format!("user-{n}")))
            .collect::<Result<_, _>>()?;
        let texts = input::texts(&args.file)?.into_iter().enumerate();
        let line = |(at, text): (usize, String)| Line {
            user: people[at % people.len()].clone(),
            channel: None,
            text,
            sent_at: None,
        };
        texts.map(line).collect()
    };
    Ok(lines.into_iter().take(limit).enumerate().map(message).collect())
}

fn by_session(messages: Vec<Message>) -> Vec<Session> {
    let mut sessions: BTreeMap<SessionKey, Session> = BTreeMap::new();
    for message in messages {
        sessions.entry(message.session()).or_default().push(message);
    }
    sessions.into_values().collect()
}

fn print(run: &Run, people: usize, lost: u64, rss_mb: f64) {
    println!(
        "{} turns of {people} sessions in {:.2} s: {:.0} turns/s ({:.0} per CPU second)",
        run.turns,
        run.wall.as_secs_f64(),
        run.turns_per_second(),
        run.turns as f64 / run.cpu.as_secs_f64(),
    );
    println!("\n  stage        p50 ms    p95 ms    p99 ms");
    for stage in [
        "queued",
        "emotion",
        "embedding",
        "recall",
        "plan",
        "store",
        "answer",
    ] {
        let Some(latencies) = run.stages.get(stage) else {
            continue;
        };
        let (p50, p95, p99) = (latencies.p50_ms(), latencies.p95_ms(), latencies.p99_ms());
        println!("  {stage:<10} {p50:>8.3}  {p95:>8.3}  {p99:>8.3}");
    }
    let mut emotions: Vec<_> = run.emotions.iter().collect();
    emotions.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    println!("\n  emotions");
    for (emotion, count) in emotions.into_iter().take(8) {
        let share = *count as f64 / run.turns as f64;
        println!(
            "  {emotion:<12} {count:>6} {:<30}",
            "#".repeat((share * 60.0).ceil() as usize)
        );
    }
    println!(
        "\n  stored durably {}, turns that recalled something {}, memories recalled {}",
        run.acknowledged.len(),
        run.turns_with_recall,
        run.recalled
    );
    for (reason, count) in &run.failures {
        println!("  failed {count}: {reason}");
    }
    for (component, count) in &run.degraded {
        println!("  degraded {count}: {component}");
    }
    println!(
        "  lost {lost}, out of order {}, resident memory {rss_mb:.0} MB",
        run.out_of_order
    );
}

fn as_json(run: &Run, sessions: usize, lost: u64, rss_mb: f64) -> serde_json::Value {
    let stages: BTreeMap<_, _> = run
        .stages
        .iter()
        .map(|(stage, l)| {
            (
                *stage,
                serde_json::json!({ "p50_ms": l.p50_ms(), "p95_ms": l.p95_ms(), "p99_ms": l.p99_ms() }),
            )
        })
        .collect();
    serde_json::json!({
        "turns": run.turns,
        "sessions": sessions,
        "turns_per_s": run.turns_per_second(),
        "stages": stages,
        "emotions": run.emotions,
        "stored": run.acknowledged.len(),
        "turns_with_recall": run.turns_with_recall,
        "recalled": run.recalled,
        "failures": run.failures,
        "degraded": run.degraded,
        "lost": lost,
        "out_of_order": run.out_of_order,
        "rss_mb": rss_mb,
    })
}
