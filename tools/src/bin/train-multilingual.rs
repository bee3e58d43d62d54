//! `cargo run --release -p whisperengine-tools --bin train-multilingual -- --data targets.tsv --output multilingual.bin`
//! trains the multilingual model on soft targets, a file of `emotion/teacher.py`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]

use std::{error::Error, fs, path::PathBuf};

use clap::Parser;
use whisperengine_tools::multilingual::{Config, Example, train};

/// Trains the multilingual model.
#[derive(Parser)]
struct Options {
    /// Rows of targets and texts
    #[arg(long)]
    data: PathBuf,
    /// Where the weights are written
    #[arg(long)]
    output: PathBuf,
    /// Order of the examples
    #[arg(long, default_value_t = Config::default().seed)]
    seed: u64,
    /// Passes over the examples
    #[arg(long, default_value_t = Config::default().epochs)]
    epochs: u32,
    /// First step
    #[arg(long, default_value_t = Config::default().learning_rate)]
    learning_rate: f32,
    /// Decay of the weights
    #[arg(long, default_value_t = Config::default().weight_decay)]
    weight_decay: f32,
    /// Share of the features that a pass does not see
    #[arg(long, default_value_t = Config::default().dropout)]
    dropout: f32,
    /// What rare emotions gain
    #[arg(long, default_value_t = Config::default().balance)]
    balance: f32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let rows =
        fs::read_to_string(&options.data).map_err(|error| format!("{}: {error}", options.data.display()))?;
    let examples =
        Example::from_tsv(&rows).map_err(|error| format!("{}: {error}", options.data.display()))?;
    let mut config = Config::default();
    config.seed = options.seed;
    config.epochs = options.epochs;
    config.learning_rate = options.learning_rate;
    config.weight_decay = options.weight_decay;
    config.dropout = options.dropout;
    config.balance = options.balance;
    let model = train(&examples, &config, |epoch| {
        eprintln!("pass {epoch} of {}", config.epochs);
    });
    let bytes = model.to_bytes();
    fs::write(&options.output, &bytes)?;
    println!(
        "{} examples, {}: {} bytes",
        examples.len(),
        options.output.display(),
        bytes.len()
    );
    Ok(())
}
