//! Time as an argument: everything that needs `now` takes it from a [`Clock`], so that it can be replayed.

use std::{
    fmt,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

use crate::Timestamp;

/// Where an engine reads the time.
///
/// `now` is the wall clock and may go backwards; `instant` is monotonic. The two are never converted
/// into one another.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall-clock time, for records.
    fn now(&self) -> Timestamp;
    /// The monotonic time, for deadlines and latencies.
    fn instant(&self) -> Instant;
}

/// The machine's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the wall clock is read"
    )]
    fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the monotonic clock is read"
    )]
    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// A clock that stands still until it is moved: for tests and replays.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<(Timestamp, Instant)>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            state: Mutex::new((now, SystemClock.instant())),
        }
    }

    /// Moves both clocks forward by `span`.
    pub fn advance(&self, span: Duration) {
        let mut state = self.lock();
        state.0 = state.0 + span;
        state.1 += span;
    }

    /// Sets the wall clock, backwards too; the monotonic clock moves only forward, by the difference.
    pub fn set(&self, now: Timestamp) {
        let mut state = self.lock();
        let forward = now.since(state.0);
        state.0 = now;
        state.1 += forward;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Timestamp, Instant)> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().0
    }

    fn instant(&self) -> Instant {
        self.lock().1
    }
}
