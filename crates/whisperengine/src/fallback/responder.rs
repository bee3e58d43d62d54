use whisperengine_types::{BoxFuture, Message, Responder, ResponderError, TurnOutcome};

use super::Fallback;

impl Responder for Fallback<dyn Responder> {
    fn respond<'a>(
        &'a self,
        message: &'a Message,
        outcome: &'a TurnOutcome,
    ) -> BoxFuture<'a, Result<String, ResponderError>> {
        Box::pin(async move {
            let Some(attempt) = self.gate.enter() else {
                return self.secondary.respond(message, outcome).await;
            };
            match self.primary.respond(message, outcome).await {
                Err(error @ ResponderError::Unavailable { .. }) => {
                    attempt.failed(&error);
                    self.secondary.respond(message, outcome).await
                }
                answer => {
                    attempt.succeeded();
                    answer
                }
            }
        })
    }
}
