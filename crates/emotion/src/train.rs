//! Training of an [`EmotionModel`]: logistic regression by stochastic gradient descent, one output per
//! label and per group, then quantisation to int8, then thresholds on held-out texts.
//!
//! Everything is decided by the data, the configuration and its seed; equal inputs give equal bytes.

mod data;
mod descent;
mod evaluate;
mod lexis;
mod quantize;

use whisperengine_types::Emotion;

use self::{
    data::Encoded,
    evaluate::{Judged, Tuned},
    lexis::Lexis,
};
pub use self::{data::Example, evaluate::Scores};
use crate::{EmotionModel, Error, Result};

/// How to train.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TrainConfig {
    /// Order of the examples. Default 1.
    pub seed: u64,
    /// Models trained in different orders and averaged; being linear they are one model again. Default 3;
    /// more cost time and take out a little noise.
    pub members: u32,
    /// Passes over the training texts. Default 8.
    pub epochs: u32,
    /// First step of AdaGrad; falls linearly to 0. Default 0.5.
    pub learning_rate: f32,
    /// Weight decay, applied to the features of each text as it is seen, so that frequent features are
    /// decayed more often. Default 0.002.
    pub weight_decay: f32,
    /// The decay of an output is multiplied by (its share of the texts / 0.05) to this: the weights of rare
    /// labels, which few texts pull at, are decayed less. Default 0.3; 0 decays all alike.
    pub decay_power: f32,
    /// Features are weighted by ln(texts / texts with it) to the minus this: frequent features, whose
    /// weights can be trusted, count for more. Default 0.2.
    pub frequency_power: f32,
    /// Weight of a character n-gram relative to a word. Default 0.6.
    pub gram_weight: f32,
    /// A word or pair of words is known when this many texts have it. Default 3.
    pub texts_with: u32,
    /// Pairs of words to keep: those whose labels are furthest from the usual. Default 12,000; 37 bytes each
    /// in the file; at most 50,000 together with negated words.
    pub pairs: u32,
    /// Rows of character n-grams. Default 8,192; 33 bytes each in the file.
    pub gram_rows: u32,
    /// Parts that the training texts are divided into: a model of all others reads each part, and the
    /// thresholds are tuned on what they say of it, too. Rare labels have too few texts in dev alone: on 5,400
    /// held-out texts instead of 21,700 macro-F1 over the labels is 0.003 lower. Default 5; below 2, dev alone
    /// decides.
    pub folds: u32,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            members: 3,
            epochs: 8,
            learning_rate: 0.5,
            weight_decay: 0.002,
            decay_power: 0.3,
            frequency_power: 0.2,
            gram_weight: 0.6,
            texts_with: 3,
            pairs: 12_000,
            gram_rows: 8_192,
            folds: 5,
        }
    }
}

/// What came of a training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The model, thresholds included.
    pub model: EmotionModel,
    /// F1 on the dev texts with the thresholds that were tuned on all of them: an optimistic figure.
    pub tuned: Scores,
    /// F1 on the dev texts, each fifth of them judged by thresholds in which it had no part: the figure to
    /// expect on unseen texts.
    pub cross_validated: Scores,
}

/// Trains on `train` and tunes the thresholds on texts that the weights in question have not seen: `dev`, and
/// the parts of `train` that are held out in turn. `progress` hears of each pass.
///
/// # Errors
/// [`Error::NoExamples`] when either is empty.
pub fn train(
    train: &[Example],
    dev: &[Example],
    config: &TrainConfig,
    mut progress: impl FnMut(u32),
) -> Result<Trained> {
    if train.is_empty() || dev.is_empty() {
        return Err(Error::NoExamples);
    }
    let mut held_out = Judged::default();
    for fold in 0..config.folds as usize {
        let is_in = |index: usize| index % config.folds as usize == fold;
        let part = |wanted: bool| -> Vec<Example> {
            let chosen = train
                .iter()
                .enumerate()
                .filter(|(index, _)| is_in(*index) == wanted);
            chosen.map(|(_, example)| example.clone()).collect()
        };
        let (inside, outside) = (part(true), part(false));
        if inside.is_empty() || outside.is_empty() {
            continue;
        }
        let model = fit(&outside, config, &mut progress);
        held_out.extend(evaluate::judge_all(&model, &inside));
    }
    let mut model = fit(train, config, &mut progress);
    let on_dev = evaluate::judge_all(&model, dev);
    let cross_validated = evaluate::cross_validate(&on_dev, &held_out);
    held_out.extend(on_dev.clone());
    let Tuned { labels, groups } = evaluate::tune(&held_out);
    model.thresholds = labels;
    model.group_thresholds = groups;
    let tuned = evaluate::score(&model, &on_dev);
    debug_assert_eq!(tuned.labels.len(), Emotion::COUNT, "one F1 per label");
    Ok(Trained {
        model,
        tuned,
        cross_validated,
    })
}

/// A model without thresholds.
fn fit(examples: &[Example], config: &TrainConfig, progress: &mut impl FnMut(u32)) -> EmotionModel {
    let lexis = Lexis::new(examples, config);
    let mut encoded = Encoded::new(examples, &lexis);
    let squares = encoded.weigh(&lexis.layout, config);
    let weights = descent::descend(&encoded, &squares, config, progress);
    quantize::quantize(&lexis, &squares, &weights)
}
