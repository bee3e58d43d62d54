//! What is known of each person in a chat log, since when, from which line, and what it replaced.
//!
//! `cargo run --release --example known -- chat.jsonl`, a line a message:
//! `{"at" | "timestamp" | "sent_at", "user" | "speaker", "text", "id"?, "lang"?}`. `--json` prints one object a fact,
//! `--sample N --seed S` a sample of all that was learned, `--ask TEXT` what is known of a question.

use std::{
    collections::BTreeMap,
    error::Error,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
};

use clap::Parser;
use serde::Deserialize;
use whisperengine_profile::{Profile, Statement};
use whisperengine_types::{Fact, Language, MemoryId, Polarity, Timestamp};

/// Prints what is known of each person in a chat log.
#[derive(Parser)]
struct Args {
    /// The chat log, as JSON lines.
    log: PathBuf,
    /// One JSON object a fact.
    #[arg(long)]
    json: bool,
    /// Only so many facts, drawn at random.
    #[arg(long)]
    sample: Option<usize>,
    /// Seed of the sample.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A question that is put to each person's profile.
    #[arg(long)]
    ask: Option<String>,
    /// The language of lines that name none.
    #[arg(long)]
    lang: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "timestamp", alias = "sent_at")]
    at: Timestamp,
    user: Option<String>,
    speaker: Option<String>,
    text: Option<String>,
    id: Option<String>,
    lang: Option<String>,
}

struct Person {
    profile: Profile,
    texts: BTreeMap<String, String>,
    latest: Timestamp,
    language: Option<Language>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let people = read(&args)?;
    let mut out = std::io::stdout().lock();
    let mut rows = Vec::new();
    for (name, person) in &people {
        if let Some(question) = &args.ask {
            let mut asked = Statement::new(MemoryId::new("question")?, question, person.latest);
            asked.language = person.language;
            if let Some(answer) = person.profile.answer(&asked) {
                let found = answer.facts.iter().map(|fact| row(name, person, fact));
                rows.extend(found.map(|row| (row.0, with(row.1, "answer", true))));
            }
        }
        if args.ask.is_none() || args.json {
            rows.extend(person.profile.all().map(|fact| row(name, person, fact)));
        }
    }
    if let Some(sample) = args.sample {
        rows = draw(rows, sample, args.seed);
    }
    for (line, json) in rows {
        let written = if args.json {
            writeln!(out, "{json}")
        } else {
            writeln!(out, "{line}")
        };
        if written.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn read(args: &Args) -> Result<BTreeMap<String, Person>, Box<dyn Error>> {
    let mut people: BTreeMap<String, Person> = BTreeMap::new();
    for (number, line) in BufReader::new(File::open(&args.log)?).lines().enumerate() {
        let line: Line = serde_json::from_str(&line?)?;
        let (Some(text), Some(who)) = (&line.text, line.speaker.as_ref().or(line.user.as_ref())) else {
            continue;
        };
        let name = match (&line.user, &line.speaker) {
            (Some(user), Some(speaker)) => format!("{speaker} ({user})"),
            _ => who.clone(),
        };
        let person = people.entry(name).or_insert_with(|| Person {
            profile: Profile::new(),
            texts: BTreeMap::new(),
            latest: line.at,
            language: None,
        });
        let id = line.id.clone().unwrap_or_else(|| (number + 1).to_string());
        person.latest = person.latest.max(line.at);
        person.language = line
            .lang
            .as_ref()
            .or(args.lang.as_ref())
            .and_then(|code| code.parse().ok());
        let mut statement = Statement::new(MemoryId::new(&id)?, text, line.at);
        statement.language = person.language;
        person.profile.learn(&statement);
        person.texts.insert(id, text.clone());
    }
    Ok(people)
}

fn row(name: &str, person: &Person, fact: &Fact) -> (String, serde_json::Value) {
    let day = |time: Timestamp| time.to_string()[..10].to_owned();
    let denied = if fact.polarity == Polarity::Denied {
        "not "
    } else {
        ""
    };
    let detail = fact
        .detail
        .as_ref()
        .map(|detail| format!(" ({detail})"))
        .unwrap_or_default();
    let note = fact
        .note
        .as_ref()
        .map(|note| format!(", {note}"))
        .unwrap_or_default();
    let until = fact
        .until
        .map(|until| format!(" until {}", day(until)))
        .unwrap_or_default();
    let by = person
        .profile
        .ended_by(fact)
        .map(|by| format!(", replaced by line {by}"))
        .unwrap_or_default();
    let line = format!(
        "{name}: {} = {denied}{}{detail}{note}, since {}{until}{by}; line {}: \"{}\"",
        fact.slot,
        fact.value,
        day(fact.since),
        fact.source,
        fact.quote,
    );
    let mut json = serde_json::to_value(fact).unwrap_or_default();
    json = with(json, "person", name);
    json = with(
        json,
        "ended_by",
        person.profile.ended_by(fact).map(MemoryId::as_str),
    );
    json = with(
        json,
        "text",
        person.texts.get(fact.source.as_str()).map(String::as_str),
    );
    (line, json)
}

fn with(mut json: serde_json::Value, key: &str, value: impl Into<serde_json::Value>) -> serde_json::Value {
    json[key] = value.into();
    json
}

/// `n` of the rows in their order, by a multiplicative generator.
fn draw<T>(mut rows: Vec<T>, n: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    while rows.len() > n {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) as usize % rows.len();
        rows.remove(at);
    }
    rows
}
