//! Answered turns over 100,000 sessions beside kameo, an actor per session, in one run.
//!
//! `cargo bench -p whisperengine-benches --features peers --bench conversation_scheduler_peers`

#[path = "conversation_scheduler/ask.rs"]
mod ask;

use std::sync::Arc;

use ask::{Contender, Ours, Pattern, SESSIONS, SINGLES, TaskPerSession};
use criterion::{Criterion, criterion_group, criterion_main};
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
    fn name(&self) -> &'static str {
        "kameo actor per session"
    }

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
    let ours = Ours::start(None);
    let on_runtime = Ours::start(Some(&runtime));
    let tasks = TaskPerSession::start(&runtime);
    let actors = Actors::start(&runtime);
    for (name, pattern) in [
        ("answered turns in groups, 100k sessions", Pattern::Groups),
        (
            "answered turns of 1,000 callers, 100k sessions",
            Pattern::Singles(SINGLES),
        ),
        (
            "answered turns of a lone caller, 100k sessions",
            Pattern::Singles(1),
        ),
    ] {
        let mut group = c.benchmark_group(name);
        ask::measure(&mut group, &runtime, &ours, pattern);
        ask::measure(&mut group, &runtime, &on_runtime, pattern);
        ask::measure(&mut group, &runtime, &tasks, pattern);
        ask::measure(&mut group, &runtime, &actors, pattern);
    }
}

criterion_group!(benches, answers);
criterion_main!(benches);
