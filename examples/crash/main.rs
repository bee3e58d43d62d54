//! `cargo run --release --example crash -- --cycles 200` kills a writer again and again and looks whether anything acknowledged was lost.
//!
//! Each cycle starts this program anew as a writer, with several threads that store, change and delete and
//! announce on standard output what they are about to do and what was acknowledged; they write through the
//! memory batcher, or with `--direct` straight into the store. The writer is killed (SIGKILL) at a random moment, in every third cycle while it still recovers from the kill before. Then
//! the store is opened and compared: what was acknowledged must be there to the letter, what was under way
//! may be there or not but nothing in between, and there must be nothing else.

mod ledger;
mod writer;

use std::{
    error::Error,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use clap::Parser;
use whisperengine_examples::{measure, progress};

use crate::{
    ledger::{Ledger, Tally},
    writer::Numbers,
};

/// Kill a writer at random moments and count what was lost.
#[derive(Debug, Parser)]
struct Args {
    /// How often to start, kill and check.
    #[arg(long, default_value_t = 200)]
    cycles: u64,
    /// Decides the moments of the kills and the sizes of the batches.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write straight into the store, without the batcher.
    #[arg(long)]
    direct: bool,
    /// Instead of killing, let one writer fill the disk that `--store` is on; take a small one.
    #[arg(long, requires = "store")]
    until_full: bool,
    /// Keep the store in this folder; a temporary one if not given.
    #[arg(long)]
    store: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
    /// Run as the writer, beginning with these operations (for this program's own use).
    #[arg(long, hide = true, value_delimiter = ',')]
    write_from: Option<Vec<u64>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let temporary = tempfile::tempdir()?;
    let folder = args.store.clone().unwrap_or_else(|| temporary.path().to_owned());
    if let Some(from) = &args.write_from {
        return writer::run(&folder, args.seed, from, args.direct);
    }
    let started = measure::now();
    let mut random = Numbers::new(args.seed);
    let mut ledger = Ledger::new(args.direct);
    let mut tally = Tally::default();
    if args.until_full {
        fill_the_disk(writer(&args, &folder, args.seed)?, &folder, &mut ledger)?;
        tally.add(&ledger.check(&folder, true)?);
        return report(&tally, 1, started.elapsed(), args.json);
    }
    let bar = progress::bar(args.cycles, "cycles");
    for cycle in 0..args.cycles {
        let in_recovery = cycle % 3 == 2;
        let writer = writer(&args, &folder, args.seed.wrapping_add(cycle))?;
        run_and_kill(writer, in_recovery, &mut random, &mut ledger)?;
        let last = cycle + 1 == args.cycles;
        tally.add(&ledger.check(&folder, last || cycle % 20 == 0)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    report(&tally, args.cycles, started.elapsed(), args.json)
}

fn report(tally: &Tally, cycles: u64, took: Duration, json: bool) -> Result<(), Box<dyn Error>> {
    tally.print(cycles, took, json);
    if tally.lost + tally.phantom > 0 {
        return Err("the store lost or invented memories".into());
    }
    Ok(())
}

/// This program as a writer.
fn writer(args: &Args, folder: &Path, seed: u64) -> Result<Command, Box<dyn Error>> {
    let mut writer = Command::new(std::env::current_exe()?);
    writer
        .args(["--seed", &seed.to_string()])
        .arg("--store")
        .arg(folder);
    if args.direct {
        writer.arg("--direct");
    }
    Ok(writer)
}

/// Starts a writer where the ledger ends.
fn start(mut writer: Command, ledger: &Ledger) -> Result<(Child, ChildStdout), Box<dyn Error>> {
    let from: Vec<String> = ledger.next_operations().iter().map(u64::to_string).collect();
    let mut child = writer
        .args(["--write-from", &from.join(",")])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("the writer has no output")?;
    Ok((child, output))
}

/// Runs a writer until the disk is full, and then makes room for opening the store again.
fn fill_the_disk(writer: Command, folder: &Path, ledger: &mut Ledger) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder)?;
    let ballast = folder.with_extension("ballast");
    std::fs::write(&ballast, vec![1; BALLAST_BYTES])?;
    let (mut child, output) = start(writer, ledger)?;
    let lines = read_all(output, &mpsc::channel().0);
    if child.wait()?.success() {
        return Err("the writer does not know that the disk is full".into());
    }
    std::fs::remove_file(&ballast)?;
    lines.iter().try_for_each(|line| ledger.enter(line))
}

/// Starts a writer, kills it at a random moment, and enters into the ledger what it announced.
fn run_and_kill(
    writer: Command,
    in_recovery: bool,
    random: &mut Numbers,
    ledger: &mut Ledger,
) -> Result<(), Box<dyn Error>> {
    let (mut child, output) = start(writer, ledger)?;
    let (ready, is_ready) = mpsc::channel();
    let announced = std::thread::spawn(move || read_all(output, &ready));
    if !in_recovery && is_ready.recv_timeout(LONGEST_RECOVERY).is_err() {
        child.kill()?;
        return Err(format!("the writer did not open the store: {}", child.wait()?).into());
    }
    let longest = if in_recovery { 40_000 } else { 250_000 };
    // A wait with a time limit on a writer that does not end by itself is a sleep.
    let _ = is_ready.recv_timeout(Duration::from_micros(random.below(longest)));
    kill(child)?;
    for line in announced
        .join()
        .map_err(|_| "the reader of the writer's output failed")?
    {
        ledger.enter(&line)?;
    }
    Ok(())
}

fn kill(mut child: Child) -> Result<(), Box<dyn Error>> {
    if let Some(status) = child.try_wait()? {
        return Err(format!("the writer ended by itself: {status}").into());
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// The complete lines of the writer; a last line that the kill cut off says nothing.
fn read_all(output: impl Read, ready: &mpsc::Sender<()>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(output);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
        if line.trim_end() == "ready" {
            let _ = ready.send(());
        } else {
            lines.push(line.trim_end().to_owned());
        }
        line.clear();
    }
    // The sender stays alive until the writer is gone.
    lines
}

/// Kept free for the store that is opened after the disk was full.
const BALLAST_BYTES: usize = 8 << 20;
const LONGEST_RECOVERY: Duration = Duration::from_secs(60);
