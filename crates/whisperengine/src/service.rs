//! The engine as a [`tower::Service`], for putting layers (timeouts, limits, tracing) around it.

use std::task::{Context, Poll};

use tower::Service;
use whisperengine_types::{Message, TurnOutcome};

use crate::{
    Ticket, WhisperEngine,
    error::{Error, Result},
};

/// `call` is [`WhisperEngine::submit`]: a refusal comes as the future's error.
impl Service<Message> for WhisperEngine {
    type Response = TurnOutcome;
    type Error = Error;
    type Future = Ticket;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        if self.is_shutting_down() {
            Poll::Ready(Err(Error::ShuttingDown))
        } else {
            Poll::Ready(Ok(()))
        }
    }

    fn call(&mut self, message: Message) -> Ticket {
        self.submit(message).unwrap_or_else(Ticket::refused)
    }
}
