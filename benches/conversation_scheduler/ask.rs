//! Two patterns for every contender, over 100,000 sessions in random order, as people come.
//!
//! Groups: two callers each send one turn to each of 1,024 sessions and await all answers before the next
//! group. Singles: a thousand callers each send one turn, await its answer, and send the next.

use std::{
    future::Future,
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{BenchmarkGroup, Throughput, measurement::WallTime};
use dashmap::DashMap;
use hashbrown::DefaultHashBuilder;
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot},
};
use whisperengine_conversation_scheduler::{Config, Scheduler, Submission, Turn};
use whisperengine_types::{BotId, ChannelId, Priority, SessionKey, UserId};

pub const SESSIONS: usize = 100_000;
pub const GROUP: usize = 1_024;
pub const CORES: usize = 2;
pub const SINGLES: usize = 1_000;

/// Something that answers turns of many sessions.
pub trait Contender: Send + Sync + 'static {
    fn name(&self) -> &'static str;

    /// Sends one turn to each of the sessions and awaits the answers; their sum.
    fn ask_group(&self, sessions: &[u32]) -> impl Future<Output = u64> + Send;

    /// Sends one turn and awaits its answer.
    fn ask(&self, session: u32) -> impl Future<Output = u64> + Send;
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CORES)
        .build()
        .expect("the machine has threads")
}

/// How callers ask.
#[derive(Debug, Clone, Copy)]
pub enum Pattern {
    Groups,
    /// So many callers, each with one turn at a time.
    Singles(usize),
}

/// Adds the answered turns of a contender, by `pattern`, to a comparison.
pub fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    contender: &Arc<impl Contender>,
    pattern: Pattern,
) {
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function(contender.name(), |b| {
        b.iter_custom(|turns| match pattern {
            Pattern::Groups => groups(runtime, contender, turns),
            Pattern::Singles(callers) => singles(runtime, contender, callers, turns),
        });
    });
}

/// The time for `turns` turns in groups, each answered and checked.
fn groups(runtime: &Runtime, contender: &Arc<impl Contender>, turns: u64) -> Duration {
    time(runtime, CORES, turns, |sessions, share| {
        let contender = Arc::clone(contender);
        async move {
            let mut sent = 0;
            while sent < share {
                let from = sent % sessions.len();
                let size = GROUP.min(share - sent).min(sessions.len() - from);
                let group = &sessions[from..from + size];
                let expected: u64 = group.iter().map(|&n| u64::from(n) + 1).sum();
                assert_eq!(contender.ask_group(group).await, expected);
                sent += size;
            }
        }
    })
}

/// The time for `turns` turns of callers who each await one at a time.
fn singles(runtime: &Runtime, contender: &Arc<impl Contender>, callers: usize, turns: u64) -> Duration {
    time(runtime, callers, turns, |sessions, share| {
        let contender = Arc::clone(contender);
        async move {
            for sent in 0..share {
                let session = sessions[sent % sessions.len()];
                assert_eq!(contender.ask(session).await, u64::from(session) + 1);
            }
        }
    })
}

/// Divides sessions and turns among callers and waits for all of them.
fn time<F: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    callers: usize,
    turns: u64,
    caller: impl Fn(Vec<u32>, usize) -> F,
) -> Duration {
    let order = shuffled();
    let own = SESSIONS / callers;
    let share = (turns as usize).div_ceil(callers);
    let callers: Vec<F> = (0..callers)
        .map(|n| caller(order[n * own..(n + 1) * own].to_vec(), share))
        .collect();
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
    let begin = Instant::now();
    let callers: Vec<_> = callers.into_iter().map(|caller| runtime.spawn(caller)).collect();
    runtime.block_on(async {
        for caller in callers {
            caller.await.expect("a caller does not panic");
        }
    });
    begin.elapsed()
}

/// Every session once, in an order that is the same in each run.
fn shuffled() -> Vec<u32> {
    let mut order: Vec<u32> = (0..SESSIONS as u32).collect();
    let mut state = 42u64;
    for at in (1..order.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (state >> 33) as usize % (at + 1));
    }
    order
}

pub fn keys() -> Vec<SessionKey> {
    let bot = BotId::new("ember").expect("a plain word is an id");
    let key = |n: usize| SessionKey {
        bot: bot.clone(),
        user: UserId::from_number(700_000_000_000_000_000 + n as u64),
        channel: ChannelId::from_number(900_000_000_000_000_000 + n as u64),
    };
    (0..SESSIONS).map(key).collect()
}

/// The scheduler: turns are found by their session's key, ordered, admitted and measured.
pub struct Ours {
    name: &'static str,
    scheduler: Scheduler<u64, u64>,
    keys: Vec<SessionKey>,
}

impl Ours {
    /// With workers on threads of their own, or as tasks of the callers' runtime.
    pub fn start(runtime: Option<&Runtime>) -> Arc<Self> {
        let mut config = Config::default();
        config.min_workers = NonZeroUsize::new(CORES).expect("not zero");
        config.max_workers = Some(config.min_workers);
        config.max_batch_turns = NonZeroUsize::new(512).expect("not zero");
        let work = |turns: &[Turn<u64>]| turns.iter().map(|turn| turn.payload + 1).collect();
        let (name, scheduler) = match runtime {
            Some(runtime) => (
                "scheduler on the runtime",
                Scheduler::start_on(runtime.handle(), config, work),
            ),
            None => ("scheduler", Scheduler::start(config, work)),
        };
        Arc::new(Self {
            name,
            scheduler: scheduler.expect("the configuration is valid"),
            keys: keys(),
        })
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn ask_group(&self, sessions: &[u32]) -> u64 {
        let turn = |&n: &u32| Submission::new(self.keys[n as usize].clone(), u64::from(n), ());
        let tickets = self.scheduler.submit_many(sessions.iter().map(turn));
        let answers = tickets.all().await.into_iter();
        answers.map(|answer| answer.expect("it is answered")).sum()
    }

    async fn ask(&self, session: u32) -> u64 {
        let key = self.keys[session as usize].clone();
        let ticket = self.scheduler.submit(key, u64::from(session), Priority::Normal);
        ticket.expect("there is room").await.expect("it is answered")
    }
}

/// How a caller comes by a session's task or actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By the ids that a message bears, in a concurrent map, as the scheduler does.
    Key,
    /// The caller kept it: nothing is looked up.
    Held,
}

/// The tasks or actors of all sessions.
pub enum Directory<S> {
    ByKey(Vec<SessionKey>, DashMap<SessionKey, S, DefaultHashBuilder>),
    Held(Vec<S>),
}

impl<S> Directory<S> {
    pub fn new(way: Way, sessions: impl Iterator<Item = S>) -> Self {
        match way {
            Way::Key => Self::ByKey(keys(), keys().into_iter().zip(sessions).collect()),
            Way::Held => Self::Held(sessions.collect()),
        }
    }

    pub fn with<R>(&self, session: u32, work: impl FnOnce(&S) -> R) -> R {
        match self {
            Self::ByKey(keys, sessions) => {
                let found = sessions.get(&keys[session as usize]);
                work(&found.expect("each session is there"))
            }
            Self::Held(sessions) => work(&sessions[session as usize]),
        }
    }
}

/// The usual way: a tokio task and a channel for each session.
pub struct TaskPerSession {
    name: &'static str,
    senders: Directory<mpsc::Sender<(u64, oneshot::Sender<u64>)>>,
}

impl TaskPerSession {
    pub fn start(runtime: &Runtime, way: Way) -> Arc<Self> {
        let senders = (0..SESSIONS).map(|_| {
            let (sender, mut turns) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(64);
            runtime.spawn(async move {
                while let Some((payload, reply)) = turns.recv().await {
                    let _ = reply.send(payload + 1);
                }
            });
            sender
        });
        Arc::new(Self {
            name: match way {
                Way::Key => "tokio task and channel per session, found by key",
                Way::Held => "tokio task and channel per session, held",
            },
            senders: Directory::new(way, senders),
        })
    }

    fn send(&self, session: u32) -> oneshot::Receiver<u64> {
        let (reply, answer) = oneshot::channel();
        let turn = (u64::from(session), reply);
        self.senders
            .with(session, |sender| sender.try_send(turn))
            .expect("the task runs, and a session has one turn at a time");
        answer
    }
}

impl Contender for TaskPerSession {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn ask_group(&self, sessions: &[u32]) -> u64 {
        let replies: Vec<_> = sessions.iter().map(|&session| self.send(session)).collect();
        let mut sum = 0;
        for answer in replies {
            sum += answer.await.expect("it is answered");
        }
        sum
    }

    async fn ask(&self, session: u32) -> u64 {
        self.send(session).await.expect("it is answered")
    }
}
