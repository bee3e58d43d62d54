//! The language-model responder against a server of our own.
#![cfg(feature = "llm")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use whisperengine::{Component, OpenAi, OpenAiConfig, WhisperEngine};

/// Answers every request with the same status and body, and keeps what it was asked.
async fn server(status: &'static str, body: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            loop {
                let mut chunk = [0; 4096];
                let len = stream.read(&mut chunk).await.unwrap();
                request.extend_from_slice(&chunk[..len]);
                let text = String::from_utf8_lossy(&request);
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length")
                        .then(|| value.trim().parse::<usize>().unwrap())
                });
                if body.len() >= length.unwrap_or(0) {
                    break;
                }
            }
            seen.lock().unwrap().push(String::from_utf8(request).unwrap());
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

fn engine(base_url: String) -> WhisperEngine {
    let mut config = OpenAiConfig::default();
    config.base_url = base_url;
    config.api_key = "the-key".into();
    assert!(!format!("{config:?}").contains("the-key"));
    let responder = Arc::new(OpenAi::new(config).unwrap());
    WhisperEngine::builder()
        .clock(support::clock())
        .responder(responder)
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_model_gets_the_plan_and_its_reply_is_remembered() {
    let (address, asked) = server(
        "200 OK",
        r#"{"choices":[{"message":{"content":" Warm milk, perhaps. "}}]}"#,
    )
    .await;
    let engine = engine(address);
    let message = engine
        .message("ember", "ana", "direct", "I cannot sleep \"again\"")
        .unwrap();
    let exchange = engine.converse(message).await.unwrap();
    assert_eq!(exchange.reply, "Warm milk, perhaps.");
    assert!(
        exchange.outcome.degraded.is_empty()
            || exchange
                .outcome
                .degraded
                .iter()
                .all(|d| d.component == Component::Store)
    );
    let request = asked.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /v1/chat/completions"));
    assert!(request.to_lowercase().contains("authorization: bearer the-key"));
    let body: serde_json::Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["messages"][1]["content"], "I cannot sleep \"again\"");
    assert!(
        body["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains(&exchange.outcome.plan.prompt_supplement)
    );
    assert_eq!(
        engine.memories(&support::owner("ana")).unwrap()[1].text,
        "Warm milk, perhaps."
    );
    engine.shutdown().await;
}

#[tokio::test]
async fn a_server_that_is_down_is_stood_in_for_by_the_template() {
    for (status, body) in [
        ("503 Service Unavailable", "{}"),
        ("200 OK", "not json"),
        ("200 OK", r#"{"choices":[]}"#),
    ] {
        let (address, _) = server(status, body).await;
        let engine = engine(address);
        let exchange = engine
            .converse(engine.message("ember", "ana", "direct", "hello").unwrap())
            .await
            .unwrap();
        assert!(!exchange.reply.is_empty());
        assert!(
            exchange
                .outcome
                .degraded
                .iter()
                .any(|d| d.component == Component::Responder),
            "{status} {body}"
        );
        engine.shutdown().await;
    }
}

#[tokio::test]
async fn a_request_that_is_refused_is_an_error() {
    let (address, _) = server("401 Unauthorized", "{}").await;
    let engine = engine(address);
    let answer = engine
        .converse(engine.message("ember", "ana", "direct", "hello").unwrap())
        .await;
    assert!(matches!(answer, Err(whisperengine::Error::NoReply(_))));
    engine.shutdown().await;
}
