//! Puts messages of many people through an engine and checks what comes back.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::File,
    io::Write,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::{JoinHandle, JoinSet},
};
use whisperengine::{Durability, Error, MemoryId, MemoryOwner, Message, Ticket, TurnOutcome, WhisperEngine};

use crate::{
    measure::{self, Latencies},
    report,
};

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
    /// Wall-clock time.
    pub wall: Duration,
    /// CPU time of the process.
    pub cpu: Duration,
    /// Every durably acknowledged turn.
    pub acknowledged: Vec<(MemoryOwner, MemoryId, String)>,
}

/// Where acknowledged turns are written down as they come, so that they can be checked after a crash.
pub type AckLog = Arc<Mutex<File>>;

/// Sends every message of every session.
///
/// # Panics
/// When a session's task panics.
pub async fn run(
    engine: &WhisperEngine,
    sessions: Vec<Session>,
    arrivals: Arrivals,
    bar: &ProgressBar,
    acks: Option<&AckLog>,
) -> Run {
    let (wall, cpu) = (measure::now(), measure::process_cpu());
    let total: usize = sessions.iter().map(Vec::len).sum();
    let run = Arc::new(Mutex::new(Run {
        acknowledged: Vec::with_capacity(total),
        ..Run::default()
    }));
    let mut tasks = JoinSet::new();
    let mut dues = Vec::new();
    for session in sessions {
        let sender = Sender {
            engine: engine.clone(),
            bar: bar.clone(),
            acks: acks.cloned(),
            run: Arc::clone(&run),
            answered: Arc::default(),
        };
        match arrivals {
            Arrivals::Closed { in_flight } => tasks.spawn(sender.closed(session, in_flight)),
            Arrivals::Open { .. } => {
                let (due, messages) = mpsc::unbounded_channel();
                dues.push((session, due));
                tasks.spawn(sender.open(messages))
            }
        };
    }
    if let Arrivals::Open { per_second } = arrivals {
        // A thread of its own: the runtime's timers are a millisecond coarse.
        std::thread::spawn(move || pace(dues, wall, per_second));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("a session's task does not panic");
    }
    let mut run = std::mem::take(&mut *lock(&run));
    run.wall = wall.elapsed();
    run.cpu = measure::process_cpu().saturating_sub(cpu);
    run
}

/// Looks every acknowledged turn up; returns how many are missing or hold another text.
///
/// # Errors
/// When the store cannot be read.
pub fn count_lost(
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
        let found = engine.memories_by_id(owner, &ids)?;
        lost += turns
            .iter()
            .zip(found)
            .filter(|((_, text), record)| record.as_ref().is_none_or(|record| record.text != *text))
            .count() as u64;
    }
    Ok(lost)
}

/// Hands each message over when it is due: `per_second` of them, from the sessions in turn.
fn pace(sessions: Vec<(Session, UnboundedSender<(Instant, Message)>)>, start: Instant, per_second: f64) {
    let mut sessions: VecDeque<_> = sessions
        .into_iter()
        .map(|(session, due)| (session.into_iter(), due))
        .collect();
    let mut place = 0;
    while let Some((mut session, to)) = sessions.pop_front() {
        let due = start + Duration::from_secs_f64(f64::from(place) / per_second);
        let early = due.saturating_duration_since(measure::now());
        if early > SHORTEST_WAIT {
            std::thread::park_timeout(early);
        }
        place += 1;
        // A session that has nothing left to say, or whose task has ended, is dropped.
        if let Some(message) = session.next()
            && to.send((due, message)).is_ok()
        {
            sessions.push_back((session, to));
        }
    }
}

/// When an answered turn of a session was completed.
struct Completion {
    sequence: u64,
    /// By the engine's own measure of the turn, counted from before and from after it was handed over: what
    /// held the sender up in between is nobody's disorder.
    between: RangeInclusive<Instant>,
}

#[derive(Clone)]
struct Sender {
    engine: WhisperEngine,
    bar: ProgressBar,
    acks: Option<AckLog>,
    run: Arc<Mutex<Run>>,
    answered: Arc<Mutex<Vec<Completion>>>,
}

impl Sender {
    async fn closed(self, session: Session, in_flight: usize) {
        let mut under_way = VecDeque::new();
        for message in session {
            if under_way.len() >= in_flight.max(1) {
                joined(under_way.pop_front()).await;
            }
            let from = measure::now();
            let (submitted, ticket) = self.submit(&message).await;
            if in_flight <= 1 {
                self.clone().answer(from, submitted, message, ticket).await;
            } else {
                under_way.push_back(self.await_answer(from, submitted, message, ticket));
            }
        }
        while !under_way.is_empty() {
            joined(under_way.pop_front()).await;
        }
        self.check_order();
    }

    async fn open(self, mut messages: UnboundedReceiver<(Instant, Message)>) {
        let mut under_way = VecDeque::new();
        while let Some((due, message)) = messages.recv().await {
            let (submitted, ticket) = self.submit(&message).await;
            under_way.push_back(self.await_answer(due, submitted, message, ticket));
            while under_way.front().is_some_and(JoinHandle::is_finished) {
                joined(under_way.pop_front()).await;
            }
        }
        while !under_way.is_empty() {
            joined(under_way.pop_front()).await;
        }
        self.check_order();
    }

    /// Sends again what was refused for now; the next message of the session waits, as order demands. The
    /// engine had the message at some time of the range.
    async fn submit(&self, message: &Message) -> (RangeInclusive<Instant>, Result<Ticket, Error>) {
        loop {
            let submitted = measure::now();
            match self.engine.submit(message.clone()) {
                Err(Error::Busy { retry_after, .. }) => {
                    *lock(&self.run).refused.entry("busy, sent again").or_default() += 1;
                    tokio::time::sleep(retry_after).await;
                }
                other => return (submitted..=measure::now(), other),
            }
        }
    }

    fn check_order(&self) {
        lock(&self.run).out_of_order += disorder(&mut lock(&self.answered));
    }

    /// A task of its own, so that the latency ends when the answer is there, not when it is collected.
    fn await_answer(
        &self,
        from: Instant,
        submitted: RangeInclusive<Instant>,
        message: Message,
        ticket: Result<Ticket, Error>,
    ) -> JoinHandle<()> {
        tokio::spawn(self.clone().answer(from, submitted, message, ticket))
    }

    async fn answer(
        self,
        from: Instant,
        submitted: RangeInclusive<Instant>,
        message: Message,
        ticket: Result<Ticket, Error>,
    ) {
        let result = match ticket {
            Ok(ticket) => ticket.await,
            Err(refused) => Err(refused),
        };
        let latency = from.elapsed();
        let mut acknowledged = None;
        if let Ok(outcome) = &result {
            let total = outcome.timings.total;
            lock(&self.answered).push(Completion {
                sequence: outcome.sequence,
                between: *submitted.start() + total..=*submitted.end() + total,
            });
            if outcome.stored == Durability::Durable {
                if let Some(acks) = &self.acks {
                    let line = serde_json::json!([outcome.session.user, outcome.turn, message.text]);
                    writeln!(lock(acks), "{line}").expect("the list of acknowledged turns can be written");
                }
                acknowledged = Some((message.owner(), outcome.turn.clone(), message.text));
            }
        }
        self.bar.inc(1);
        let mut run = lock(&self.run);
        run.acknowledged.extend(acknowledged);
        run.add(latency, &result);
    }
}

/// Turns of a session that were completed before the one that was accepted before them. Not told by who
/// learns of it first: the tasks that wait for the answers are woken in any order.
fn disorder(answered: &mut [Completion]) -> u64 {
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

async fn joined(handle: Option<JoinHandle<()>>) {
    let handle = handle.expect("the caller saw that one is under way");
    handle.await.expect("waiting for an answer does not panic");
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn add(&mut self, latency: Duration, result: &Result<TurnOutcome, Error>) {
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

/// Messages that are due sooner than this are handed over together.
const SHORTEST_WAIT: Duration = Duration::from_micros(200);

#[cfg(test)]
mod tests {
    use super::*;

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
