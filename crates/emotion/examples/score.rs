//! `cargo run --release -p whisperengine-emotion --example score -- --input texts.jsonl --output scores.tsv [--columns vader|full]
//! [--threads N] [--bench]` reads emotions from texts, one row of tab-separated scores for each line.
//!
//! A line is a JSON string or an object with `text`. A lone surrogate (`\ud800`) is read as U+FFFD; a line
//! that is not JSON, or holds no text, is read as an empty text and counted on standard error. `--bench`
//! prints texts per second of wall-clock and of CPU time.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "this is a program that measures"
)]

use std::{
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use serde::Deserialize;
use whisperengine_emotion::{EmotionEngine, Readings};
use whisperengine_types::VaderScores;

/// Reads emotions from texts.
#[derive(Parser)]
struct Options {
    /// JSON lines: strings, or objects with `text`
    #[arg(long)]
    input: PathBuf,
    /// Tab-separated scores, with a header
    #[arg(long)]
    output: PathBuf,
    /// What to write for each text
    #[arg(long, value_enum, default_value_t = Columns::Full)]
    columns: Columns,
    /// Threads to read with; 0 for one per core
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Measure: read the texts several times over
    #[arg(long)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Columns {
    /// neg, neu, pos, compound
    Vader,
    /// And primary, labels, intensity, confidence, valence, arousal, dominance, language, safety
    Full,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Text(String),
    Object { text: String },
}

/// Texts read at a time: few enough that their readings stay in a near cache.
const CHUNK: usize = 1024;
const BENCH_PASSES: usize = 7;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build_global()?;
    let bytes = fs::read(&options.input).map_err(|error| format!("{}: {error}", options.input.display()))?;
    let (texts, without_text) = parse(&bytes);
    if without_text > 0 {
        eprintln!(
            "{without_text} of {} lines hold no text and are read as empty",
            texts.len()
        );
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let engine = EmotionEngine::new();
    let file =
        File::create(&options.output).map_err(|error| format!("{}: {error}", options.output.display()))?;
    let mut out = BufWriter::new(file);
    write(&engine, &texts, options.columns, &mut out)?;
    out.flush()?;
    if options.bench && !texts.is_empty() {
        bench(&engine, &texts, options.columns);
    }
    Ok(())
}

/// One text per line, and how many lines had none.
fn parse(bytes: &[u8]) -> (Vec<String>, usize) {
    let content = String::from_utf8_lossy(bytes);
    let content = content.strip_prefix('\u{feff}').unwrap_or(&content);
    let mut without_text = 0;
    let lines = content.strip_suffix('\n').unwrap_or(content);
    let texts = if lines.is_empty() && !content.ends_with('\n') {
        Vec::new()
    } else {
        let mut text = |line: &str| {
            let parsed =
                serde_json::from_str(line).or_else(|_| serde_json::from_str(&without_lone_surrogates(line)));
            match parsed {
                Ok(Line::Text(text) | Line::Object { text }) => text,
                Err(_) => {
                    without_text += 1;
                    String::new()
                }
            }
        };
        lines
            .split('\n')
            .map(|line| text(line.trim_end_matches('\r')))
            .collect()
    };
    (texts, without_text)
}

/// Replaces `\uD800`-like escapes that are not half of a pair by `\ufffd`, so that the line is JSON that
/// Rust can hold.
fn without_lone_surrogates(line: &str) -> String {
    let unit = |at: usize| -> Option<u32> {
        let escape = line.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(escape, 16).ok()
    };
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(found) = line[at..].find('\\') {
        out.push_str(&line[at..at + found]);
        at += found;
        let taken = match unit(at) {
            Some(0xD800..0xDC00) if matches!(unit(at + 6), Some(0xDC00..0xE000)) => 12,
            Some(0xD800..0xE000) => {
                out.push_str("\\ufffd");
                at += 6;
                continue;
            }
            Some(_) => 6,
            // The backslash and what it escapes.
            None => 1 + line[at + 1..].chars().next().map_or(0, char::len_utf8),
        };
        out.push_str(&line[at..at + taken]);
        at += taken;
    }
    out.push_str(&line[at..]);
    out
}

fn write(
    engine: &EmotionEngine,
    texts: &[&str],
    columns: Columns,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let (mut readings, mut scores) = (Readings::default(), Vec::new());
    match columns {
        Columns::Vader => writeln!(out, "neg\tneu\tpos\tcompound")?,
        Columns::Full => writeln!(
            out,
            "neg\tneu\tpos\tcompound\tprimary\tlabels\tintensity\tconfidence\tvalence\tarousal\tdominance\tlanguage\tsafety"
        )?,
    }
    for chunk in texts.chunks(CHUNK) {
        if columns == Columns::Vader {
            engine.vader_into(chunk, &mut scores);
            for score in &scores {
                write_vader(score, out)?;
                writeln!(out)?;
            }
        } else {
            engine.analyze_into(chunk, &mut readings);
            for at in 0..readings.len() {
                write_vader(&readings.vader()[at], out)?;
                let labels: Vec<&str> = readings.labels()[at]
                    .iter()
                    .map(whisperengine_types::Emotion::name)
                    .collect();
                write!(out, "\t{}\t{}", readings.primary()[at], labels.join(","))?;
                for value in [
                    readings.intensity()[at],
                    readings.confidence()[at],
                    readings.valence()[at],
                    readings.arousal()[at],
                    readings.dominance()[at],
                ] {
                    write!(out, "\t{value:.4}")?;
                }
                let language =
                    readings.language()[at].map_or_else(|| "-".to_owned(), |known| known.to_string());
                writeln!(out, "\t{language}\t{}", readings.safety()[at].level)?;
            }
        }
    }
    Ok(())
}

/// Prints the four numbers as Python does.
fn write_vader(scores: &VaderScores, out: &mut impl Write) -> std::io::Result<()> {
    let VaderScores {
        neg,
        neu,
        pos,
        compound,
    } = scores;
    write!(out, "{neg:?}\t{neu:?}\t{pos:?}\t{compound:?}")
}

fn bench(engine: &EmotionEngine, texts: &[&str], columns: Columns) {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    println!(
        "{} texts of {} bytes on average",
        texts.len(),
        bytes / texts.len()
    );
    let (mut readings, mut scores) = (Readings::default(), Vec::new());
    let mut all = |chunk: &[&str]| match columns {
        Columns::Vader => engine.vader_into(chunk, &mut scores),
        Columns::Full => engine.analyze_into(chunk, &mut readings),
    };
    let name = if columns == Columns::Vader {
        "VADER"
    } else {
        "full reading"
    };
    report(name, texts.len(), || texts.chunks(CHUNK).for_each(&mut all));
    let repeated: Vec<&str> = texts.iter().copied().take(500).cycle().take(200_000).collect();
    for text in &repeated[..repeated.len().min(500)] {
        engine.analyze_shared(text);
    }
    report("repeats, cached", repeated.len(), || {
        for text in &repeated {
            std::hint::black_box(engine.analyze_shared(text));
        }
    });
    let mut readings = Readings::default();
    report("repeats, in one batch", repeated.len(), || {
        engine.analyze_into(&repeated, &mut readings);
    });
}

/// Prints the median of several passes.
fn report(name: &str, texts: usize, mut pass: impl FnMut()) {
    let mut times: Vec<(Duration, Duration)> = (0..BENCH_PASSES)
        .map(|_| {
            let (cpu, wall) = (process_cpu(), Instant::now());
            pass();
            (wall.elapsed(), process_cpu().saturating_sub(cpu))
        })
        .collect();
    let rate = |time: Duration| texts as f64 / time.as_secs_f64().max(1e-9);
    times.sort();
    let wall = rate(times[BENCH_PASSES / 2].0);
    times.sort_by_key(|time| time.1);
    let cpu = rate(times[BENCH_PASSES / 2].1);
    println!("{name:<22} {wall:>12.0} texts/s {cpu:>12.0} texts per CPU second");
}

/// CPU time of this process so far.
fn process_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
