//! As a tower service and as a layer: readiness is a place in the queue.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    future::poll_fn,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use common::key;
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt, service_fn};
use whisperengine_conversation_scheduler::{
    Batch, Config, Handler, LayerError, RefusalReason, Reply, ScheduleError, Scheduler, SchedulerLayer,
    Submission, SubmitOptions,
};

fn config(max_queued: usize) -> Config {
    let mut config = Config::default();
    config.max_queued = max_queued;
    config.max_in_flight = 1;
    config.max_workers = Some(NonZeroUsize::MIN);
    config
}

/// Keeps every reply until it is asked for.
#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<Reply<u64>>>>);

impl Handler<u64, u64> for Keeper {
    fn handle(&self, batch: &mut Batch<u64, u64>) {
        for index in 0..batch.len() {
            self.0.lock().unwrap().extend(batch.detach(index));
        }
    }
}

impl Keeper {
    fn answer_next(&self, result: u64) {
        loop {
            let reply = self.0.lock().unwrap().pop();
            match reply {
                Some(reply) => return reply.complete(result),
                None => std::thread::yield_now(),
            }
        }
    }
}

async fn is_ready<S: Service<Submission<u64>>>(service: &mut S) -> bool {
    poll_fn(|cx| Poll::Ready(service.poll_ready(cx).is_ready())).await
}

#[tokio::test]
async fn readiness_holds_a_place_and_a_call_uses_it() {
    let keeper = Keeper::default();
    let scheduler = Scheduler::start(config(2), keeper.clone()).unwrap();
    let mut services: Vec<_> = (0..4).map(|_| scheduler.service()).collect();
    assert!(is_ready(&mut services[0]).await);
    assert!(is_ready(&mut services[1]).await);
    assert!(!is_ready(&mut services[2]).await, "both places are held");
    // A place that is given back wakes who waits for it.
    let mut third = services.remove(2);
    let waiting = tokio::spawn(async move { third.ready().await.map(|_| ()).is_ok() });
    tokio::task::yield_now().await;
    drop(services.remove(1));
    assert!(waiting.await.unwrap());
    // The service that was waiting is gone too, and its place with it.
    assert!(is_ready(&mut services[1]).await);
    let first = services[0].call(Submission::new(key(0), 1, ()));
    let second = services[1].call(Submission::new(key(1), 2, ()));
    keeper.answer_next(10);
    assert_eq!(first.await, Ok(10));
    keeper.answer_next(20);
    assert_eq!(second.await, Ok(20));
}

#[tokio::test]
async fn a_service_that_has_ended_says_so() {
    let scheduler = Scheduler::start(config(2), Keeper::default()).unwrap();
    let mut service = scheduler.service();
    scheduler.shutdown(Duration::ZERO).await;
    let Err(ScheduleError::Refused(refused)) = service.ready().await.map(|_| ()) else {
        panic!("a place was held after the end");
    };
    assert_eq!(refused.reason, RefusalReason::ShuttingDown);
}

#[tokio::test]
async fn a_layer_keeps_the_order_of_each_session_and_runs_sessions_together() {
    let gate = Arc::new(Semaphore::new(0));
    let running = Arc::new(Mutex::new((0usize, 0usize)));
    let log = Arc::new(Mutex::new(Vec::new()));
    let inner = {
        let (gate, running, log) = (Arc::clone(&gate), Arc::clone(&running), Arc::clone(&log));
        service_fn(move |(session, n): (usize, u64)| {
            let (gate, running, log) = (Arc::clone(&gate), Arc::clone(&running), Arc::clone(&log));
            async move {
                {
                    let mut running = running.lock().unwrap();
                    running.0 += 1;
                    running.1 = running.1.max(running.0);
                }
                gate.acquire().await.unwrap().forget();
                running.lock().unwrap().0 -= 1;
                log.lock().unwrap().push((session, n));
                if n == 3 { Err("three") } else { Ok(n) }
            }
        })
    };
    let layer = SchedulerLayer::start(Config::default(), |(session, _): &(usize, u64)| {
        (key(*session), SubmitOptions::default())
    })
    .unwrap();
    let service = layer.layer(inner);
    let mut calls = Vec::new();
    for n in 0..5 {
        for session in 0..4 {
            let mut service = service.clone();
            calls.push((n, service.ready().await.unwrap().call((session, n))));
        }
    }
    while running.lock().unwrap().0 < 4 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(100);
    for (n, call) in calls {
        match call.await {
            Err(LayerError::Inner(error)) => assert_eq!((n, error), (3, "three")),
            answer => assert_eq!(answer.unwrap(), n),
        }
    }
    assert_eq!(
        running.lock().unwrap().1,
        4,
        "one at a time for each of four sessions"
    );
    for session in 0..4 {
        let turns = log.lock().unwrap();
        let own: Vec<_> = turns
            .iter()
            .filter(|turn| turn.0 == session)
            .map(|turn| turn.1)
            .collect();
        assert_eq!(own, [0, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn a_layered_service_that_panics_answers_its_caller() {
    let inner = service_fn(|n: u64| async move {
        assert!(n != 1, "poison");
        Ok::<_, ()>(n)
    });
    let layer =
        SchedulerLayer::start(Config::default(), |_: &u64| (key(0), SubmitOptions::default())).unwrap();
    let mut service = layer.layer(inner);
    let poison = service.ready().await.unwrap().call(1);
    let next = service.ready().await.unwrap().call(2);
    assert!(matches!(
        poison.await,
        Err(LayerError::Schedule(ScheduleError::Turn(_)))
    ));
    assert_eq!(next.await, Ok(2));
}

#[tokio::test]
async fn a_place_can_be_waited_for_without_a_service_of_the_schedulers_own() {
    let keeper = Keeper::default();
    let scheduler = Scheduler::start(config(1), keeper.clone()).unwrap();
    let place = poll_fn(|cx| scheduler.poll_place(cx)).await.unwrap();
    let is_ready = poll_fn(|cx| Poll::Ready(scheduler.poll_place(cx).is_ready())).await;
    assert!(!is_ready, "the only place is held");
    let waiting = tokio::spawn({
        let scheduler = scheduler.clone();
        async move { poll_fn(|cx| scheduler.poll_place(cx)).await.map(drop).is_ok() }
    });
    tokio::task::yield_now().await;
    let first = scheduler
        .submit_to(place, key(0), 1, SubmitOptions::default())
        .unwrap();
    keeper.answer_next(10);
    assert_eq!(first.await, Ok(10));
    assert!(waiting.await.unwrap(), "a turn that left the queue made room");
}
