//! `cargo run --release -p whisperengine-vector-memory --example recall -- --memories M.jsonl --queries Q.jsonl` remembers, asks, and prints how often the answer is among the first.
#![allow(clippy::print_stdout, reason = "a program prints its results")]

use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use serde::{Deserialize, de::DeserializeOwned};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_types::{
    BotId, MemoryId, MemoryKind, MemoryOwner, MemoryRecord, RecallQuery, RecalledMemory, SessionId,
    Timestamp, UserId,
};
use whisperengine_vector_memory::{OwnerMemory, VectorMemory, VectorMemoryConfig};

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

#[derive(Debug, Deserialize)]
struct MemoryLine {
    user: String,
    id: String,
    text: String,
    timestamp: Timestamp,
    speaker: Option<String>,
    session: Option<String>,
    #[serde(default)]
    kind: MemoryKind,
    importance: Option<f32>,
    trust: Option<f32>,
}

#[derive(Debug, Deserialize)]
struct QueryLine {
    user: String,
    id: String,
    text: String,
    #[serde(default)]
    relevant: Vec<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let memories: Vec<MemoryLine> = json_lines(&args.memories)?;
    let queries: Vec<QueryLine> = json_lines(&args.queries)?;
    let now = memories.iter().map(|memory| memory.timestamp).max();
    let now = now.unwrap_or_default();
    let owners = remember(&args, memories)?;
    let create = |path: &Option<PathBuf>| path.as_ref().map(File::create).transpose();
    let mut output = create(&args.output)?.map(BufWriter::new);
    let mut hits = create(&args.hits)?.map(BufWriter::new);
    let mut scores = Scores::default();
    for query in &queries {
        let owner = owners
            .get(&query.user)
            .ok_or_else(|| format!("no memory of user {:?}", query.user))?;
        let question = RecallQuery::new(&query.text, args.k, now);
        #[expect(clippy::disallowed_methods, reason = "it measures")]
        let asked = Instant::now();
        let recall = owner.recall(&question)?;
        scores.latencies.push(asked.elapsed());
        let found: Vec<&str> = recall.memories.iter().map(|hit| hit.memory.id.as_str()).collect();
        scores.add(&found, &query.relevant);
        if let Some(output) = &mut output {
            writeln!(output, "{}\t{}", query.id, found.join(" "))?;
        }
        if let Some(hits) = &mut hits {
            let list = recall.memories.iter().map(
                |hit| serde_json::json!({"id": hit.memory.id, "relevance": hit.relevance, "score": hit.score}),
            );
            let line = serde_json::json!({"id": query.id, "hits": list.collect::<Vec<_>>()});
            writeln!(hits, "{line}")?;
        }
        if args.explain {
            explain(query, &recall.memories);
        }
    }
    for file in [output, hits].into_iter().flatten() {
        file.into_inner()?.sync_all()?;
    }
    scores.print(args.json);
    Ok(())
}

fn json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Box<dyn Error>> {
    let mut values = Vec::new();
    for line in BufReader::new(File::open(path)?).lines() {
        let line = line?;
        if !line.trim().is_empty() {
            values.push(serde_json::from_str(&line)?);
        }
    }
    Ok(values)
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
    let mut by_user: BTreeMap<String, Vec<MemoryRecord>> = BTreeMap::new();
    for line in memories {
        let mut record = MemoryRecord::new(MemoryId::new(&line.id)?, line.text, line.timestamp);
        record.speaker = line.speaker;
        record.session = line.session.map(SessionId::new).transpose()?;
        record.kind = line.kind;
        record.importance = line.importance.unwrap_or(record.importance);
        record.trust = line.trust.unwrap_or(record.trust);
        by_user.entry(line.user).or_default().push(record);
    }
    let mut owners = BTreeMap::new();
    for (user, records) in by_user {
        let owner = memory.owner(&MemoryOwner::person(BotId::new("recall")?, UserId::new(&user)?));
        for stored in owner.remember_all(records) {
            stored?;
        }
        owners.insert(user, owner);
    }
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
            " {mark}{:.2} relevance {:.2} = dense {:.2} + words {:.2} + neighbours {:.2} + speaker {:.2} + prior {:+.2}  [{}]  {} {}: {}",
            hit.score,
            hit.relevance,
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

/// hit@k and recall@k over the queries whose answers are known, and how long each took.
#[derive(Debug, Default)]
struct Scores {
    queries: usize,
    scored: usize,
    hits: [usize; DEPTHS.len()],
    recall: [f64; DEPTHS.len()],
    latencies: Vec<Duration>,
}

impl Scores {
    fn add(&mut self, found: &[&str], relevant: &[String]) {
        self.queries += 1;
        if relevant.is_empty() {
            return;
        }
        self.scored += 1;
        for (at, depth) in DEPTHS.into_iter().enumerate() {
            let first = &found[..depth.min(found.len())];
            let among = relevant.iter().filter(|id| first.contains(&id.as_str())).count();
            self.hits[at] += usize::from(among > 0);
            self.recall[at] += among as f64 / relevant.len() as f64;
        }
    }

    fn print(mut self, json: bool) {
        self.latencies.sort_unstable();
        let quantile = |q: f64| {
            let at = (self.latencies.len() as f64 * q) as usize;
            let latency = self.latencies.get(at.min(self.latencies.len().saturating_sub(1)));
            latency.map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
        };
        let scored = self.scored.max(1) as f64;
        let mut object = serde_json::json!({
            "queries": self.queries,
            "scored": self.scored,
            "p50_ms": quantile(0.5),
            "p99_ms": quantile(0.99),
        });
        for (at, depth) in DEPTHS.into_iter().enumerate() {
            object[format!("hit@{depth}")] = (self.hits[at] as f64 / scored).into();
            object[format!("recall@{depth}")] = (self.recall[at] / scored).into();
        }
        if json {
            println!("{object}");
            return;
        }
        for (key, value) in object.as_object().into_iter().flatten() {
            println!("{key:<10} {value:.4}");
        }
    }
}

const DEPTHS: [usize; 4] = [1, 5, 10, 20];
