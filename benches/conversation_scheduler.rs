//! The weighted queue beside plain queues, the state machine alone, and turns with answers over 100,000
//! sessions beside a tokio task and channel per session, found by the ids that a message bears or held.
//!
//! `cargo bench -p whisperengine-benches --bench conversation_scheduler`

#[path = "conversation_scheduler/ask.rs"]
mod ask;

use std::{collections::VecDeque, hint::black_box, time::Duration};

use ask::{GROUP, Ours, Pattern, SESSIONS, SINGLES, TaskPerSession, Way};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whisperengine_conversation_scheduler::{Config, SchedulerCore, Submission, WeightedQueue};
use whisperengine_types::{Clock, Priority, SystemClock};

fn queue(c: &mut Criterion) {
    let mut group = c.benchmark_group("queue of 100k items, one thread");
    group.throughput(Throughput::Elements(SESSIONS as u64));
    let mut queue = WeightedQueue::new([4, 3, 2, 1], 64);
    group.bench_function("weighted, put", |b| {
        b.iter_custom(|rounds| {
            timed(rounds, |clock| {
                let begin = clock.instant();
                for item in 0..SESSIONS {
                    queue.put(Priority::ALL[black_box(item) % 4], item as u64);
                }
                let spent = clock.instant() - begin;
                while queue.get().is_some() {}
                spent
            })
        });
    });
    group.bench_function("weighted, get", |b| {
        b.iter_custom(|rounds| {
            timed(rounds, |clock| {
                for item in 0..SESSIONS {
                    queue.put(Priority::ALL[item % 4], item as u64);
                }
                let begin = clock.instant();
                while let Some(item) = queue.get() {
                    black_box(item);
                }
                clock.instant() - begin
            })
        });
    });
    let mut plain: [VecDeque<u64>; 4] = Default::default();
    group.bench_function("four plain deques, strict order, put and get", |b| {
        b.iter(|| {
            for item in 0..SESSIONS {
                plain[black_box(item) % 4].push_back(item as u64);
            }
            while let Some(item) = plain.iter_mut().find_map(VecDeque::pop_front) {
                black_box(item);
            }
        });
    });
    group.finish();
}

/// Submission, dispatch and completion without threads, tickets or wakers.
fn state_machine(c: &mut Criterion) {
    let mut group = c.benchmark_group("state machine, 100k sessions, one thread");
    group.throughput(Throughput::Elements(SESSIONS as u64));
    let now = SystemClock.instant();
    let mut config = Config::default();
    config.max_in_flight = SESSIONS;
    let mut core = SchedulerCore::new(config, now).expect("the configuration is valid");
    let keys = ask::keys();
    let mut batch = Vec::new();
    group.bench_function("submit, serve, complete", |b| {
        b.iter(|| {
            for part in keys.chunks(GROUP) {
                for (n, key) in part.iter().enumerate() {
                    let turn = Submission::new(key.clone(), n, ());
                    core.submit(turn, now).expect("there is room");
                }
                loop {
                    let turns = core.next_batch(&mut batch, now);
                    if turns == 0 {
                        break;
                    }
                    let leases = batch.drain(..).map(|dispatch| dispatch.lease);
                    core.complete_batch(leases, turns, Duration::from_micros(1), now);
                }
            }
        });
    });
    group.finish();
}

fn answers(c: &mut Criterion) {
    let runtime = ask::runtime();
    let ours = Ours::start(None);
    let tasks = [Way::Key, Way::Held].map(|way| TaskPerSession::start(&runtime, way));
    for (name, pattern) in [
        ("answered turns in groups, 100k sessions", Pattern::Groups),
        (
            "answered turns of 1,000 callers, 100k sessions",
            Pattern::Singles(SINGLES),
        ),
    ] {
        let mut group = c.benchmark_group(name);
        ask::measure(&mut group, &runtime, &ours, pattern);
        for tasks in &tasks {
            ask::measure(&mut group, &runtime, tasks, pattern);
        }
    }
}

fn timed(rounds: u64, mut round: impl FnMut(&SystemClock) -> Duration) -> Duration {
    (0..rounds).map(|_| round(&SystemClock)).sum()
}

criterion_group!(benches, queue, state_machine, answers);
criterion_main!(benches);
