//! `cargo run --release --example owners -- --owners 1000 --memories-each 50 --dim 384` fills a store with the memories of many people and prints what opening it and asking one of them takes.
//!
//! The memories are made-up sentences whose words are as frequent as those of English. With the default
//! `--dim` the store embeds them; with another one each memory brings a random unit vector of its own.

mod measured;
mod people;

use std::{error::Error, path::PathBuf, sync::Arc};

use clap::Parser;
use whisperengine_examples::{measure, measure::Latencies, progress};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_types::{Embedder, Filter, RecallQuery};
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

use crate::{
    measured::{Fill, Measured},
    people::{Numbers, People, Widened},
};

/// Fill a store with the memories of many people; measure opening, a first recall, recalls and searches.
#[derive(Debug, Parser)]
struct Args {
    /// How many people.
    #[arg(long, default_value_t = 1000)]
    owners: usize,
    /// Memories of each.
    #[arg(long, default_value_t = 50)]
    memories_each: usize,
    /// Dimension of the embeddings; those of the embedded table where it is the table's.
    #[arg(long, default_value_t = 256)]
    dim: usize,
    /// How many recalls and searches to measure, of each.
    #[arg(long, default_value_t = 2000)]
    queries: usize,
    /// Measure on so many of the people, whose memories are paged in.
    #[arg(long, default_value_t = 1000)]
    active: usize,
    /// First recalls to measure, each of somebody whose memories are on disk only.
    #[arg(long, default_value_t = 1000)]
    cold: usize,
    /// How many memories to find.
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Memory for the store in all, in MiB: what is paged in, blocks of files, fresh writes.
    #[arg(long, default_value_t = 384)]
    budget_mib: usize,
    /// Memories stored with one sync.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// Decides the texts, vectors and questions.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the store in this folder; whoever is in it already is not filled in again.
    #[arg(long)]
    store: Option<PathBuf>,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    if args.owners == 0 || args.memories_each == 0 || args.k == 0 {
        return Err("owners, memories and k begin at 1".into());
    }
    let temporary = tempfile::tempdir()?;
    let folder = args.store.clone().unwrap_or_else(|| temporary.path().to_owned());
    let table = StaticEmbedder::embedded();
    let embedder: Arc<dyn Embedder> = Arc::new(Widened::new(table.clone(), args.dim)?);
    let given = (args.dim != table.space().dim()).then(|| embedder.space().clone());
    let people = People::new(&table, given, args.seed);
    let config = VectorMemoryConfig::within(args.budget_mib << 20);
    let open = || -> Result<VectorMemory, whisperengine_vector_memory::Error> {
        let memory = VectorMemory::open(&folder, Arc::clone(&embedder), config.clone())?;
        Ok(memory.with_word_embedder(Arc::new(table.clone())))
    };

    let filled = fill(&args, &people, &open()?)?;
    let (rss_before, opening) = (measure::rss_bytes(), measure::now());
    let memory = open()?;
    let open_seconds = opening.elapsed().as_secs_f64();
    let mut measured = Measured {
        owners: args.owners,
        memories_each: args.memories_each,
        dim: args.dim,
        filled,
        open_seconds,
        ..Measured::default()
    };
    let mut random = Numbers(args.seed ^ 0x5eed);
    measured.cold = cold(&args, &people, &memory, &mut random)?;
    warm(&args, &people, &memory, &mut random, &mut measured)?;
    let stats = memory.partition_stats();
    measured.resident_owners = stats.resident;
    measured.resident_mib = stats.resident_bytes as f64 / MIB;
    measured.other_mib = stats.other_bytes as f64 / MIB;
    measured.partition_budget_mib = config.partition_budget_bytes as f64 / MIB;
    measured.budget_mib = args.budget_mib as f64;
    measured.rss_mib = measure::rss_bytes() as f64 / MIB;
    measured.rss_at_open_mib = rss_before as f64 / MIB;
    measured.disk_mib = memory.disk_bytes() as f64 / MIB;
    measured.print(args.json);
    if measured.inexact > 0 {
        return Err("a search was not exact".into());
    }
    Ok(())
}

/// Stores everyone's memories.
fn fill(args: &Args, people: &People, memory: &VectorMemory) -> Result<Fill, Box<dyn Error>> {
    let bar = progress::bar((args.owners * args.memories_each) as u64, "memories");
    let mut filled = Fill::default();
    for owner in 0..args.owners {
        let door = memory.owner(&people.owner(owner));
        if door.list(None, 1)?.is_empty() {
            let records: Vec<_> = (0..args.memories_each).map(|n| people.memory(owner, n)).collect();
            let (started, cpu) = (measure::now(), measure::process_cpu());
            for batch in records.chunks(args.batch.max(1)) {
                for result in door.remember_all(batch.iter().cloned()) {
                    result?;
                }
            }
            filled.stored += args.memories_each;
            filled.seconds += started.elapsed().as_secs_f64();
            filled.cpu_seconds += (measure::process_cpu() - cpu).as_secs_f64();
        }
        bar.inc(args.memories_each as u64);
    }
    bar.finish_and_clear();
    Ok(filled)
}

/// The first recall of people whose memories are on disk only.
fn cold(
    args: &Args,
    people: &People,
    memory: &VectorMemory,
    random: &mut Numbers,
) -> Result<Latencies, Box<dyn Error>> {
    let mut latencies = Latencies::default();
    let count = args.cold.min(args.owners);
    for n in 0..count {
        // Spread over all, so that no two share a block of the store.
        let owner = n * args.owners / count;
        let door = memory.owner(&people.owner(owner));
        let query = RecallQuery::new(
            people.question(owner, args.memories_each, random),
            args.k,
            people.now(),
        );
        let asked = measure::now();
        let recall = door.recall(&query)?;
        latencies.record(asked.elapsed());
        assert_eq!(recall.memories.len(), args.k.min(args.memories_each));
    }
    Ok(latencies)
}

/// Recalls by text and searches by vector of people whose memories are paged in.
fn warm(
    args: &Args,
    people: &People,
    memory: &VectorMemory,
    random: &mut Numbers,
    measured: &mut Measured,
) -> Result<(), Box<dyn Error>> {
    let active = args.active.clamp(1, args.owners);
    for owner in 0..active {
        memory.owner(&people.owner(owner)).stats()?;
    }
    let questions: Vec<(usize, RecallQuery)> = (0..2 * args.queries)
        .map(|_| {
            let owner = random.below(active);
            let text = people.question(owner, args.memories_each, random);
            (owner, RecallQuery::new(text, args.k, people.now()))
        })
        .collect();
    // The first half makes the words known, as everyday talk does; the second half is measured.
    let mut cpu = measure::process_cpu();
    for (at, (owner, query)) in questions.iter().enumerate() {
        if at == args.queries {
            cpu = measure::process_cpu();
        }
        let door = memory.owner(&people.owner(*owner));
        let asked = measure::now();
        std::hint::black_box(door.recall(query)?);
        if at >= args.queries {
            measured.recall.record(asked.elapsed());
        }
    }
    measured.recall_cpu_us = (measure::process_cpu() - cpu).as_secs_f64() * 1e6 / args.queries.max(1) as f64;
    for n in 0..args.queries {
        let owner = random.below(active);
        let door = memory.owner(&people.owner(owner));
        let query = people.vector(memory.space(), random);
        let asked = measure::now();
        let hits = door.search(&query, args.k, &Filter::Any)?;
        measured.search.record(asked.elapsed());
        if n < CHECKED {
            measured.checked += 1;
            measured.inexact += usize::from(!people::is_exact(&door, &query, &hits, args.k)?);
        }
    }
    Ok(())
}

const MIB: f64 = (1 << 20) as f64;
/// Searches that are compared with a plain loop over the stored embeddings.
const CHECKED: usize = 50;
