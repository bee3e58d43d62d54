//! `cargo run --release -p whisperengine-tools --bin outputs -- --model multilingual.bin < texts` prints the outputs of a
//! multilingual model for each line, a lane a column.
#![expect(clippy::print_stdout, reason = "this is a program")]

use std::{error::Error, fs, io::stdin, path::PathBuf};

use clap::Parser;
use whisperengine_emotion::multilingual::{Features, MultilingualModel};

/// Prints the outputs of a multilingual model.
#[derive(Parser)]
struct Options {
    /// Weights; those of the crate if there are none
    #[arg(long)]
    model: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let model = match Options::parse().model {
        Some(path) => MultilingualModel::from_bytes(&fs::read(path)?)?,
        None => MultilingualModel::embedded(),
    };
    let mut features = Features::new(model.rows());
    for line in stdin().lines() {
        features.read(&line?.replace("\\n", "\n"));
        let outputs = model.outputs(&features).map(|output| format!("{output:.4}"));
        println!("{}", outputs.join("\t"));
    }
    Ok(())
}
