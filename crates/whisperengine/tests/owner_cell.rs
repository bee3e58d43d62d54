//! One owner, one lock: exact replay after a crash, redeliveries, forgetting, and clocks that step back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use proptest::prelude::*;
use support::{clock, known, memories, owner, say};
use whisperengine::{
    Committed, Durability, Error, Feedback, ManualClock, MemoryError, MemoryOwner, MemoryPatch, MemoryRecall,
    MemoryStore, MemoryStoreLayer, Message, PlatformId, Recall, RecallQuery, Slot, TurnOutcome,
    WhisperEngine, WriteOp,
};
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

fn open(folder: &Path, clock: &Arc<ManualClock>) -> WhisperEngine {
    let builder = WhisperEngine::builder().data_dir(folder).clock(clock.clone());
    // The clock jumps, which is not the time that turns wait.
    let builder = builder.configure(|config| config.conversation_scheduler.max_wait = Duration::MAX);
    builder.seed(7).build().unwrap()
}

/// The saved state of `user` after a clean end.
async fn state_after(engine: WhisperEngine, folder: &Path, user: &str) -> Vec<u8> {
    engine.shutdown().await;
    drop(engine);
    let embedder = Arc::new(StaticEmbedder::embedded());
    let memory = VectorMemory::open(folder, embedder, VectorMemoryConfig::default()).unwrap();
    memory.state(&owner(user)).unwrap().unwrap().to_vec()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

const LINES: [&str; 10] = [
    "My sister Mira moved to Porto and I miss her so much",
    "I don't want to talk about my father",
    "Remind me to call the bakery tomorrow!",
    "I got the job! I start on Monday.",
    "How did it go?",
    "I live in Hamburg, close to the harbor",
    "now I live in Munich",
    "My cat died last night",
    "What did I tell you about my sister?",
    "I'm so nervous about the exam on Friday",
];

/// Says `lines` in two channels at once, with a reply now and then.
async fn talk(engine: &WhisperEngine, clock: &ManualClock, lines: &[(usize, bool, i64)]) {
    for &(line, reply, step) in lines {
        let now = clock_now(clock);
        clock.set(whisperengine::Timestamp::from_millis(now + step * 1000));
        let message = |channel: &str, text: &str| engine.message("ember", "ana", channel, text).unwrap();
        let first = engine
            .submit(message("direct", LINES[line % LINES.len()]))
            .unwrap();
        let second = engine
            .submit(message("garden", LINES[(line + 3) % LINES.len()]))
            .unwrap();
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        assert_eq!(
            (first.stored, second.stored.clone()),
            (Durability::Durable, Durability::Durable)
        );
        if reply {
            let moment = second.plan.moments.first().map(|moment| moment.id.clone());
            engine
                .record_reply(&second, "That is good to know.", moment.as_deref())
                .await
                .unwrap();
        }
    }
}

fn clock_now(clock: &ManualClock) -> i64 {
    whisperengine::Clock::now(clock).as_millis()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// What is on disk when the process is killed holds every acknowledged turn; replaying them gives the state
    /// that the process had, byte for byte, whatever the clock did.
    #[test]
    fn a_crash_costs_nothing_of_the_state(
        lines in proptest::collection::vec((0_usize..10, any::<bool>(), -4000_i64..90_000), 1..12),
        saved_before in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let (folder, crashed, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), clock());
            if saved_before {
                let engine = open(folder.path(), &clock);
                talk(&engine, &clock, &[(0, true, 60)]).await;
                engine.shutdown().await;
            }
            let engine = open(folder.path(), &clock);
            talk(&engine, &clock, &lines).await;
            copy(folder.path(), crashed.path());
            let without = state_after(engine, folder.path(), "ana").await;

            let engine = open(crashed.path(), &clock);
            known(&engine, "ana").facts().await.unwrap();
            let after = state_after(engine, crashed.path(), "ana").await;
            assert_eq!(without, after, "the state after the crash differs");
        });
    }
}

#[tokio::test]
async fn a_clean_restart_repeats_and_skips_nothing() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let mut said = 0;
    for hours_back in [0, 0, 1, 2] {
        let engine = open(folder.path(), &clock);
        clock.set(whisperengine::Timestamp::from_millis(
            clock_now(&clock) - hours_back * 3_600_000,
        ));
        let turn = say(&engine, "ana", "I walked along the river").await;
        said += 1;
        assert_eq!(turn.plan.relationship.interactions, said);
        engine.record_reply(&turn, "A good walk?", None).await.unwrap();
        engine.shutdown().await;
    }
}

fn numbered(engine: &WhisperEngine, text: &str, number: &str) -> Message {
    let mut message = engine.message("ember", "ana", "direct", text).unwrap();
    message.platform_id = Some(PlatformId::new(number).unwrap());
    message
}

#[tokio::test]
async fn a_second_delivery_is_answered_and_stored_once_also_after_a_restart() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = open(folder.path(), &clock);
    let first = engine
        .converse(numbered(&engine, "My locker code is 4471.", "77"))
        .await
        .unwrap();
    let tickets: Vec<_> = (0..4)
        .map(|_| {
            engine
                .submit(numbered(&engine, "My locker code is 4471.", "77"))
                .unwrap()
        })
        .collect();
    for ticket in tickets {
        let again = ticket.await.unwrap();
        assert!(again.redelivered && again.stored == Durability::Durable);
        assert_eq!(again.turn, first.outcome.turn);
    }
    engine.shutdown().await;
    drop(engine);

    let engine = open(folder.path(), &clock);
    let again = engine
        .converse(numbered(&engine, "My locker code is 4471.", "77"))
        .await
        .unwrap();
    assert!(again.outcome.redelivered);
    assert_eq!(again.reply, first.reply, "the recorded reply is given again");
    assert_eq!(memories(&engine, "ana").await.len(), 2, "one message, one reply");
    let other = engine
        .handle(numbered(&engine, "My locker code is 4471.", "78"))
        .await
        .unwrap();
    assert!(!other.redelivered, "another number is another message");
    engine.shutdown().await;
}

#[tokio::test]
async fn consent_and_time_zone_survive_a_crash() {
    let (folder, crashed, clock) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        clock(),
    );
    let engine = open(folder.path(), &clock);
    say(&engine, "ana", "hello").await;
    let ana = known(&engine, "ana");
    ana.feed_back(Feedback::Proactive { allowed: false })
        .await
        .unwrap();
    ana.feed_back(Feedback::TimeZone {
        name: "Asia/Tokyo".to_owned(),
    })
    .await
    .unwrap();
    ana.set_fact(Slot::Diet, "vegan").await.unwrap();
    copy(folder.path(), crashed.path());
    engine.shutdown().await;

    let engine = open(crashed.path(), &clock);
    let mut lines = Vec::new();
    known(&engine, "ana").export(&mut lines).await.unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert!(
        lines.contains(r#""proactive":false"#) && lines.contains("Asia/Tokyo"),
        "{lines}"
    );
    let facts = known(&engine, "ana").facts().await.unwrap();
    assert_eq!(facts[0].value, "vegan");
    engine.shutdown().await;
}

#[tokio::test]
async fn a_second_reply_to_a_turn_is_not_recorded() {
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    let turn = say(&engine, "ana", "good morning").await;
    engine.record_reply(&turn, "Good morning!", None).await.unwrap();
    engine.record_reply(&turn, "Hello again!", None).await.unwrap();
    let texts: Vec<String> = memories(&engine, "ana")
        .await
        .iter()
        .map(|memory| memory.text.clone())
        .collect();
    assert_eq!(texts, ["good morning", "Good morning!"]);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_reply_does_not_revive_somebody_forgotten_before_a_restart() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = open(folder.path(), &clock);
    let turn = say(&engine, "ana", "My sister's name is Mira").await;
    known(&engine, "ana").forget().await.unwrap();
    engine.shutdown().await;
    drop(engine);
    let engine = open(folder.path(), &clock);
    let refused = engine.record_reply(&turn, "Say hello to Mira", None).await;
    assert!(matches!(refused, Err(Error::Forgotten)), "{refused:?}");
    assert!(memories(&engine, "ana").await.is_empty());
    engine.shutdown().await;
}

#[tokio::test]
async fn what_was_learnt_from_a_message_goes_with_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = open(folder.path(), &clock);
    let ana = known(&engine, "ana");
    say(&engine, "ana", "I live in Hamburg, close to the harbor").await;
    clock.advance(Duration::from_secs(40 * 86_400));
    let moved = say(&engine, "ana", "I moved to Munich last week").await;
    let home = |facts: &[whisperengine::Fact]| {
        let home = facts.iter().find(|fact| fact.slot == Slot::Residence);
        home.map(|fact| fact.value.clone())
    };
    assert_eq!(home(&ana.facts().await.unwrap()).as_deref(), Some("Munich"));
    ana.delete(&moved.turn).await.unwrap();
    assert_eq!(home(&ana.facts().await.unwrap()).as_deref(), Some("Hamburg"));
    let first = memories(&engine, "ana").await[0].id.clone();
    let patch = MemoryPatch {
        text: Some("I live in Bremen, close to the river".to_owned()),
        ..MemoryPatch::default()
    };
    ana.edit(&first, patch).await.unwrap();
    assert_eq!(home(&ana.facts().await.unwrap()).as_deref(), Some("Bremen"));
    clock.advance(Duration::from_secs(60));
    let turn = say(&engine, "ana", "where do I live?").await;
    let given = format!("{:?}", turn.context);
    assert!(
        given.contains("Bremen") && !given.contains("Hamburg") && !given.contains("Munich"),
        "{given}"
    );
    engine.shutdown().await;
}

/// A store that hangs on the operations of one owner until it is released.
#[derive(Debug)]
struct Hanging {
    memory: VectorMemory,
    owner: MemoryOwner,
    hangs: AtomicBool,
    released: Mutex<bool>,
    release: Condvar,
}

impl Hanging {
    fn new(user: &str) -> Arc<Self> {
        let embedder = Arc::new(StaticEmbedder::embedded());
        Arc::new(Self {
            memory: VectorMemory::in_memory(embedder, VectorMemoryConfig::default()),
            owner: owner(user),
            hangs: AtomicBool::new(false),
            released: Mutex::new(false),
            release: Condvar::new(),
        })
    }

    fn release(&self) {
        *self.released.lock().unwrap() = true;
        self.release.notify_all();
    }
}

impl MemoryStoreLayer for Hanging {
    fn inner(&self) -> &dyn MemoryStore {
        &self.memory
    }

    fn commit(&self, ops: &[WriteOp]) -> Vec<Result<Committed, MemoryError>> {
        if self.hangs.load(Ordering::SeqCst) && ops.iter().any(|op| *op.owner() == self.owner) {
            let mut released = self.released.lock().unwrap();
            while !*released {
                released = self.release.wait(released).unwrap();
            }
        }
        self.memory.commit(ops)
    }
}

impl MemoryRecall for Hanging {
    fn recall(&self, owner: &MemoryOwner, query: &RecallQuery) -> Result<Recall, MemoryError> {
        self.memory.recall(owner, query)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_go_on_while_the_store_hangs_on_one_forgetting() {
    let store = Hanging::new("zed");
    let engine = WhisperEngine::builder().memory(store.clone()).build().unwrap();
    say(&engine, "zed", "I am Zed").await;
    store.hangs.store(true, Ordering::SeqCst);
    let zed = known(&engine, "zed");
    let forgetting = tokio::spawn(async move { zed.forget().await });
    let others = async {
        let mut turns: Vec<TurnOutcome> = Vec::new();
        for n in 0..3 {
            turns.push(say(&engine, "ben", &format!("line {n}")).await);
        }
        turns
    };
    let turns = tokio::time::timeout(Duration::from_secs(30), others)
        .await
        .expect("ben is answered");
    assert!(
        turns
            .iter()
            .all(|turn| !matches!(turn.stored, Durability::NotStored { .. }))
    );
    store.release();
    let forgotten = tokio::time::timeout(Duration::from_secs(30), forgetting).await;
    forgotten.expect("the store goes on").unwrap().unwrap();
    assert!(memories(&engine, "zed").await.is_empty());
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgetting_beside_messages_leaves_nothing_of_before() {
    let engine = WhisperEngine::builder().build().unwrap();
    let ana = known(&engine, "ana");
    for round in 0..200 {
        let message = |n: usize| {
            let channel = if n.is_multiple_of(2) { "direct" } else { "garden" };
            engine
                .message("ember", "ana", channel, &format!("secret {round}"))
                .unwrap()
        };
        let waiting: Vec<_> = (0..6).map(|n| engine.submit(message(n)).unwrap()).collect();
        ana.forget().await.unwrap();
        for ticket in waiting {
            ticket.await.unwrap();
        }
        assert!(memories(&engine, "ana").await.is_empty(), "round {round}");
        assert!(ana.facts().await.unwrap().is_empty());
    }
    engine.shutdown().await;
}
