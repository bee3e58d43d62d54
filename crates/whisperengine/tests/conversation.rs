//! A conversation on real input: what is recalled, what survives, and whose it is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use support::{clock, converse, engine_in, known, memories, say};
use whisperengine::{
    Clock, Comparison, Durability, Embedder, Embedding, EmbeddingError, EmbeddingSpace, Error, FACT,
    Feedback, Filter, Mode, PrimaryEmotion, RecallQuery, Slot, WhisperEngine,
};
use whisperengine_text_embedding::HashingEmbedder;

#[tokio::test]
async fn every_stage_does_real_work() {
    for mode in [Mode::Standard, Mode::Production, Mode::Hybrid] {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let engine = WhisperEngine::builder()
            .mode(mode)
            .data_dir(folder.path())
            .clock(clock.clone())
            .build()
            .unwrap();
        let turns = converse(&engine, &clock).await;
        assert!(
            turns.iter().all(|turn| turn.stored == Durability::Durable),
            "{mode:?}"
        );
        assert!(
            turns.iter().all(|turn| turn.degraded.is_empty()),
            "{mode:?}: {:?}",
            turns[0].degraded
        );
        assert!(turns[0].emotion.valence < 0.0 && turns[1].emotion.valence > 0.0);
        assert_ne!(turns[1].emotion.primary, PrimaryEmotion::Neutral);
        assert!(
            turns[4].recalled.memories[0].memory.text.contains("bakery"),
            "{mode:?}"
        );
        assert!(
            turns[5].recalled.memories[0].memory.text.contains("telescope"),
            "{mode:?}"
        );
        assert!(turns[4].plan.thread.is_some() && !turns[4].context.sections.is_empty());
        assert_eq!(turns[4].plan.relationship.interactions, 3, "{mode:?}");
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn memories_survive_a_restart_and_stay_with_their_owner() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let start = || engine_in(&folder, &clock);
    let engine = start();
    say(&engine, "ana", "hi, I got the job!").await;
    let report = engine.shutdown().await;
    assert_eq!((report.states_saved, report.writes_lost), (1, 0));
    drop(engine);

    let engine = start();
    let hers = say(&engine, "ana", "what did I tell you about my job?").await;
    assert_eq!(hers.recalled.memories[0].memory.text, "hi, I got the job!");
    assert_eq!(hers.plan.relationship.interactions, 2, "the state was restored");
    let his = say(&engine, "ben", "what did I tell you about my job?").await;
    assert!(his.recalled.memories.is_empty());
    assert_eq!(his.plan.relationship.interactions, 1);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_state_that_was_not_saved_is_rebuilt_from_the_stored_messages() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let start = || engine_in(&folder, &clock);
    let engine = start();
    for n in 0..5 {
        clock.advance(std::time::Duration::from_secs(1));
        say(&engine, "ana", &format!("I planted {n} tomatoes today")).await;
    }
    // Without a shutdown: only what was acknowledged is on disk.
    drop(engine);
    let engine = loop {
        // The upkeep thread holds the store until it notices that the engine is gone.
        match WhisperEngine::builder()
            .data_dir(folder.path())
            .clock(clock.clone())
            .build()
        {
            Ok(engine) => break engine,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    clock.advance(std::time::Duration::from_secs(1));
    let turn = say(&engine, "ana", "and more tomatoes").await;
    assert_eq!(turn.plan.relationship.interactions, 6);
    engine.shutdown().await;
}

#[tokio::test]
async fn a_reply_is_stored_and_known_later() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = engine_in(&folder, &clock);
    let message = engine
        .message("ember", "ana", "direct", "Which tea helps me sleep?")
        .unwrap();
    let exchange = engine.converse(message).await.unwrap();
    assert!(!exchange.reply.is_empty());
    let stored = memories(&engine, "ana").await;
    let speakers: Vec<_> = stored
        .iter()
        .map(|memory| memory.speaker.as_deref().unwrap())
        .collect();
    assert_eq!(speakers, ["ana", "ember"]);
    assert_eq!(stored[0].session, stored[1].session, "both belong to one session");
    engine.shutdown().await;
}

#[tokio::test]
async fn what_a_message_states_of_its_writer_can_be_recalled_by_slot() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = engine_in(&folder, &clock);
    say(&engine, "ana", "the bus was late again").await;
    say(&engine, "ana", "I'm allergic to hazelnuts").await;
    let mut query = RecallQuery::new("what is known of her", 5, clock.now());
    query.filter = Filter::Metadata {
        key: FACT.to_owned(),
        is: Comparison::Eq("allergy".into()),
    };
    let found = known(&engine, "ana").recall(query).await.unwrap();
    let texts: Vec<&str> = found.memories.iter().map(|hit| &*hit.memory.text).collect();
    assert_eq!(texts, ["I'm allergic to hazelnuts"]);
    engine.shutdown().await;
}

#[tokio::test]
async fn forgetting_leaves_nothing() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = engine_in(&folder, &clock);
    converse(&engine, &clock).await;
    known(&engine, "ana").forget().await.unwrap();
    assert!(memories(&engine, "ana").await.is_empty());
    let turn = say(&engine, "ana", "What did I tell you about the bakery?").await;
    assert!(turn.recalled.memories.is_empty());
    assert_eq!(turn.plan.relationship.interactions, 1);
    assert_eq!(memories(&engine, "ben").await.len(), 3, "others keep theirs");
    engine.shutdown().await;
}

#[tokio::test]
async fn an_export_holds_everything_and_is_taken_in_elsewhere() {
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    converse(&engine, &clock).await;
    let ben = known(&engine, "ben");
    ben.feed_back(Feedback::Proactive { allowed: true })
        .await
        .unwrap();
    ben.set_fact(Slot::Diet, "vegan").await.unwrap();
    let mut lines = Vec::new();
    ben.export(&mut lines).await.unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(lines.lines().count(), 3 + 3, "{lines}");
    assert!(lines.contains("I saw the rings of Saturn!") && !lines.contains("embedding"));

    let other = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    let taken = known(&other, "ben")
        .import(lines.lines().map(|line| Ok(line.to_owned())))
        .await;
    assert_eq!(taken.unwrap(), 3);
    let mut again = Vec::new();
    known(&other, "ben").export(&mut again).await.unwrap();
    assert_eq!(
        String::from_utf8(again).unwrap(),
        lines,
        "what comes out is what went in"
    );
    let facts = known(&other, "ben").facts().await.unwrap();
    assert!(facts.iter().any(|fact| fact.value == "vegan"), "{facts:?}");
    clock.advance(Duration::from_secs(60));
    let turn = say(&other, "ben", "What did I see with my telescope?").await;
    assert!(
        turn.recalled
            .memories
            .iter()
            .any(|hit| hit.memory.text.contains("rings of Saturn"))
    );
    assert_eq!(
        turn.plan.relationship.interactions, 4,
        "the conversation is rebuilt"
    );
    engine.shutdown().await;
    other.shutdown().await;
}

#[tokio::test]
async fn a_reply_to_somebody_forgotten_in_the_meantime_is_not_stored() {
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    let turn = say(&engine, "ana", "My sister's name is Mira").await;
    known(&engine, "ana").forget().await.unwrap();
    let refused = engine.record_reply(&turn, "Say hello to Mira", None).await;
    assert!(matches!(refused, Err(Error::Forgotten)), "{refused:?}");
    assert!(memories(&engine, "ana").await.is_empty());

    let turn = say(&engine, "ana", "Hello, I am new here").await;
    engine.record_reply(&turn, "Welcome!", None).await.unwrap();
    assert_eq!(memories(&engine, "ana").await.len(), 2);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turns_accepted_before_forgetting_are_answered_and_not_stored() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = engine_in(&folder, &clock);
    let message = |n| {
        engine
            .message("ember", "ana", "direct", &format!("secret {n}"))
            .unwrap()
    };
    let waiting: Vec<_> = (0..60).map(|n| engine.submit(message(n)).unwrap()).collect();
    known(&engine, "ana").forget().await.unwrap();
    for ticket in waiting {
        ticket.await.unwrap();
    }
    assert!(memories(&engine, "ana").await.is_empty());
    let turn = say(&engine, "ana", "Who am I?").await;
    assert_eq!(
        turn.plan.relationship.interactions, 1,
        "the conversation begins anew"
    );
    engine.shutdown().await;
}

/// Five people talk and fall silent; a new engine finds `per_tick` of them at each tick.
async fn people_with_something_due(per_tick: usize) -> Vec<usize> {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = || {
        WhisperEngine::builder()
            .data_dir(folder.path())
            .clock(clock.clone())
            .configure(|config| config.state.tick_stored_people = per_tick)
            .build()
            .unwrap()
    };
    let before = engine();
    for user in ["ana", "ben", "cleo", "dan", "eva"] {
        let welcome = Feedback::Proactive { allowed: true };
        known(&before, user).feed_back(welcome).await.unwrap();
        say(&before, user, "I practise the guitar every evening.").await;
        say(&before, user, "The chord change is tricky.").await;
    }
    before.shutdown().await;
    drop(before);
    clock.advance(Duration::from_secs(600));
    let after = engine();
    let mut due = Vec::new();
    for _ in 0..3 {
        let mut suggestions = after.tick().await;
        suggestions.dedup_by(|(owner, _), (before, _)| owner == before);
        due.push(suggestions.len());
        for (owner, suggestion) in suggestions {
            let sent = Feedback::SuggestionSent {
                suggestion: suggestion.id,
                at: clock.now(),
            };
            after.handle_of(owner).feed_back(sent).await.unwrap();
        }
    }
    after.shutdown().await;
    due
}

#[tokio::test]
async fn people_who_are_away_are_looked_at_in_turn() {
    assert_eq!(people_with_something_due(2).await, [2, 2, 1]);
    assert_eq!(people_with_something_due(0).await, [0, 0, 0]);
}

/// An embedder that counts the texts it is asked for.
#[derive(Debug)]
struct Counting(HashingEmbedder, Mutex<Vec<String>>);

impl Embedder for Counting {
    fn space(&self) -> &EmbeddingSpace {
        self.0.space()
    }

    fn embed_batch(&self, texts: &[&str]) -> Result<Vec<Embedding>, EmbeddingError> {
        let asked = texts.iter().map(|&text| text.to_owned());
        self.1.lock().unwrap().extend(asked);
        self.0.embed_batch(texts)
    }
}

#[tokio::test]
async fn a_model_of_ones_own_embeds_a_message_once() {
    let clock = clock();
    let embedder = Arc::new(Counting(HashingEmbedder::default(), Mutex::default()));
    let builder = WhisperEngine::builder().clock(clock.clone());
    let engine = builder.embedder(embedder.clone()).build().unwrap();
    converse(&engine, &clock).await;
    engine.shutdown().await;
    let mut asked = embedder.1.lock().unwrap().clone();
    asked.sort_unstable();
    let of_bakery = asked.iter().filter(|text| text.contains("opens at four"));
    assert_eq!(of_bakery.count(), 1, "for threads, recall and store together");
    assert!(asked.windows(2).all(|pair| pair[0] != pair[1]), "{asked:?}");
}
