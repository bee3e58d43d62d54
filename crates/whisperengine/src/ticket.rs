//! A turn that was accepted, until its outcome is there.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;
use whisperengine_conversation_scheduler::{self as scheduler, TurnError};
use whisperengine_types::TurnOutcome;

use crate::error::{Error, Result};

/// The outcome to come of an accepted turn. Dropping it gives the turn up if it was not started.
#[derive(Debug)]
#[must_use = "a dropped ticket gives the turn up"]
pub struct Ticket {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Scheduled(scheduler::Ticket<TurnOutcome>),
    Inline(oneshot::Receiver<Result<TurnOutcome>>),
    Refused(Option<Error>),
}

impl Ticket {
    pub(crate) fn scheduled(ticket: scheduler::Ticket<TurnOutcome>) -> Self {
        Self {
            kind: Kind::Scheduled(ticket),
        }
    }

    pub(crate) fn inline(answer: oneshot::Receiver<Result<TurnOutcome>>) -> Self {
        Self {
            kind: Kind::Inline(answer),
        }
    }

    pub(crate) fn refused(error: Error) -> Self {
        Self {
            kind: Kind::Refused(Some(error)),
        }
    }
}

impl Future for Ticket {
    type Output = Result<TurnOutcome>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.kind {
            Kind::Scheduled(ticket) => Pin::new(ticket)
                .poll(context)
                .map(|answer| answer.map_err(failure)),
            Kind::Inline(answer) => {
                let gone = |_| {
                    Err(Error::TurnFailed {
                        reason: "the runtime has ended".to_owned(),
                    })
                };
                Pin::new(answer)
                    .poll(context)
                    .map(|answer| answer.unwrap_or_else(gone))
            }
            Kind::Refused(error) => Poll::Ready(Err(error.take().unwrap_or(Error::ShuttingDown))),
        }
    }
}

fn failure(error: TurnError) -> Error {
    match error {
        TurnError::HandedBack => Error::ShuttingDown,
        error => Error::TurnFailed {
            reason: error.to_string(),
        },
    }
}
