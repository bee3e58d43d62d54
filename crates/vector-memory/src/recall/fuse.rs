//! The fusion of scores.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, HashMap, hash_map::Entry},
};

use whisperengine_types::{AskedTime, ScoreParts, Similarity, Timestamp};

use super::{Column, Evidence, Question, RecallWeights, UnitQuery, column::Kept};
use crate::{
    lexicon::Lexicon,
    partition::{NONE, Nature, Partition, days},
    text::{Days, plain},
};

/// A record and its score.
#[derive(Debug, Clone)]
pub(crate) struct Ranked {
    pub(crate) record: u32,
    pub(crate) score: f32,
    pub(crate) similarity: Option<Similarity>,
    pub(crate) parts: ScoreParts,
    /// One bit for each term of the question.
    pub(crate) matched: u64,
    pub(crate) evidence: Evidence,
    pub(crate) copies: Copies,
}

/// The other memories that say the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    pub(crate) count: u32,
    /// When the last of them was said.
    pub(crate) last: i64,
}

/// What a recall is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) question: &'a Question,
    /// `None` for an embedding without length.
    pub(crate) embedding: Option<&'a UnitQuery>,
    pub(crate) now: Timestamp,
}

/// The `k` best of the admitted records, best first; equal scores: the newer one first.
pub(crate) fn rank(
    partition: &Partition,
    admitted: &[bool],
    asked: &Asked<'_>,
    weights: &RecallWeights,
    lexicon: &Lexicon,
    k: usize,
) -> (Vec<Ranked>, Option<AskedTime>) {
    let times = asked.question.times(partition, admitted);
    let columns = Columns::new(partition, admitted, asked, weights, lexicon, &times);
    let asked_time = Question::reported(&times, asked.now).map(|(from, until)| AskedTime {
        from: Timestamp::from_millis((from * DAY_MILLIS).round() as i64),
        until: Timestamp::from_millis((until * DAY_MILLIS).round() as i64),
        found: (0..admitted.len() as u32)
            .any(|record| admitted[record as usize] && is_of(partition, record, &times)),
    });
    // Room for copies, which leave their places to others.
    let wanted = k;
    let k = k
        .saturating_mul(COPIES_ALLOWED)
        .saturating_add(COPIES_ALLOWED * 8)
        .min(admitted.len());
    let mut best: BinaryHeap<Reverse<Place>> = BinaryHeap::with_capacity(k + 1);
    for record in (0..admitted.len() as u32).filter(|&record| admitted[record as usize]) {
        let score = columns.fused[record as usize] + columns.neighbours(partition, weights, record);
        // Most records fall behind the best so far even with the most that a prior can be.
        if best.len() == k
            && let Some(Reverse(last)) = best.peek()
            && score + most_prior(partition, record, weights, &times) + columns.most_fit(weights) < last.score
        {
            continue;
        }
        let prior =
            prior(partition, record, weights, asked.now, &times) + columns.fit(partition, weights, record);
        best.push(Reverse(Place {
            score: score + prior,
            newest: (partition.sent_at(record), partition.seq(record)),
            record,
            prior,
        }));
        if best.len() > k {
            best.pop();
        }
    }
    let ranked = best.into_sorted_vec();
    let (ranked, copies) = without_copies(partition, admitted, ranked, wanted);
    let greatest = ranked.first().map_or(0.0, |Reverse(place)| place.score);
    for Reverse(place) in ranked.iter().take(FETCHED_AT_ONCE) {
        partition.prefetch_record(place.record);
    }
    let ranked = ranked
        .into_iter()
        .zip(copies)
        .map(|(Reverse(place), copies)| {
            let record = place.record;
            let mut parts = columns.parts(partition, weights, record);
            parts.prior = place.prior;
            let mut evidence = columns.evidence(partition, asked.question, record);
            evidence.lead = if greatest > 0.0 {
                place.score / greatest
            } else {
                0.0
            };
            Ranked {
                copies,
                evidence,
                record,
                score: place.score,
                similarity: asked
                    .embedding
                    .map(|query| Similarity::new(query.similarity(partition, record))),
                parts,
                matched: columns.matched[record as usize],
            }
        })
        .collect();
    (ranked, asked_time)
}

/// The best of each text, at most `wanted`, and the copies of each among the admitted records.
fn without_copies(
    partition: &Partition,
    admitted: &[bool],
    ranked: Vec<Reverse<Place>>,
    wanted: usize,
) -> (Vec<Reverse<Place>>, Vec<Copies>) {
    let same = |record: u32| partition.nature(record).same;
    let mut kept: Vec<Reverse<Place>> = Vec::with_capacity(wanted.min(ranked.len()));
    let mut seen: HashMap<u64, usize> = HashMap::with_capacity(kept.capacity());
    for place in ranked {
        if kept.len() == wanted {
            break;
        }
        let at = kept.len();
        if let Entry::Vacant(entry) = seen.entry(same(place.0.record)) {
            entry.insert(at);
            kept.push(place);
        }
    }
    let mut copies = vec![Copies::default(); kept.len()];
    for record in (0..admitted.len() as u32).filter(|&record| admitted[record as usize]) {
        if let Some(&at) = seen.get(&same(record))
            && kept[at].0.record != record
        {
            let copies = &mut copies[at];
            copies.last = if copies.count == 0 {
                partition.sent_at(record)
            } else {
                copies.last.max(partition.sent_at(record))
            };
            copies.count += 1;
        }
    }
    (kept, copies)
}

/// A record's place in the order.
#[derive(Debug, PartialEq)]
struct Place {
    score: f32,
    newest: (i64, u64),
    record: u32,
    prior: f32,
}

impl Eq for Place {}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then_with(|| self.newest.cmp(&other.newest))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Scores by record; those not admitted have none and lend none.
struct Columns<'a> {
    /// Within a thousandth or so.
    similarity: Column<f32>,
    alike: Column<f32>,
    matched: Column<u64>,
    fused: Column<f32>,
    dense_range: Range,
    lexical_range: Range,
    speaker: Option<u32>,
    /// What each word of the question is worth, and which of them some memory has.
    worth: Vec<f32>,
    known: u64,
    /// The question's words and nothing else.
    plain: &'a str,
    /// Whether the question asks for what is liked (1) or disliked (-1).
    polarity: i8,
    /// The times asked about, and whether they are named to the day or so.
    times: &'a [Days],
    is_sharp: bool,
    /// What is left of the weight of the embeddings for the script of the question.
    dense_share: f32,
    /// Scores by the words that are borrowed, where there are any.
    borrowed: Option<Column<f32>>,
    borrowed_range: Range,
}

impl<'a> Columns<'a> {
    fn new(
        partition: &Partition,
        admitted: &[bool],
        asked: &Asked<'a>,
        weights: &RecallWeights,
        lexicon: &Lexicon,
        times: &'a [Days],
    ) -> Self {
        let lexical = partition.lexical_scores(&asked.question.words, lexicon);
        let similarity = asked.embedding.map_or_else(
            || Column::of(f32::NEG_INFINITY, partition.row_count()),
            |query| query.coarse_similarities(partition),
        );
        let greater = |a: &mut f32, b: f32| *a = a.max(b);
        let (similarity, alike) = (
            by_record(partition, similarity, f32::NEG_INFINITY, greater),
            by_record(partition, lexical.scores, 0.0, greater),
        );
        let borrowed = (!asked.question.borrowed.is_empty()).then(|| {
            let scores = partition.lexical_scores(&asked.question.borrowed, lexicon).scores;
            by_record(partition, scores, 0.0, greater)
        });
        let borrowed_range = borrowed.as_ref().map_or(
            Range {
                least: 0.0,
                greatest: 0.0,
            },
            |scores| Range::of(scores, admitted),
        );
        let mut columns = Self {
            dense_range: Range::of(&similarity, admitted),
            lexical_range: Range::of(&alike, admitted),
            similarity,
            alike,
            matched: by_record(partition, lexical.matched, 0, |a, b| *a |= b),
            fused: Column::of(0.0, admitted.len()),
            speaker: asked.question.speaker,
            worth: lexical.worth,
            known: lexical.known,
            polarity: asked.question.polarity,
            plain: &asked.question.plain,
            times,
            is_sharp: asked.question.is_sharp(),
            dense_share: if asked.question.is_latin {
                1.0
            } else {
                weights.other_scripts
            },
            borrowed,
            borrowed_range,
        };
        for record in (0..admitted.len()).filter(|&record| admitted[record]) {
            let (dense, lexical, speaker) = columns.of_itself(partition, weights, record);
            columns.fused[record] = dense + lexical + speaker;
        }
        columns
    }

    /// What a record's own embedding, words and speaker give.
    fn of_itself(&self, partition: &Partition, weights: &RecallWeights, record: usize) -> (f32, f32, f32) {
        let dense = self.dense_share * weights.dense * self.dense_range.place(self.similarity[record]);
        let borrowed = self
            .borrowed
            .as_ref()
            .map_or(0.0, |scores| self.borrowed_range.place(scores[record]));
        let lexical =
            weights.lexical * (self.lexical_range.place(self.alike[record]) + weights.context * borrowed);
        let is_asked_about = self.speaker == Some(partition.speaker(record as u32));
        (dense, lexical, if is_asked_about { weights.speaker } else { 0.0 })
    }

    /// What the sort of saying gives or takes: an echo yields to what answers, and likes are not dislikes.
    fn fit(&self, partition: &Partition, weights: &RecallWeights, record: u32) -> f32 {
        let nature = partition.nature(record);
        let mut fit = 0.0;
        if nature.only_asks || nature.replies || self.adds_nothing(partition, nature, record) {
            let loss = if nature.replies && !nature.only_asks {
                weights.reply
            } else {
                weights.echo
            };
            fit -= loss * self.coverage(partition, record);
        }
        if self.is_sharp && is_of(partition, record, self.times) {
            fit += weights.day;
        }
        if self.polarity != 0 {
            fit += weights.polarity * f32::from(self.polarity * nature.polarity);
        }
        fit
    }

    /// What no record's [`fit`](Self::fit) exceeds.
    fn most_fit(&self, weights: &RecallWeights) -> f32 {
        if self.is_sharp {
            return f32::INFINITY;
        }
        if self.polarity == 0 {
            0.0
        } else {
            weights.polarity.max(0.0)
        }
    }

    /// The share of the question's own words that the record covers, weighted by what they are worth; a time
    /// asked about counts as a rare word.
    fn coverage(&self, partition: &Partition, record: u32) -> f32 {
        let mut whole: f32 = self.worth.iter().sum();
        let mut covered = self.alike[record as usize];
        if !self.times.is_empty() {
            whole += TIME_WORTH;
            if is_of(partition, record, self.times) {
                covered += TIME_WORTH;
            }
        }
        if self.polarity != 0 {
            whole += POLARITY_WORTH;
            if partition.nature(record).polarity == self.polarity {
                covered += POLARITY_WORTH;
            }
        }
        if whole > 0.0 {
            (covered / whole).min(1.0)
        } else {
            0.0
        }
    }

    /// Whether the record is a part of the question, word for word: said again, not an answer.
    fn adds_nothing(&self, partition: &Partition, nature: Nature, record: u32) -> bool {
        let matched = self.matched[record as usize].count_ones();
        matched > 0 && matched >= u32::from(nature.words) && {
            let text = plain(partition.text(record));
            text.trim().contains(' ') && self.plain.contains(&text)
        }
    }

    /// What is comparable between recalls; the lead is the caller's.
    fn evidence(&self, partition: &Partition, question: &Question, record: u32) -> Evidence {
        let whole: f32 = self.worth.iter().sum();
        let share = |worth: f32| if whole > 0.0 { worth / whole } else { 0.0 };
        let worth_of = |bits: u64| {
            let has = |&(place, _): &(usize, &f32)| bits >> place & 1 == 1;
            self.worth
                .iter()
                .enumerate()
                .filter(has)
                .map(|(_, worth)| worth)
                .sum::<f32>()
        };
        let at = record as usize;
        let coverage = self.coverage(partition, record);
        let nature = partition.nature(record);
        let (before, after) = partition.neighbours(record);
        let bits = |record: u32| self.matched.get(record as usize).copied().unwrap_or(0);
        let around = share(worth_of(bits(before) | bits(after) | bits(record)));
        let names = question.names;
        Evidence {
            coverage,
            context_coverage: around.max(coverage),
            similarity: self.similarity[at].max(0.0),
            unknown_names: if names == 0 {
                0.0
            } else {
                (names & !self.known).count_ones() as f32 / names.count_ones() as f32
            },
            known_speaker: f32::from(u8::from(question.names_a_speaker)),
            echo: f32::from(u8::from(
                nature.only_asks || nature.replies || self.adds_nothing(partition, nature, record),
            )),
            lead: 0.0,
        }
    }

    /// All parts but the prior.
    fn parts(&self, partition: &Partition, weights: &RecallWeights, record: u32) -> ScoreParts {
        let (dense, lexical, speaker) = self.of_itself(partition, weights, record as usize);
        ScoreParts {
            dense,
            lexical,
            speaker,
            neighbours: self.neighbours(partition, weights, record),
            prior: 0.0,
        }
    }

    fn neighbours(&self, partition: &Partition, weights: &RecallWeights, record: u32) -> f32 {
        let (before, after) = partition.neighbours(record);
        if partition.nature(record).replies {
            return 0.0;
        }
        let fused = |record: u32| {
            if record == NONE || !lends(partition, record) {
                return 0.0;
            }
            self.fused.get(record as usize).copied().unwrap_or(0.0)
        };
        let second = |record: u32, side: fn((u32, u32)) -> u32| {
            if record == NONE {
                NONE
            } else {
                side(partition.neighbours(record))
            }
        };
        let nearest = fused(before).max(fused(after));
        let next = fused(second(before, |(before, _)| before)).max(fused(second(after, |(_, after)| after)));
        weights.neighbour * nearest + weights.second_neighbour * next
    }
}

/// Whether the answer may lie beside a record: not beside the companion's reply, nor beside a question that
/// the companion replied to.
fn lends(partition: &Partition, record: u32) -> bool {
    let nature = partition.nature(record);
    let (_, after) = partition.neighbours(record);
    !(nature.replies || nature.only_asks && after != NONE && partition.nature(after).replies)
}

/// One value for each record from those of its rows.
fn by_record<T: Kept>(
    partition: &Partition,
    rows: Column<T>,
    none: T,
    mut merge: impl FnMut(&mut T, T),
) -> Column<T> {
    if partition.has_a_row_each() {
        return rows;
    }
    let mut records = Column::of(none, partition.slots());
    for (row, &value) in rows.iter().enumerate() {
        merge(&mut records[partition.record_of_row(row) as usize], value);
    }
    records
}

/// The least and the greatest of the admitted scores.
struct Range {
    least: f32,
    greatest: f32,
}

impl Range {
    fn of(scores: &[f32], admitted: &[bool]) -> Self {
        let admitted = scores.iter().zip(admitted).filter(|&(_, &admitted)| admitted);
        let range = Self {
            least: f32::INFINITY,
            greatest: f32::NEG_INFINITY,
        };
        admitted.fold(range, |range, (&score, _)| Self {
            least: range.least.min(score),
            greatest: range.greatest.max(score),
        })
    }

    /// Where in the range a score lies, `0..=1`; 0 where all are equal.
    fn place(&self, score: f32) -> f32 {
        let span = self.greatest - self.least;
        if span.is_finite() && span > f32::EPSILON {
            (score - self.least) / span
        } else {
            0.0
        }
    }
}

fn prior(partition: &Partition, record: u32, weights: &RecallWeights, now: Timestamp, times: &[Days]) -> f32 {
    let age = now.since(Timestamp::from_millis(partition.sent_at(record)));
    let days = age.as_secs_f32() / 86_400.0;
    let recency = weights.recency * halved(days, weights.recency_half_life_days);
    let kept = || {
        if partition.is_pinned(record) {
            1.0
        } else {
            halved(days, weights.importance_half_life_days).max(0.5)
        }
    };
    let fit = weights.time * fits(partition, record, times);
    prior_of(partition, record, weights, recency, kept) + fit
}

/// What no prior of the record exceeds, whatever its age.
fn most_prior(partition: &Partition, record: u32, weights: &RecallWeights, times: &[Days]) -> f32 {
    let kept = if weights.importance > 0.0 { 1.0 } else { 0.5 };
    let fit = if times.is_empty() {
        0.0
    } else {
        weights.time.max(0.0)
    };
    prior_of(partition, record, weights, weights.recency.max(0.0), || kept) + fit
}

/// The prior but for the time; `kept` is what age leaves of importance.
fn prior_of(
    partition: &Partition,
    record: u32,
    weights: &RecallWeights,
    recency: f32,
    kept: impl FnOnce() -> f32,
) -> f32 {
    let importance = partition.importance(record) - 0.5;
    // What lies below the ordinary does not rise by growing old.
    let importance = if importance > 0.0 {
        importance * kept()
    } else {
        importance
    };
    let asks = if partition.nature(record).asks {
        weights.question
    } else {
        0.0
    };
    recency + weights.importance * importance - weights.trust * (1.0 - partition.trust(record)) - asks
}

/// Whether a record was said at one of the times, or tells of it.
fn is_of(partition: &Partition, record: u32, times: &[Days]) -> bool {
    let said = days(partition.sent_at(record));
    let told = partition.told_by(record);
    times.iter().any(|&(from, until)| {
        let overlaps = |&(_, (start, end)): &(u32, Days)| {
            start < until && end > from && end - start <= until - from + 1.0
        };
        from <= said && said < until || told.iter().any(overlaps)
    })
}

/// How well a record fits the times asked about, `0..=1`: it was said then or somewhat later, or tells of
/// that time.
fn fits(partition: &Partition, record: u32, times: &[Days]) -> f32 {
    if times.is_empty() {
        return 0.0;
    }
    let said = days(partition.sent_at(record));
    let told = partition.told_by(record);
    let fit = times.iter().map(|&(from, until)| {
        if told.iter().any(|&(_, (start, end))| start < until && end > from) {
            return 1.0;
        }
        let (late, early) = ((said - until).max(0.0), (from - said).max(0.0));
        (-late / DAYS_TOLD_LATER - early / DAYS_TOLD_BEFORE).exp()
    });
    fit.fold(0.0_f64, f64::max) as f32
}

fn halved(days: f32, half_life_days: f32) -> f32 {
    if half_life_days > 0.0 {
        (-days / half_life_days).exp2()
    } else {
        0.0
    }
}

/// What a time asked about counts beside the question's words: as much as a word of one memory in twenty.
const TIME_WORTH: f32 = 3.0;
/// The same of a memory that speaks of liking, or of disliking, as the question does.
const POLARITY_WORTH: f32 = 3.0;
const DAY_MILLIS: f64 = 86_400_000.0;
/// So many times the places wanted are ranked, so that copies can leave theirs.
const COPIES_ALLOWED: usize = 3;
/// So many of the best are fetched from memory together before one after the other is looked at.
const FETCHED_AT_ONCE: usize = 32;
/// People tell of things days after, and announce them shortly before.
const DAYS_TOLD_LATER: f64 = 14.0;
const DAYS_TOLD_BEFORE: f64 = 7.0;
