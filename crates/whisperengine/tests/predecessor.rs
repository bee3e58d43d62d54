//! Defects of the system this one re-creates, each of which must not come back: engine and integrator.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use support::{clock, converse, engine_in, say};
use whisperengine::{
    Audience, AudienceId, Clock, Durability, EmotionAnalyzer, EmotionError, EmotionReading, Error, MemoryId,
    MemoryKind, MemoryRecord, Message, PrimaryEmotion, Priority, RecallQuery, Status, WhisperEngine,
};
use whisperengine_emotion::EmotionEngine;
use whisperengine_text_embedding::StaticEmbedder;
use whisperengine_vector_memory::{VectorMemory, VectorMemoryConfig};

#[tokio::test]
async fn two_people_never_share_a_thread_even_in_the_same_second() {
    // Was: thread id = second + first 8 characters of the user id.
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    let mut threads = HashSet::new();
    for user in ["customer-1", "customer-2", "customer-3"] {
        let turn = say(&engine, user, "my parcel is late").await;
        threads.insert(turn.plan.thread.unwrap().id);
    }
    assert_eq!(threads.len(), 3);
    engine.shutdown().await;
}

#[tokio::test]
async fn one_subject_stays_one_thread_over_the_seconds() {
    // Was: the same user got a new thread each second.
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    let mut threads = HashSet::new();
    for text in [
        "my guitar lesson was fun",
        "the guitar chords are hard",
        "my guitar teacher is patient",
    ] {
        clock.advance(Duration::from_secs(3));
        threads.insert(say(&engine, "ana", text).await.plan.thread.unwrap().id);
    }
    assert_eq!(threads.len(), 1);
    engine.shutdown().await;
}

#[tokio::test]
async fn priority_goes_by_whole_words() {
    // Was: "helpful" -> high, through "help".
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    assert_eq!(
        say(&engine, "ana", "that was helpful").await.priority,
        Priority::Normal
    );
    assert!(
        say(&engine, "ben", "please help, this is an emergency, it is urgent")
            .await
            .priority
            < Priority::Normal
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn every_priority_is_answered_exactly_once_and_stored_once() {
    // Was: high and critical processed twice, normal and low never.
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    for priority in Priority::ALL {
        let mut message = engine
            .message("ember", "ana", priority.name(), "just once")
            .unwrap();
        message.priority = Some(priority);
        let outcome = engine.handle(message).await.unwrap();
        assert_eq!(outcome.priority, priority);
    }
    assert_eq!(support::memories(&engine, "ana").await.len(), 4);
    engine.shutdown().await;
}

#[tokio::test]
async fn an_outcome_is_real_work_or_says_what_is_missing() {
    // Was: errors came back as data, memory found nothing, personality was a constant.
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    // Profiles are brought up to date after the reply, so it may take a few turns until they differ.
    for turns in 1.. {
        let casual = say(&engine, "ana", "lol yeah gonna grab some pizza, wanna come? haha").await;
        let formal = say(
            &engine,
            "ben",
            "Distinguished colleagues, our quarterly results warrant discussion.",
        )
        .await;
        assert_ne!(casual.emotion.vader, formal.emotion.vader);
        if casual.plan.style.casualness > formal.plan.style.casualness {
            break;
        }
        assert!(turns < 1000, "the two are still alike");
    }
    clock.advance(Duration::from_secs(60));
    assert!(
        !say(&engine, "ana", "how was the pizza?")
            .await
            .recalled
            .memories
            .is_empty()
    );
    let without = WhisperEngine::builder()
        .mode(whisperengine::Mode::Hybrid)
        .configure(|config| config.components.emotion = false)
        .clock(clock)
        .build()
        .unwrap();
    let turn = say(&without, "ana", "this is wonderful").await;
    assert_eq!(turn.emotion.primary, PrimaryEmotion::Neutral);
    assert!(
        turn.degraded
            .iter()
            .any(|degradation| degradation.component == whisperengine::Component::Emotion)
    );
    without.shutdown().await;
    engine.shutdown().await;
}

#[tokio::test]
async fn the_same_person_in_two_channels_has_two_sessions_and_one_memory() {
    // Was: one session per user whatever the channel.
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    let message = |channel, text| engine.message("ember", "ana", channel, text).unwrap();
    engine
        .handle(message("garden", "the tulips are out"))
        .await
        .unwrap();
    clock.advance(Duration::from_secs(60));
    let turn = engine
        .handle(message("kitchen", "where did I say the tulips are?"))
        .await
        .unwrap();
    assert_eq!(turn.session.channel.as_str(), "kitchen");
    assert_eq!(
        turn.recalled.memories[0]
            .memory
            .channel
            .as_ref()
            .unwrap()
            .as_str(),
        "garden"
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_was_accepted_and_refuses_the_rest() {
    // Was: stop dropped the queues and left tasks running.
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        WhisperEngine::builder()
            .data_dir(folder.path())
            .clock(clock())
            .build()
            .unwrap()
    };
    let engine = start();
    let tickets: Vec<_> = (0..200)
        .map(|n| {
            engine
                .submit(
                    engine
                        .message("ember", &format!("user-{}", n % 20), "direct", "hold on")
                        .unwrap(),
                )
                .unwrap()
        })
        .collect();
    let report = engine.shutdown().await;
    assert_eq!((report.turns_given_back, report.writes_lost), (0, 0));
    for ticket in tickets {
        assert_eq!(ticket.await.unwrap().stored, Durability::Durable);
    }
    let late = engine.submit(engine.message("ember", "ana", "direct", "too late").unwrap());
    assert!(matches!(late, Err(Error::ShuttingDown)));
    drop(engine);
    let again = start();
    let mut stored = 0;
    for n in 0..20 {
        stored += support::memories(&again, &format!("user-{n}")).await.len();
    }
    assert_eq!(stored, 200);
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_a_session_is_kept_under_load() {
    // Was: per-user order not kept.
    let (folder, clock, emotion) = (tempfile::tempdir().unwrap(), clock(), Arc::new(Read::default()));
    let builder = WhisperEngine::builder().data_dir(folder.path()).clock(clock);
    let engine = builder.emotion(Arc::clone(&emotion) as _).build().unwrap();
    let people = ["ana", "ben", "cem", "dia"];
    let said = |user: &str, n: usize| format!("{user} says line {n}");
    let mut tickets = Vec::new();
    for n in 0..40 {
        for user in people {
            let message = engine.message("ember", user, "direct", &said(user, n)).unwrap();
            tickets.push((user, n, engine.submit(message).unwrap()));
        }
    }
    for (user, n, ticket) in tickets {
        let outcome = ticket.await.unwrap();
        assert_eq!(outcome.sequence, n as u64 + 1);
        let stored = support::known(&engine, user).get(&[outcome.turn]).await.unwrap();
        assert_eq!(stored[0].as_ref().unwrap().text, said(user, n));
    }
    let worked_on = emotion.texts();
    for user in people {
        let of_user = worked_on.iter().filter(|text| text.starts_with(user));
        assert!(of_user.eq((0..40).map(|n| said(user, n)).collect::<Vec<_>>().iter()));
    }
    engine.shutdown().await;
}

#[tokio::test]
async fn the_callers_message_is_left_alone_and_priority_words_are_checked() {
    // Was: caller's context dict mutated; unknown priority raised KeyError.
    assert!(
        "urgent"
            .parse::<Priority>()
            .unwrap_err()
            .to_string()
            .contains("critical, high, normal or low")
    );
    let json = r#"{"bot":"ember","user":"ana","channel":"c","text":"x","priority":"urgent","sent_at":0}"#;
    assert!(
        serde_json::from_str::<Message>(json)
            .unwrap_err()
            .to_string()
            .contains("unknown variant")
    );
}

#[tokio::test]
async fn what_was_said_to_an_audience_is_marked_so() {
    let engine = WhisperEngine::builder().clock(clock()).build().unwrap();
    let mut message = engine
        .message("ember", "ana", "plaza", "hello everybody")
        .unwrap();
    message.audience = Audience::Group(AudienceId::new("guild").unwrap());
    let outcome = engine.handle(message).await.unwrap();
    let stored = support::known(&engine, "ana").get(&[outcome.turn]).await.unwrap();
    let audience = stored[0].as_ref().unwrap().audience();
    assert_eq!(audience.group().unwrap().as_str(), "guild");
    engine.shutdown().await;
}

/// An emotion engine that notes the texts it reads, in order.
#[derive(Debug, Default)]
struct Read(EmotionEngine, Mutex<Vec<String>>);

impl Read {
    fn texts(&self) -> Vec<String> {
        self.1.lock().unwrap().clone()
    }
}

impl EmotionAnalyzer for Read {
    fn analyze_batch(&self, texts: &[&str]) -> Result<Vec<EmotionReading>, EmotionError> {
        self.1
            .lock()
            .unwrap()
            .extend(texts.iter().map(ToString::to_string));
        self.0.analyze_batch(texts)
    }
}

#[tokio::test]
async fn a_message_is_read_for_emotion_once() {
    // Was: the integrator computed it, and the engine behind it again.
    let (clock, emotion) = (clock(), Arc::new(Read::default()));
    let builder = WhisperEngine::builder().clock(clock.clone());
    let engine = builder.emotion(Arc::clone(&emotion) as _).build().unwrap();
    let turns = converse(&engine, &clock).await;
    engine.shutdown().await;
    assert_eq!(emotion.texts().len(), turns.len());
}

#[tokio::test]
async fn what_works_is_reported_so_and_checking_writes_nothing() {
    // Was: working components were reported missing, and the check wrote test rows to the real store.
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let engine = engine_in(&folder, &clock);
    assert!(engine.report().disabled.is_empty(), "{}", engine.report());
    let health = engine.health();
    assert_eq!(health.status, Status::Healthy);
    assert!(
        health.components.iter().all(|component| component.primary),
        "{health:?}"
    );
    assert!(engine.tick().await.is_empty());
    engine.shutdown().await;
    drop(engine);
    let embedder = Arc::new(StaticEmbedder::embedded());
    let memory = VectorMemory::open(folder.path(), embedder, VectorMemoryConfig::default());
    assert_eq!(memory.unwrap().owners().unwrap(), []);
}

#[tokio::test]
async fn a_fact_that_was_told_apart_from_any_talk_is_recalled() {
    // Was: storing a fact and asking for it raised errors in the default set-up.
    let clock = clock();
    let engine = WhisperEngine::builder().clock(clock.clone()).build().unwrap();
    let known = support::known(&engine, "ana");
    let id = MemoryId::new("fact-1").unwrap();
    let mut fact = MemoryRecord::new(id.clone(), "Ana is allergic to walnuts", clock.now());
    fact.kind = MemoryKind::Fact;
    known.remember(vec![fact]).await.unwrap();
    let query = RecallQuery::new("what is she allergic to?", 3, clock.now());
    let found = known.recall(query).await.unwrap();
    assert_eq!(found.memories[0].memory.id, id);
    let turn = say(&engine, "ana", "Can I eat walnuts?").await;
    assert_eq!(turn.recalled.memories[0].memory.id, id);
    engine.shutdown().await;
}
