//! The thread that lets time pass: its own, so that deadlines are kept while every worker is busy.

use std::{sync::PoisonError, thread};

use super::shared::{Shared, Timer};

pub(super) fn run<T, R>(shared: &Shared<T, R>) {
    loop {
        // Between rounds the lock is free, so that a million sessions that end together delay nobody.
        while shared.run_timers() {
            thread::yield_now();
        }
        let mut state = shared.lock();
        if state.stop {
            return;
        }
        let next = state.core.poll_timeout();
        let now = shared.clock.instant();
        if next.is_some_and(|next| next <= now) {
            continue;
        }
        state.timer = next.map_or(Timer::Sleeps, Timer::SleepsUntil);
        let mut state = match next {
            Some(next) => {
                let span = next.saturating_duration_since(now);
                let woken = shared.timer.wait_timeout(state, span);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
            None => shared.timer.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        state.timer = Timer::Awake;
    }
}
