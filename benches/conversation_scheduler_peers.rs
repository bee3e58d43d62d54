//! Answered turns over 100,000 sessions beside a tokio task and a kameo actor per session, in one run: found by
//! the ids that a message bears, as the scheduler finds a session, and held by callers who look nothing up.
//!
//! `cargo bench -p whisperengine-benches --features peers --bench conversation_scheduler_peers`

#[path = "conversation_scheduler/ask.rs"]
mod ask;

use std::{borrow::Cow, sync::Arc};

use ask::{Contender, Directory, Ours, Pattern, SESSIONS, SINGLES, TaskPerSession, Way};
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

/// An actor for each session.
struct Actors {
    name: &'static str,
    sessions: Directory<ActorRef<Session>>,
}

impl Actors {
    fn start(runtime: &Runtime, way: Way) -> Arc<Self> {
        let _inside = runtime.enter();
        let sessions = (0..SESSIONS).map(|_| Session::spawn(Session));
        Arc::new(Self {
            name: match way {
                Way::Key => "kameo actor per session, found by key",
                Way::Held => "kameo actor per session, held",
            },
            sessions: Directory::new(way, sessions),
        })
    }

    /// A reference is cloned out of the map, which must not stay locked while a message waits for room.
    fn actor(&self, session: u32) -> Cow<'_, ActorRef<Session>> {
        match &self.sessions {
            Directory::ByKey(..) => Cow::Owned(self.sessions.with(session, ActorRef::clone)),
            Directory::Held(sessions) => Cow::Borrowed(&sessions[session as usize]),
        }
    }
}

impl Contender for Actors {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn ask_group(&self, sessions: &[u32]) -> u64 {
        let mut replies = Vec::with_capacity(sessions.len());
        for &session in sessions {
            let actor = self.actor(session);
            let ask = actor.ask(u64::from(session));
            replies.push(ask.enqueue().await.expect("the actor runs"));
        }
        let mut sum = 0;
        for reply in replies {
            sum += reply.await.expect("it is answered");
        }
        sum
    }

    async fn ask(&self, session: u32) -> u64 {
        let actor = self.actor(session);
        let ask = actor.ask(u64::from(session));
        ask.await.expect("it is answered")
    }
}

fn answers(c: &mut Criterion) {
    let runtime = ask::runtime();
    let ours = Ours::start(None);
    let on_runtime = Ours::start(Some(&runtime));
    let ways = [Way::Key, Way::Held];
    let tasks = ways.map(|way| TaskPerSession::start(&runtime, way));
    let actors = ways.map(|way| Actors::start(&runtime, way));
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
        for (tasks, actors) in tasks.iter().zip(&actors) {
            ask::measure(&mut group, &runtime, tasks, pattern);
            ask::measure(&mut group, &runtime, actors, pattern);
        }
    }
}

criterion_group!(benches, answers);
criterion_main!(benches);
