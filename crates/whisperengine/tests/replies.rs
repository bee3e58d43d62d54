//! Responders that are slow, broken, busy, endless or silent: the person is answered, and the reply is kept.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures_core::Stream;
use support::{clock, memories};
use whisperengine::{
    BoxStream, Component, Durability, Error, Exchange, ReplyRequest, Responder, ResponderError, Status,
    WhisperEngine,
};

/// What a responder does with a request.
#[derive(Debug, Clone)]
enum Act {
    Say(Vec<Result<String, ResponderError>>),
    Hang,
    SayAndHang(&'static str),
    Endless(&'static str),
    PanicAtOnce,
    PanicLater,
}

#[derive(Debug)]
struct Scripted {
    act: Mutex<Act>,
    asked: AtomicUsize,
    seen: Mutex<Vec<String>>,
}

struct Script(Act);

impl Stream for Script {
    type Item = Result<String, ResponderError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Act::Say(parts) if parts.is_empty() => Poll::Ready(None),
            Act::Say(parts) => Poll::Ready(Some(parts.remove(0))),
            Act::Hang => Poll::Pending,
            Act::SayAndHang(text) => {
                let text = (*text).to_owned();
                self.0 = Act::Hang;
                Poll::Ready(Some(Ok(text)))
            }
            Act::Endless(text) => Poll::Ready(Some(Ok((*text).to_owned()))),
            Act::PanicAtOnce | Act::PanicLater => panic!("the responder panics on demand"),
        }
    }
}

impl Responder for Scripted {
    fn respond(&self, request: ReplyRequest) -> BoxStream<Result<String, ResponderError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.seen
            .lock()
            .unwrap()
            .push(format!("{:?}", request.outcome.context));
        let act = self.act.lock().unwrap().clone();
        assert!(!matches!(act, Act::PanicAtOnce), "the responder panics on demand");
        Box::pin(Script(act))
    }
}

fn engine_with(act: Act) -> (WhisperEngine, Arc<Scripted>) {
    let responder = Arc::new(Scripted {
        act: Mutex::new(act),
        asked: AtomicUsize::new(0),
        seen: Mutex::default(),
    });
    let builder = WhisperEngine::builder()
        .clock(clock())
        .responder(Arc::clone(&responder) as _);
    let builder = builder.configure(|config| {
        config.reply_timeout_ms = 500;
        config.reply_limit_bytes = 1_000;
    });
    (builder.build().unwrap(), responder)
}

async fn ask(engine: &WhisperEngine, text: &str) -> Result<Exchange, Error> {
    let message = engine.message("ember", "ana", "direct", text).unwrap();
    engine.converse(message).await
}

fn away() -> ResponderError {
    ResponderError::Unavailable {
        reason: "the model is down".to_owned(),
    }
}

fn busy() -> ResponderError {
    ResponderError::Busy { retry_after: None }
}

#[tokio::test]
async fn whatever_the_responder_does_there_is_a_reply_that_is_kept() {
    let said = |text: &str| Ok(text.to_owned());
    // What it does, the reply if not the template's, and whether the reply is named degraded.
    let table = [
        (
            Act::Say(vec![said("All "), said("good.")]),
            Some("All good."),
            false,
        ),
        (Act::Say(vec![]), None, true),
        (Act::Say(vec![said(" "), said("\n")]), None, true),
        (Act::Say(vec![Err(away())]), None, true),
        (Act::Say(vec![said("  "), Err(away())]), None, true),
        (
            Act::Say(vec![said("The first half"), Err(away())]),
            Some("The first half"),
            true,
        ),
        (Act::Say(vec![Err(busy())]), None, true),
        (Act::Hang, None, true),
        (Act::SayAndHang("So far"), Some("So far"), true),
        (Act::PanicAtOnce, None, true),
        (Act::PanicLater, None, true),
        (Act::Endless(""), None, true),
    ];
    for (act, expected, degraded) in table {
        let (engine, _) = engine_with(act.clone());
        let exchange = ask(&engine, "My cat climbed the roof again").await.unwrap();
        if let Some(expected) = expected {
            assert_eq!(exchange.reply, expected, "{act:?}");
        }
        assert!(!exchange.reply.trim().is_empty(), "{act:?}");
        let named = exchange
            .outcome
            .degraded
            .iter()
            .any(|part| part.component == Component::Responder);
        assert_eq!(named, degraded, "{act:?}: {:?}", exchange.outcome.degraded);
        assert!(
            !matches!(exchange.reply_stored, Durability::NotStored { .. }),
            "{act:?}"
        );
        let kept = memories(&engine, "ana").await;
        assert_eq!(kept.last().unwrap().text, exchange.reply, "{act:?}");
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_long_reply_is_cut_and_kept() {
    for act in [
        Act::Say(vec![Ok("x".repeat(70_000))]),
        Act::Say(vec![Ok("x".repeat(999)), Ok("ä".repeat(50))]),
        Act::Endless("äöü"),
        Act::Endless("word "),
    ] {
        let (engine, _) = engine_with(act);
        let exchange = ask(&engine, "Tell me everything").await.unwrap();
        assert!(
            (990..=1_000).contains(&exchange.reply.len()),
            "{}",
            exchange.reply.len()
        );
        assert_eq!(memories(&engine, "ana").await[1].text, exchange.reply);
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_busy_or_silent_model_stays_in_charge_and_a_broken_one_is_left_alone() {
    for (act, stays) in [
        (Act::Say(vec![Err(busy())]), true),
        (Act::Say(vec![]), true),
        (Act::Say(vec![Err(away())]), false),
        (Act::PanicLater, false),
    ] {
        let (engine, responder) = engine_with(act.clone());
        for n in 0..10 {
            ask(&engine, &format!("line {n}")).await.unwrap();
        }
        let asked = responder.asked.load(Ordering::SeqCst);
        assert_eq!(asked, if stays { 10 } else { 3 }, "{act:?}");
        let health = engine.health();
        assert_eq!(health.status == Status::Degraded, !stays, "{act:?}: {health:?}");
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_refusal_reaches_the_caller() {
    let refused = ResponderError::Refused {
        reason: "no".to_owned(),
    };
    let (engine, _) = engine_with(Act::Say(vec![Err(refused)]));
    assert!(matches!(
        ask(&engine, "hello").await,
        Err(Error::NoReply(ResponderError::Refused { .. }))
    ));
    assert_eq!(
        memories(&engine, "ana").await.len(),
        1,
        "the message is stored all the same"
    );
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_message_is_answered_with_the_first_reply_in_view() {
    let (engine, responder) = engine_with(Act::Say(vec![Ok("Try the blue kettle.".to_owned())]));
    let first = tokio::spawn({
        let engine = engine.clone();
        async move { ask(&engine, "Which kettle should I take?").await }
    });
    while responder.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let second = ask(&engine, "And why?").await.unwrap();
    first.await.unwrap().unwrap();
    let seen = responder.seen.lock().unwrap().clone();
    assert!(
        !seen[0].contains("blue kettle") && seen[1].contains("blue kettle"),
        "{seen:?}"
    );
    assert!(format!("{:?}", second.outcome.context).contains("blue kettle"));
    engine.shutdown().await;
}
