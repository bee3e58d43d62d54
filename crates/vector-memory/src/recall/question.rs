//! A question made ready: its words, whom and when it asks about, and its text for the embedder.

use std::ops::Range;

use whisperengine_types::{RecallQuery, Timestamp};

use crate::{
    lexicon::Lexicon,
    partition::{Partition, days},
    text::{
        BYTES_PER_CONTENT_WORD, Days, NamedDate, begins_sentence, capitals_are_common, content_words,
        is_latin, lone_year, named_dates, plain, polarity, question_part, relative_time, speaks_of_liking,
        text_to_embed, word_hash, year_of, zone,
    },
};

/// What of a question does not depend on the single memory.
#[derive(Debug)]
pub(crate) struct Question {
    /// Numbers in the lexicon of the distinct words that say something; names and dates are not among them.
    pub(crate) words: Vec<u32>,
    /// The same words as written.
    pub(crate) written: Vec<String>,
    /// One bit for each of the first 64 words that is written like a name.
    pub(crate) names: u64,
    /// The number of the one speaker it names.
    pub(crate) speaker: Option<u32>,
    /// Whether it names somebody who speaks in the memories.
    pub(crate) names_a_speaker: bool,
    /// Numbers of the words that are borrowed from what was said before.
    pub(crate) borrowed: Vec<u32>,
    /// Whether it asks for what is liked (1) or disliked (-1).
    pub(crate) polarity: i8,
    /// Its words in lower case, each once blank apart, whatever stands between them.
    pub(crate) plain: String,
    /// Whether it is written in Latin letters.
    pub(crate) is_latin: bool,
    /// The text without dates and with the speakers' names replaced by a pronoun.
    pub(crate) text_to_embed: String,
    /// The same of what is borrowed, and its share in the embedding.
    pub(crate) context_to_embed: Option<(String, f32)>,
    dates: Vec<NamedDate>,
    /// A time that is named exactly: "yesterday", "8.6.2026", "in 2025".
    exact: Option<Days>,
}

impl Question {
    pub(crate) fn new(query: &RecallQuery, partition: &Partition, lexicon: &Lexicon) -> Self {
        let (own, beside) = question_part(&query.text);
        let relative = relative_time(own, query.now, &zone(query.zone.as_ref()));
        let mut exact = relative
            .as_ref()
            .map(|(time, _)| (days(time.from.as_millis()), days(time.until.as_millis())));
        let own = without(own, relative.map(|(_, spans)| spans).unwrap_or_default());
        let (dates, text) = named_dates(&own);
        if exact.is_none() && dates.is_empty() {
            exact = lone_year(&own);
        }
        let (names, asked_about) = speakers_in(&text, partition);
        let said: Vec<(&str, u32)> = {
            let mut said = Vec::with_capacity(text.len() / BYTES_PER_CONTENT_WORD + 1);
            let words = content_words(&text);
            let is_name = |word: &str| names.iter().any(|name| name.eq_ignore_ascii_case(word));
            let polarity = polarity(&text);
            let says = |word: &str| !ASKING.contains(&word) && (polarity == 0 || !speaks_of_liking(word));
            let some_say = words.iter().any(|(_, word)| !is_name(word) && says(word));
            for (as_written, word) in words {
                if !is_name(&word) && (!some_say || says(&word)) {
                    said.push((as_written, word_hash(&word)));
                }
            }
            said
        };
        lexicon.learn(&text, said.iter().map(|&(_, hash)| hash));
        let names_have_capitals = !capitals_are_common(&text);
        let text_start = text.as_ptr() as usize;
        let mut stems = Vec::with_capacity(said.len());
        let mut name_bits = 0;
        let (mut words, mut written) = (Vec::with_capacity(said.len()), Vec::with_capacity(said.len()));
        {
            let known = lexicon.read();
            for (as_written, hash) in said {
                if let Some(number) = known.number(hash)
                    && !stems.contains(&known.stem(number))
                {
                    stems.push(known.stem(number));
                    let at = as_written.as_ptr() as usize - text_start;
                    if names_have_capitals && words.len() < 64 && looks_like_a_name(&text, at) {
                        name_bits |= 1 << words.len();
                    }
                    words.push(number);
                    written.push(as_written.to_owned());
                }
            }
        }
        let context = [&beside, query.context.as_deref().unwrap_or_default()].join(" ");
        let context = Some(context.trim()).filter(|context| !context.is_empty());
        let mut borrowed = context.map_or_else(Vec::new, |context| words_of(context, lexicon, &words));
        let has_own = !words.is_empty() || exact.is_some() || !dates.is_empty();
        if !has_own {
            // Without words of its own the question is about what was said before.
            words = std::mem::take(&mut borrowed);
        }
        let share = if has_own { CONTEXT_SHARE } else { 1.0 };
        Self {
            borrowed,
            polarity: polarity(&text),
            plain: plain(&query.text),
            is_latin: is_latin(&text),
            context_to_embed: context.map(|context| (text_to_embed(context, &names).into_owned(), share)),
            words,
            written,
            names: name_bits,
            names_a_speaker: !asked_about.is_empty(),
            speaker: if let [speaker] = asked_about[..] {
                Some(speaker)
            } else {
                None
            },
            dates,
            exact,
            text_to_embed: text_to_embed(&text, &names).into_owned(),
        }
    }

    /// The times asked about, in the years of the admitted memories where the question names none.
    pub(crate) fn times(&self, partition: &Partition, admitted: &[bool]) -> Vec<Days> {
        if let Some(exact) = self.exact {
            return vec![exact];
        }
        if self.dates.is_empty() {
            return Vec::new();
        }
        let said = (0..admitted.len()).filter(|&record| admitted[record]);
        let said = said.map(|record| partition.sent_at(record as u32));
        let (first, last) = said.fold((i64::MAX, i64::MIN), |(first, last), at| {
            (first.min(at), last.max(at))
        });
        if first > last {
            return Vec::new();
        }
        let years = year_of(days(first))..=year_of(days(last));
        let intervals = self.dates.iter().flat_map(|date| date.intervals(years.clone()));
        intervals.collect()
    }

    /// The one interval to report of the times asked about: the last that has begun.
    pub(crate) fn reported(times: &[Days], now: Timestamp) -> Option<Days> {
        let now = days(now.as_millis());
        let begun = times.iter().filter(|&&(from, _)| from <= now);
        begun
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .or(times.first())
            .copied()
    }

    /// Whether the time is named to the day or so: what was said at another time does not fit then.
    pub(crate) fn is_sharp(&self) -> bool {
        self.exact
            .is_some_and(|(from, until)| until - from <= LONGEST_SHARP)
    }
}

/// The speakers whom a text names: the names as written, and their distinct numbers.
fn speakers_in<'a>(text: &'a str, partition: &Partition) -> (Vec<&'a str>, Vec<u32>) {
    let speakers = partition.speakers();
    let (mut names, mut asked_about) = (Vec::new(), Vec::new());
    for word in crate::text::words(text) {
        let bare = word
            .strip_suffix("'s")
            .or_else(|| word.strip_suffix("\u{2019}s"))
            .unwrap_or(word);
        if let Some(number) = speakers.find(bare).or_else(|| speakers.find_by_first_word(bare)) {
            names.push(bare);
            if !asked_about.contains(&number) {
                asked_about.push(number);
            }
        }
    }
    (names, asked_about)
}

/// `text` with blanks for the parts in `spans`.
fn without(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| span.start);
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        if span.start >= from {
            kept.push_str(&text[from..span.start]);
            kept.push(' ');
            from = span.end;
        }
    }
    kept.push_str(&text[from..]);
    kept
}

/// Whether the word at `at` begins with a capital though no sentence begins there.
fn looks_like_a_name(text: &str, at: usize) -> bool {
    let is_capital = text[at..].chars().next().is_some_and(char::is_uppercase);
    is_capital && !begins_sentence(text, at)
}

/// The numbers of the words of `text` that say something, without those in `but`.
fn words_of(text: &str, lexicon: &Lexicon, but: &[u32]) -> Vec<u32> {
    let hashes: Vec<u32> = content_words(text)
        .iter()
        .map(|(_, word)| word_hash(word))
        .collect();
    lexicon.learn(text, hashes.iter().copied());
    let known = lexicon.read();
    let mut words: Vec<u32> = Vec::new();
    for number in hashes.into_iter().filter_map(|hash| known.number(hash)) {
        if !but.contains(&number) && !words.contains(&number) && words.len() < MOST_BORROWED {
            words.push(number);
        }
    }
    words
}

/// Days: a month or a year is no time at which to look only.
const LONGEST_SHARP: f64 = 8.0;
/// What the embedding of what was said before weighs beside that of a question with words of its own.
const CONTEXT_SHARE: f32 = 0.25;
const MOST_BORROWED: usize = 24;
/// Words that address the companion and say nothing of what is asked for.
const ASKING: [&str; 27] = [
    "tell",
    "know",
    "remember",
    "remind",
    "moment",
    "currently",
    "nochmal",
    "sag",
    "weißt",
    "erinnerst",
    "dime",
    "sabes",
    "recuerdas",
    "dis",
    "sais",
    "souviens",
    "rappelle",
    "diga",
    "sabe",
    "lembra",
    "dimmi",
    "ricordi",
    "скажи",
    "помнишь",
    "знаешь",
    "напомни",
    "pamiętasz",
];
