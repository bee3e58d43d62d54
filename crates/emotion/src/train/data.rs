//! Examples and their features.

use whisperengine_types::{Emotion, EmotionSet, VaderScores};

use super::{
    TrainConfig,
    lexis::{Layout, Lexis},
};
use crate::{
    Error, Result, Vader,
    model::{
        GROUPS, LANES, NEGATED, Reach, SQUARE_PARTS, Scan, UNKNOWN, Vocabulary, WORD, Words, grams, look_up,
        shapes,
    },
};

/// One text with the emotions that people saw in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The text.
    pub text: String,
    /// Its labels; at least one.
    pub labels: EmotionSet,
}

impl Example {
    /// Reads tab-separated rows: text, comma-separated label ids, and columns that are not read.
    ///
    /// # Errors
    /// [`Error::TrainingData`] for a row without labels or with an unknown one.
    pub fn from_tsv(rows: &str) -> Result<Vec<Self>> {
        let parse = |(index, row): (usize, &str)| {
            let wrong = |what| Error::TrainingData {
                line: index + 1,
                what,
            };
            let mut columns = row.split('\t');
            let (text, ids) = columns
                .next()
                .zip(columns.next())
                .ok_or(wrong("has no second column"))?;
            let labels = ids
                .split(',')
                .map(|id| Emotion::ALL.get(id.trim().parse::<usize>().ok()?).copied())
                .collect::<Option<EmotionSet>>()
                .ok_or(wrong("has a label that is not an id in 0..28"))?;
            Ok(Self {
                text: text.to_owned(),
                labels,
            })
        };
        rows.lines().enumerate().map(parse).collect()
    }

    pub(super) fn bits(&self) -> u32 {
        self.labels.iter().fold(0, |bits, label| bits | 1 << label as u32)
    }
}

/// Squared weight of each row's feature, in 1/64.
pub(super) struct Squares(pub(super) Vec<u8>);

/// The features of every text, one after the other.
pub(super) struct Encoded {
    /// Where each text's features start, and the end of the last.
    offsets: Vec<usize>,
    /// Row and the number of times it occurs.
    features: Vec<(u32, f32)>,
    /// One over the root of the text's summed squared weights.
    units: Vec<f32>,
    pub(super) targets: Vec<[f32; LANES]>,
}

impl Encoded {
    pub(super) fn new(examples: &[Example], lexis: &Lexis) -> Self {
        let mut front = Front::default();
        let mut rows: Vec<u32> = Vec::new();
        let mut encoded = Self {
            offsets: vec![0],
            features: Vec::new(),
            units: Vec::new(),
            targets: Vec::new(),
        };
        for example in examples {
            rows.clear();
            front.rows(&example.text, lexis, &mut rows);
            rows.sort_unstable();
            for run in rows.chunk_by(|a, b| a == b) {
                encoded.features.push((run[0], run.len() as f32));
            }
            encoded.offsets.push(encoded.features.len());
            encoded.targets.push(targets(example.bits()));
        }
        encoded
    }

    /// Derives each row's weight from how many texts have it and scales the texts by them.
    pub(super) fn weigh(&mut self, layout: &Layout, config: &TrainConfig) -> Squares {
        let mut texts = vec![1_u32; layout.rows()];
        for &(row, _) in &self.features {
            texts[row as usize] += 1;
        }
        let total = self.targets.len() as f32;
        let square = |(row, &texts): (usize, &u32)| {
            let rarity = (total / texts as f32).ln().max(0.1);
            let group = if layout.grams().contains(&row) {
                config.gram_weight
            } else {
                1.0
            };
            let weight = group * rarity.powf(-config.frequency_power);
            (weight * weight * SQUARE_PARTS).round().clamp(1.0, 255.0) as u8
        };
        let squares = Squares(texts.iter().enumerate().map(square).collect());
        for range in self.offsets.windows(2) {
            let features = &self.features[range[0]..range[1]];
            let parts: f32 = features
                .iter()
                .map(|&(row, count)| count * f32::from(squares.0[row as usize]))
                .sum();
            self.units.push(1.0 / (parts.max(1.0) / SQUARE_PARTS).sqrt());
        }
        squares
    }

    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// The features of one text: row and count, and what the counts are scaled by.
    pub(super) fn features(&self, text: usize) -> (&[(u32, f32)], f32) {
        let range = self.offsets[text]..self.offsets[text + 1];
        (&self.features[range], self.units[text])
    }
}

/// Reads texts as the model does.
#[derive(Default)]
pub(super) struct Front {
    vader: Vader,
    scan: [Scan; 1],
}

impl Front {
    /// Finds the words of `text`; returns its VADER scores.
    pub(super) fn scan(&mut self, text: &str, vocabulary: &Vocabulary) -> VaderScores {
        look_up(&mut self.scan, &[text], vocabulary);
        self.vader.score_scanned(text, &self.scan[0], vocabulary)
    }

    /// The words of the text last scanned.
    pub(super) fn words(&mut self) -> &mut Words {
        &mut self.scan[0].words
    }

    /// Appends every row of `text`.
    fn rows(&mut self, text: &str, lexis: &Lexis, rows: &mut Vec<u32>) {
        let scores = self.scan(text, &lexis.vocabulary);
        let layout = &lexis.layout;
        let mut before = UNKNOWN;
        let mut reach = Reach::default();
        let mut found = Vec::new();
        let words = &mut self.scan[0].words;
        for item in words.items.clone() {
            if item.is(WORD) {
                let form = words.form(text, &item);
                let first = layout.grams().start as u32;
                grams(form, layout.gram_rows as u32, &mut found);
                rows.extend(found.iter().map(|row| first + row));
            }
            let is_known = item.id != UNKNOWN;
            if is_known {
                rows.push(u32::from(item.id));
                rows.extend(lexis.pair(before, item.id));
            }
            let negates = is_known && lexis.vocabulary.line(item.place).negates;
            if reach.step(&item, negates) && is_known {
                rows.extend(lexis.pair(NEGATED, item.id));
            }
            before = item.id;
        }
        let (shapes, count) = shapes(&scores, &words.items, text);
        rows.extend(
            shapes[..count]
                .iter()
                .map(|row| (layout.shapes().start + row) as u32),
        );
    }
}

fn targets(labels: u32) -> [f32; LANES] {
    std::array::from_fn(|lane| {
        let members = match lane.checked_sub(Emotion::COUNT) {
            None => 1 << lane,
            Some(group) => GROUPS[group],
        };
        f32::from(u8::from(labels & members != 0))
    })
}
