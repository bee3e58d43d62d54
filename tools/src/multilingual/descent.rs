//! Stochastic gradient descent with AdaGrad (Duchi, Hazan and Singer, JMLR 12, 2011).

use whisperengine_emotion::multilingual::{
    Features, GRAM_STRENGTH, MultilingualModel, Rows, WeightRow,
    lanes::{AROUSAL, CONCERN, CRISIS, DANGER, LANGUAGE, PRIMARY, VALENCE},
};

use whisperengine_types::PrimaryEmotion;

use super::data::{Example, Targets};
use crate::SplitMix;

/// How to train.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// Rows of the tables. Default: as many as the embedded model has.
    pub rows: Rows,
    /// Order of the examples. Default 1.
    pub seed: u64,
    /// Passes over the examples. Default 6.
    pub epochs: u32,
    /// First step of AdaGrad; falls linearly to 0. Default 0.3.
    pub learning_rate: f32,
    /// Decay of the weights of the features of each text as it is seen. Default 0.0002.
    pub weight_decay: f32,
    /// Share of the features of a text that a pass does not see. Default 0.1.
    pub dropout: f32,
    /// What rare emotions gain: their logits rise by this times the logarithm of how rare they are among the
    /// examples of weight 1 or more. Default 0.3.
    pub balance: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            seed: 1,
            epochs: 6,
            learning_rate: 0.3,
            weight_decay: 0.0002,
            dropout: 0.1,
            balance: 0.3,
        }
    }
}

/// A model of `examples`. `progress` is called after each pass.
pub fn train(examples: &[Example], config: &Config, mut progress: impl FnMut(u32)) -> MultilingualModel {
    let encoded = Encoded::new(examples, config.rows);
    let first_gram = config.rows.words as usize;
    let count = first_gram + config.rows.grams as usize;
    let mut weights: Vec<WeightRow> = vec![Default::default(); count];
    let mut history: Vec<WeightRow> = vec![[1e-4; LANES]; count];
    let mut bias = WeightRow::default();
    let mut bias_history = [1e-2; LANES];
    let mut random = SplitMix::new(config.seed);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut seen = Vec::new();
    for epoch in 0..config.epochs {
        let rate = config.learning_rate * (1.0 - epoch as f32 / config.epochs as f32);
        random.shuffle(&mut order);
        for &text in &order {
            seen.clear();
            let kept = ((1.0 - config.dropout) * 1024.0) as usize;
            seen.extend(encoded.of(text).iter().filter(|_| random.below(1024) < kept));
            let squares: f32 = seen.iter().map(|&row| strength(row, first_gram).powi(2)).sum();
            let unit = 1.0 / squares.max(1.0).sqrt();
            let mut outputs = bias;
            for &row in &seen {
                let value = strength(row, first_gram) * unit;
                for (output, weight) in outputs.iter_mut().zip(&weights[row as usize]) {
                    *output += value * weight;
                }
            }
            let example = &examples[text];
            let error = error(&outputs, &example.targets).map(|error| error * example.weight);
            for lane in 0..LANES {
                bias_history[lane] += error[lane] * error[lane];
                bias[lane] -= 0.1 * rate * error[lane] / bias_history[lane].sqrt();
            }
            for &row in &seen {
                let value = strength(row, first_gram) * unit;
                let (weights, history) = (&mut weights[row as usize], &mut history[row as usize]);
                for lane in 0..LANES {
                    let decay = config.weight_decay * weights[lane] * example.weight;
                    let gradient = value * error[lane] + decay;
                    history[lane] += gradient * gradient;
                    weights[lane] -= rate * gradient / history[lane].sqrt();
                }
            }
        }
        progress(epoch + 1);
    }
    let (words, grams) = weights.split_at_mut(first_gram);
    grams
        .iter_mut()
        .flatten()
        .for_each(|weight| *weight *= GRAM_STRENGTH);
    for (lane, share) in PRIMARY.zip(shares(examples)) {
        bias[lane] -= config.balance * share.max(0.01).ln();
    }
    MultilingualModel::from_weights(words, grams, bias)
}

/// How frequent each primary emotion is among the examples of weight 1 or more.
fn shares(examples: &[Example]) -> [f32; PrimaryEmotion::COUNT] {
    let mut total = [0.0; PrimaryEmotion::COUNT];
    for shares in examples
        .iter()
        .filter(|example| example.weight >= 1.0)
        .filter_map(|example| example.targets.primary)
    {
        for (total, share) in total.iter_mut().zip(shares) {
            *total += share;
        }
    }
    let sum: f32 = total.iter().sum();
    total.map(|share| share / sum.max(1.0))
}

const LANES: usize = size_of::<WeightRow>() / size_of::<f32>();

/// The value of a feature before the text is scaled.
#[inline]
fn strength(row: u32, first_gram: usize) -> f32 {
    if (row as usize) < first_gram {
        1.0
    } else {
        GRAM_STRENGTH
    }
}

/// What each output is too high by; 0 where nothing is known.
fn error(outputs: &WeightRow, targets: &Targets) -> WeightRow {
    /// How much the numbers count beside the choices.
    const NUMBERS: f32 = 1.5;
    let mut error = WeightRow::default();
    if let Some(shares) = targets.primary {
        let odds = softmax(&outputs[PRIMARY]);
        for (lane, share) in PRIMARY.zip(shares) {
            error[lane] = odds[lane] - share;
        }
    }
    if let Some(language) = targets.language {
        let odds = softmax(&outputs[LANGUAGE]);
        for (number, lane) in LANGUAGE.enumerate() {
            error[lane] = odds[number] - f32::from(u8::from(number == language));
        }
    }
    if let Some(danger) = targets.danger {
        let odds = softmax(&outputs[DANGER]);
        for (number, lane) in DANGER.enumerate() {
            error[lane] = odds[number] - f32::from(u8::from(number == danger));
        }
    }
    for (lane, target) in [(VALENCE, targets.valence), (AROUSAL, targets.arousal)] {
        if let Some(target) = target {
            error[lane] = NUMBERS * (outputs[lane] - target).clamp(-1.5, 1.5);
        }
    }
    for (lane, target) in [(CONCERN, targets.concern), (CRISIS, targets.crisis)] {
        if let Some(target) = target {
            error[lane] = 1.0 / (1.0 + (-outputs[lane]).exp()) - target;
        }
    }
    error
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let parts: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let total: f32 = parts.iter().sum();
    parts.into_iter().map(|part| part / total).collect()
}

/// The rows of the features of each text, one after the other; those of n-grams after those of words.
struct Encoded {
    offsets: Vec<usize>,
    rows: Vec<u32>,
}

impl Encoded {
    fn new(examples: &[Example], rows: Rows) -> Self {
        let mut features = Features::new(rows);
        let mut encoded = Self {
            offsets: vec![0],
            rows: Vec::new(),
        };
        for example in examples {
            features.read(&example.text);
            encoded.rows.extend(features.words());
            encoded
                .rows
                .extend(features.grams().iter().map(|row| row + rows.words));
            encoded.offsets.push(encoded.rows.len());
        }
        encoded
    }

    fn of(&self, text: usize) -> &[u32] {
        &self.rows[self.offsets[text]..self.offsets[text + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(text: &str, primary: usize, language: usize) -> Example {
        let mut shares = [0.0; 13];
        shares[primary] = 1.0;
        Example {
            text: text.to_owned(),
            weight: 1.0,
            targets: Targets {
                primary: Some(shares),
                valence: Some(if primary == 0 { 1.0 } else { -1.0 }),
                language: Some(language),
                ..Targets::default()
            },
        }
    }

    #[test]
    fn equal_seeds_give_equal_models() {
        let examples = [
            example("what a lovely day", 0, 0),
            example("so ein schlechter Tag", 1, 1),
        ];
        let mut config = Config {
            rows: Rows {
                words: 64,
                grams: 128,
            },
            ..Config::default()
        };
        let first = train(&examples, &config, |_| ());
        assert_eq!(first, train(&examples, &config, |_| ()));
        config.seed = 2;
        assert_ne!(first, train(&examples, &config, |_| ()));
    }
}
