//! Workers as tasks of a runtime: the same answers, and nobody left waiting when the runtime ends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use common::{LONG, config, key};
use tokio::runtime::{Builder, Handle, Runtime};
use whisperengine_conversation_scheduler::{Batch, Handler, Scheduler, Submission, Turn, TurnError};
use whisperengine_types::Priority;

fn runtimes() -> [Runtime; 2] {
    let threads = Builder::new_multi_thread().worker_threads(2).build();
    [threads.unwrap(), Builder::new_current_thread().build().unwrap()]
}

/// Doubles numbers; panics over 5.
fn double(turns: &[Turn<u64>]) -> Vec<u64> {
    assert!(turns.iter().all(|turn| turn.payload != 5), "poison");
    turns.iter().map(|turn| 2 * turn.payload).collect()
}

#[test]
fn every_turn_has_its_own_answer_and_a_poison_turn_fails_alone() {
    for runtime in runtimes() {
        let scheduler = Scheduler::start_on(runtime.handle(), config(2, 16), double).unwrap();
        runtime.block_on(async {
            let many =
                scheduler.submit_many((0..1_000).map(|n| Submission::new(key(n as usize % 37), n, ())));
            let single = scheduler.submit(key(40), 40, Priority::High).unwrap();
            for (n, answer) in many.all().await.into_iter().enumerate() {
                if n == 5 {
                    assert!(answer.unwrap_err().to_string().contains("poison"));
                } else {
                    assert_eq!(answer, Ok(2 * n as u64));
                }
            }
            assert_eq!(single.await, Ok(80));
            let report = scheduler.shutdown(LONG).await;
            assert!(report.handed_back.is_empty());
        });
    }
}

#[test]
fn callers_on_the_same_runtime_lose_nothing_and_keep_each_sessions_order() {
    const CALLERS: usize = 50;
    const TURNS: u64 = 400;
    for runtime in runtimes() {
        let last: Arc<Vec<AtomicU64>> = Arc::new((0..CALLERS).map(|_| AtomicU64::new(0)).collect());
        let (seen, broken) = (Arc::clone(&last), Arc::new(AtomicBool::new(false)));
        let out_of_order = Arc::clone(&broken);
        let handler = move |turns: &[Turn<(usize, u64)>]| -> Vec<u64> {
            let check = |turn: &Turn<(usize, u64)>| {
                let (caller, n) = turn.payload;
                let before = seen[caller].swap(n, Ordering::SeqCst);
                out_of_order.fetch_or(before + 1 != n, Ordering::SeqCst);
                n
            };
            turns.iter().map(check).collect()
        };
        let scheduler = Scheduler::start_on(runtime.handle(), config(2, 8), handler).unwrap();
        runtime.block_on(async {
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    let scheduler = scheduler.clone();
                    tokio::spawn(async move {
                        for pair in 0..TURNS / 2 {
                            let turn = |n| {
                                scheduler
                                    .submit(key(caller), (caller, n), Priority::Normal)
                                    .unwrap()
                            };
                            let (first, second) = (turn(2 * pair + 1), turn(2 * pair + 2));
                            assert_eq!(second.await, Ok(2 * pair + 2));
                            assert_eq!(first.await, Ok(2 * pair + 1));
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.await.unwrap();
            }
        });
        assert!(!broken.load(Ordering::SeqCst));
        assert!(last.iter().all(|last| last.load(Ordering::SeqCst) == TURNS));
    }
}

/// Answers from a task of its own, as a handler that asks something over the network does.
struct Detaching(Handle);

impl Handler<u64, u64> for Detaching {
    fn handle(&self, batch: &mut Batch<u64, u64>) {
        for index in 0..batch.len() {
            let payload = batch.turns()[index].payload;
            let reply = batch.detach(index).expect("it was not answered");
            self.0.spawn(async move {
                tokio::task::yield_now().await;
                reply.complete(2 * payload);
            });
        }
    }
}

#[test]
fn a_handler_may_leave_its_turns_to_tasks_of_the_runtime() {
    for runtime in runtimes() {
        let handler = Detaching(runtime.handle().clone());
        let scheduler = Scheduler::start_on(runtime.handle(), config(1, 4), handler).unwrap();
        runtime.block_on(async {
            let many = scheduler.submit_many((0..200).map(|n| Submission::new(key(n as usize % 7), n, ())));
            let answers = many.all().await;
            assert!(answers.into_iter().eq((0..200).map(|n| Ok(2 * n))));
        });
    }
}

#[test]
fn other_tasks_run_between_two_batches() {
    // On one thread, two hundred calls of the handler stand before a task that was spawned after them.
    let runtime = Builder::new_current_thread().build().unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let handler = move |turns: &[Turn<u64>]| {
        counted.fetch_add(1, Ordering::SeqCst);
        double(turns)
    };
    let scheduler = Scheduler::start_on(runtime.handle(), config(1, 1), handler).unwrap();
    runtime.block_on(async {
        let turns = (100..300).map(|n| Submission::new(key(n as usize), n, ()));
        let many = scheduler.submit_many(turns);
        let calls_before = tokio::spawn(async move { calls.load(Ordering::SeqCst) });
        assert_eq!(many.all().await.len(), 200);
        assert!(calls_before.await.unwrap() < 100);
    });
}

#[test]
fn when_the_runtime_ends_first_everyone_is_answered() {
    for runtime in runtimes() {
        let scheduler = Scheduler::start_on(runtime.handle(), config(2, 8), double).unwrap();
        // A runtime of one thread serves nothing here, because nobody runs it.
        let outside = Builder::new_current_thread().build().unwrap();
        let tickets: Vec<_> = (100..200)
            .map(|n| scheduler.submit(key(n), n as u64, Priority::Normal).unwrap())
            .collect();
        runtime.shutdown_background();
        for (n, ticket) in (100..).zip(tickets) {
            let answer = outside.block_on(ticket);
            assert!(
                answer == Ok(2 * n) || answer == Err(TurnError::HandedBack),
                "{answer:?}"
            );
        }
        // The runtime's threads end by themselves; a caller that comes before that has an answer, too.
        while let Ok(ticket) = scheduler.submit(key(1), 1, Priority::Normal) {
            let answer = outside.block_on(ticket);
            assert!(
                answer == Ok(2) || answer == Err(TurnError::HandedBack),
                "{answer:?}"
            );
        }
    }
}

#[test]
fn no_task_and_no_handler_is_left_after_shutdown() {
    for runtime in runtimes() {
        let factor = Arc::new(2);
        let held = Arc::clone(&factor);
        let handler = move |turns: &[Turn<u64>]| turns.iter().map(|turn| *held * turn.payload).collect();
        let scheduler = Scheduler::start_on(runtime.handle(), config(2, 8), handler).unwrap();
        runtime.block_on(async {
            assert_eq!(
                scheduler.submit(key(1), 1, Priority::Normal).unwrap().await,
                Ok(2)
            );
            scheduler.shutdown(LONG).await;
        });
        drop(scheduler);
        assert_eq!(Arc::strong_count(&factor), 1, "a task still holds the handler");
    }
}
