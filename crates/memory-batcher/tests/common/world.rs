//! A machine, a store that fails to order, and a clock that jumps from event to event.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use whisperengine_memory_batcher::{
    BatcherError, Config, DrainReport, Input, Machine, Output, Replay, estimated_bytes,
};
use whisperengine_types::{Clock, Committed, MemoryError, MemoryOwner, SystemClock, WriteOp};

use super::{Model, unavailable};

/// What one commit does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    None,
    /// Nothing is applied.
    Down,
    /// Nothing is applied, nor will be until the store is reopened.
    ReadOnly,
    /// Operations whose bit is set are not applied.
    Some(u64),
    /// All is applied, and then the store panics.
    PanicAfter,
    /// Nothing is applied, and the store panics.
    PanicBefore,
    /// All is applied, and no result is given.
    Silent,
}

pub(crate) type Token = usize;

/// A commit under way: when it returns, what it returns, and whose memories it changes.
#[derive(Debug)]
struct InFlight {
    at: Instant,
    input: Input<Token>,
    owners: BTreeSet<MemoryOwner>,
}

#[derive(Debug)]
pub(crate) struct World {
    parallel: usize,
    pub(crate) machine: Machine<Token>,
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    pub(crate) model: Model,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) commit_time: Duration,
    in_flight: Vec<InFlight>,
    /// What was submitted, by token.
    pub(crate) ops: Vec<Option<WriteOp>>,
    pub(crate) answers: BTreeMap<Token, Result<Committed, BatcherError>>,
    /// Tokens in the order they were answered.
    pub(crate) answered: Vec<Token>,
    /// When, and how each replay ended.
    pub(crate) answered_at: BTreeMap<Token, Instant>,
    pub(crate) replays: Vec<Replay>,
    pub(crate) reports: Vec<DrainReport>,
    pub(crate) batches: Vec<(Instant, Vec<WriteOp>)>,
}

impl World {
    pub(crate) fn new(config: &Config) -> Self {
        let start = SystemClock.instant();
        Self {
            parallel: config.parallel_commits,
            machine: Machine::new(config).unwrap(),
            now: start,
            start,
            model: Model::default(),
            faults: VecDeque::new(),
            commit_time: Duration::from_millis(1),
            in_flight: Vec::new(),
            ops: Vec::new(),
            answers: BTreeMap::new(),
            answered: Vec::new(),
            answered_at: BTreeMap::new(),
            replays: Vec::new(),
            reports: Vec::new(),
            batches: Vec::new(),
        }
    }

    pub(crate) fn submit(&mut self, op: WriteOp) -> Token {
        let token = self.ops.len();
        self.ops.push(Some(op.clone()));
        let bytes = estimated_bytes(&op);
        self.machine.handle(Input::Write { op, bytes, token }, self.now);
        self.pump();
        token
    }

    pub(crate) fn replay(&mut self) {
        let token = self.ops.len();
        self.ops.push(None);
        self.machine.handle(Input::Replay { token }, self.now);
        self.pump();
    }

    pub(crate) fn drain(&mut self, span: Duration) {
        let token = self.ops.len();
        self.ops.push(None);
        let until = self.now + span;
        self.machine.handle(Input::Drain { until, token }, self.now);
        self.pump();
    }

    /// Lets time pass, event by event.
    pub(crate) fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    /// Lets time pass until nothing more will happen.
    pub(crate) fn run(&mut self) {
        let mut events = 0;
        while let Some(at) = self.next_event() {
            self.now = self.now.max(at);
            self.tick();
            events += 1;
            assert!(events < 1_000_000, "the machine never comes to rest");
        }
    }

    pub(crate) fn outcome(&self, token: Token) -> &Result<Committed, BatcherError> {
        self.answers.get(&token).expect("everyone is answered")
    }

    fn next_event(&self) -> Option<Instant> {
        let landing = self.in_flight.iter().map(|commit| commit.at).min();
        [landing, self.machine.poll_timeout()].into_iter().flatten().min()
    }

    fn tick(&mut self) {
        for landed in self.in_flight.extract_if(.., |commit| commit.at <= self.now) {
            self.machine.handle(landed.input, self.now);
        }
        self.machine.handle_timeout(self.now);
        self.pump();
    }

    fn pump(&mut self) {
        while let Some(output) = self.machine.poll_output(self.now) {
            match output {
                Output::Commit { batch, ops } => self.commit(batch, ops),
                Output::Answer { token, outcome } => {
                    let before = self.answers.insert(token, outcome);
                    assert!(before.is_none(), "write {token} is answered twice");
                    self.answered.push(token);
                    self.answered_at.insert(token, self.now);
                }
                Output::Replayed { replay, .. } => self.replays.push(replay),
                Output::Drained { report, .. } => self.reports.push(report),
                other => panic!("unknown output {other:?}"),
            }
        }
    }

    fn commit(&mut self, batch: u64, ops: Vec<WriteOp>) {
        assert!(self.in_flight.len() < self.parallel, "too many commits at a time");
        let owners: BTreeSet<MemoryOwner> = ops.iter().map(|op| op.owner().clone()).collect();
        let apart = self
            .in_flight
            .iter()
            .all(|other| other.owners.is_disjoint(&owners));
        assert!(apart, "an owner is in two commits at a time");
        let fault = self.faults.pop_front().unwrap_or(Fault::None);
        let mut apply = |at: usize, op: &WriteOp| -> Result<Committed, MemoryError> {
            match fault {
                Fault::Down | Fault::PanicBefore => Err(unavailable()),
                Fault::ReadOnly => Err(MemoryError::ReadOnly {
                    reason: "on demand".to_owned(),
                }),
                Fault::Some(mask) if mask >> (at % 64) & 1 == 1 => Err(unavailable()),
                _ => self.model.apply(op),
            }
        };
        let results: Vec<_> = ops.iter().enumerate().map(|(at, op)| apply(at, op)).collect();
        let input = match fault {
            Fault::PanicAfter | Fault::PanicBefore => Input::Panicked {
                batch,
                reason: "on demand".to_owned(),
            },
            Fault::Silent => Input::Committed {
                batch,
                results: Vec::new(),
            },
            _ => Input::Committed { batch, results },
        };
        self.batches.push((self.now, ops));
        // Side by side, commits do not end in the order they began.
        let took = match self.parallel {
            1 => self.commit_time,
            _ => self.commit_time * (1 + (batch % 3) as u32),
        };
        let at = self.now + took;
        self.in_flight.push(InFlight { at, input, owners });
    }
}
