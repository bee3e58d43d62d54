//! One turn on its way, and the names of what it leaves behind.
//!
//! A turn's id sorts by time and is the id of its message as a memory; the reply's is the same with an
//! `r` behind it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use whisperengine_types::{ChannelId, MemoryId, Message, Priority, SessionId, Timestamp};

/// A message that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) id: MemoryId,
    pub(crate) message: Message,
    pub(crate) priority: Priority,
    pub(crate) sequence: u64,
    pub(crate) accepted: Instant,
}

/// Whose words a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Person,
    Bot,
}

/// Makes turn ids: time, run, number within the run.
#[derive(Debug)]
pub(crate) struct TurnIds {
    run: u32,
    next: AtomicU64,
}

impl TurnIds {
    /// Ids of one run of the engine; two runs must differ in `run`.
    pub(crate) fn new(run: u32) -> Self {
        Self {
            run,
            next: AtomicU64::new(0),
        }
    }

    /// How many ids were given out.
    pub(crate) fn issued(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// The point between the turns accepted so far and those to come.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            run: self.run,
            accepted: self.issued(),
        }
    }

    pub(crate) fn next(&self, now: Timestamp) -> MemoryId {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        // Shifted so that times before 1970 sort too.
        let millis = now.as_millis() - Timestamp::MIN.as_millis();
        let place = u128::from(self.run) << NUMBER_BITS | u128::from(n);
        let packed = (millis as u128) << (RUN_BITS + NUMBER_BITS) | place;
        let mut id = [b't'; 1 + DIGITS];
        for (at, byte) in id[1..].iter_mut().rev().enumerate() {
            *byte = ALPHABET[(packed >> (6 * at)) as usize % ALPHABET.len()];
        }
        let id = std::str::from_utf8(&id).expect("the alphabet is ASCII");
        MemoryId::new(id).expect("it has no control characters")
    }
}

/// A point between two turns of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    run: u32,
    accepted: u64,
}

impl Mark {
    /// Whether the turn with this id, or the one it replies to, was accepted before. What another run of
    /// the engine accepted was, and so was what is no turn's id.
    pub(crate) fn is_after(&self, id: &MemoryId) -> bool {
        place(id).is_none_or(|(run, number)| run != self.run || number < self.accepted)
    }
}

/// Sorts before every turn.
pub(crate) fn before_the_first() -> MemoryId {
    MemoryId::new("t").expect("one letter")
}

/// The id of the reply to a turn.
pub(crate) fn reply(turn: &MemoryId) -> MemoryId {
    MemoryId::new(format!("{turn}r")).expect("a turn's id and a letter")
}

/// Whose words a record with this id holds; `None` when it is not part of a turn.
pub(crate) fn role(id: &MemoryId) -> Option<Role> {
    split(id).map(|(_, role)| role)
}

/// The run that accepted a turn, and how many turns of that run came before it; `None` when it is no
/// turn's id.
fn place(id: &MemoryId) -> Option<(u32, u64)> {
    let (packed, _) = split(id)?;
    let number = packed & ((1 << NUMBER_BITS) - 1);
    Some(((packed >> NUMBER_BITS) as u32, number as u64))
}

/// The number that an id is made of, and whose words it names.
fn split(id: &MemoryId) -> Option<(u128, Role)> {
    let digits = id.as_str().strip_prefix('t')?.as_bytes();
    let (digits, role) = match digits {
        [digits @ .., b'r'] if digits.len() == DIGITS => (digits, Role::Bot),
        _ => (digits, Role::Person),
    };
    if digits.len() != DIGITS {
        return None;
    }
    let packed = digits.iter().try_fold(0, |packed, digit| {
        let value = ALPHABET.binary_search(digit).ok()?;
        Some(packed << 6 | value as u128)
    })?;
    Some((packed, role))
}

/// The name of a sitting in `channel` that began at `start`.
pub(crate) fn sitting(channel: &ChannelId, start: Timestamp) -> SessionId {
    let text: String = channel.as_str().chars().take(40).collect();
    SessionId::new(format!("{text}@{start}")).expect("at most 200 bytes without control characters")
}

/// An id is a `t` and 49 bits of the time (all that a [`Timestamp`] can be), 32 of the run and 39 of the number,
/// six to a digit: with the `r` of a reply 22 bytes, which need no memory beside the id itself. The digits are
/// in the order of ASCII, so that ids sort.
const ALPHABET: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
const DIGITS: usize = 20;
const RUN_BITS: u32 = 32;
const NUMBER_BITS: u32 = 39;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_ids_sort_by_time_and_name_their_role() {
        let ids = TurnIds::new(7);
        let early = ids.next(Timestamp::from_millis(-5));
        let late = ids.next(Timestamp::from_millis(5));
        let last = ids.next(Timestamp::MAX);
        assert!(before_the_first() < ids.next(Timestamp::MIN));
        assert!(before_the_first() < early && early < late && late < last);
        assert!(reply(&early) < late && late < reply(&late));
        assert_eq!(place(&last), Some((7, 2)));
        assert_eq!(place(&early), Some((7, 0)));
        assert_eq!(place(&reply(&late)), Some((7, 1)));
        assert_eq!(place(&before_the_first()), None);
        assert_eq!(role(&early), Some(Role::Person));
        assert_eq!(role(&reply(&early)), Some(Role::Bot));
        assert_eq!(role(&before_the_first()), None);
        assert_eq!(role(&MemoryId::from_number(3)), None);
    }
    #[test]
    fn a_mark_comes_after_the_turns_so_far_and_after_those_of_other_runs() {
        let (ids, before) = (TurnIds::new(7), TurnIds::new(6));
        let now = Timestamp::from_millis(5);
        let turns_before: Vec<MemoryId> = (0..9).map(|_| before.next(now)).collect();
        let early = ids.next(now);
        let mark = ids.mark();
        let late = ids.next(now);
        assert!(mark.is_after(&early) && mark.is_after(&reply(&early)));
        assert!(!mark.is_after(&late) && !mark.is_after(&reply(&late)));
        assert!(turns_before.iter().all(|turn| mark.is_after(turn)));
        assert!(mark.is_after(&MemoryId::from_number(3)));
    }
}
