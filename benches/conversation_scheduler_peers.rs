//! Answered turns over 100,000 sessions beside kameo, an actor per session, in one run.
//!
//! `cargo bench -p whisperengine-benches --features peers --bench conversation_scheduler_peers`

#[path = "conversation_scheduler/ask.rs"]
mod ask;

use std::sync::Arc;

use ask::{Contender, Ours, SESSIONS, TaskPerSession};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kameo::{
    Actor,
    actor::{ActorRef, Spawn},
    error::Infallible,
    message::{Context, Message},
};
use tokio::runtime::Runtime;

struct Session;

impl Actor for Session {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(session: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(session)
    }
}

impl Message<u64> for Session {
    type Reply = u64;

    async fn handle(&mut self, payload: u64, _: &mut Context<Self, u64>) -> u64 {
        payload + 1
    }
}

/// An actor for each session. Callers hold the references; nothing is looked up.
struct Actors {
    sessions: Vec<ActorRef<Session>>,
}

impl Actors {
    fn start(runtime: &Runtime) -> Arc<Self> {
        let _inside = runtime.enter();
        let sessions = (0..SESSIONS).map(|_| Session::spawn(Session));
        Arc::new(Self {
            sessions: sessions.collect(),
        })
    }
}

impl Contender for Actors {
    async fn ask_group(&self, sessions: &[u32]) -> u64 {
        let mut replies = Vec::with_capacity(sessions.len());
        for &session in sessions {
            let ask = self.sessions[session as usize].ask(u64::from(session));
            replies.push(ask.enqueue().await.expect("the actor runs"));
        }
        let mut sum = 0;
        for reply in replies {
            sum += reply.await.expect("it is answered");
        }
        sum
    }

    async fn ask(&self, session: u32) -> u64 {
        let ask = self.sessions[session as usize].ask(u64::from(session));
        ask.await.expect("it is answered")
    }
}

fn answers(c: &mut Criterion) {
    let runtime = ask::runtime();
    let ours = Ours::start();
    let tasks = TaskPerSession::start(&runtime);
    let actors = Actors::start(&runtime);
    let mut group = c.benchmark_group("answered turns in groups, 100k sessions");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function("scheduler", |b| {
        b.iter_custom(|turns| ask::groups(&runtime, &ours, turns));
    });
    group.bench_function("tokio task and channel per session", |b| {
        b.iter_custom(|turns| ask::groups(&runtime, &tasks, turns));
    });
    group.bench_function("kameo actor per session", |b| {
        b.iter_custom(|turns| ask::groups(&runtime, &actors, turns));
    });
    group.finish();
    let mut group = c.benchmark_group("answered turns of 1,000 callers, 100k sessions");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function("scheduler", |b| {
        b.iter_custom(|turns| ask::singles(&runtime, &ours, turns));
    });
    group.bench_function("tokio task and channel per session", |b| {
        b.iter_custom(|turns| ask::singles(&runtime, &tasks, turns));
    });
    group.bench_function("kameo actor per session", |b| {
        b.iter_custom(|turns| ask::singles(&runtime, &actors, turns));
    });
    group.finish();
}

criterion_group!(benches, answers);
criterion_main!(benches);
