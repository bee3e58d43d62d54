//! Batches: identical texts once, the rest over all threads, results in the order of the texts.

use std::hash::{BuildHasher, RandomState};

use rayon::prelude::*;
use whisperengine_types::VaderScores;

use crate::{
    EmotionModel, Readings, Vader,
    model::seeded_hash,
    reading::{AT_ONCE, Reader},
};

/// Texts that one thread takes at a time: enough to make the hand-over cheap.
const CHUNK: usize = 1024;

/// What a batch needs beside its result, kept for the next one.
#[derive(Default)]
pub(super) struct BatchBuffers {
    repeats: Repeats,
    /// Where in the unique texts each text is.
    places: Vec<u32>,
    /// The first of each text, by its place in the batch.
    unique: Vec<u32>,
    parts: Vec<Part>,
}

/// One chunk of unique texts.
#[derive(Default)]
struct Part {
    reader: Reader,
    readings: Readings,
}

impl BatchBuffers {
    pub(super) fn analyze(
        &mut self,
        model: &EmotionModel,
        texts: &[&str],
        parallel_items: usize,
        out: &mut Readings,
    ) {
        out.clear();
        self.places.clear();
        self.unique.clear();
        self.repeats.start(texts.len());
        for (at, text) in texts.iter().enumerate() {
            let first = self.repeats.first(texts, at, text);
            let place = if first == at {
                self.unique.push(at as u32);
                self.unique.len() as u32 - 1
            } else {
                self.places[first]
            };
            self.places.push(place);
        }
        let threads = rayon::current_num_threads();
        if threads == 1 || self.unique.len() < parallel_items.max(1) {
            self.read_here(model, texts, out);
        } else {
            self.read_in_parallel(model, texts, threads, out);
        }
    }

    /// Straight into the result, on this thread.
    fn read_here(&mut self, model: &EmotionModel, texts: &[&str], out: &mut Readings) {
        if self.parts.is_empty() {
            self.parts.push(Part::default());
        }
        let reader = &mut self.parts[0].reader;
        let mut groups = self.unique.chunks(AT_ONCE);
        let mut number = AT_ONCE;
        for (at, (text, &place)) in texts.iter().zip(&self.places).enumerate() {
            let first = self.unique[place as usize] as usize;
            if first != at {
                out.push_again(first);
                continue;
            }
            if number == AT_ONCE {
                prepare(reader, model, texts, groups.next().unwrap_or_default());
                number = 0;
            }
            out.push(|triggers| reader.read_prepared(model, number, text, triggers));
            number += 1;
        }
    }

    fn read_in_parallel(&mut self, model: &EmotionModel, texts: &[&str], threads: usize, out: &mut Readings) {
        let chunk = self.unique.len().div_ceil(threads * 2).clamp(64, CHUNK);
        let used = self.unique.len().div_ceil(chunk);
        if self.parts.len() < used {
            self.parts.resize_with(used, Part::default);
        }
        let parts = self.parts[..used]
            .par_iter_mut()
            .zip(self.unique.par_chunks(chunk));
        parts.for_each(|(part, unique)| {
            let Part { reader, readings } = part;
            readings.clear();
            for group in unique.chunks(AT_ONCE) {
                prepare(reader, model, texts, group);
                for (number, &at) in group.iter().enumerate() {
                    let text = texts[at as usize];
                    readings.push(|triggers| reader.read_prepared(model, number, text, triggers));
                }
            }
        });
        for &place in &self.places {
            let place = place as usize;
            out.push_from(&self.parts[place / chunk].readings, place % chunk);
        }
    }
}

/// Prepares the texts whose places are `group`, [`AT_ONCE`] at most.
fn prepare(reader: &mut Reader, model: &EmotionModel, texts: &[&str], group: &[u32]) {
    let mut chosen = [""; AT_ONCE];
    for (chosen, &at) in chosen.iter_mut().zip(group) {
        *chosen = texts[at as usize];
    }
    reader.prepare(model, &chosen[..group.len()]);
}

/// Finds texts that occurred before in their batch; compares them in full.
struct Repeats {
    /// Open addressing: upper half of the hash, and place in the batch + 1; 0 when free.
    slots: Vec<u64>,
    mask: usize,
    /// So that nobody can choose texts that collide.
    seed: u64,
}

impl Default for Repeats {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            mask: 0,
            seed: RandomState::new().hash_one(0),
        }
    }
}

impl Repeats {
    fn start(&mut self, texts: usize) {
        let size = (2 * texts).next_power_of_two();
        self.slots.clear();
        self.slots.resize(size, 0);
        self.mask = size - 1;
    }

    /// The place of the first text in the batch that equals the one at `at`.
    fn first(&mut self, texts: &[&str], at: usize, text: &str) -> usize {
        const UPPER: u64 = !0 << 32;
        let hash = seeded_hash(text.as_bytes(), self.seed);
        let mut slot = hash as usize & self.mask;
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                self.slots[slot] = (hash & UPPER) | (at as u64 + 1);
                return at;
            }
            let first = (entry & !UPPER) as usize - 1;
            if entry & UPPER == hash & UPPER && texts[first] == text {
                return first;
            }
            slot = (slot + 1) & self.mask;
        }
    }
}

pub(super) fn vader(texts: &[&str], parallel_items: usize, out: &mut Vec<VaderScores>) {
    out.clear();
    if texts.len() < parallel_items || rayon::current_num_threads() == 1 {
        let mut vader = Vader::new();
        out.extend(texts.iter().map(|text| vader.score(text)));
    } else {
        out.resize(texts.len(), VaderScores::default());
        let chunks = out.par_chunks_mut(CHUNK).zip(texts.par_chunks(CHUNK));
        chunks.for_each_init(Vader::new, |vader, (scores, texts)| {
            for (score, text) in scores.iter_mut().zip(texts) {
                *score = vader.score(text);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_texts_are_read_once_on_one_thread_and_on_many() {
        let model = EmotionModel::embedded();
        let (once, texts) = (["what a day!", "", "I hate it"], 3 * 200);
        let repeated: Vec<&str> = once.into_iter().cycle().take(texts).collect();
        for parallel_items in [1, usize::MAX] {
            let (mut buffers, mut out) = (BatchBuffers::default(), Readings::default());
            buffers.analyze(&model, &repeated, parallel_items, &mut out);
            let read: usize = buffers.parts.iter().map(|part| part.reader.texts).sum();
            assert_eq!((read, out.len()), (once.len(), texts));
        }
    }
}
