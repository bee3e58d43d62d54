//! Batches: identical texts once, the rest over all threads, results in the order of the texts.

use std::collections::HashMap;

use rayon::prelude::*;
use whisperengine_types::VaderScores;

use crate::{EmotionModel, Readings, Vader, reading::Reader};

/// Texts that one thread takes at a time: enough to make the hand-over cheap.
const CHUNK: usize = 1024;

/// What a batch needs beside its result, kept for the next one.
#[derive(Default)]
pub(super) struct BatchBuffers {
    /// Where in the unique texts each text is.
    places: Vec<u32>,
    parts: Vec<Part>,
}

/// One chunk of unique texts.
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
        let mut seen: HashMap<&str, u32> = HashMap::with_capacity(texts.len());
        let mut unique: Vec<&str> = Vec::with_capacity(texts.len());
        for &text in texts {
            let place = *seen.entry(text).or_insert_with(|| {
                unique.push(text);
                unique.len() as u32 - 1
            });
            self.places.push(place);
        }
        let chunk = if unique.len() < parallel_items.max(1) {
            unique.len().max(1)
        } else {
            unique
                .len()
                .div_ceil(rayon::current_num_threads() * 2)
                .clamp(64, CHUNK)
        };
        let used = unique.len().div_ceil(chunk);
        while self.parts.len() < used {
            self.parts.push(Part {
                reader: Reader::new(),
                readings: Readings::default(),
            });
        }
        let work = |(part, texts): (&mut Part, &[&str])| {
            let Part { reader, readings } = part;
            readings.clear();
            for text in texts {
                readings.push(|triggers| reader.read(model, text, triggers));
            }
        };
        let parts = &mut self.parts[..used];
        if used <= 1 {
            parts.iter_mut().zip(unique.chunks(chunk)).for_each(work);
        } else {
            parts.par_iter_mut().zip(unique.par_chunks(chunk)).for_each(work);
        }
        for &place in &self.places {
            let place = place as usize;
            out.push_from(&parts[place / chunk].readings, place % chunk);
        }
    }
}

pub(super) fn vader(texts: &[&str], parallel_items: usize, out: &mut Vec<VaderScores>) {
    out.clear();
    if texts.len() < parallel_items {
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
