//! `cargo run --release -p whisperengine-tools --bin calibrate-recall -- DIR...` fits the relevance of a hit to questions whose answers are known and prints the weights, the calibration error and the separation.
//!
//! Each folder has `memories.jsonl` and `queries.jsonl` in the form of the example `recall`. A question is put
//! to its own person's memories and to those of others, which do not answer it; and once more with the names
//! in it replaced by "I", because people ask of themselves. Each folder has the same weight.
#![allow(clippy::print_stdout, reason = "a program prints its results")]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Parser;
use serde::{Deserialize, de::DeserializeOwned};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_types::{
    BotId, MemoryId, MemoryOwner, MemoryRecord, RecallQuery, SessionId, Timestamp, UserId,
};
use whisperengine_vector_memory::{
    Evidence, OwnerMemory, RelevanceWeights, VectorMemory, VectorMemoryConfig, answered_features,
    first_features,
};

/// Fit the relevance of a hit.
#[derive(Debug, Parser)]
struct Args {
    /// Folders with `memories.jsonl` and `queries.jsonl`.
    #[arg(required = true)]
    folders: Vec<PathBuf>,
    /// Other people to put each question to, at most.
    #[arg(long, default_value_t = 4)]
    others: usize,
}

#[derive(Debug, Deserialize)]
struct MemoryLine {
    user: String,
    id: String,
    text: String,
    timestamp: Timestamp,
    speaker: Option<String>,
    session: Option<String>,
    reply_to: Option<String>,
}

#[derive(Debug, Deserialize)]
struct QueryLine {
    user: String,
    text: String,
    /// When it is asked; the time of the last memory when absent.
    now: Option<Timestamp>,
    #[serde(default)]
    relevant: Vec<String>,
}

/// What a question found.
struct Asked {
    hits: Vec<Evidence>,
    /// Whether the memories are those of the person asked about, and hold an answer.
    answered: bool,
    /// Whether the first hit is an answer.
    first: bool,
    weight: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let folders = args.folders.iter().map(|folder| ask(folder, args.others));
    let folders: Vec<Vec<Asked>> = folders.collect::<Result<_, _>>()?;
    let all = || folders.iter().flatten().filter(|asked| !asked.hits.is_empty());
    let samples = all().map(|asked| {
        let features = answered_features(&asked.hits).map(f64::from);
        (features, asked.answered, asked.weight)
    });
    let answered: [f64; 6] = fit(&samples.collect::<Vec<_>>());
    let samples = all().filter(|asked| asked.answered).map(|asked| {
        let features = first_features(&asked.hits).map(f64::from);
        (features, asked.first, asked.weight)
    });
    let first: [f64; 4] = fit(&samples.collect::<Vec<_>>());
    println!("answered {answered:.2?}");
    println!("first    {first:.2?}");
    let mut fitted = RelevanceWeights::default();
    fitted.answered = answered.map(|weight| weight as f32);
    fitted.first = first.map(|weight| weight as f32);
    for (name, weights) in [("default", RelevanceWeights::default()), ("fitted", fitted)] {
        for (folder, asked) in args.folders.iter().zip(&folders) {
            let (error, separation) = quality(asked, &weights);
            let (kept, quiet) = (
                share_given(asked, &weights, true),
                1.0 - share_given(asked, &weights, false),
            );
            println!(
                "{name:8} {}: calibration error {error:.3}, separation {separation:.3}, kept {kept:.3}, quiet {quiet:.3}",
                folder.display()
            );
        }
    }
    Ok(())
}

/// Puts every question of a folder to its own person and to others.
fn ask(folder: &Path, others: usize) -> Result<Vec<Asked>, Box<dyn Error>> {
    let (owners, speakers, last) = remember(&folder.join("memories.jsonl"))?;
    let users: Vec<&String> = owners.keys().collect();
    let queries: Vec<QueryLine> = json_lines(&folder.join("queries.jsonl"))?;
    let mut asked = Vec::new();
    for (n, query) in queries.iter().enumerate() {
        let own = users
            .iter()
            .position(|&user| *user == query.user)
            .ok_or("a question of nobody")?;
        let unnamed = without_names(&query.text, &speakers);
        let mut texts = vec![&query.text];
        if unnamed != query.text {
            texts.push(&unnamed);
        }
        for text in texts {
            let question = RecallQuery::new(text, 20, query.now.unwrap_or(last));
            let others = others.min(users.len() - 1);
            let step = |other: usize| 1 + (n * 7 + other) % (users.len() - 1);
            let places = (0..others).map(|other| (own + step(other)) % users.len());
            for place in std::iter::once(own).chain(places) {
                let found = owners[users[place]].evidence(&question)?;
                let is_answer = |id: &MemoryId| query.relevant.iter().any(|relevant| relevant == id.as_str());
                let is_own = place == own && !query.relevant.is_empty();
                asked.push(Asked {
                    first: is_own && found.first().is_some_and(|(id, _)| is_answer(id)),
                    answered: is_own,
                    weight: if place == own { 1.0 } else { 1.0 / others as f64 },
                    hits: found.into_iter().map(|(_, evidence)| evidence).collect(),
                });
            }
        }
    }
    let whole: f64 = asked.iter().map(|asked| asked.weight).sum();
    asked.iter_mut().for_each(|asked| asked.weight /= whole);
    Ok(asked)
}

type Owners = BTreeMap<String, OwnerMemory>;

/// Stores the memories of everybody; the names of the speakers, and the time of the last memory.
fn remember(path: &Path) -> Result<(Owners, BTreeSet<String>, Timestamp), Box<dyn Error>> {
    let embedder = Arc::new(StaticEmbedder::embedded());
    let memory =
        VectorMemory::in_memory(embedder.clone(), VectorMemoryConfig::default()).with_word_embedder(embedder);
    let mut by_user: BTreeMap<String, Vec<MemoryRecord>> = BTreeMap::new();
    let (mut speakers, mut last) = (BTreeSet::new(), Timestamp::default());
    for line in json_lines::<MemoryLine>(path)? {
        let mut record = MemoryRecord::new(MemoryId::new(&line.id)?, line.text, line.timestamp);
        last = last.max(line.timestamp);
        speakers.extend(line.speaker.clone());
        record.speaker = line.speaker;
        record.session = line.session.map(SessionId::new).transpose()?;
        if let Some(id) = line.reply_to {
            record.metadata.insert("reply_to".to_owned(), id.as_str().into());
        }
        by_user.entry(line.user).or_default().push(record);
    }
    let mut owners = BTreeMap::new();
    for (user, records) in by_user {
        let owner = memory.owner(&MemoryOwner::person(
            BotId::new("calibrate")?,
            UserId::new(&user)?,
        ));
        for stored in owner.remember_all(records) {
            stored?;
        }
        owners.insert(user, owner);
    }
    Ok((owners, speakers, last))
}

/// The question as the person would ask it of themselves.
fn without_names(text: &str, speakers: &BTreeSet<String>) -> String {
    let mut text = text.to_owned();
    for name in speakers.iter().filter(|name| name.len() > 2) {
        let mut letters = name.chars();
        let capital: String = letters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(letters)
            .collect();
        text = text.replace(&format!("{capital}'s"), "my").replace(&capital, "I");
    }
    text
}

fn json_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Box<dyn Error>> {
    let lines = BufReader::new(File::open(path)?).lines();
    lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// Logistic regression by Newton's method with a little ridge; the constant comes first.
fn fit<const F: usize, const W: usize>(samples: &[([f64; F], bool, f64)]) -> [f64; W] {
    let mut weights = [0.0; W];
    for _ in 0..STEPS {
        let mut gradient = [0.0; W];
        let mut hessian = [[0.0; W]; W];
        for (at, &weight) in weights.iter().enumerate() {
            gradient[at] = RIDGE * weight;
            hessian[at][at] = RIDGE;
        }
        for (features, holds, weight) in samples {
            let mut row = [1.0; W];
            row[1..].copy_from_slice(features);
            let z: f64 = row.iter().zip(&weights).map(|(x, w)| x * w).sum();
            let probability = (1.0 + (-z).exp()).recip();
            let off = weight * (probability - f64::from(u8::from(*holds)));
            let curve = weight * probability * (1.0 - probability);
            for i in 0..W {
                gradient[i] += off * row[i];
                for j in 0..W {
                    hessian[i][j] += curve * row[i] * row[j];
                }
            }
        }
        let step = solve(hessian, gradient);
        weights
            .iter_mut()
            .zip(step)
            .for_each(|(weight, step)| *weight -= step);
    }
    weights
}

/// Gaussian elimination; the matrix is positive definite.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    for pivot in 0..N {
        for row in pivot + 1..N {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            let above = matrix[pivot];
            matrix[row]
                .iter_mut()
                .zip(above)
                .for_each(|(x, above)| *x -= factor * above);
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N)
            .map(|column| matrix[row][column] * right[column])
            .sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

/// The share of the questions that are answered, or are not, whose first hit has a relevance of a half.
fn share_given(asked: &[Asked], weights: &RelevanceWeights, answered: bool) -> f64 {
    let (mut given, mut whole) = (0.0, 0.0);
    for asked in asked.iter().filter(|asked| asked.answered == answered) {
        whole += asked.weight;
        if weights
            .relevances(&asked.hits)
            .iter()
            .any(|&relevance| relevance >= 0.5)
        {
            given += asked.weight;
        }
    }
    if whole > 0.0 { given / whole } else { 0.0 }
}

/// The expected calibration error of the first hit's relevance in ten bins, and the chance that an answered
/// question's is above an unanswered one's.
fn quality(asked: &[Asked], weights: &RelevanceWeights) -> (f64, f64) {
    let mut bins = [(0.0_f64, 0.0_f64); 10];
    let (mut answered, mut others) = (Vec::new(), Vec::new());
    for asked in asked {
        let relevance = weights
            .relevances(&asked.hits)
            .first()
            .map_or(0.0, |&relevance| f64::from(relevance));
        let bin = &mut bins[((relevance * 10.0) as usize).min(9)];
        bin.0 += asked.weight * relevance;
        bin.1 += asked.weight * f64::from(u8::from(asked.first));
        if asked.answered {
            &mut answered
        } else {
            &mut others
        }
        .push((relevance, asked.weight));
    }
    let error = bins.iter().map(|(said, is)| (said - is).abs()).sum();
    let (mut above, mut whole) = (0.0, 0.0);
    for &(relevance, weight) in &answered {
        for &(other, other_weight) in &others {
            let pair = weight * other_weight;
            whole += pair;
            above += if relevance > other {
                pair
            } else if relevance == other {
                pair / 2.0
            } else {
                0.0
            };
        }
    }
    (error, if whole > 0.0 { above / whole } else { 0.0 })
}

const STEPS: usize = 40;
const RIDGE: f64 = 1e-4;
