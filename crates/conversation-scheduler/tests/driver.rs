//! The threads: answers reach their callers, panics stay with their turn, nothing is lost at the end.
#![allow(clippy::type_complexity, reason = "a place to put replies")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{LONG, config, key, ms};
use whisperengine_conversation_scheduler::{
    Batch, Handler, PanicPolicy, RefusalReason, Replies, Reply, ScheduleError, Scheduler, Submission,
    SubmitOptions, Turn, TurnError,
};
use whisperengine_types::Priority;

/// A door that handlers wait at until a test opens it.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
    arrived: AtomicUsize,
}

impl Gate {
    fn pass(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_all();
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.changed.wait(open).unwrap();
        }
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait_for_arrivals(&self, n: usize) {
        while self.arrived.load(Ordering::SeqCst) < n {
            std::thread::yield_now();
        }
    }
}

/// Doubles numbers; waits at the gate first; panics over `poison`.
fn gated(gate: &Arc<Gate>, poison: u64) -> impl Fn(&[Turn<u64>]) -> Vec<u64> + Send + Sync + 'static {
    let gate = Arc::clone(gate);
    move |turns| {
        gate.pass();
        assert!(turns.iter().all(|turn| turn.payload != poison), "poison");
        turns.iter().map(|turn| 2 * turn.payload).collect()
    }
}

fn open_gate() -> Arc<Gate> {
    let gate = Arc::new(Gate::default());
    gate.open();
    gate
}

#[tokio::test]
async fn a_result_comes_back_for_each_turn() {
    let scheduler = Scheduler::start(config(2, 16), gated(&open_gate(), u64::MAX)).unwrap();
    let tickets: Vec<_> = (0..500)
        .map(|n| {
            scheduler
                .submit(key(n as usize % 37), n, Priority::Normal)
                .unwrap()
        })
        .collect();
    for (n, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(ticket.await, Ok(2 * n as u64));
    }
    let many = scheduler.submit_many((0..1_000).map(|n| Submission::new(key(n as usize), n, ())));
    let answers = many.all().await;
    assert!(answers.into_iter().eq((0..1_000).map(|n| Ok(2 * n))));
}

#[tokio::test]
async fn answers_of_many_can_be_taken_one_by_one() {
    let mut config = config(1, 4);
    config.max_queued = 50;
    let gate = Arc::new(Gate::default());
    let scheduler = Scheduler::start(config, gated(&gate, u64::MAX)).unwrap();
    let mut many = scheduler.submit_many((0..80).map(|n| Submission::new(key(n as usize), n, ())));
    let refused = many.accepted().iter().filter(|turn| turn.is_err()).count();
    assert!((20..=30).contains(&refused), "{refused} refused");
    gate.open();
    let mut seen = 0;
    while let Some((position, answer)) = many.next().await {
        assert_eq!(answer, Ok(2 * position as u64));
        seen += 1;
    }
    assert_eq!(seen, 80 - refused);
}

#[tokio::test]
async fn a_poison_turn_fails_alone_and_the_others_of_its_batch_have_results() {
    let gate = Arc::new(Gate::default());
    let scheduler = Scheduler::start(config(1, 16), gated(&gate, 5)).unwrap();
    // The first turn holds the one worker at the gate; the next ten then make one batch.
    let first = scheduler.submit(key(100), 100, Priority::Normal).unwrap();
    gate.wait_for_arrivals(1);
    let tickets: Vec<_> = (0..10)
        .map(|n| scheduler.submit(key(n), n as u64, Priority::Normal).unwrap())
        .collect();
    gate.open();
    assert_eq!(first.await, Ok(200));
    for (n, ticket) in tickets.into_iter().enumerate() {
        match ticket.await {
            Err(TurnError::Panicked { message }) => {
                assert_eq!((n, message.as_str()), (5, "poison"));
            }
            answer => assert_eq!(answer, Ok(2 * n as u64)),
        }
    }
    // The session of the poison turn goes on.
    let next = scheduler.submit(key(5), 6, Priority::Normal).unwrap();
    assert_eq!(next.await, Ok(12));
    assert_eq!(scheduler.metrics().panicked, 1);
    assert_eq!(gate.arrived.load(Ordering::SeqCst), 1 + 1 + 10 + 1);
}

/// Answers turn 0, begins the effects of turn 1, then panics; alone, a turn is just answered.
struct HalfDone(Arc<Gate>, Mutex<Vec<(u64, u32)>>);

impl Handler<u64, u64> for HalfDone {
    fn handle(&self, batch: &mut Batch<u64, u64>) {
        self.0.pass();
        let seen = batch.turns().iter().map(|turn| (turn.payload, turn.attempt));
        self.1.lock().unwrap().extend(seen);
        let result = batch.turns()[0].payload;
        batch.complete(0, result);
        if batch.len() > 1 {
            batch.begin_effects(1);
            panic!("half done");
        }
    }
}

async fn half_done(on_panic: PanicPolicy) -> (Vec<Result<u64, TurnError>>, u64) {
    let gate = Arc::new(Gate::default());
    let mut config = config(1, 16);
    config.on_panic = on_panic;
    let handler = HalfDone(Arc::clone(&gate), Mutex::default());
    let scheduler = Scheduler::start(config, handler).unwrap();
    let first = scheduler.submit(key(100), 100, Priority::Normal).unwrap();
    gate.wait_for_arrivals(1);
    let many = scheduler.submit_many((0..4).map(|n| Submission::new(key(n as usize), n, ())));
    gate.open();
    assert_eq!(first.await, Ok(100));
    let answers = many.all().await.into_iter().map(|answer| {
        answer.map_err(|error| match error {
            ScheduleError::Turn(error) => error,
            other => panic!("{other}"),
        })
    });
    (answers.collect(), scheduler.metrics().panicked)
}

#[tokio::test]
async fn after_a_panic_answered_turns_keep_their_answer_and_begun_effects_are_not_repeated() {
    let (answers, panicked) = half_done(PanicPolicy::Isolate).await;
    let message = "half done".to_owned();
    assert_eq!(
        answers,
        [Ok(0), Err(TurnError::Panicked { message }), Ok(2), Ok(3)]
    );
    assert_eq!(panicked, 1);
}

#[tokio::test]
async fn a_batch_can_be_set_to_fail_as_one() {
    let (answers, panicked) = half_done(PanicPolicy::FailBatch).await;
    assert_eq!(answers[0], Ok(0));
    assert!(
        answers[1..]
            .iter()
            .all(|answer| matches!(answer, Err(TurnError::Panicked { .. })))
    );
    assert_eq!(panicked, 3);
}

#[tokio::test]
async fn a_handler_that_gives_too_few_results_leaves_no_caller_waiting() {
    let scheduler = Scheduler::start(config(1, 16), |_: &[Turn<u64>]| Vec::<u64>::new()).unwrap();
    let ticket = scheduler.submit(key(0), 1, Priority::Normal).unwrap();
    assert_eq!(ticket.await, Err(TurnError::NoResult));
}

#[tokio::test]
async fn a_dropped_ticket_takes_its_turn_back() {
    let gate = Arc::new(Gate::default());
    let scheduler = Scheduler::start(config(1, 1), gated(&gate, u64::MAX)).unwrap();
    let first = scheduler.submit(key(0), 1, Priority::Normal).unwrap();
    gate.wait_for_arrivals(1);
    let dropped = scheduler.submit(key(1), 2, Priority::Normal).unwrap();
    let cancelled = scheduler.submit(key(2), 3, Priority::Normal).unwrap();
    let kept = scheduler.submit(key(3), 4, Priority::Normal).unwrap();
    assert_eq!(scheduler.metrics().queued, 3);
    drop(dropped);
    cancelled.cancel();
    assert_eq!(scheduler.metrics().queued, 1);
    assert_eq!(cancelled.await, Err(TurnError::Cancelled));
    gate.open();
    assert_eq!((first.await, kept.await), (Ok(2), Ok(8)));
    assert_eq!(gate.arrived.load(Ordering::SeqCst), 2);
}

/// Keeps replies for later.
#[derive(Clone, Default)]
struct Later(Arc<Mutex<Vec<(u64, Reply<u64>)>>>, Arc<AtomicUsize>);

impl Handler<u64, u64> for Later {
    fn handle(&self, batch: &mut Batch<u64, u64>) {
        for index in 0..batch.len() {
            let payload = batch.turns()[index].payload;
            let reply = batch.detach(index).unwrap();
            self.0.lock().unwrap().push((payload, reply));
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test]
async fn a_detached_turn_is_answered_later_and_its_session_waits_for_that() {
    let later = Later::default();
    let scheduler = Scheduler::start(config(1, 16), later.clone()).unwrap();
    let first = scheduler.submit(key(0), 1, Priority::Normal).unwrap();
    let second = scheduler.submit(key(0), 2, Priority::Normal).unwrap();
    let other = scheduler.submit(key(1), 3, Priority::Normal).unwrap();
    while later.1.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    let mut replies = std::mem::take(&mut *later.0.lock().unwrap());
    replies.sort_by_key(|(payload, _)| *payload);
    assert_eq!(
        replies.iter().map(|(payload, _)| *payload).collect::<Vec<_>>(),
        [1, 3]
    );
    let (_, reply) = replies.pop().unwrap();
    drop(reply);
    assert_eq!(other.await, Err(TurnError::NoResult));
    let (_, reply) = replies.pop().unwrap();
    reply.complete(10);
    assert_eq!(first.await, Ok(10));
    while later.1.load(Ordering::SeqCst) < 3 {
        std::thread::yield_now();
    }
    let (payload, reply) = later.0.lock().unwrap().pop().unwrap();
    assert_eq!(payload, 2);
    reply.complete(20);
    assert_eq!(second.await, Ok(20));
}

/// Keeps the replies of whole batches for later.
#[derive(Clone, Default)]
struct Together(Arc<Mutex<Vec<(Vec<u64>, Replies<u64>)>>>);

impl Handler<u64, u64> for Together {
    fn handle(&self, batch: &mut Batch<u64, u64>) {
        if batch.turns()[0].payload == 0 {
            batch.complete(0, 100);
        }
        let payloads = batch.turns().iter().map(|turn| turn.payload);
        let payloads = payloads.filter(|payload| *payload != 0).collect();
        let replies = batch.detach_all();
        self.0.lock().unwrap().push((payloads, replies));
    }
}

impl Together {
    fn wait(&self, turns: usize) -> Vec<(Vec<u64>, Replies<u64>)> {
        let mut batches = Vec::new();
        while batches
            .iter()
            .map(|(_, replies): &(_, Replies<u64>)| replies.len())
            .sum::<usize>()
            < turns
        {
            batches.append(&mut self.0.lock().unwrap());
            std::thread::yield_now();
        }
        batches
    }
}

#[tokio::test]
async fn turns_detached_together_are_answered_together_and_in_order() {
    let together = Together::default();
    let scheduler = Scheduler::start(config(1, 16), together.clone()).unwrap();
    let submit = |session, payload| scheduler.submit(key(session), payload, Priority::Normal).unwrap();
    let (answered, first, next) = (submit(0, 0), submit(1, 1), submit(1, 2));
    let (other, unanswered) = (submit(2, 3), submit(3, 4));
    assert_eq!(
        answered.await,
        Ok(100),
        "answered before the others were detached"
    );

    for (payloads, replies) in together.wait(3) {
        assert_eq!(payloads.len(), replies.len());
        let results = payloads.into_iter().take_while(|payload| *payload != 4);
        replies.complete(results.map(|payload| payload * 10));
    }
    assert_eq!((first.await, other.await), (Ok(10), Ok(30)));
    assert_eq!(
        unanswered.await,
        Err(TurnError::NoResult),
        "there was no result for it"
    );

    let (payloads, replies) = together.wait(1).pop().unwrap();
    assert_eq!(payloads, [2], "the session's next turn waited for the one before");
    drop(replies);
    assert_eq!(next.await, Err(TurnError::NoResult));
    assert_eq!(scheduler.metrics().in_flight, 0, "every session was given back");
}

#[tokio::test]
async fn shutdown_serves_what_waits_and_refuses_what_comes() {
    let gate = Arc::new(Gate::default());
    let scheduler = Scheduler::start(config(2, 8), gated(&gate, u64::MAX)).unwrap();
    let many = scheduler.submit_many((0..300).map(|n| Submission::new(key(n as usize % 50), n, ())));
    let report = scheduler.shutdown(LONG);
    let refused = scheduler.submit(key(0), 0, Priority::Critical).unwrap_err();
    assert_eq!(
        (refused.reason, refused.retry_after),
        (RefusalReason::ShuttingDown, None)
    );
    gate.open();
    let report = report.await;
    assert_eq!((report.served, report.still_running), (300, 0));
    assert!(report.handed_back.is_empty());
    assert!(many.all().await.into_iter().eq((0..300).map(|n| Ok(2 * n))));
}

#[tokio::test]
async fn shutdown_at_its_deadline_hands_back_what_was_not_started() {
    let gate = Arc::new(Gate::default());
    let scheduler = Scheduler::start(config(1, 1), gated(&gate, u64::MAX)).unwrap();
    let running = scheduler.submit(key(0), 0, Priority::Normal).unwrap();
    gate.wait_for_arrivals(1);
    let waiting: Vec<_> = (1..20)
        .map(|n| scheduler.submit(key(n as usize), n, Priority::Low).unwrap())
        .collect();
    let report = scheduler.shutdown(Duration::ZERO).await;
    assert_eq!(report.still_running, 1);
    let back: Vec<_> = report.handed_back.iter().map(|turn| turn.payload).collect();
    assert_eq!(back, (1..20).collect::<Vec<_>>());
    for ticket in waiting {
        assert_eq!(ticket.await, Err(TurnError::HandedBack));
    }
    gate.open();
    assert_eq!(running.await, Ok(0));
}

#[tokio::test]
async fn dropping_the_last_scheduler_answers_everyone() {
    let gate = Arc::new(Gate::default());
    let scheduler = Scheduler::start(config(1, 1), gated(&gate, u64::MAX)).unwrap();
    let running = scheduler.submit(key(0), 4, Priority::Normal).unwrap();
    gate.wait_for_arrivals(1);
    let waiting = scheduler.submit(key(1), 5, Priority::Normal).unwrap();
    drop(scheduler);
    assert_eq!(waiting.await, Err(TurnError::HandedBack));
    gate.open();
    assert_eq!(running.await, Ok(8));
}

#[tokio::test]
async fn no_thread_and_no_handler_is_left_after_shutdown() {
    let gate = open_gate();
    let scheduler = Scheduler::start(config(3, 8), gated(&gate, u64::MAX)).unwrap();
    let ticket = scheduler.submit(key(0), 1, Priority::Normal).unwrap();
    assert_eq!(ticket.await, Ok(2));
    scheduler.shutdown(LONG).await;
    drop(scheduler);
    assert_eq!(Arc::strong_count(&gate), 1, "a thread still holds the handler");
}

#[test]
fn a_ticket_can_be_waited_for_without_any_executor() {
    let scheduler = Scheduler::start(config(1, 8), gated(&open_gate(), u64::MAX)).unwrap();
    let ticket = scheduler
        .submit(key(0), 21, SubmitOptions::new(Priority::High).deadline(LONG))
        .unwrap();
    assert_eq!(ticket.wait(), Ok(42));
}

#[tokio::test]
async fn many_callers_at_once_lose_nothing_and_keep_each_sessions_order() {
    let seen: Arc<Mutex<Vec<Vec<u64>>>> = Arc::new(Mutex::new(vec![Vec::new(); 64]));
    let log = Arc::clone(&seen);
    let handler = move |turns: &[Turn<(usize, u64)>]| {
        let mut log = log.lock().unwrap();
        turns
            .iter()
            .map(|turn| {
                log[turn.payload.0].push(turn.payload.1);
                turn.payload.1
            })
            .collect::<Vec<_>>()
    };
    let scheduler = Scheduler::start(config(3, 16), handler).unwrap();
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let scheduler = scheduler.clone();
            std::thread::spawn(move || {
                let mut tickets = Vec::new();
                for n in 0..2_000u64 {
                    let session = caller * 8 + n as usize % 8;
                    tickets.push((n, scheduler.submit(key(session), (session, n), Priority::Normal)));
                    if tickets.len() == 64 || n == 1_999 {
                        for (n, ticket) in tickets.drain(..) {
                            assert_eq!(ticket.unwrap().wait(), Ok(n));
                        }
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().unwrap();
    }
    for turns in seen.lock().unwrap().iter() {
        assert!(turns.is_sorted(), "{turns:?}");
        assert_eq!(turns.len(), 250);
    }
}

#[tokio::test]
async fn a_deadline_is_kept_while_every_worker_is_busy() {
    let gate = Arc::new(Gate::default());
    let scheduler = Scheduler::start(config(1, 1), gated(&gate, u64::MAX)).unwrap();
    let running = scheduler.submit(key(0), 1, Priority::Normal).unwrap();
    gate.wait_for_arrivals(1);
    let options = SubmitOptions::new(Priority::Normal).deadline(ms(1));
    let late = scheduler.submit(key(1), 2, options).unwrap();
    assert_eq!(late.await, Err(TurnError::DeadlinePassed));
    gate.open();
    assert_eq!(running.await, Ok(2));
}

#[tokio::test]
async fn a_slow_turn_holds_up_nobody_while_workers_sleep() {
    let gate = Arc::new(Gate::default());
    let door = Arc::clone(&gate);
    let handler = move |turns: &[Turn<u64>]| -> Vec<u64> {
        if turns.iter().any(|turn| turn.payload == 0) {
            door.pass();
        }
        turns.iter().map(|turn| 2 * turn.payload).collect()
    };
    let mut settings = config(1, 64);
    settings.max_workers = std::num::NonZeroUsize::new(2);
    let scheduler = Scheduler::start(settings, handler).unwrap();
    let slow = scheduler.submit(key(0), 0, Priority::Normal).unwrap();
    gate.wait_for_arrivals(1);
    let others = (1..=40).map(|n| Submission::new(key(n as usize), n, ()));
    let answers = scheduler.submit_many(others).all().await;
    assert!(answers.into_iter().eq((1..=40).map(|n| Ok(2 * n))));
    gate.open();
    assert_eq!(slow.await, Ok(0));
}
