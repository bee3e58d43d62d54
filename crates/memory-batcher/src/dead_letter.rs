//! Writes that the store would not take, kept so that they can be looked at and replayed.
//!
//! Invariants: a letter leaves only by being written, by being refused for good, or because a later operation
//! of its owner made it void; letters keep the order in which their writes were submitted.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use whisperengine_types::{MemoryId, MemoryOwner, WriteOp};

/// Names a dead letter for as long as the batcher lives; smaller numbers were submitted earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeadLetterId(pub(crate) u64);

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dead letter {}", self.0)
    }
}

/// A write that was given up; its caller has the error. Never a [`WriteOp::ForgetAll`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its name.
    pub id: DeadLetterId,
    /// What was to be written.
    pub op: WriteOp,
    /// How often it was tried; 0 when the store was known to be away.
    pub attempts: u32,
    /// The last failure, in words.
    pub reason: String,
}

/// What became of a [replay](crate::MemoryBatcher::replay_dead_letters). Letters in neither count stayed where
/// they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Replay {
    /// Letters written at last.
    pub written: usize,
    /// Letters that failed again; those that the store is to blame for are dead letters still.
    pub failed: usize,
}

#[derive(Debug)]
pub(crate) struct DeadLetters {
    letters: BTreeMap<u64, DeadLetter>,
    of_owner: HashMap<MemoryOwner, BTreeSet<u64>>,
    /// Letters taken out to be tried again; their room is kept.
    replaying: usize,
    max_items: usize,
}

impl DeadLetters {
    pub(crate) fn new(max_items: usize) -> Self {
        Self {
            letters: BTreeMap::new(),
            of_owner: HashMap::new(),
            replaying: 0,
            max_items,
        }
    }

    /// Whether `items` more would find room.
    pub(crate) fn has_room(&self, items: usize) -> bool {
        self.len() + items <= self.max_items
    }

    pub(crate) fn put(&mut self, letter: DeadLetter) {
        let DeadLetterId(id) = letter.id;
        self.of_owner
            .entry(letter.op.owner().clone())
            .or_default()
            .insert(id);
        self.letters.insert(id, letter);
    }

    /// Drops the letters that `op`, submitted as number `seq`, makes void.
    pub(crate) fn supersede(&mut self, op: &WriteOp, seq: u64) {
        if self.letters.is_empty() {
            return;
        }
        let Some(ids) = self.of_owner.get_mut(op.owner()) else {
            return;
        };
        let letters = &mut self.letters;
        ids.retain(|&id| {
            let is_void = id < seq && letters.get(&id).is_some_and(|letter| supersedes(op, &letter.op));
            if is_void {
                letters.remove(&id);
            }
            !is_void
        });
        if ids.is_empty() {
            self.of_owner.remove(op.owner());
        }
    }

    /// Takes out up to `limit` letters to be tried again, oldest first, of those that `may_go`.
    pub(crate) fn take(&mut self, limit: usize, may_go: impl Fn(&WriteOp) -> bool) -> Vec<DeadLetter> {
        let going: Vec<u64> = self
            .letters
            .values()
            .filter(|letter| may_go(&letter.op))
            .map(|letter| letter.id.0)
            .take(limit)
            .collect();
        self.replaying += going.len();
        going.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Notes that the replay of a letter is over.
    pub(crate) fn replayed(&mut self) {
        self.replaying -= 1;
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = &DeadLetter> {
        self.letters.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.letters.len() + self.replaying
    }

    fn remove(&mut self, id: u64) -> Option<DeadLetter> {
        let letter = self.letters.remove(&id)?;
        if let Some(ids) = self.of_owner.get_mut(letter.op.owner()) {
            ids.remove(&id);
            if ids.is_empty() {
                self.of_owner.remove(letter.op.owner());
            }
        }
        Some(letter)
    }
}

/// Whether an operation, once it succeeds, makes an earlier one of the same owner void: it forgets the owner, or
/// changes the same record or state.
pub(crate) fn supersedes(later: &WriteOp, earlier: &WriteOp) -> bool {
    match (later, earlier) {
        (WriteOp::ForgetAll { .. }, _) | (WriteOp::PutState { .. }, WriteOp::PutState { .. }) => true,
        _ => record_id(later).is_some() && record_id(later) == record_id(earlier),
    }
}

/// The record that an operation changes; `None` for operations on the whole owner.
pub(crate) fn record_id(op: &WriteOp) -> Option<&MemoryId> {
    match op {
        WriteOp::Store { record, .. } => Some(&record.id),
        WriteOp::Update { id, .. } | WriteOp::Delete { id, .. } => Some(id),
        WriteOp::ForgetAll { .. } | WriteOp::PutState { .. } => None,
    }
}
