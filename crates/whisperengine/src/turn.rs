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

    pub(crate) fn next(&self, now: Timestamp) -> MemoryId {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        // Shifted so that times before 1970 sort too.
        let millis = now.as_millis() - Timestamp::MIN.as_millis();
        MemoryId::new(format!("t{millis:012x}{:08x}{n:010x}", self.run)).expect("31 hexadecimal digits")
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
    let digits = id.as_str().strip_prefix('t')?;
    let (digits, role) = match digits.strip_suffix('r') {
        Some(digits) => (digits, Role::Bot),
        None => (digits, Role::Person),
    };
    (digits.len() == 30 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(role)
}

/// How many turns of the same run were accepted before this one; `None` when it is no turn's id.
pub(crate) fn number(id: &MemoryId) -> Option<u64> {
    role(id)?;
    let digits = id.as_str().trim_end_matches('r');
    u64::from_str_radix(&digits[digits.len() - NUMBER_DIGITS..], 16).ok()
}

/// The name of a sitting in `channel` that began at `start`.
pub(crate) fn sitting(channel: &ChannelId, start: Timestamp) -> SessionId {
    let text: String = channel.as_str().chars().take(40).collect();
    SessionId::new(format!("{text}@{start}")).expect("at most 200 bytes without control characters")
}

const NUMBER_DIGITS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turn_ids_sort_by_time_and_name_their_role() {
        let ids = TurnIds::new(7);
        let early = ids.next(Timestamp::from_millis(-5));
        let late = ids.next(Timestamp::from_millis(5));
        assert!(before_the_first() < early && early < late);
        assert!(late < reply(&late));
        assert_eq!((number(&early), number(&reply(&late))), (Some(0), Some(1)));
        assert_eq!(number(&before_the_first()), None);
        assert_eq!(role(&early), Some(Role::Person));
        assert_eq!(role(&reply(&early)), Some(Role::Bot));
        assert_eq!(role(&before_the_first()), None);
        assert_eq!(role(&MemoryId::from_number(3)), None);
    }
}
