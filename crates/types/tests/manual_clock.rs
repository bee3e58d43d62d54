//! The clock of tests and replays.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{sync::Arc, thread, time::Duration};

use whisperengine_types::{Clock, ManualClock, SystemClock, Timestamp};

fn noon() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

#[test]
fn stands_still_until_it_is_moved() {
    let clock = ManualClock::new(noon());
    let instant = clock.instant();
    assert_eq!((clock.now(), clock.instant()), (noon(), instant));
    clock.advance(Duration::from_millis(1500));
    assert_eq!(clock.now().to_string(), "2026-03-02T12:00:01.500Z");
    assert_eq!(clock.instant() - instant, Duration::from_millis(1500));
}

#[test]
fn the_wall_clock_may_go_back_but_the_monotonic_one_may_not() {
    let clock = ManualClock::new(noon());
    let instant = clock.instant();
    clock.set(noon() - Duration::from_secs(60));
    assert_eq!(clock.now(), noon() - Duration::from_secs(60));
    assert_eq!(clock.instant(), instant);
    clock.set(noon());
    assert_eq!(clock.instant() - instant, Duration::from_secs(60));
}

#[test]
fn everyone_who_shares_it_sees_it_move() {
    let clock = Arc::new(ManualClock::new(noon()));
    let seen: Arc<dyn Clock> = clock.clone();
    let movers: Vec<_> = (0..4)
        .map(|_| {
            let clock = clock.clone();
            thread::spawn(move || (0..100).for_each(|_| clock.advance(Duration::from_millis(1))))
        })
        .collect();
    for mover in movers {
        mover.join().unwrap();
    }
    assert_eq!(seen.now(), noon() + Duration::from_millis(400));
}

#[test]
fn the_monotonic_system_clock_does_not_go_back() {
    let first = SystemClock.instant();
    assert!(SystemClock.instant() >= first);
}
