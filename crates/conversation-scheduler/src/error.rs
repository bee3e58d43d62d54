//! Why a turn was not accepted, or was accepted and got no result.

use std::time::Duration;

use whisperengine_types::Priority;

/// A turn that was not accepted. Nothing was kept of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("turn refused: {reason}")]
pub struct Refused {
    /// Which limit it met.
    pub reason: RefusalReason,
    /// When a new attempt has a chance, from the measured service rate or the next idle session;
    /// `None` when no attempt here will ever succeed ([`RefusalReason::ShuttingDown`]).
    pub retry_after: Option<Duration>,
}

/// The limit that a refused turn met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// As many turns are queued as the scheduler holds.
    #[error("the queue holds its limit of {limit} turns")]
    QueueFull {
        /// `max_queued`.
        limit: usize,
    },
    /// As many turns of the class are queued as one class may hold.
    #[error("class {class} holds its limit of {limit} turns")]
    ClassFull {
        /// The class of the refused turn.
        class: Priority,
        /// `max_queued_per_class`.
        limit: usize,
    },
    /// The session has as many turns waiting as one session may have.
    #[error("the session has its limit of {limit} turns waiting")]
    SessionFull {
        /// `max_queued_per_session`.
        limit: usize,
    },
    /// It would be a new session, and there are as many as the scheduler keeps.
    #[error("there are {limit} sessions, the limit")]
    SessionLimit {
        /// `max_sessions`.
        limit: usize,
    },
    /// The turn would wait longer than turns are allowed to.
    #[error("the estimated wait of {estimated:?} is over the limit of {limit:?}")]
    Overloaded {
        /// The estimate for this turn.
        estimated: Duration,
        /// `max_wait`.
        limit: Duration,
    },
    /// The turn would still be waiting when its deadline passes.
    #[error("the estimated wait of {estimated:?} is over the turn's deadline of {deadline:?}")]
    DeadlineTooShort {
        /// The estimate for this turn.
        estimated: Duration,
        /// The deadline it came with.
        deadline: Duration,
    },
    /// The scheduler drains or has ended.
    #[error("the scheduler is shutting down")]
    ShuttingDown,
}

/// Why an accepted turn got no result. Each accepted turn gets exactly one result or one of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TurnError {
    /// The handler panicked over this turn.
    #[error("the handler panicked: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
    /// The handler returned without a result for this turn, or dropped its [`Reply`](crate::Reply).
    #[error("the handler gave no result")]
    NoResult,
    /// The turn was still waiting when its deadline passed; it was not started.
    #[error("the deadline passed before the turn was started")]
    DeadlinePassed,
    /// A more urgent turn took its place in a full queue ([`OverloadPolicy::Shed`](crate::OverloadPolicy::Shed)).
    #[error("shed for a more urgent turn")]
    Shed,
    /// A later turn of the session replaced it ([`Coalesce::Latest`](crate::Coalesce::Latest)).
    #[error("replaced by a later turn of its session")]
    Superseded,
    /// A later turn of the session carries its payload too, and the result
    /// ([`Coalesce::Merge`](crate::Coalesce::Merge)).
    #[error("merged into a later turn of its session")]
    Merged,
    /// Taken back by [`Ticket::cancel`](crate::Ticket::cancel) before it was started.
    #[error("cancelled")]
    Cancelled,
    /// Still waiting when the scheduler ended; not started.
    #[error("the scheduler ended before the turn was started")]
    HandedBack,
}

/// A request through [`Scheduler`](crate::Scheduler) as a service that got no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// Not accepted.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Accepted, without a result.
    #[error(transparent)]
    Turn(#[from] TurnError),
}

/// A configuration that cannot work, or threads that cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field is out of range.
    #[error("{field} is {got}, but must be {expected}")]
    Config {
        /// The field of [`Config`](crate::Config).
        field: &'static str,
        /// Its value.
        got: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The operating system did not give a thread.
    #[error("a scheduler thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// The result of what can fail before a scheduler runs.
pub type Result<T, E = Error> = std::result::Result<T, E>;
