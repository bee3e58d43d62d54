//! The fusion of scores.

use whisperengine_types::{ScoreParts, Similarity, Timestamp};

use super::{Question, RecallWeights, UnitQuery};
use crate::{
    lexicon::Words,
    partition::{NONE, Partition, days},
    text::Days,
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
    words: &Words,
    k: usize,
) -> Vec<Ranked> {
    let columns = Columns::new(partition, admitted, asked, weights, words);
    let times = asked.question.times(partition, admitted);
    let mut ranked: Vec<(u32, ScoreParts, f32)> = (0..admitted.len() as u32)
        .filter(|&record| admitted[record as usize])
        .map(|record| {
            let at = record as usize;
            let parts = ScoreParts {
                dense: columns.dense[at],
                lexical: columns.lexical[at],
                speaker: columns.speaker[at],
                neighbours: columns.neighbours(partition, weights, record),
                prior: prior(partition, record, weights, asked.now)
                    + weights.time * fits(partition, record, &times),
            };
            let score = parts.dense + parts.lexical + parts.speaker + parts.neighbours + parts.prior;
            (record, parts, score)
        })
        .collect();
    let newest_first = |record: u32| (partition.sent_at(record), partition.seq(record));
    let better = |a: &(u32, ScoreParts, f32), b: &(u32, ScoreParts, f32)| {
        b.2.total_cmp(&a.2)
            .then_with(|| newest_first(b.0).cmp(&newest_first(a.0)))
    };
    if k < ranked.len() {
        ranked.select_nth_unstable_by(k, better);
        ranked.truncate(k);
    }
    ranked.sort_unstable_by(better);
    ranked
        .into_iter()
        .map(|(record, parts, score)| Ranked {
            record,
            score,
            similarity: asked
                .embedding
                .map(|_| Similarity::new(columns.similarity[record as usize])),
            parts,
            matched: columns.matched[record as usize],
        })
        .collect()
}

/// Scores by record; those not admitted have none and lend none.
struct Columns {
    similarity: Vec<f32>,
    matched: Vec<u64>,
    dense: Vec<f32>,
    lexical: Vec<f32>,
    speaker: Vec<f32>,
    fused: Vec<f32>,
}

impl Columns {
    fn new(
        partition: &Partition,
        admitted: &[bool],
        asked: &Asked<'_>,
        weights: &RecallWeights,
        words: &Words,
    ) -> Self {
        let question = asked.question;
        let records = admitted.len();
        let mut similarity = vec![f32::NEG_INFINITY; records];
        let mut alike = vec![0.0_f32; records];
        let mut matched = vec![0; records];
        let lexical = partition.lexical_scores(&question.words, words, weights.word_likeness);
        for row in 0..partition.row_count() {
            let record = partition.record_of_row(row) as usize;
            if !admitted[record] {
                continue;
            }
            if let Some(query) = asked.embedding {
                similarity[record] = similarity[record].max(query.similarity(partition, row));
            }
            alike[record] = alike[record].max(lexical.scores[row]);
            matched[record] |= lexical.matched[row];
        }
        let dense_range = Range::of(&similarity, admitted);
        let lexical_range = Range::of(&alike, admitted);
        let mut columns = Self {
            similarity,
            matched,
            dense: vec![0.0; records],
            lexical: vec![0.0; records],
            speaker: vec![0.0; records],
            fused: vec![0.0; records],
        };
        for record in (0..records).filter(|&record| admitted[record]) {
            columns.dense[record] = weights.dense * dense_range.place(columns.similarity[record]);
            columns.lexical[record] = weights.lexical * lexical_range.place(alike[record]);
            if question.speaker == Some(partition.speaker(record as u32)) {
                columns.speaker[record] = weights.speaker;
            }
            columns.fused[record] = columns.dense[record] + columns.lexical[record] + columns.speaker[record];
        }
        columns
    }

    fn neighbours(&self, partition: &Partition, weights: &RecallWeights, record: u32) -> f32 {
        let (before, after) = partition.neighbours(record);
        let fused = |record: u32| self.fused.get(record as usize).copied().unwrap_or(0.0);
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

fn prior(partition: &Partition, record: u32, weights: &RecallWeights, now: Timestamp) -> f32 {
    let age = now.since(Timestamp::from_millis(partition.sent_at(record)));
    let days = age.as_secs_f32() / 86_400.0;
    let recency = weights.recency * halved(days, weights.recency_half_life_days);
    let kept = if partition.is_pinned(record) {
        1.0
    } else {
        halved(days, weights.importance_half_life_days).max(0.5)
    };
    // What lies below the ordinary does not rise by growing old.
    let importance = partition.importance(record) - 0.5;
    let importance = if importance > 0.0 {
        importance * kept
    } else {
        importance
    };
    let asks = if partition.asks(record) {
        weights.question
    } else {
        0.0
    };
    recency + weights.importance * importance - weights.trust * (1.0 - partition.trust(record)) - asks
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

/// People tell of things days after, and announce them shortly before.
const DAYS_TOLD_LATER: f64 = 14.0;
const DAYS_TOLD_BEFORE: f64 = 7.0;
