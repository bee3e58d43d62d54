//! Stochastic gradient descent with AdaGrad (Duchi, Hazan and Singer, JMLR 12, 2011).

use super::{
    TrainConfig,
    data::{Encoded, Squares},
};
use crate::model::LANES;

/// Trained weights, one row per feature, and the bias.
pub(super) struct Weights {
    pub(super) rows: Vec<[f32; LANES]>,
    pub(super) bias: [f32; LANES],
}

/// The bias learns more slowly than the weights.
const BIAS_RATE: f32 = 0.1;

/// The average of the configured number of models.
pub(super) fn descend(
    data: &Encoded,
    squares: &Squares,
    config: &TrainConfig,
    progress: &mut impl FnMut(u32),
) -> Weights {
    let mut random = SplitMix(config.seed);
    let members = config.members.max(1);
    let mut sum = descend_once(data, squares, config, &mut random, progress);
    for _ in 1..members {
        let other = descend_once(data, squares, config, &mut random, progress);
        let pairs = sum.rows.iter_mut().zip(&other.rows);
        for (total, weight) in pairs.flat_map(|(a, b)| a.iter_mut().zip(b)) {
            *total += weight;
        }
        for (total, bias) in sum.bias.iter_mut().zip(&other.bias) {
            *total += bias;
        }
    }
    for value in sum.rows.iter_mut().flatten().chain(&mut sum.bias) {
        *value /= members as f32;
    }
    sum
}

fn descend_once(
    data: &Encoded,
    squares: &Squares,
    config: &TrainConfig,
    random: &mut SplitMix,
    progress: &mut impl FnMut(u32),
) -> Weights {
    let strengths: Vec<f32> = squares
        .0
        .iter()
        .map(|&parts| (f32::from(parts) / crate::model::SQUARE_PARTS).sqrt())
        .collect();
    let mut weights = Weights {
        rows: vec![[0.0; LANES]; strengths.len()],
        bias: log_odds(&data.targets),
    };
    let decay = decay(&data.targets, config);
    let mut history = vec![[1e-6; LANES]; strengths.len()];
    let mut bias_history = [1e-6; LANES];
    let mut order: Vec<usize> = (0..data.len()).collect();
    for epoch in 0..config.epochs {
        let rate = config.learning_rate * (1.0 - epoch as f32 / config.epochs as f32);
        for last in (1..order.len()).rev() {
            order.swap(last, random.below(last + 1));
        }
        for &text in &order {
            let (features, unit) = data.features(text);
            let logits = logits(&weights, features, unit, &strengths);
            let error: [f32; LANES] =
                std::array::from_fn(|lane| sigmoid(logits[lane]) - data.targets[text][lane]);
            let bias = &mut weights.bias;
            for lane in 0..LANES {
                bias_history[lane] += error[lane] * error[lane];
                bias[lane] -= BIAS_RATE * rate * error[lane] / bias_history[lane].sqrt();
            }
            for &(row, count) in features {
                let row = row as usize;
                let value = count * strengths[row] * unit;
                let (weight, history) = (&mut weights.rows[row], &mut history[row]);
                for lane in 0..LANES {
                    let gradient = value * error[lane] + decay[lane] * weight[lane];
                    history[lane] += gradient * gradient;
                    weight[lane] -= rate * gradient / history[lane].sqrt();
                }
            }
        }
        progress(epoch + 1);
    }
    for (row, &strength) in weights.rows.iter_mut().zip(&strengths) {
        for weight in row {
            *weight *= strength;
        }
    }
    weights
}

fn logits(weights: &Weights, features: &[(u32, f32)], unit: f32, strengths: &[f32]) -> [f32; LANES] {
    let mut logits = weights.bias;
    for &(row, count) in features {
        let value = count * strengths[row as usize] * unit;
        for (logit, weight) in logits.iter_mut().zip(&weights.rows[row as usize]) {
            *logit += value * weight;
        }
    }
    logits
}

/// The log odds of each output being true, kept finite for outputs that are never or always.
fn log_odds(targets: &[[f32; LANES]]) -> [f32; LANES] {
    std::array::from_fn(|lane| {
        let positive: f32 = targets.iter().map(|target| target[lane]).sum();
        ((positive + 0.5) / (targets.len() as f32 - positive + 0.5)).ln()
    })
}

/// The weight decay of each output.
fn decay(targets: &[[f32; LANES]], config: &TrainConfig) -> [f32; LANES] {
    /// The share of the texts that the configured decay is for.
    const USUAL: f32 = 0.05;
    std::array::from_fn(|lane| {
        let positive: f32 = targets.iter().map(|target| target[lane]).sum();
        let share = positive.max(1.0) / targets.len() as f32;
        config.weight_decay * (share / USUAL).powf(config.decay_power)
    })
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (OOPSLA 2014).
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * bound as u128) >> 64) as usize
    }
}
