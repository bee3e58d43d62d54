//! Answered turns over 100,000 sessions beside kameo, an actor per session, in one run.
//!
//! `cargo bench -p whisperengine-benches --features peers --bench conversation_scheduler_peers`

#[path = "conversation_scheduler/ask.rs"]
mod ask;

use std::sync::Arc;

use ask::{Contender, Ours, SESSIONS, SINGLES, TaskPerSession};
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

struct Contenders {
    runtime: Runtime,
    ours: Arc<Ours>,
    on_runtime: Arc<Ours>,
    tasks: Arc<TaskPerSession>,
    actors: Arc<Actors>,
}

impl Contenders {
    fn start() -> Self {
        let runtime = ask::runtime();
        Self {
            ours: Ours::start(None),
            on_runtime: Ours::start(Some(&runtime)),
            tasks: TaskPerSession::start(&runtime),
            actors: Actors::start(&runtime),
            runtime,
        }
    }

    fn groups(&self, c: &mut Criterion) {
        let mut group = c.benchmark_group("answered turns in groups, 100k sessions");
        group.throughput(Throughput::Elements(1)).sample_size(20);
        let runtime = &self.runtime;
        group.bench_function(SCHEDULER, |b| {
            b.iter_custom(|turns| ask::groups(runtime, &self.ours, turns));
        });
        group.bench_function(ON_RUNTIME, |b| {
            b.iter_custom(|turns| ask::groups(runtime, &self.on_runtime, turns));
        });
        group.bench_function(TASK, |b| {
            b.iter_custom(|turns| ask::groups(runtime, &self.tasks, turns))
        });
        group.bench_function(ACTOR, |b| {
            b.iter_custom(|turns| ask::groups(runtime, &self.actors, turns))
        });
    }

    fn singles(&self, c: &mut Criterion, name: &str, callers: usize) {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Elements(1)).sample_size(20);
        let runtime = &self.runtime;
        group.bench_function(SCHEDULER, |b| {
            b.iter_custom(|turns| ask::singles(runtime, &self.ours, callers, turns));
        });
        group.bench_function(ON_RUNTIME, |b| {
            b.iter_custom(|turns| ask::singles(runtime, &self.on_runtime, callers, turns));
        });
        group.bench_function(TASK, |b| {
            b.iter_custom(|turns| ask::singles(runtime, &self.tasks, callers, turns));
        });
        group.bench_function(ACTOR, |b| {
            b.iter_custom(|turns| ask::singles(runtime, &self.actors, callers, turns));
        });
    }
}

fn answers(c: &mut Criterion) {
    let contenders = Contenders::start();
    contenders.groups(c);
    contenders.singles(c, "answered turns of 1,000 callers, 100k sessions", SINGLES);
    contenders.singles(c, "answered turns of a lone caller, 100k sessions", 1);
}

const SCHEDULER: &str = "scheduler";
const ON_RUNTIME: &str = "scheduler on the runtime";
const TASK: &str = "tokio task and channel per session";
const ACTOR: &str = "kameo actor per session";

criterion_group!(benches, answers);
criterion_main!(benches);
