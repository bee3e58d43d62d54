//! The engine as a tower service.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use tower::{Service, ServiceBuilder, ServiceExt};
use whisperengine::{Error, WhisperEngine};

#[tokio::test]
async fn layers_go_around_the_engine() {
    let engine = WhisperEngine::builder().clock(support::clock()).build().unwrap();
    let mut service = ServiceBuilder::new()
        .timeout(Duration::from_secs(60))
        .service(engine.service());
    let message = engine.message("ember", "ana", "direct", "good morning").unwrap();
    let outcome = service
        .ready()
        .await
        .unwrap()
        .call(message.clone())
        .await
        .unwrap();
    assert_eq!(outcome.session, message.session());
    let mut empty = message;
    empty.text.clear();
    let refused = service.ready().await.unwrap().call(empty).await.unwrap_err();
    assert!(matches!(
        refused.downcast_ref::<Error>(),
        Some(Error::InvalidMessage(_))
    ));
    engine.shutdown().await;
    assert!(service.ready().await.is_err());
}
