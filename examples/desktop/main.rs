//! `cargo run --release -p whisperengine-examples --features desktop --example desktop` — a companion on the
//! desktop: the chat on the left; the course of feelings, recalled memories with reasons, threads and
//! moments on the right.
//!
//! Memories live in the user's data folder, or in `--data DIR`. `--script FILE` feeds the lines of a file
//! instead of the keyboard and prints the last screen as text.
#![forbid(unsafe_code)]

mod app;
mod session;
mod terminal;
mod view;
mod wrap;

use std::{error::Error, path::PathBuf, process::ExitCode, sync::Arc};

use clap::Parser;
use etcetera::BaseStrategy;
use whisperengine::{Clock, SystemClock};
use whisperengine_examples::report;

use session::Session;

/// A companion on the desktop that remembers you.
#[derive(Debug, Parser)]
struct Args {
    /// Folder that keeps the memories; by default `whisperengine` in the user's data folder.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Who is writing; every name has memories of its own.
    #[arg(long, default_value = "you")]
    user: String,
    /// The companion's name.
    #[arg(long, default_value = "ember")]
    bot: String,
    /// Read lines from this file instead of the keyboard and print the last screen.
    #[arg(long)]
    script: Option<PathBuf>,
    /// The size of the screen that `--script` prints, as WIDTHxHEIGHT.
    #[arg(long, default_value = "120x40", value_parser = size)]
    size: (u16, u16),
}

#[tokio::main]
async fn main() -> ExitCode {
    report::exit(run(&Args::parse()).await)
}

async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let data = match &args.data {
        Some(folder) => folder.clone(),
        None => etcetera::choose_base_strategy()?.data_dir().join("whisperengine"),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let session = Session::open(&data, &args.bot, &args.user, clock)?;
    match &args.script {
        Some(file) => print!("{}", session.play(file, args.size).await?),
        None => terminal::run(&session).await?,
    }
    session.close().await;
    Ok(())
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let numbers = text
        .split_once('x')
        .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    match numbers {
        Some((width @ 40..=500, height @ 12..=200)) => Ok((width, height)),
        _ => Err("expected WIDTHxHEIGHT, at least 40x12 and at most 500x200".to_owned()),
    }
}
