//! One turn on its way, and the ids of what it leaves behind.
//!
//! A memory's id holds its place in its owner's order: `max(clock, last) + 1`, issued under the owner's lock
//! when the turn is planned. So ids sort in the order in which turns were applied, whatever the clock does.

use std::{hash::Hasher, sync::Arc, time::Instant};

use whisperengine_types::{
    ChannelId, MemoryId, MemoryOwner, Message, PlatformId, Priority, SessionId, Timestamp,
};

use crate::cell::Cell;

/// A message that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) message: Message,
    pub(crate) owner: MemoryOwner,
    pub(crate) cell: Arc<Cell>,
    /// The owner's epoch when the message was accepted.
    pub(crate) epoch: u64,
    /// The platform's numbers of earlier messages of a burst that are part of this one.
    pub(crate) merged: Vec<PlatformId>,
    pub(crate) priority: Priority,
    pub(crate) sequence: u64,
    pub(crate) accepted: Instant,
}

impl Turn {
    /// The turn of a burst: the earlier messages and this one, a line each.
    pub(crate) fn after(mut self, earlier: &[Self]) -> Self {
        if let Some(first) = earlier.first() {
            let texts = earlier
                .iter()
                .chain([&self])
                .map(|turn| turn.message.text.as_str());
            self.message.text = texts.collect::<Vec<_>>().join("\n");
            self.accepted = first.accepted;
            // Forgotten in the middle of a burst, all of it is forgotten.
            self.epoch = first.epoch;
            self.merged = earlier
                .iter()
                .filter_map(|turn| turn.message.platform_id.clone())
                .collect();
        }
        self
    }
}

/// Whose words a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Person,
    Bot,
}

/// A place in an owner's order: milliseconds since year 0, and a number within the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Order(u64);

impl Order {
    /// The place after `self`, not before the time `now`.
    pub(crate) fn next(self, now: Timestamp) -> Self {
        Self(Self::at(now).0.max(self.0 + 1))
    }

    /// The first place at `now`.
    pub(crate) fn at(now: Timestamp) -> Self {
        let millis = now.as_millis() - Timestamp::MIN.as_millis();
        Self((millis as u64) << STEP_BITS)
    }

    /// The time it was issued at, or shortly after where several were issued at one time.
    pub(crate) fn time(self) -> Timestamp {
        Timestamp::from_millis((self.0 >> STEP_BITS) as i64 + Timestamp::MIN.as_millis())
    }

    /// The place of a record; `None` when it is not part of a turn.
    pub(crate) fn of(id: &MemoryId) -> Option<Self> {
        split(id).map(|(order, _)| order)
    }

    pub(crate) fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Sorts behind every record at or before this place and before every later one.
    pub(crate) fn bound(self) -> MemoryId {
        let mut id = encode(self, u64::MAX, Role::Bot);
        id.push('~');
        MemoryId::new(id).expect("letters and digits")
    }
}

/// Makes ids that differ between runs and, as far as 32 bits tell, between owners: records that are shared
/// stand beside those of others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    run: u64,
}

impl Ids {
    /// Ids of one run of the engine; two runs should differ in `run`.
    pub(crate) fn new(run: u64) -> Self {
        Self { run }
    }

    pub(crate) fn id(self, order: Order, owner: &MemoryOwner, role: Role) -> MemoryId {
        let mut hasher = std::hash::DefaultHasher::new();
        std::hash::Hash::hash(owner, &mut hasher);
        let low = (hasher.finish() >> 32) << RUN_BITS | (self.run & ((1 << RUN_BITS) - 1));
        MemoryId::new(encode(order, low, role)).expect("letters and digits")
    }
}

/// Whose words a record with this id holds; `None` when it is not part of a turn.
pub(crate) fn role(id: &MemoryId) -> Option<Role> {
    split(id).map(|(_, role)| role)
}

/// The name of a session in `channel` that began at `start`.
pub(crate) fn session_id(channel: &ChannelId, start: Timestamp) -> SessionId {
    let text: String = channel.as_str().chars().take(40).collect();
    SessionId::new(format!("{text}@{start}")).expect("at most 200 bytes without control characters")
}

fn encode(order: Order, low: u64, role: Role) -> String {
    let packed = u128::from(order.0) << LOW_BITS | u128::from(low) & ((1 << LOW_BITS) - 1);
    let mut id = String::with_capacity(2 + DIGITS);
    id.push('t');
    for at in (0..DIGITS).rev() {
        id.push(char::from(
            ALPHABET[(packed >> (6 * at)) as usize % ALPHABET.len()],
        ));
    }
    if role == Role::Bot {
        id.push('r');
    }
    id
}

fn split(id: &MemoryId) -> Option<(Order, Role)> {
    let digits = id.as_str().strip_prefix('t')?.as_bytes();
    let (digits, role) = match digits {
        [digits @ .., b'r'] if digits.len() == DIGITS => (digits, Role::Bot),
        _ => (digits, Role::Person),
    };
    if digits.len() != DIGITS {
        return None;
    }
    let packed: u128 = digits.iter().try_fold(0, |packed, digit| {
        let value = ALPHABET.binary_search(digit).ok()?;
        Some(packed << 6 | value as u128)
    })?;
    Some((Order((packed >> LOW_BITS) as u64), role))
}

/// An id is a `t`, 64 bits of the order and 56 that tell owners and runs apart, six to a digit: with the `r` of
/// a reply 22 bytes, which need no memory beside the id itself. The digits are in the order of ASCII, so that
/// ids sort.
const ALPHABET: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
const DIGITS: usize = 20;
const LOW_BITS: u32 = 56;
const RUN_BITS: u32 = 24;
const STEP_BITS: u32 = 12;

#[cfg(test)]
mod tests {
    use whisperengine_types::{BotId, UserId};

    use super::*;

    fn ana() -> MemoryOwner {
        MemoryOwner::person(BotId::new("ember").unwrap(), UserId::new("ana").unwrap())
    }

    #[test]
    fn ids_sort_in_the_order_of_their_issue_whatever_the_clock_does() {
        let ids = Ids::new(7);
        let mut last = Order::default();
        let mut before: Option<MemoryId> = None;
        for (at, role) in [
            (-5, Role::Person),
            (5, Role::Person),
            (5, Role::Bot),
            (-1_000_000, Role::Person),
            (Timestamp::MAX.as_millis(), Role::Bot),
            (0, Role::Person),
        ] {
            let order = last.next(Timestamp::from_millis(at));
            let id = ids.id(order, &ana(), role);
            assert_eq!((Order::of(&id), super::role(&id)), (Some(order), Some(role)));
            assert!(before.is_none_or(|before| before < id));
            assert!(id < order.bound() && last.bound() < id);
            (last, before) = (order, Some(id));
        }
    }

    #[test]
    fn other_ids_are_no_turns() {
        for id in [
            "t",
            "7",
            "t123",
            "x--------------------",
            "t--------------------x",
        ] {
            assert_eq!(role(&MemoryId::new(id).unwrap()), None, "{id}");
        }
        let order = Order::at(Timestamp::from_millis(0));
        assert_ne!(
            Ids::new(1).id(order, &ana(), Role::Person),
            Ids::new(2).id(order, &ana(), Role::Person)
        );
    }
}
