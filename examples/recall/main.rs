//! `cargo run --release --example recall -- --memories M.jsonl --queries Q.jsonl` remembers, asks, and prints how often the answer is among the first.

mod score;

use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::Parser;
use whisperengine_examples::{
    input, measure,
    measure::Latencies,
    progress,
    recorded::{self, MemoryLine, QueryLine},
};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_types::{BotId, MemoryOwner, RecallQuery, RecalledMemory, UserId};
use whisperengine_vector_memory::{OwnerMemory, VectorMemory, VectorMemoryConfig};

use crate::score::Scores;

/// Recall over your own memories: ranks them for each query and, where the answers are known, scores it.
#[derive(Debug, Parser)]
struct Args {
    /// JSON Lines of {user, id, text, timestamp, speaker?, session?, kind?, importance?, trust?}; memories
    /// of one session are each other's context, in the order of their times, then of the file.
    #[arg(long)]
    memories: PathBuf,
    /// JSON Lines of {user, id, text, relevant?}, where `relevant` lists memory ids.
    #[arg(long)]
    queries: PathBuf,
    /// How many memories to find for each query.
    #[arg(long, default_value_t = 20)]
    k: usize,
    /// Write the rankings here: query id, TAB, memory ids best first.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Write the hits here as JSON Lines: {id, hits: [{id, relevance, score}]}, best first.
    #[arg(long)]
    hits: Option<PathBuf>,
    /// Show what each score of the first three memories is made of.
    #[arg(long)]
    explain: bool,
    /// Keep the memories in this folder; without it they live in memory only.
    #[arg(long)]
    store: Option<PathBuf>,
    /// Print the scores as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let memories: Vec<MemoryLine> = input::json_lines(&args.memories)?;
    let queries: Vec<QueryLine> = input::json_lines(&args.queries)?;
    let now = recorded::last_said(&memories);
    let owners = remember(&args, memories)?;
    let mut output = args
        .output
        .as_ref()
        .map(File::create)
        .transpose()?
        .map(BufWriter::new);
    let mut hits = args
        .hits
        .as_ref()
        .map(File::create)
        .transpose()?
        .map(BufWriter::new);
    let mut scores = Scores::default();
    let mut latencies = Latencies::default();
    let bar = progress::bar(queries.len() as u64, "queries");
    for query in &queries {
        let owner = owners
            .get(&query.user)
            .ok_or_else(|| format!("no memory of user {:?}", query.user))?;
        let question = RecallQuery::new(&query.text, args.k, now);
        let asked = measure::now();
        let recall = owner.recall(&question)?;
        latencies.record(asked.elapsed());
        let found: Vec<&str> = recall.memories.iter().map(|hit| hit.memory.id.as_str()).collect();
        scores.add(&found, &query.relevant);
        if let Some(output) = &mut output {
            writeln!(output, "{}\t{}", query.id, found.join(" "))?;
        }
        if let Some(hits) = &mut hits {
            let list = recall.memories.iter().map(|hit| {
                serde_json::json!({ "id": hit.memory.id, "relevance": hit.relevance, "score": hit.score })
            });
            writeln!(
                hits,
                "{}",
                serde_json::json!({ "id": query.id, "hits": list.collect::<Vec<_>>() })
            )?;
        }
        if args.explain {
            bar.suspend(|| explain(query, &recall.memories));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    for mut file in output.into_iter().chain(hits) {
        file.flush()?;
    }
    scores.print(&latencies, args.json);
    Ok(())
}

/// Stores each user's memories as one batch.
fn remember(args: &Args, memories: Vec<MemoryLine>) -> Result<BTreeMap<String, OwnerMemory>, Box<dyn Error>> {
    let embedder = Arc::new(StaticEmbedder::embedded());
    let config = VectorMemoryConfig::default();
    let memory = match &args.store {
        Some(folder) => VectorMemory::open(folder, embedder.clone(), config)?,
        None => VectorMemory::in_memory(embedder.clone(), config),
    };
    let memory = memory.with_word_embedder(embedder);
    let bar = progress::bar(memories.len() as u64, "memories");
    let mut owners = BTreeMap::new();
    for (user, records) in recorded::records(memories)? {
        let owner = memory.owner(&MemoryOwner::person(BotId::new("recall")?, UserId::new(&user)?));
        bar.inc(records.len() as u64);
        for stored in owner.remember_all(records) {
            stored?;
        }
        owners.insert(user, owner);
    }
    bar.finish_and_clear();
    Ok(owners)
}

fn explain(query: &QueryLine, found: &[RecalledMemory]) {
    println!("{}  {}", query.id, query.text);
    for hit in found.iter().take(3) {
        let mark = if query.relevant.iter().any(|id| id == hit.memory.id.as_str()) {
            '*'
        } else {
            ' '
        };
        let parts = hit.parts;
        println!(
            " {mark}{:.2} = dense {:.2} + words {:.2} + neighbours {:.2} + speaker {:.2} + prior {:+.2}  [{}]  {} {}: {}",
            hit.score,
            parts.dense,
            parts.lexical,
            parts.neighbours,
            parts.speaker,
            parts.prior,
            hit.matched_terms.join(" "),
            hit.memory.id,
            hit.memory.speaker.as_deref().unwrap_or("-"),
            hit.memory.text.chars().take(90).collect::<String>(),
        );
    }
}
