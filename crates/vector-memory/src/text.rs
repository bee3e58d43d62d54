//! Texts as a search sees them: words that say something, dates, and parts of bearable length.

mod chunk;
mod civil;
mod dates;
mod hash;
mod marks;
mod polarity;
mod segment;
mod stop_words;
mod time;
mod words;

use crate::{config::VectorMemoryConfig, record::Row};

pub(crate) use self::{
    chunk::chunks,
    dates::{Days, NamedDate, lone_year, named_dates, told_times, year_of},
    hash::{HashOfHash, WordMap, word_hash},
    polarity::{polarity, speaks_of_liking},
    stop_words::nearly_stops,
    time::{relative_time, zone},
    words::{
        BYTES_PER_CONTENT_WORD, analyze, begins_sentence, capitals_are_common, content_words, is_latin,
        is_question, only_asks, plain, question_part, stem_hash, text_to_embed, words,
    },
};

/// Which analysis found a stored row's words; raised whenever [`analyze`] changes its answer.
pub(crate) const ANALYSIS: u8 = 2;

/// Makes what texts are read with, so that the first message does not wait for it.
pub(crate) fn prepare() {
    dates::prepare();
    stop_words::prepare();
    time::prepare();
}

/// Gives each row the words of its part of `text`.
pub(crate) fn analyze_rows(text: &str, rows: &mut [Row], config: &VectorMemoryConfig) {
    let parts = if rows.len() > 1 {
        chunks(text, config)
    } else {
        vec![text]
    };
    if parts.len() == rows.len() {
        rows.iter_mut()
            .zip(parts)
            .for_each(|(row, part)| row.words = analyze(part));
    } else {
        // The parts were cut with other settings: the first row stands for the whole text.
        for (at, row) in rows.iter_mut().enumerate() {
            row.words = if at == 0 { analyze(text) } else { Vec::new() };
        }
    }
}
