//! Writes that were given up, kept so that they can be looked at and replayed.

use std::{collections::VecDeque, fmt};

use whisperengine_types::{MemoryOwner, WriteOp};

use crate::{Dedup, Write};

/// Names a dead letter for as long as the batcher lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadLetterId(pub(crate) u64);

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dead letter {}", self.0)
    }
}

/// A write that was given up; its callers have been told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its name.
    pub id: DeadLetterId,
    /// What was to be written.
    pub write: Write,
    /// How often it was tried.
    pub attempts: u32,
    /// The last failure, in words.
    pub reason: String,
    /// A later operation on the same record (or state) succeeded; replaying this one would undo it.
    pub superseded: bool,
}

/// What became of a [replay](crate::MemoryBatcher::replay_dead_letters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Replay {
    /// Letters written at last.
    pub written: usize,
    /// Letters that failed again; those the store is to blame for are dead letters anew.
    pub failed: usize,
    /// Letters dropped because a later operation had superseded them.
    pub superseded: usize,
}

#[derive(Debug)]
pub(crate) struct DeadLetters {
    letters: VecDeque<DeadLetter>,
    next: u64,
    max_items: usize,
    dropped: u64,
}

impl DeadLetters {
    pub(crate) fn new(max_items: usize) -> Self {
        Self {
            letters: VecDeque::new(),
            next: 1,
            max_items,
            dropped: 0,
        }
    }

    pub(crate) fn push(&mut self, mut write: Write, attempts: u32, reason: String) -> DeadLetterId {
        let id = DeadLetterId(self.next);
        self.next += 1;
        write.timeout = None;
        if let Dedup::Content = write.dedup {
            write.dedup = Dedup::Off;
        }
        self.letters.push_back(DeadLetter {
            id,
            write,
            attempts,
            reason,
            superseded: false,
        });
        while self.letters.len() > self.max_items {
            self.letters.pop_front();
            self.dropped += 1;
        }
        id
    }

    /// Notes that `op` succeeded: letters it overtook are superseded, and `ForgetAll` leaves none.
    pub(crate) fn overtaken_by(&mut self, op: &WriteOp) {
        if self.letters.is_empty() {
            return;
        }
        if let WriteOp::ForgetAll { owner } = op {
            self.letters.retain(|letter| letter.write.op.owner() != owner);
            return;
        }
        let target = Target::of(op);
        for letter in &mut self.letters {
            letter.superseded |= Target::of(&letter.write.op) == target;
        }
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = &DeadLetter> {
        self.letters.iter()
    }

    pub(crate) fn take(&mut self) -> VecDeque<DeadLetter> {
        std::mem::take(&mut self.letters)
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len()
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// What an operation changes.
#[derive(PartialEq)]
enum Target<'a> {
    Record(&'a MemoryOwner, &'a str),
    State(&'a MemoryOwner),
    Owner(&'a MemoryOwner),
}

impl<'a> Target<'a> {
    fn of(op: &'a WriteOp) -> Self {
        match op {
            WriteOp::Store { owner, record } => Self::Record(owner, record.id.as_str()),
            WriteOp::Update { owner, id, .. } | WriteOp::Delete { owner, id } => {
                Self::Record(owner, id.as_str())
            }
            WriteOp::PutState { owner, .. } => Self::State(owner),
            WriteOp::ForgetAll { owner } => Self::Owner(owner),
        }
    }
}
