//! What a scheduler is doing, in numbers; no text of a message and no name of a person among them.

use std::time::Duration;

use serde::Serialize;
use whisperengine_types::Priority;

use crate::{RefusalReason, TurnError, histogram::Histogram};

/// A snapshot; counters count since the scheduler began.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// Sessions that are kept, idle ones included.
    pub active_sessions: usize,
    /// Channels with at least one session.
    pub channels: usize,
    /// Turns waiting.
    pub queued: usize,
    /// Turns with the handler.
    pub in_flight: usize,
    /// By class, most urgent first.
    pub classes: [ClassMetrics; 4],
    /// Turns per second that the active workers can serve in full batches, fitted to the calls they made;
    /// `None` before the first.
    pub service_rate: Option<f64>,
    /// Part of the active workers' time spent in the handler over the last seconds, 0 to 1.
    pub utilisation: f64,
    /// Workers that are active.
    pub workers: usize,
    /// The most turns that one call of the handler gets at present.
    pub batch_turns: usize,
    /// Refused turns by reason.
    pub refused: Refusals,
    /// Turns whose handler panicked.
    pub panicked: u64,
    /// Sessions that ended because they were idle.
    pub expired_sessions: u64,
}

/// The part of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassMetrics {
    /// The class.
    pub class: Priority,
    /// Turns waiting.
    pub depth: usize,
    /// How long the oldest of them has waited.
    pub oldest_wait: Duration,
    /// How long a new turn of an idle session would wait.
    pub estimated_wait: Duration,
    /// Turns accepted.
    pub accepted: u64,
    /// Turns given to the handler.
    pub started: u64,
    /// Turns answered without being started: shed, replaced, cancelled, past their deadline, handed back.
    pub dropped: Dropped,
    /// Mean wait of the turns that were started.
    pub mean_wait: Duration,
    /// Median wait, to within an eighth.
    pub p50_wait: Duration,
    /// 99th percentile of the wait, to within an eighth.
    pub p99_wait: Duration,
}

/// Turns that were accepted and never started, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "named after the variants of TurnError")]
pub struct Dropped {
    pub deadline_passed: u64,
    pub shed: u64,
    pub superseded: u64,
    pub merged: u64,
    pub cancelled: u64,
    pub handed_back: u64,
}

/// Refused turns, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "named after the variants of RefusalReason")]
pub struct Refusals {
    pub queue_full: u64,
    pub class_full: u64,
    pub session_full: u64,
    pub session_limit: u64,
    pub overloaded: u64,
    pub deadline_too_short: u64,
    pub shutting_down: u64,
}

impl Refusals {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.queue_full
            + self.class_full
            + self.session_full
            + self.session_limit
            + self.overloaded
            + self.deadline_too_short
            + self.shutting_down
    }

    pub(crate) fn count(&mut self, reason: &RefusalReason) {
        *match reason {
            RefusalReason::QueueFull { .. } => &mut self.queue_full,
            RefusalReason::ClassFull { .. } => &mut self.class_full,
            RefusalReason::SessionFull { .. } => &mut self.session_full,
            RefusalReason::SessionLimit { .. } => &mut self.session_limit,
            RefusalReason::Overloaded { .. } => &mut self.overloaded,
            RefusalReason::DeadlineTooShort { .. } => &mut self.deadline_too_short,
            RefusalReason::ShuttingDown => &mut self.shutting_down,
        } += 1;
    }
}

impl Dropped {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.deadline_passed + self.shed + self.superseded + self.merged + self.cancelled + self.handed_back
    }

    pub(crate) fn count(&mut self, error: &TurnError) {
        *match error {
            TurnError::DeadlinePassed => &mut self.deadline_passed,
            TurnError::Shed => &mut self.shed,
            TurnError::Superseded => &mut self.superseded,
            TurnError::Merged => &mut self.merged,
            TurnError::Cancelled => &mut self.cancelled,
            TurnError::HandedBack => &mut self.handed_back,
            // These come from turns that were started.
            TurnError::Panicked { .. } | TurnError::NoResult => return,
        } += 1;
    }
}

/// The counters behind a snapshot.
#[derive(Debug)]
pub(crate) struct Counters {
    pub(crate) accepted: [u64; 4],
    pub(crate) waits: [Histogram; 4],
    pub(crate) started: [u64; 4],
    pub(crate) dropped: [Dropped; 4],
    pub(crate) refused: Refusals,
    pub(crate) panicked: u64,
    pub(crate) expired_sessions: u64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            accepted: [0; 4],
            waits: std::array::from_fn(|_| Histogram::new()),
            started: [0; 4],
            dropped: [Dropped::default(); 4],
            refused: Refusals::default(),
            panicked: 0,
            expired_sessions: 0,
        }
    }
}
