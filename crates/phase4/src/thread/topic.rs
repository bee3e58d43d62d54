//! What a thread is about, in bounded space: decayed term weights, themes, and a sketched centroid.

use serde::{Deserialize, Serialize};
use whisperengine_types::Embedding;

use crate::{
    lexicon::{Theme, Themes},
    number::{signed, unit},
    text::{Term, Word, fold32, hash64},
};

/// Terms kept of one thread; the lightest fall out.
const MAX_TERMS: usize = 10;
/// What a message leaves of the terms before it.
const TERM_DECAY: f32 = 0.93;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Topic {
    /// Heaviest first.
    pub(super) terms: Vec<TopicTerm>,
    /// Decayed presence of each theme, `0..=250`.
    themes: [u8; Theme::COUNT],
    centroid: Option<Centroid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct TopicTerm {
    pub(super) id: u32,
    pub(super) word: Word,
    weight: Weight,
    /// Whether it may be what the talk is about.
    subject: bool,
}

impl TopicTerm {
    fn is_subject(&self) -> bool {
        self.subject && self.weight.value() >= 0.35
    }
}

/// A term's weight, `0..=3`, in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
struct Weight(u8);

impl Weight {
    const STEPS: f32 = 80.0;

    fn new(weight: f32) -> Self {
        Self((weight.clamp(0.0, 3.0) * Self::STEPS) as u8)
    }

    fn value(self) -> f32 {
        f32::from(self.0) / Self::STEPS
    }
}

/// How much a message and a thread have in common, each `0..=1`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fit {
    pub(super) lexical: f32,
    pub(super) themes: f32,
    /// Rescaled cosine; `None` when one side has no embedding.
    pub(super) dense: Option<f32>,
}

impl Fit {
    pub(super) fn relevance(self) -> f32 {
        match self.dense {
            Some(dense) => unit(0.5 * self.lexical + 0.35 * dense + 0.15 * self.themes),
            None => unit(0.8 * self.lexical + 0.2 * self.themes),
        }
    }
}

impl Topic {
    /// Takes a message in.
    pub(super) fn absorb(&mut self, terms: &[Term], themes: Themes, sketch: Option<&Sketch>) {
        for term in &mut self.terms {
            term.weight = Weight::new(term.weight.value() * TERM_DECAY);
        }
        for term in terms {
            let add = term.weight;
            match self.terms.iter_mut().find(|known| known.id == term.id) {
                Some(known) => {
                    known.weight = Weight::new(known.weight.value() + add);
                    known.subject |= term.subject;
                }
                None => self.terms.push(TopicTerm {
                    id: term.id,
                    word: term.word,
                    weight: Weight::new(add),
                    subject: term.subject,
                }),
            }
        }
        self.terms.sort_by_key(|term| std::cmp::Reverse(term.weight));
        self.terms.truncate(MAX_TERMS);
        for theme in Theme::ALL {
            let (weight, named) = (&mut self.themes[theme as usize], themes.contains(theme));
            if *weight == 0 && !named {
                continue;
            }
            let added = if named { 40.0 } else { 0.0 };
            *weight = (f32::from(*weight) * 0.92 + added).min(250.0) as u8;
        }
        if let Some(sketch) = sketch {
            match &mut self.centroid {
                Some(centroid) if centroid.space == sketch.space => centroid.absorb(sketch),
                other => *other = Some(Centroid::new(sketch)),
            }
        }
    }

    /// Takes note that a reply speaks of what the person spoke of; its own words are none of theirs.
    pub(super) fn reinforce(&mut self, terms: &[Term], share: f32) {
        for known in &mut self.terms {
            if terms.iter().any(|term| term.id == known.id) {
                known.weight = Weight::new(known.weight.value() + share);
            }
        }
        self.terms.sort_by_key(|term| std::cmp::Reverse(term.weight));
    }

    /// The subjects that are present enough.
    pub(super) fn subjects(&self) -> Themes {
        let mut themes = Themes::default();
        let present = |theme: &Theme| theme.is_subject() && self.themes[*theme as usize] >= 12;
        Theme::ALL
            .into_iter()
            .filter(present)
            .for_each(|theme| themes.insert(theme));
        themes
    }

    /// Whether a theme is present enough.
    pub(super) fn has(&self, theme: Theme) -> bool {
        self.themes[theme as usize] >= 12
    }

    pub(super) fn themes(&self) -> Themes {
        let mut themes = Themes::default();
        let present = |theme: &Theme| self.themes[*theme as usize] >= 12;
        Theme::ALL
            .into_iter()
            .filter(present)
            .for_each(|theme| themes.insert(theme));
        themes
    }

    /// The strongest words that the talk may be about.
    pub(super) fn words(&self, limit: usize) -> impl Iterator<Item = &Word> {
        let subjects = self.terms.iter().filter(|term| term.is_subject());
        subjects.take(limit).map(|term| &term.word)
    }

    /// The strongest word with its term.
    pub(super) fn strongest(&self) -> Option<(u32, Word)> {
        let strongest = self.terms.iter().find(|term| term.is_subject());
        strongest.map(|term| (term.id, term.word))
    }

    /// Terms whose ids may be among those of `mask`, with their weights.
    pub(super) fn held(&self, mask: u64) -> impl Iterator<Item = (u32, f32)> {
        let terms = self.terms.iter().filter(move |term| mask & bit(term.id) != 0);
        terms.map(|term| (term.id, term.weight.value().min(1.0)))
    }

    /// How well a message fits; `matched` is the weight of the terms that both hold, `total` that of all
    /// of the message's.
    pub(super) fn fit(&self, subjects: Themes, matched: f32, total: f32, sketch: Option<&Sketch>) -> Fit {
        let lexical = if matched > 0.0 {
            0.4 * matched / total.max(1.0) + 0.6 * matched / (1.0 + matched)
        } else {
            0.0
        };
        Fit {
            lexical: unit(lexical),
            themes: match subjects.len() {
                0 => 0.0,
                n => subjects.shared(self.subjects()).len() as f32 / n as f32,
            },
            dense: match (&self.centroid, sketch) {
                (Some(centroid), Some(sketch)) => centroid.cosine(sketch).map(|cos| unit((cos - 0.25) / 0.5)),
                _ => None,
            },
        }
    }

    /// Likeness of two threads, `0..=1`: cosine of the term weights, helped by the centroids.
    pub(super) fn likeness(&self, other: &Self) -> f32 {
        // Without a word in common only the centroids speak.
        let mask = self.terms.iter().fold(0, |mask, term| mask | bit(term.id));
        if other.held(mask).next().is_none() && self.centroid.is_none() {
            return 0.0;
        }
        let norm = |topic: &Self| {
            topic
                .terms
                .iter()
                .map(|term| term.weight.value() * term.weight.value())
                .sum::<f32>()
                .sqrt()
        };
        let mut dot = 0.0;
        for term in &self.terms {
            if let Some(same) = other.terms.iter().find(|same| same.id == term.id) {
                dot += term.weight.value() * same.weight.value();
            }
        }
        let norms = norm(self) * norm(other);
        let lexical = if norms > 0.0 { dot / norms } else { 0.0 };
        match (&self.centroid, &other.centroid) {
            (Some(a), Some(b)) if a.space == b.space => unit(0.6 * lexical + 0.4 * a.likeness(b)),
            _ => unit(lexical),
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for term in &other.terms {
            match self.terms.iter_mut().find(|known| known.id == term.id) {
                Some(known) => known.weight = known.weight.max(term.weight),
                None => self.terms.push(*term),
            }
        }
        self.terms.sort_by_key(|term| std::cmp::Reverse(term.weight));
        self.terms.truncate(MAX_TERMS);
        for (weight, other) in self.themes.iter_mut().zip(other.themes) {
            *weight = (*weight).max(other);
        }
    }

    /// Keeps what a reference can be recognised by.
    pub(super) fn shrink(&mut self, terms: usize) {
        self.terms.truncate(terms);
        self.terms.shrink_to_fit();
        self.centroid = None;
    }

    pub(super) fn repair(&mut self) {
        self.terms.truncate(MAX_TERMS);
        if self
            .centroid
            .as_ref()
            .is_some_and(|centroid| centroid.values.len() > Sketch::DIM)
        {
            self.centroid = None;
        }
    }
}

/// A term's place in a mask of 64 bits.
pub(super) fn bit(id: u32) -> u64 {
    1 << (id & 63)
}

/// An embedding folded into at most [`Sketch::DIM`] dimensions, of unit length: a count sketch (Charikar,
/// Chen and Farach-Colton, ICALP 2002), which keeps cosines up to a small random error.
#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    space: u32,
    values: Vec<f32>,
}

impl Sketch {
    const DIM: usize = 96;

    /// `None` for an embedding without length.
    pub(crate) fn new(embedding: &Embedding) -> Option<Self> {
        let source = embedding.values();
        let mut values = if source.len() <= Self::DIM {
            source.to_vec()
        } else {
            fold(source).to_vec()
        };
        let norm = dot(&values, &values, |v| *v).sqrt();
        if !(norm.is_finite() && norm > 0.0) {
            return None;
        }
        for value in &mut values {
            *value /= norm;
        }
        let space = fold32(hash64(embedding.space().model().as_bytes()) ^ source.len() as u64);
        Some(Self { space, values })
    }
}

/// Where a coordinate is folded to, and the bit that turns its sign. Each block of coordinates is spread over
/// all places once, in its own order: 37 and [`Sketch::DIM`] share no factor.
const fn place(index: usize) -> (u8, u32) {
    let (block, within) = (index / Sketch::DIM, index % Sketch::DIM);
    let bits = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (
        ((block * 29 + within * 37) % Sketch::DIM) as u8,
        ((bits >> 40) as u32 & 1) << 31,
    )
}

/// [`place`] of the first coordinates: seven bits of place and the sign.
static PLACES: [u8; 1536] = {
    let mut places = [0; 1536];
    let mut index = 0;
    while index < places.len() {
        let (place, sign) = place(index);
        places[index] = place | ((sign >> 24) as u8);
        index += 1;
    }
    places
};

fn fold(source: &[f32]) -> [f32; Sketch::DIM] {
    // A place takes seven bits; those from DIM on stay empty.
    let mut folded = [0.0_f32; 128];
    for (&value, &packed) in source.iter().zip(&PLACES) {
        let sign = u32::from(packed >> 7) << 31;
        folded[usize::from(packed & 127)] += f32::from_bits(value.to_bits() ^ sign);
    }
    for (index, &value) in source.iter().enumerate().skip(PLACES.len()) {
        let (place, sign) = place(index);
        folded[usize::from(place & 127)] += f32::from_bits(value.to_bits() ^ sign);
    }
    let (places, _) = folded
        .split_first_chunk()
        .expect("fewer places than seven bits number");
    *places
}

/// Inner product in eight lanes: the order of the additions is fixed, so the sum is the same everywhere.
fn dot<T>(a: &[T], b: &[f32], value: impl Fn(&T) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += value(&a[lane]) * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| value(a) * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// The running mean of a thread's embeddings, one byte for each dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Centroid {
    space: u32,
    values: Vec<i8>,
}

impl Centroid {
    fn new(sketch: &Sketch) -> Self {
        let mut centroid = Self {
            space: sketch.space,
            values: vec![0; sketch.values.len()],
        };
        centroid.set(&sketch.values);
        centroid
    }

    fn set(&mut self, values: &[f32]) {
        let peak = values.iter().fold(0.0_f32, |peak, v| peak.max(v.abs()));
        let scale = if peak > 0.0 { 127.0 / peak } else { 0.0 };
        for (slot, value) in self.values.iter_mut().zip(values) {
            *slot = (value * scale).round() as i8;
        }
    }

    fn norm(&self) -> f32 {
        self.values
            .iter()
            .map(|&v| i32::from(v) * i32::from(v))
            .sum::<i32>() as f32
    }

    fn absorb(&mut self, sketch: &Sketch) {
        if self.values.len() != sketch.values.len() {
            *self = Self::new(sketch);
            return;
        }
        let length = self.norm().sqrt().max(1.0);
        let rate = 0.25;
        let mixed: Vec<f32> = self
            .values
            .iter()
            .zip(&sketch.values)
            .map(|(&old, &new)| (1.0 - rate) * f32::from(old) / length + rate * new)
            .collect();
        self.set(&mixed);
    }

    fn cosine(&self, sketch: &Sketch) -> Option<f32> {
        if self.space != sketch.space || self.values.len() != sketch.values.len() {
            return None;
        }
        let dot = dot(&self.values, &sketch.values, |&v| f32::from(v));
        Some(signed(dot / self.norm().sqrt().max(1.0)))
    }

    fn likeness(&self, other: &Self) -> f32 {
        if self.values.len() != other.values.len() {
            return 0.0;
        }
        let dot: i32 = self
            .values
            .iter()
            .zip(&other.values)
            .map(|(&a, &b)| i32::from(a) * i32::from(b))
            .sum();
        unit(dot as f32 / (self.norm() * other.norm()).sqrt().max(1.0))
    }
}
