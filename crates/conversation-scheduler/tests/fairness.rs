//! Who is served how often: by class, by session, and next to a flooder.

mod common;

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use common::{Arrival, Core, Random, key, ms, poisson, simulate, start};
use whisperengine_conversation_scheduler::{Config, Submission, WeightedQueue};
use whisperengine_types::Priority;

/// Turns served by class while every class always has waiting turns.
fn shares(weights: [u32; 4], turns: usize) -> [f64; 4] {
    let mut config = Config::default();
    config.weights = weights;
    config.max_batch_turns = NonZeroUsize::new(7).unwrap();
    let now = start();
    let mut core = Core::new(config, now).unwrap();
    let mut served = [0.0; 4];
    let mut token = 0;
    let mut put = |core: &mut Core, session: usize| {
        token += 1;
        let turn = Submission::new(key(session), session as u64, token).with(Priority::ALL[session % 4]);
        core.submit(turn, now).unwrap();
    };
    for session in 0..400 {
        put(&mut core, session);
        put(&mut core, session);
    }
    let mut total = 0;
    while total < turns {
        let mut batch = Vec::new();
        let size = core.next_batch(&mut batch, now);
        total += size;
        let sessions: Vec<_> = batch
            .iter()
            .map(|dispatch| dispatch.turn.payload as usize)
            .collect();
        core.complete_batch(batch.into_iter().map(|dispatch| dispatch.lease), size, ms(1), now);
        for session in sessions {
            served[session % 4] += 1.0;
            put(&mut core, session);
        }
    }
    served.map(|n| n / total as f64)
}

#[test]
fn saturated_classes_get_their_weights_within_two_percent() {
    for weights in [[4, 3, 2, 1], [1, 1, 1, 1], [8, 4, 2, 1], [1, 2, 3, 4]] {
        let sum: u32 = weights.iter().sum();
        for (share, weight) in shares(weights, 20_000).into_iter().zip(weights) {
            let expected = f64::from(weight) / f64::from(sum);
            assert!(
                (share / expected - 1.0).abs() < 0.02,
                "{weights:?}: {share} of {expected}"
            );
        }
    }
}

#[test]
fn the_lowest_class_is_served_at_least_once_in_64_whatever_the_weights() {
    for weights in [
        [4, 3, 2, 1],
        [1_000, 100, 10, 1],
        [1_000_000, 1, 0, 0],
        [0, 1_000_000, 0, 0],
    ] {
        let mut queue = WeightedQueue::new(weights, 64);
        let mut last = [0usize; 4];
        for class in Priority::ALL {
            (0..5_000).for_each(|n| queue.put(class, n));
        }
        for served in 1..=5_000 {
            let (class, n) = queue.get().unwrap();
            queue.put(class, n);
            last[class as usize] = served;
            for (class, &last) in last.iter().enumerate() {
                assert!(
                    served - last < 64,
                    "{weights:?}: class {class} not since {last} at {served}"
                );
            }
        }
    }
}

#[test]
fn an_urgent_turn_goes_before_everything_that_waits_in_lower_classes() {
    let now = start();
    let mut core = Core::new(Config::default(), now).unwrap();
    for session in 0..2_000 {
        let turn = Submission::new(key(session), session as u64, 0).with(Priority::Low);
        core.submit(turn, now).unwrap();
    }
    core.submit(
        Submission::new(key(9_999), 9_999, 0).with(Priority::Critical),
        now,
    )
    .unwrap();
    let mut batch = Vec::new();
    core.next_batch(&mut batch, now);
    assert_eq!(batch[0].turn.payload, 9_999);
}

#[test]
fn a_session_with_many_turns_has_one_place_in_each_round() {
    let now = start();
    let mut config = Config::default();
    config.max_batch_turns = NonZeroUsize::MIN;
    let mut core = Core::new(config, now).unwrap();
    for turn in 0..50 {
        core.submit(Submission::new(key(0), 0, turn), now).unwrap();
    }
    for turn in 0..5 {
        for session in 1..10 {
            core.submit(Submission::new(key(session), session as u64, turn), now)
                .unwrap();
        }
    }
    let mut served = BTreeMap::<u64, u32>::new();
    for _ in 0..50 {
        for session in common::serve_one_batch(&mut core, now) {
            *served.entry(session).or_default() += 1;
        }
    }
    assert_eq!(served, (0..10).map(|session| (session, 5)).collect());
}

/// Ninety-nine people at one turn a second each, and perhaps one at a thousand.
fn p99_of_the_others(flooder: bool, workers: usize, service: Duration) -> (Duration, usize) {
    let mut random = Random(7);
    let span = Duration::from_secs(120);
    let mut arrivals = poisson(&mut random, 99, 99.0, span, |_| Priority::Normal.into());
    if flooder {
        let mut at = Duration::ZERO;
        while at < span {
            arrivals.push(Arrival {
                at,
                session: 99,
                options: Priority::Normal.into(),
            });
            at += ms(1);
        }
        arrivals.sort_by_key(|arrival| arrival.at);
    }
    let mut config = Config::default();
    config.min_workers = NonZeroUsize::new(workers).unwrap();
    config.max_batch_turns = NonZeroUsize::MIN;
    let outcome = simulate(config, workers, &arrivals, |_| service);
    (
        outcome.quantile(0.99, |session| session < 99),
        outcome.sojourns.get(&99).map_or(0, Vec::len),
    )
}

#[test]
fn a_flooder_at_a_thousand_times_the_rate_does_not_raise_the_p99_of_others() {
    // Load without the flooder: 20%, 50% and 74% of 4 workers.
    for service in [ms(8), ms(20), ms(30)] {
        let (alone, _) = p99_of_the_others(false, 4, service);
        let (beside, flooded) = p99_of_the_others(true, 4, service);
        assert!(flooded > 1_000, "the flooder was served {flooded} times");
        println!("service {service:?}: p99 {alone:?} alone, {beside:?} beside the flooder");
        assert!(
            beside.as_secs_f64() <= 1.1 * alone.as_secs_f64(),
            "service {service:?}: p99 {alone:?} alone, {beside:?} beside the flooder"
        );
    }
}
