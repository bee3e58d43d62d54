//! Trains the emotion model and writes its weights file:
//! `cargo run --release -p whisperengine-emotion --example train -- --train train.tsv --dev dev.tsv --output weights.bin`
//!
//! Prints the F1 of every label and of the usual groups on the dev texts. Rows are tab-separated: text,
//! comma-separated label ids. The weights are trained on the train texts, the thresholds tuned on texts
//! that the weights have not seen: the dev texts, and parts of the train texts, held out in turn. The same data, options and seed give the same file.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program")]

use std::{error::Error, fs, path::PathBuf};

use clap::Parser;
use whisperengine_emotion::train::{Example, Scores, TrainConfig, train};
use whisperengine_types::Emotion;

/// Trains the emotion model and writes its weights file.
#[derive(Parser)]
struct Options {
    /// Texts to train on
    #[arg(long)]
    train: PathBuf,
    /// Texts to tune the thresholds on, beside the held-out parts of the others, and to judge by
    #[arg(long)]
    dev: PathBuf,
    /// Weights file to write
    #[arg(long)]
    output: PathBuf,
    /// Order of the examples
    #[arg(long, default_value_t = TrainConfig::default().seed)]
    seed: u64,
    /// Models to average
    #[arg(long, default_value_t = TrainConfig::default().members)]
    members: u32,
    /// Passes over the training texts
    #[arg(long, default_value_t = TrainConfig::default().epochs)]
    epochs: u32,
    /// First step of AdaGrad
    #[arg(long, default_value_t = TrainConfig::default().learning_rate)]
    learning_rate: f32,
    /// Weight decay
    #[arg(long, default_value_t = TrainConfig::default().weight_decay)]
    weight_decay: f32,
    /// How much less the weights of rare labels are decayed
    #[arg(long, default_value_t = TrainConfig::default().decay_power)]
    decay_power: f32,
    /// How much more frequent features count
    #[arg(long, default_value_t = TrainConfig::default().frequency_power)]
    frequency_power: f32,
    /// Weight of a character n-gram relative to a word
    #[arg(long, default_value_t = TrainConfig::default().gram_weight)]
    gram_weight: f32,
    /// A word or pair is known when this many texts have it
    #[arg(long, default_value_t = TrainConfig::default().texts_with)]
    texts_with: u32,
    /// Pairs of words to keep
    #[arg(long, default_value_t = TrainConfig::default().pairs)]
    pairs: u32,
    /// Rows of character n-grams
    #[arg(long, default_value_t = TrainConfig::default().gram_rows)]
    gram_rows: u32,
    /// Parts of the training texts that are held out in turn for the thresholds; below 2, dev alone decides
    #[arg(long, default_value_t = TrainConfig::default().folds)]
    folds: u32,
}

const EKMAN: [&str; 7] = [
    "anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral",
];
const SENTIMENT: [&str; 4] = ["positive", "negative", "ambiguous", "neutral"];

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let read = |path: &PathBuf| -> Result<Vec<Example>, Box<dyn Error>> {
        let rows = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Example::from_tsv(&rows).map_err(|error| format!("{}: {error}", path.display()))?)
    };
    let (texts, dev) = (read(&options.train)?, read(&options.dev)?);
    let mut config = TrainConfig::default();
    config.seed = options.seed;
    config.members = options.members;
    config.epochs = options.epochs;
    config.learning_rate = options.learning_rate;
    config.weight_decay = options.weight_decay;
    config.frequency_power = options.frequency_power;
    config.gram_weight = options.gram_weight;
    config.texts_with = options.texts_with;
    config.pairs = options.pairs;
    config.gram_rows = options.gram_rows;
    config.decay_power = options.decay_power;
    config.folds = options.folds;
    let trained = train(&texts, &dev, &config, |epoch| {
        eprintln!("pass {epoch} of {}, {} times over", config.epochs, config.members);
    })?;
    let bytes = trained.model.to_bytes();
    fs::write(&options.output, &bytes)?;
    println!("F1 on {} dev texts     cross-validated   tuned", dev.len());
    let names: Vec<&str> = Emotion::ALL.iter().map(|emotion| emotion.name()).collect();
    let (fair, tuned) = (&trained.cross_validated, &trained.tuned);
    for (title, names, fair, tuned) in [
        ("28 labels", &names[..], &fair.labels, &tuned.labels),
        ("Ekman", &EKMAN, &fair.ekman, &tuned.ekman),
        ("sentiment", &SENTIMENT, &fair.sentiment, &tuned.sentiment),
    ] {
        for ((name, fair), tuned) in names.iter().zip(fair).zip(tuned) {
            println!("  {name:<26} {fair:>9.3} {tuned:>11.3}");
        }
        let (fair, tuned) = (Scores::mean(fair), Scores::mean(tuned));
        println!("{title:<28} {fair:>9.4} {tuned:>11.4}  macro");
    }
    println!("{}: {} bytes", options.output.display(), bytes.len());
    Ok(())
}
