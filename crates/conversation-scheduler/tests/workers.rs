//! How many workers and how large a batch: slow calls hold up nobody while workers sleep, and calls that cost
//! the same for any number of turns keep their size.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{num::NonZeroUsize, time::Duration};

use common::{Core, Random, key, ms, poisson, serve_one_batch, simulate, start};
use whisperengine_conversation_scheduler::{Config, RefusalReason, Submission, SubmitOptions};

#[test]
fn a_further_worker_is_called_in_when_every_active_one_is_inside_a_long_call() {
    let mut config = Config::default();
    config.max_workers = NonZeroUsize::new(8);
    let base = start();
    let mut core = Core::new(config, base).unwrap();
    core.submit(Submission::new(key(0), 0, 0), base).unwrap();
    let mut slow = Vec::new();
    core.next_batch(&mut slow, base);
    let at_rest = core.poll_timeout();
    for n in 1..=40 {
        core.submit(Submission::new(key(n), 0, 0), base + ms(1)).unwrap();
    }
    // The call has taken as long as a batch may take: not before, and not again.
    assert_eq!(core.poll_timeout(), Some(base + ms(20)));
    core.handle_timeout(base + ms(19));
    assert_eq!(core.capacity().0, 1);
    core.handle_timeout(base + ms(20));
    core.handle_timeout(base + ms(30));
    assert_eq!((core.capacity().0, core.poll_timeout()), (2, at_rest));
    assert_eq!(serve_one_batch(&mut core, base + ms(20)).len(), 40);
    // Each further long call calls in one more, up to the limit.
    let mut calls = vec![slow];
    let mut now = base + ms(100);
    for n in 41..=60 {
        core.submit(Submission::new(key(n), 0, 0), now).unwrap();
        core.handle_timeout(now);
        let (workers, _) = core.capacity();
        if calls.len() < workers {
            let mut batch = Vec::new();
            core.next_batch(&mut batch, now);
            calls.push(batch);
        }
        now += ms(25);
    }
    assert_eq!((core.capacity().0, calls.len()), (8, 8));
}

/// An embedder that takes 100 ms for any number of texts, 200 people, one worker.
#[test]
fn a_call_of_fixed_cost_keeps_its_batch_and_everyone_is_served_soon() {
    let mut config = Config::default();
    config.max_workers = NonZeroUsize::new(1);
    let mut random = Random(7);
    let arrivals = poisson(&mut random, 200, 300.0, Duration::from_secs(30), |_| {
        SubmitOptions::default()
    });
    let outcome = simulate(config, 1, &arrivals, |_| ms(100));
    assert_eq!((outcome.served(), outcome.refused.len()), (arrivals.len(), 0));
    let (p50, p99) = (outcome.quantile(0.5, |_| true), outcome.quantile(0.99, |_| true));
    assert!(p50 < ms(400) && p99 < ms(1_500), "{p50:?} {p99:?}");
}

/// Where each turn costs its own time no batch helps: the wait of what is accepted stays within `max_wait`.
#[test]
fn what_is_accepted_waits_no_longer_than_max_wait() {
    const PEOPLE: usize = 200;
    let mut config = Config::default();
    config.max_workers = NonZeroUsize::new(1);
    config.max_wait = Duration::from_secs(2);
    let mut random = Random(8);
    let mut arrivals = poisson(&mut random, PEOPLE, 50.0, Duration::from_secs(60), |_| {
        SubmitOptions::default()
    });
    // Those of the first seconds, in which the service is not measured yet, count apart.
    let later = |session: usize| session >= PEOPLE;
    for arrival in arrivals
        .iter_mut()
        .filter(|arrival| arrival.at > Duration::from_secs(15))
    {
        arrival.session += PEOPLE;
    }
    let outcome = simulate(config, 1, &arrivals, |turns| ms(100) * turns as u32);
    let overloaded = |reason: &RefusalReason| matches!(reason, RefusalReason::Overloaded { .. });
    assert!(outcome.refused.len() > 1_000 && outcome.refused.iter().all(|r| overloaded(&r.reason)));
    // The call that runs when a turn is accepted, and its own, are not part of the estimate, nor are those
    // who join its round before a person who was served in it.
    let (p90, p99) = (outcome.quantile(0.9, later), outcome.quantile(0.99, later));
    assert!(p90 < ms(2_600) && p99 < ms(3_000), "{p90:?} {p99:?}");
    // A worker that is never idle serves ten a second.
    assert!(outcome.served() > 500, "{} served", outcome.served());
}
