//! The thread that lets time pass: its own, so that deadlines are kept while every worker is busy.

use std::thread;

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
        match next {
            Some(next) => {
                let span = next.saturating_duration_since(now);
                let _ = shared.timer.wait_for(&mut state, span);
            }
            None => shared.timer.wait(&mut state),
        }
        state.timer = Timer::Awake;
    }
}
