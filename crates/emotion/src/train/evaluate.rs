//! Thresholds and F1.

use whisperengine_types::Emotion;

use super::data::Example;
use crate::{
    EmotionModel, Vader,
    model::{GROUPS, LANES, Scan, Scorer, Thresholds, look_up},
};

/// F1 of the labels, and of the groups that the GoEmotions paper maps them to; all in `0..=1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// By label, in the order of [`Emotion::ALL`].
    pub labels: Vec<f32>,
    /// By Ekman category: anger, disgust, fear, joy, sadness, surprise, neutral.
    pub ekman: Vec<f32>,
    /// By sentiment: positive, negative, ambiguous, neutral.
    pub sentiment: Vec<f32>,
}

impl Scores {
    /// The unweighted mean of `scores`: macro-F1.
    pub fn mean(scores: &[f32]) -> f32 {
        scores.iter().sum::<f32>() / scores.len().max(1) as f32
    }
}

const NEUTRAL: u32 = 1 << Emotion::Neutral as u32;
const DISGUST: u32 = 1 << Emotion::Disgust as u32;
const FEAR: u32 = (1 << Emotion::Fear as u32) | (1 << Emotion::Nervousness as u32);
const EKMAN: [u32; 7] = [GROUPS[2], DISGUST, FEAR, GROUPS[0], GROUPS[3], GROUPS[1], NEUTRAL];
const SENTIMENT: [u32; 4] = [
    GROUPS[0],
    GROUPS[2] | GROUPS[3] | DISGUST | FEAR,
    GROUPS[1],
    NEUTRAL,
];

const FOLDS: usize = 5;

pub(super) struct Tuned {
    pub(super) labels: [f32; Emotion::COUNT],
    pub(super) groups: [f32; 4],
}

/// What a model says of texts, and what people said.
#[derive(Debug, Clone, Default)]
pub(super) struct Judged {
    logits: Vec<[f32; LANES]>,
    gold: Vec<u32>,
}

impl Judged {
    pub(super) fn extend(&mut self, other: Self) {
        self.logits.extend(other.logits);
        self.gold.extend(other.gold);
    }

    /// The texts whose number fits.
    fn part(&self, fits: impl Fn(usize) -> bool) -> Self {
        let chosen = || (0..self.gold.len()).filter(|&id| fits(id));
        Self {
            logits: chosen().map(|id| self.logits[id]).collect(),
            gold: chosen().map(|id| self.gold[id]).collect(),
        }
    }
}

pub(super) fn judge_all(model: &EmotionModel, examples: &[Example]) -> Judged {
    let (mut vader, mut scorer, mut scan) = (Vader::new(), Scorer::default(), [Scan::default()]);
    let logits = |example: &Example| {
        look_up(&mut scan, &[&example.text], &model.vocabulary);
        let scores = vader.score_scanned(&example.text, &scan[0], &model.vocabulary);
        scorer.logits(model, &example.text, &mut scan[0], &scores)
    };
    Judged {
        logits: examples.iter().map(logits).collect(),
        gold: examples.iter().map(Example::bits).collect(),
    }
}

/// The thresholds that are best for these texts.
pub(super) fn tune(judged: &Judged) -> Tuned {
    let best = |lane: usize, members: u32| {
        let texts = judged.logits.iter().zip(&judged.gold);
        best_threshold(
            texts
                .map(|(row, gold)| (row[lane], gold & members != 0))
                .collect(),
        )
    };
    Tuned {
        labels: std::array::from_fn(|label| best(label, 1 << label)),
        groups: std::array::from_fn(|group| best(Emotion::COUNT + group, GROUPS[group])),
    }
}

/// F1 of `model`, thresholds and all.
pub(super) fn score(model: &EmotionModel, judged: &Judged) -> Scores {
    let predicted: Vec<u32> = judged
        .logits
        .iter()
        .map(|row| model.decision().labels(row))
        .collect();
    compare(&predicted, &judged.gold)
}

/// F1 where each fold is judged by thresholds tuned on the others and on `also`.
pub(super) fn cross_validate(judged: &Judged, also: &Judged) -> Scores {
    let mut predicted = vec![0; judged.gold.len()];
    for fold in 0..FOLDS {
        let mut rest = judged.part(|id| id % FOLDS != fold);
        rest.extend(also.clone());
        let tuned = tune(&rest);
        let thresholds = Thresholds {
            labels: &tuned.labels,
            groups: &tuned.groups,
        };
        for id in (fold..predicted.len()).step_by(FOLDS) {
            predicted[id] = thresholds.labels(&judged.logits[id]);
        }
    }
    compare(&predicted, &judged.gold)
}

fn compare(predicted: &[u32], gold: &[u32]) -> Scores {
    let f1 = |members: &u32| {
        let count = |both: fn(bool, bool) -> bool| {
            let pairs = predicted.iter().zip(gold);
            pairs
                .filter(|&(p, g)| both(p & members != 0, g & members != 0))
                .count() as f32
        };
        let (hits, either) = (count(|p, g| p && g), count(|p, _| p) + count(|_, g| g));
        if either > 0.0 { 2.0 * hits / either } else { 0.0 }
    };
    Scores {
        labels: (0..Emotion::COUNT).map(|label| f1(&(1 << label))).collect(),
        ekman: EKMAN.iter().map(f1).collect(),
        sentiment: SENTIMENT.iter().map(f1).collect(),
    }
}

/// The threshold with the best F1, smoothed: the F1 at a rank is averaged with that of its neighbours, a
/// twelfth of the rank to either side, so that one lucky text does not decide.
fn best_threshold(mut scored: Vec<(f32, bool)>) -> f32 {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positive = scored.iter().filter(|text| text.1).count() as f64;
    // sums[k] = sum of the F1 at the first k ranks.
    let mut sums = vec![0.0];
    let mut hits = 0.0;
    for (rank, &(_, is_positive)) in scored.iter().enumerate() {
        hits += f64::from(u8::from(is_positive));
        sums.push(sums[rank] + 2.0 * hits / (positive + rank as f64 + 1.0));
    }
    let last = ((8.0 * positive + 50.0) as usize).min(scored.len());
    let mut best = (0.0, f32::MAX);
    for rank in 0..last {
        let reach = (rank / 12).max(1);
        let (from, to) = (rank.saturating_sub(reach), (rank + reach + 1).min(scored.len()));
        let mean = (sums[to] - sums[from]) / (to - from) as f64;
        if mean > best.0 {
            best = (mean, scored[rank].0);
        }
    }
    best.1
}
