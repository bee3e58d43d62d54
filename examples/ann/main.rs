//! Searches a file of embeddings with each index and prints recall beside speed, setting by setting.
//!
//! `cargo run --release -p whisperengine-examples --example ann -- --base base.f32 --queries queries.f32
//! --truth truth.i32 --dim 384 --index flat --index ivf` prints a row for each setting: recall@k, queries a
//! second one at a time, p50, p99, build seconds, bytes per vector beside the originals.

mod data;
mod report;
mod run;
mod verify;

use std::{error::Error, path::PathBuf, process::ExitCode};

use clap::Parser;
use whisperengine_vector_memory::index;

/// Recall and speed of vector indexes on your own embeddings.
///
/// Files hold raw little-endian rows: base and queries of f32 (unit length), truth of int32 ids, 100 a row,
/// nearest first; base row i is memory i. Without a truth file, or with owners or a filter, the truth is
/// computed first by comparing everything with everything.
#[derive(Debug, Parser)]
struct Args {
    /// The vectors to search among.
    #[arg(long)]
    base: PathBuf,
    /// The vectors to search for.
    #[arg(long)]
    queries: PathBuf,
    /// The nearest base rows of each query, 100 int32 ids a row.
    #[arg(long)]
    truth: Option<PathBuf>,
    /// Dimensions of every vector.
    #[arg(long, default_value_t = 384)]
    dim: usize,
    /// Hits to ask for.
    #[arg(long, short, default_value_t = 10)]
    k: usize,
    /// An index: flat, auto, ivf, hnsw_rs, or faiss:DESCRIPTION for what faiss's index_factory makes of that;
    /// repeat for several.
    #[arg(long = "index", default_values = ["flat", "ivf"])]
    indexes: Vec<run::Choice>,
    /// faiss: parameters to search with, such as efSearch=64 or k_factor_rf=8.
    #[arg(long, default_value = "")]
    faiss_search: String,
    /// Threads that search, each one query at a time, and that build.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Splits the base round robin among as many owners and searches within one of them.
    #[arg(long, default_value_t = 1)]
    owners: usize,
    /// Searches among a random share of the base (0 to 1) that a filter allows.
    #[arg(long)]
    allowed: Option<f64>,
    /// ivf: lists to make.
    #[arg(long)]
    lists: Option<usize>,
    /// ivf: an own setting instead of the usual ones, as LISTS:CANDIDATES; repeat for several.
    #[arg(long = "setting")]
    settings: Vec<run::OwnSetting>,
    /// Seed of the index and of the filter.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seconds to measure each setting for.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Instead of speed: does every vector find itself after the build, ten rounds of deleting and adding
    /// again 20%, and a save and load; is anything deleted found; how much recall is lost.
    #[arg(long)]
    verify: bool,
    /// Prints JSON Lines instead of a table.
    #[arg(long)]
    json: bool,
    /// Also draws recall against queries a second into this SVG file.
    #[arg(long)]
    plot: Option<PathBuf>,
}

fn main() -> ExitCode {
    match try_main(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn try_main(args: &Args) -> Result<(), Box<dyn Error>> {
    let data = data::Data::read(args)?;
    if !args.json {
        report::print(&format!(
            "{} vectors, {} dimensions, {} queries, {} threads, {}",
            data.vectors(),
            data.dim,
            data.queries(),
            args.threads,
            index::instruction_set()
        ));
    }
    if args.verify {
        for kind in &args.indexes {
            verify::verify(args, &data, kind)?;
        }
        return Ok(());
    }
    let mut report = report::Report::new(args.json);
    for kind in &args.indexes {
        run::run(args, &data, kind, &mut report)?;
    }
    if let Some(path) = &args.plot {
        report.plot(path)?;
    }
    Ok(())
}
