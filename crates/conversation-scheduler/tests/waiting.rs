//! Turns that wait: bursts that are coalesced, deadlines that pass, estimates that come true.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{num::NonZeroUsize, time::Duration};

use common::{Core, answered, key, ms, serve_one_batch, start};
use whisperengine_conversation_scheduler::{Coalesce, Config, Submission, SubmitOptions, TurnError};
use whisperengine_types::Priority;

fn burst(coalesce: Coalesce) -> (Core, std::time::Instant) {
    let mut config = Config::default();
    config.coalesce = coalesce;
    let now = start();
    let mut core = Core::new(config, now).unwrap();
    core.submit(Submission::new(key(0), 0, 0), now).unwrap();
    let mut batch = Vec::new();
    core.next_batch(&mut batch, now);
    // Turn 0 is in flight, 1 to 4 come in a burst; session 1 has one of its own.
    for n in 1..5 {
        core.submit(Submission::new(key(0), n, n), now).unwrap();
    }
    core.submit(Submission::new(key(1), 100, 100), now).unwrap();
    core.complete_batch(batch.into_iter().map(|d| d.lease), 1, ms(1), now);
    (core, now)
}

#[test]
fn a_burst_is_queued_replaced_or_merged() {
    let all = |error: TurnError| (1..4).map(|n| (n, error.clone())).collect::<Vec<_>>();
    for (coalesce, answers, served, earlier) in [
        (Coalesce::Queue, vec![], vec![1, 2, 3, 4], vec![]),
        (Coalesce::Latest, all(TurnError::Superseded), vec![4], vec![]),
        (Coalesce::Merge, all(TurnError::Merged), vec![4], vec![1, 2, 3]),
    ] {
        let (mut core, now) = burst(coalesce);
        assert_eq!(answered(&mut core), answers, "{coalesce:?}");
        let mut got = Vec::new();
        let mut merged = Vec::new();
        loop {
            let mut batch = Vec::new();
            let turns = core.next_batch(&mut batch, now);
            if turns == 0 {
                break;
            }
            for dispatch in &batch {
                if dispatch.turn.session == key(0) {
                    got.push(dispatch.turn.payload);
                    merged.extend(&dispatch.turn.earlier);
                }
            }
            core.complete_batch(batch.into_iter().map(|d| d.lease), turns, ms(1), now);
        }
        assert_eq!((got, merged), (served, earlier), "{coalesce:?}");
    }
}

#[test]
fn a_session_that_is_coalesced_keeps_its_place_in_line() {
    for coalesce in [Coalesce::Latest, Coalesce::Merge] {
        let mut config = Config::default();
        config.max_batch_turns = NonZeroUsize::MIN;
        config.coalesce = coalesce;
        let now = start();
        let mut core = Core::new(config, now).unwrap();
        for n in 0..10 {
            core.submit(Submission::new(key(n as usize), n, n), now).unwrap();
        }
        core.submit(Submission::new(key(0), 100, 100), now).unwrap();
        assert_eq!(serve_one_batch(&mut core, now), [100], "{coalesce:?}");
    }
}

#[test]
fn a_deadline_answers_on_time_and_the_next_turn_of_the_session_is_served() {
    let now = start();
    let mut core = Core::new(Config::default(), now).unwrap();
    let options = |after| SubmitOptions::new(Priority::Normal).deadline(ms(after));
    core.submit(Submission::new(key(0), 1, 1).with(options(50)), now)
        .unwrap();
    core.submit(Submission::new(key(0), 2, 2).with(options(9_000)), now)
        .unwrap();
    core.submit(Submission::new(key(1), 3, 3), now).unwrap();
    let due = core.poll_timeout().unwrap();
    assert!(due >= now + ms(50) && due <= now + ms(52));
    core.handle_timeout(now + ms(48));
    assert!(answered(&mut core).is_empty());
    core.handle_timeout(due);
    assert_eq!(answered(&mut core), [(1, TurnError::DeadlinePassed)]);
    assert_eq!(serve_one_batch(&mut core, due), [2, 3]);
    // One beyond the horizon of the wheel is kept for its own time.
    let far = SubmitOptions::new(Priority::Normal).deadline(Duration::from_secs(600));
    core.submit(Submission::new(key(2), 4, 4).with(far), due).unwrap();
    let mut now = due;
    while now < due + Duration::from_secs(599) {
        now += ms(500);
        core.handle_timeout(now);
        assert!(answered(&mut core).is_empty());
    }
    core.handle_timeout(due + Duration::from_secs(601));
    assert_eq!(answered(&mut core), [(4, TurnError::DeadlinePassed)]);
}

#[test]
fn a_passed_deadline_is_seen_at_the_start_too() {
    let now = start();
    let mut config = Config::default();
    config.default_deadline = Some(ms(50));
    let mut core = Core::new(config, now).unwrap();
    core.submit(Submission::new(key(0), 1, 1), now).unwrap();
    core.submit(Submission::new(key(0), 2, 2), now + ms(40)).unwrap();
    // The timer has not run yet; the turn must not be started all the same.
    assert_eq!(serve_one_batch(&mut core, now + ms(60)), [2]);
    assert_eq!(answered(&mut core), [(1, TurnError::DeadlinePassed)]);
}

#[test]
fn an_estimate_is_the_wait_that_comes() {
    let mut config = Config::default();
    config.max_batch_turns = NonZeroUsize::MIN;
    let mut now = start();
    let mut core = Core::new(config, now).unwrap();
    let serve = |core: &mut Core, now: &mut std::time::Instant| {
        let mut batch = Vec::new();
        core.next_batch(&mut batch, *now);
        let waited = batch[0].turn.waited;
        let payload = batch[0].turn.payload;
        *now += ms(10);
        core.complete_batch(batch.into_iter().map(|d| d.lease), 1, ms(10), *now);
        (payload, waited)
    };
    core.submit(Submission::new(key(999), 0, 0), now).unwrap();
    serve(&mut core, &mut now);
    let mut estimates = Vec::new();
    for n in 0..40 {
        let accepted = core.submit(Submission::new(key(n as usize), n, n), now).unwrap();
        estimates.push(accepted.estimated_wait);
    }
    for _ in 0..40 {
        let (n, waited) = serve(&mut core, &mut now);
        let estimate = estimates[n as usize];
        let off = waited.as_secs_f64() - estimate.as_secs_f64();
        assert!(
            off.abs() <= 0.011,
            "turn {n}: {estimate:?} estimated, {waited:?} waited"
        );
    }
}

#[test]
fn a_more_urgent_turn_moves_its_whole_session_up() {
    let now = start();
    let mut core = Core::new(Config::default(), now).unwrap();
    for n in 0..100 {
        core.submit(Submission::new(key(n as usize), n, n).with(Priority::Low), now)
            .unwrap();
    }
    core.submit(Submission::new(key(99), 999, 999).with(Priority::Critical), now)
        .unwrap();
    let mut batch = Vec::new();
    core.next_batch(&mut batch, now);
    // Its own earlier turn goes first, in the class of the urgent one behind it.
    assert_eq!(
        (batch[0].turn.payload, batch[0].turn.class),
        (99, Priority::Critical)
    );
    let turns = batch.len();
    core.complete_batch(batch.into_iter().map(|d| d.lease), turns, ms(1), now);
    assert_eq!(serve_one_batch(&mut core, now)[0], 999);
}

/// Submits at the given milliseconds; the bursts that were served, each with its time: at once when it may be.
fn served_bursts(set: impl FnOnce(&mut Config), submitted: &[(u64, u64)]) -> Vec<(u64, Vec<u64>)> {
    let mut config = Config::default();
    config.coalesce = Coalesce::Merge;
    config.coalesce_window = ms(1_000);
    set(&mut config);
    let base = start();
    let mut core = Core::new(config, base).unwrap();
    let mut served = Vec::new();
    let end = submitted.last().unwrap().0 + 10_000;
    for at in 0..end {
        let now = base + ms(at);
        core.handle_timeout(now);
        for &(_, n) in submitted.iter().filter(|(when, _)| *when == at) {
            core.submit(Submission::new(key(0), n, n), now).unwrap();
        }
        let mut batch = Vec::new();
        let turns = core.next_batch(&mut batch, now);
        for dispatch in &batch {
            let mut burst = dispatch.turn.earlier.clone();
            burst.push(dispatch.turn.payload);
            served.push((at, burst));
        }
        if turns > 0 {
            core.complete_batch(batch.into_iter().map(|d| d.lease), turns, ms(0), now);
        }
    }
    served
}

#[test]
fn lines_that_come_within_the_window_are_one_turn() {
    let three = [(0, 1), (600, 2), (1_500, 3)];
    assert_eq!(served_bursts(|_| {}, &three), [(2_500, vec![1, 2, 3])]);
    let apart = [(0, 1), (1_200, 2)];
    assert_eq!(
        served_bursts(|_| {}, &apart),
        [(1_000, vec![1]), (2_200, vec![2])]
    );
    let latest = served_bursts(|config| config.coalesce = Coalesce::Latest, &three);
    assert_eq!(latest, [(2_500, vec![3])]);
    let queue = served_bursts(|config| config.coalesce = Coalesce::Queue, &three);
    assert_eq!(queue, [(0, vec![1]), (600, vec![2]), (1_500, vec![3])]);
    let no_window = served_bursts(|config| config.coalesce_window = Duration::ZERO, &three);
    assert_eq!(no_window, [(0, vec![1]), (600, vec![2]), (1_500, vec![3])]);
}

#[test]
fn a_burst_without_end_is_served_after_four_windows() {
    let lines: Vec<(u64, u64)> = (0..10).map(|n| (n * 900, n)).collect();
    let served = served_bursts(|_| {}, &lines);
    assert_eq!(served[0], (4_000, vec![0, 1, 2, 3, 4]));
    assert_eq!(served.iter().map(|(_, burst)| burst.len()).sum::<usize>(), 10);
}

#[test]
fn merged_turns_are_answered_at_once_and_a_held_turn_can_be_cancelled_or_pushed_on() {
    let mut config = Config::default();
    config.coalesce = Coalesce::Merge;
    config.coalesce_window = ms(1_000);
    let now = start();
    let mut core = Core::new(config, now).unwrap();
    let merged = core.submit(Submission::new(key(0), 1, 1), now).unwrap();
    assert!(merged.estimated_wait >= ms(999));
    let last = core.submit(Submission::new(key(0), 2, 2), now).unwrap();
    assert_eq!(answered(&mut core), [(1, TurnError::Merged)]);
    let (turn, _) = core.cancel(last.id).unwrap();
    assert_eq!((turn.earlier, turn.payload), (vec![1], 2));
    assert!(
        core.poll_timeout().is_none_or(|at| at > now + ms(5_000)),
        "nothing is held any more"
    );

    core.submit(Submission::new(key(0), 3, 3), now).unwrap();
    assert_eq!(serve_one_batch(&mut core, now), [0; 0]);
    let queued = SubmitOptions::new(Priority::Normal).coalesce(Coalesce::Queue);
    core.submit(Submission::new(key(0), 4, 4).with(queued), now)
        .unwrap();
    assert_eq!(
        serve_one_batch(&mut core, now),
        [3],
        "a turn that waits for nobody ends the burst"
    );
    assert_eq!(serve_one_batch(&mut core, now), [4]);

    core.submit(Submission::new(key(0), 5, 5), now).unwrap();
    core.drain(now + ms(10));
    assert_eq!(serve_one_batch(&mut core, now), [5], "a drain waits for no burst");
}

#[test]
fn a_turn_that_comes_while_its_session_is_served_waits_for_the_rest_of_its_burst() {
    let mut config = Config::default();
    config.coalesce = Coalesce::Merge;
    config.coalesce_window = ms(100);
    let base = start();
    let mut core = Core::new(config, base).unwrap();
    core.submit(Submission::new(key(0), 1, 1), base).unwrap();
    core.handle_timeout(base + ms(100));
    let mut batch = Vec::new();
    assert_eq!(core.next_batch(&mut batch, base + ms(100)), 1);
    core.submit(Submission::new(key(0), 2, 2), base + ms(150))
        .unwrap();
    core.complete_batch(batch.into_iter().map(|d| d.lease), 1, ms(80), base + ms(180));
    assert_eq!(serve_one_batch(&mut core, base + ms(180)), [0; 0]);
    core.handle_timeout(base + ms(250));
    assert_eq!(serve_one_batch(&mut core, base + ms(250)), [2]);
}
