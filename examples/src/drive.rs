//! Puts messages of many people through an engine and checks what comes back.

use std::{
    collections::BTreeMap,
    fs::File,
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use whisperengine::{Error, MemoryId, MemoryOwner, Message, TurnOutcome, WhisperEngine};

use crate::{crowd::Crowd, measure::Latencies, report};

/// Messages of one session, in the order they are sent.
pub type Session = Vec<Message>;

/// How messages arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// Each session sends its next message when one of its last `in_flight` is answered.
    Closed {
        /// Messages of one session that may be under way at once, at least 1.
        in_flight: usize,
    },
    /// So many messages a second over all sessions, whatever the answers; latency counts from when the
    /// message was due.
    Open {
        /// Messages a second.
        per_second: f64,
    },
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Run {
    /// Turns that were answered.
    pub turns: u64,
    /// Turns refused for good or given up, by reason.
    pub failures: BTreeMap<String, u64>,
    /// Refusals after which the turn was sent again, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Turns that were completed before an earlier one of their session.
    pub out_of_order: u64,
    /// Memories that were recalled.
    pub recalled: u64,
    /// Turns that recalled at least one memory.
    pub turns_with_recall: u64,
    /// Turns by primary emotion.
    pub emotions: BTreeMap<&'static str, u64>,
    /// Turns by degraded component.
    pub degraded: BTreeMap<String, u64>,
    /// Latency by stage; `answer` is what the sender sees.
    pub stages: BTreeMap<&'static str, Latencies>,
    /// The longest that somebody waited for an answer, by the tenth of a second in which the message was due.
    pub slowest: Vec<Duration>,
    /// Wall-clock time.
    pub wall: Duration,
    /// CPU time of the process.
    pub cpu: Duration,
    /// Every durably acknowledged turn.
    pub acknowledged: Vec<(MemoryOwner, MemoryId, String)>,
}

/// Where acknowledged turns are written down as they come, so that they can be checked after a crash.
pub type AckLog = Arc<Mutex<File>>;

/// Sends every message of every session, from one thread: callers do little but wait.
///
/// # Panics
/// When the list of acknowledged turns cannot be written.
pub async fn run(
    engine: &WhisperEngine,
    sessions: Vec<Session>,
    arrivals: Arrivals,
    bar: &ProgressBar,
    acks: Option<&AckLog>,
) -> Run {
    let crowd = Crowd::new(engine.clone(), sessions, bar.clone(), acks.cloned());
    tokio::task::spawn_blocking(move || crowd.play(arrivals))
        .await
        .expect("the crowd's thread does not panic")
}

/// Looks every acknowledged turn up; returns how many are missing or hold another text.
///
/// # Errors
/// When the store cannot be read.
pub async fn count_lost(
    engine: &WhisperEngine,
    acknowledged: &[(MemoryOwner, MemoryId, String)],
) -> Result<u64, Error> {
    let mut by_owner: BTreeMap<&MemoryOwner, Vec<(&MemoryId, &str)>> = BTreeMap::new();
    for (owner, id, text) in acknowledged {
        by_owner.entry(owner).or_default().push((id, text));
    }
    let mut lost = 0;
    for (owner, turns) in by_owner {
        let ids: Vec<MemoryId> = turns.iter().map(|(id, _)| (*id).clone()).collect();
        let found = engine.handle_of(owner.clone()).get(&ids).await?;
        lost += turns
            .iter()
            .zip(found)
            .filter(|((_, text), record)| record.as_ref().is_none_or(|record| record.text != *text))
            .count() as u64;
    }
    Ok(lost)
}

/// When an answered turn of a session was completed.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) sequence: u64,
    /// By the engine's own measure of the turn, counted from before and from after it was handed over: what
    /// held the sender up in between is nobody's disorder.
    pub(crate) between: RangeInclusive<Instant>,
}

/// Turns of a session that were completed before the one that was accepted before them. Not told by who
/// learns of it first: answers are taken up in any order.
pub(crate) fn disorder(answered: &mut [Completion]) -> u64 {
    answered.sort_unstable_by_key(|completion| completion.sequence);
    let overtaken = |pair: &&[Completion]| pair[1].between.end() < pair[0].between.start();
    answered.windows(2).filter(overtaken).count() as u64
}

/// A failure without its numbers, so that like ones are counted together.
fn kind(error: &Error) -> String {
    let text = report::chain(error);
    text.chars()
        .filter(|c| !c.is_ascii_digit() && *c != '.')
        .collect()
}

impl Run {
    /// Turns that were refused for good or given up.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// The share of turns that were answered, `0..=1`.
    pub fn success_rate(&self) -> f64 {
        self.turns as f64 / ((self.turns + self.failed()) as f64).max(1.0)
    }

    /// Turns answered in a second of wall-clock time.
    pub fn turns_per_second(&self) -> f64 {
        self.turns as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    /// Latency as the senders saw it.
    pub fn answer(&self) -> Latencies {
        self.stages.get("answer").cloned().unwrap_or_default()
    }

    /// An answer, `latency` after its message was due, which was `due` after the beginning.
    pub(crate) fn add(&mut self, due: Duration, latency: Duration, result: &Result<TurnOutcome, Error>) {
        let tenth = (due.as_millis() / 100) as usize;
        if self.slowest.len() <= tenth {
            self.slowest.resize(tenth + 1, Duration::ZERO);
        }
        self.slowest[tenth] = self.slowest[tenth].max(latency);
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(error) => {
                *self.failures.entry(kind(error)).or_default() += 1;
                return;
            }
        };
        self.turns += 1;
        self.recalled += outcome.recalled.memories.len() as u64;
        self.turns_with_recall += u64::from(!outcome.recalled.memories.is_empty());
        *self.emotions.entry(outcome.emotion.primary.name()).or_default() += 1;
        for degradation in &outcome.degraded {
            *self
                .degraded
                .entry(degradation.component.to_string())
                .or_default() += 1;
        }
        let t = &outcome.timings;
        for (stage, took) in [
            ("queued", t.queued),
            ("emotion", t.emotion),
            ("embedding", t.embedding),
            ("recall", t.recall),
            ("plan", t.plan),
            ("store", t.store),
            ("answer", latency),
        ] {
            self.stages.entry(stage).or_default().record(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure;

    #[test]
    fn only_what_was_surely_completed_too_soon_is_out_of_order() {
        let start = measure::now();
        let between = |sequence, from, to| Completion {
            sequence,
            between: start + Duration::from_millis(from)..=start + Duration::from_millis(to),
        };
        // Answers come in any order; the sender of the third was held up for nine milliseconds.
        let mut in_order = [between(2, 5, 6), between(1, 3, 4), between(3, 2, 11)];
        assert_eq!(disorder(&mut in_order), 0);
        let mut overtaken = [between(1, 5, 6), between(2, 3, 4), between(3, 7, 8)];
        assert_eq!(disorder(&mut overtaken), 1);
    }
}
