//! The engine as a [`tower::Service`], for putting layers (timeouts, limits, tracing) around it.

use std::task::{Context, Poll, ready};

use tower::Service;
use whisperengine_conversation_scheduler::Place;
use whisperengine_types::{Message, TurnOutcome};

use crate::{
    Ticket, WhisperEngine,
    error::{Error, Result},
    turn::Turn,
};

/// A [`WhisperEngine`] as a service of messages.
///
/// `poll_ready` is ready once a place in the queue is reserved for this clone, and pending while the queue is
/// full. A clone has no place of its own yet; a dropped service gives its place back.
#[derive(Debug)]
pub struct EngineService {
    engine: WhisperEngine,
    place: Option<Place<Turn, TurnOutcome>>,
}

impl WhisperEngine {
    /// This engine as a [`tower::Service`].
    pub fn service(&self) -> EngineService {
        EngineService {
            engine: self.clone(),
            place: None,
        }
    }
}

impl Clone for EngineService {
    fn clone(&self) -> Self {
        self.engine.service()
    }
}

/// `call` is [`WhisperEngine::submit`] into the reserved place: a refusal comes as the future's error.
impl Service<Message> for EngineService {
    type Response = TurnOutcome;
    type Error = Error;
    type Future = Ticket;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        if self.engine.is_shutting_down() {
            return Poll::Ready(Err(Error::ShuttingDown));
        }
        if self.place.is_none() {
            let place = ready!(self.engine.inner.scheduler.poll_place(context));
            self.place = Some(place.map_err(|refused| crate::engine::refusal(&refused))?);
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, message: Message) -> Ticket {
        let place = self.place.take();
        self.engine
            .submit_to(place, message)
            .unwrap_or_else(Ticket::refused)
    }
}
