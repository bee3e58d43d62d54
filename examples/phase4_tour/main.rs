//! `cargo run --release --example phase4_tour` — tells two weeks of one person with a bot, day by day, and
//! prints what the conversation engine noticed, raised and held back, and why. With `--replay FILE` (JSON
//! Lines with user, id, speaker, session, text and timestamp, such as `../shared/data/locomo-dev/memories.jsonl`)
//! it plays recorded conversations instead and prints figures on threads, moments and interventions.

mod companion;
mod replay;
mod story;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

/// Shows the conversation engine at work.
#[derive(Debug, Parser)]
struct Options {
    /// Recorded conversations to play instead of the story.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How many of the replay's moments to print.
    #[arg(long, default_value_t = 50)]
    sample: usize,
    /// Draw the printed moments at random with this seed instead of evenly spread.
    #[arg(long)]
    seed: Option<u64>,
    /// Turns between two moments, instead of the default; fewer show more of them.
    #[arg(long, value_name = "TURNS")]
    gap_turns: Option<u32>,
    /// How often to play everything again for measuring the speed; 0 for not at all.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Read no emotions and use no embeddings: the engine's own words only.
    #[arg(long)]
    plain: bool,
    /// Print the text for the language model after each message of the story.
    #[arg(long)]
    supplements: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match &options.replay {
        Some(file) => replay::run(file, &options),
        None => story::tell(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}
