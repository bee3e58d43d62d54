//! Who is served how often: by class, by session, and next to a flooder.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{collections::BTreeMap, num::NonZeroUsize, time::Duration};

use common::{Arrival, Core, Random, key, ms, poisson, simulate, start, us};
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

/// The served pool of a test: workers, the most turns in a call, and how long a call takes.
#[derive(Debug, Clone, Copy)]
struct Pool {
    workers: usize,
    batch: usize,
    call: Duration,
    turn: Duration,
    /// Turns a second of the 999 others together.
    rate: f64,
}

/// 999 people, and perhaps one more who sends a thousand times as much as each of them.
fn p99_of_the_others(flooder: bool, pool: Pool) -> (Duration, usize) {
    let mut random = Random(7);
    let span = Duration::from_secs_f64(30_000.0 / pool.rate);
    let mut arrivals = poisson(&mut random, 999, pool.rate, span, |_| Priority::Normal.into());
    if flooder {
        let gap = Duration::from_secs_f64(999.0 / pool.rate / 1_000.0);
        let flood = (0..)
            .map(|n| gap * n)
            .take_while(|at| *at < span)
            .map(|at| Arrival {
                at,
                session: 999,
                options: Priority::Normal.into(),
            });
        arrivals.extend(flood);
        arrivals.sort_by_key(|arrival| arrival.at);
    }
    let mut config = Config::default();
    config.min_workers = NonZeroUsize::new(pool.workers).unwrap();
    config.max_batch_turns = NonZeroUsize::new(pool.batch).unwrap();
    let service = |turns: usize| pool.call + pool.turn * turns as u32;
    let outcome = simulate(config, pool.workers, &arrivals, service);
    (
        outcome.quantile(0.99, |session| session < 999),
        outcome.sojourns.get(&999).map_or(0, Vec::len),
    )
}

#[test]
fn a_flooder_at_a_thousand_times_the_rate_does_not_raise_the_p99_of_others() {
    let batched = Pool {
        workers: 2,
        batch: 64,
        call: ms(2),
        turn: us(100),
        rate: 0.0,
    };
    let single = Pool {
        workers: 32,
        batch: 1,
        call: ms(20),
        turn: us(0),
        rate: 0.0,
    };
    for (pool, rates) in [
        (batched, [1_000.0, 4_000.0, 9_000.0]),
        (single, [320.0, 800.0, 1_120.0]),
    ] {
        for rate in rates {
            let pool = Pool { rate, ..pool };
            let (alone, _) = p99_of_the_others(false, pool);
            let (beside, flooded) = p99_of_the_others(true, pool);
            println!("{pool:?}: p99 {alone:?} alone, {beside:?} beside a flooder served {flooded} times");
            assert!(flooded > 100);
            assert!(beside.as_secs_f64() <= 1.1 * alone.as_secs_f64(), "{pool:?}");
        }
    }
}
