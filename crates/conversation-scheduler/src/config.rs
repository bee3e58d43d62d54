//! What can be set, and what it is when nothing is.

use std::{num::NonZeroUsize, time::Duration};

use jiff::fmt::serde::unsigned_duration::friendly::compact as duration_text;
use serde::{Deserialize, Serialize};

use crate::{Coalesce, Error, Result};

/// The settings of a scheduler. Durations are written as text: `"250ms"`, `"1.5s"`, `"3min"`, `"1h 30m"`.
///
/// | field | default |
/// |---|---|
/// | `max_sessions` | 1,000,000 |
/// | `max_queued` | 100,000 |
/// | `max_queued_per_class` | 100,000 |
/// | `max_queued_per_session` | 64 |
/// | `max_in_flight` | 4,096 |
/// | `max_wait` | 5 s |
/// | `weights` | 4, 3, 2, 1 |
/// | `aging_turns` | 64 |
/// | `overload` | `refuse` |
/// | `coalesce` | `queue` |
/// | `coalesce_window` | 0 |
/// | `default_deadline` | none |
/// | `idle_timeout` | 30 min |
/// | `min_workers`, `max_workers` | 1, one per core |
/// | `max_batch_turns` | 64 |
/// | `batch_time_target` | 20 ms |
/// | `on_panic` | `isolate` |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// How many sessions are kept, idle ones included. Higher: more memory, about 210 bytes each.
    pub max_sessions: usize,
    /// How many turns may wait in all. Higher: longer bursts are taken in, and more memory.
    pub max_queued: usize,
    /// How many turns may wait in one class. Lower than `max_queued`: room is kept for the others.
    pub max_queued_per_class: usize,
    /// How many turns may wait in one session; at most 65,000.
    pub max_queued_per_session: usize,
    /// How many turns may be with the handler at once, those answered later included.
    pub max_in_flight: usize,
    /// The longest estimated wait at which a turn is still accepted. Lower: less is accepted in an
    /// overload, and what is accepted is served sooner.
    #[serde(with = "duration_text::required")]
    pub max_wait: Duration,
    /// Turns per round of each class, most urgent first. A class with weight 0 is served only when no
    /// other class has turns, or by `aging_turns`.
    pub weights: [u32; 4],
    /// A class that has turns is served at least once in this many turns; at least 16.
    pub aging_turns: u32,
    /// What to do when the queue is full.
    pub overload: OverloadPolicy,
    /// What becomes of a session's waiting turns when the next one comes.
    pub coalesce: Coalesce,
    /// How long a turn that replaces or absorbs others waits for the next one of its session, from its
    /// submission on; a burst that goes on is served after four times as long. 0: only turns that wait for a
    /// worker or for their session anyway are coalesced. No effect with [`Coalesce::Queue`].
    #[serde(with = "duration_text::required")]
    pub coalesce_window: Duration,
    /// How long a turn may wait when it does not say so itself; `None` is for ever.
    #[serde(with = "duration_text::optional")]
    pub default_deadline: Option<Duration>,
    /// A session without a turn for this long is forgotten.
    #[serde(with = "duration_text::required")]
    pub idle_timeout: Duration,
    /// The fewest workers that stay active. One more is called in when turns wait too long, when the queue
    /// grows, and when every active one has been in a call for longer than `batch_time_target`.
    pub min_workers: NonZeroUsize,
    /// The most workers; `None` is one per core.
    pub max_workers: Option<NonZeroUsize>,
    /// The most turns in one call of the handler; more amortises its fixed cost over more turns, and
    /// makes the first of them wait for the last.
    pub max_batch_turns: NonZeroUsize,
    /// Batches are made smaller while one takes longer than this, as far as that makes them shorter: not where
    /// most of a call's time is the same for any number of turns.
    #[serde(with = "duration_text::required")]
    pub batch_time_target: Duration,
    /// What to do with the rest of a batch when the handler panics.
    pub on_panic: PanicPolicy,
}

/// What happens to a turn that finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverloadPolicy {
    /// It is refused.
    #[default]
    Refuse,
    /// The oldest turn of the lowest class gives way if that class is less urgent, and is answered
    /// [`Shed`](crate::TurnError::Shed); otherwise the new turn is refused.
    Shed,
}

/// What happens to the turns of a batch whose handler panicked; those with a result keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PanicPolicy {
    /// Each of the others is run again, alone, so that only the one that panics fails - except those the
    /// handler had marked with [`Batch::begin_effects`](crate::Batch::begin_effects), which fail at once
    /// because they must not run twice.
    #[default]
    Isolate,
    /// All of them fail; none is run again.
    FailBatch,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_sessions: 1_000_000,
            max_queued: 100_000,
            max_queued_per_class: 100_000,
            max_queued_per_session: 64,
            max_in_flight: 4_096,
            max_wait: Duration::from_secs(5),
            weights: [4, 3, 2, 1],
            aging_turns: 64,
            overload: OverloadPolicy::Refuse,
            coalesce: Coalesce::Queue,
            coalesce_window: Duration::ZERO,
            default_deadline: None,
            idle_timeout: Duration::from_secs(30 * 60),
            min_workers: NonZeroUsize::MIN,
            max_workers: None,
            max_batch_turns: NonZeroUsize::new(64).expect("64 is not zero"),
            batch_time_target: Duration::from_millis(20),
            on_panic: PanicPolicy::Isolate,
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    /// [`Error::Config`] names the first field that is out of range.
    pub fn validate(&self) -> Result<()> {
        let in_range = |field, got: usize, limit: usize, expected| {
            if got == 0 || got > limit {
                let got = got.to_string();
                return Err(Error::Config { field, got, expected });
            }
            Ok(())
        };
        in_range("max_sessions", self.max_sessions, COUNT, "1 to 4,294,967,294")?;
        in_range("max_queued", self.max_queued, COUNT, "1 to 4,294,967,294")?;
        in_range(
            "max_queued_per_class",
            self.max_queued_per_class,
            COUNT,
            "1 to 4,294,967,294",
        )?;
        in_range(
            "max_queued_per_session",
            self.max_queued_per_session,
            65_000,
            "1 to 65,000",
        )?;
        in_range("max_in_flight", self.max_in_flight, COUNT, "1 to 4,294,967,294")?;
        in_range("aging_turns", self.aging_turns as usize / 16, COUNT, "16 or more")?;
        let weights = self.weights.iter().map(|&weight| weight as usize).sum();
        in_range("weights", weights, 1 << 30, "four numbers, not all 0")?;
        let idle_ms = self.idle_timeout.as_millis() as usize;
        in_range("idle_timeout", idle_ms, 1 << 40, "1 ms or more")?;
        let max_workers = self.max_workers.map_or(usize::MAX, NonZeroUsize::get);
        if self.min_workers.get() > max_workers {
            return Err(Error::Config {
                field: "min_workers",
                got: self.min_workers.to_string(),
                expected: "at most max_workers",
            });
        }
        Ok(())
    }
}

/// Indices are 32 bits wide, and one of them means none.
const COUNT: usize = u32::MAX as usize - 1;
