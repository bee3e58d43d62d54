//! `cargo run --release --example context -- --memories M.jsonl --queries Q.jsonl` asks what a language model would
//! be given for each query, and prints how often a memory that answers it is among that.

use std::{
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use serde_json::json;
use whisperengine::{BotId, ManualClock, MemoryId, UserId, WhisperEngine};
use whisperengine_examples::{
    input, measure,
    measure::Latencies,
    progress,
    recorded::{self, MemoryLine, QueryLine},
    report,
};

/// The context of each query, within a budget of tokens.
#[derive(Debug, Parser)]
struct Args {
    /// JSON Lines of {user, id, text, timestamp, speaker?, session?, kind?, importance?, trust?}.
    #[arg(long)]
    memories: PathBuf,
    /// JSON Lines of {user, id, text, relevant?}, where `relevant` lists memory ids.
    #[arg(long)]
    queries: PathBuf,
    /// Tokens of each context.
    #[arg(long, default_value_t = 2000)]
    budget: u32,
    /// Write here, for each query, {id, given: [memory ids], tokens}.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Print the system prompt of the first queries, this many.
    #[arg(long, default_value_t = 0)]
    show: usize,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(measure(&Args::parse()).await)
}

async fn measure(args: &Args) -> Result<(), Box<dyn Error>> {
    let memories: Vec<MemoryLine> = input::json_lines(&args.memories)?;
    let queries: Vec<QueryLine> = input::json_lines(&args.queries)?;
    let now = recorded::last_said(&memories);
    let engine = WhisperEngine::builder()
        .clock(Arc::new(ManualClock::new(now)))
        .build()?;
    remember(&engine, memories).await?;

    let mut output = args
        .output
        .as_ref()
        .map(File::create)
        .transpose()?
        .map(BufWriter::new);
    let mut latencies = Latencies::default();
    let (mut answerable, mut given_one, mut tokens) = (0_u32, 0_u32, 0_u64);
    let bar = progress::bar(queries.len() as u64, "queries");
    for (number, query) in queries.iter().enumerate() {
        let message = engine.message(BOT, &query.user, "direct", &query.text)?;
        let asked = measure::now();
        let context = engine.context(message, Some(args.budget)).await?;
        latencies.record(asked.elapsed());
        let given: Vec<&str> = context.report.given.iter().map(MemoryId::as_str).collect();
        tokens += u64::from(context.report.tokens);
        answerable += u32::from(!query.relevant.is_empty());
        given_one += u32::from(query.relevant.iter().any(|id| given.contains(&id.as_str())));
        if let Some(output) = &mut output {
            writeln!(
                output,
                "{}",
                json!({ "id": query.id, "given": given, "tokens": context.report.tokens })
            )?;
        }
        if number < args.show {
            bar.suspend(|| println!("{}\n> {}\n", context.system(), query.text));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(mut output) = output {
        output.flush()?;
    }
    let share = f64::from(given_one) / f64::from(answerable.max(1));
    let mean = tokens as f64 / queries.len().max(1) as f64;
    let (p50, p99) = (latencies.quantile(0.5), latencies.quantile(0.99));
    if args.json {
        let figures = json!({
            "queries": queries.len(), "answerable": answerable, "given": share, "mean_tokens": mean,
            "p50_us": p50.as_micros() as u64, "p99_us": p99.as_micros() as u64,
        });
        println!("{figures}");
    } else {
        println!(
            "{} queries at {} tokens: a memory that answers is given to {:.1}% of {answerable}\n\
             mean {mean:.0} tokens; p50 {p50:.1?}, p99 {p99:.1?}, recall and emotion included",
            queries.len(),
            args.budget,
            share * 100.0
        );
    }
    engine.shutdown().await;
    Ok(())
}

async fn remember(engine: &WhisperEngine, memories: Vec<MemoryLine>) -> Result<(), Box<dyn Error>> {
    let bar = progress::bar(memories.len() as u64, "memories");
    for (user, records) in recorded::records(memories)? {
        let count = records.len() as u64;
        let owner = engine.owner(BotId::new(BOT)?, UserId::new(&user)?);
        owner.remember(records).await?;
        bar.inc(count);
    }
    bar.finish_and_clear();
    Ok(())
}

const BOT: &str = "ember";
