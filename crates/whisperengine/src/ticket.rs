//! A turn that was accepted, until its outcome is there.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

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
    Accepted(scheduler::Ticket<TurnOutcome>),
    Refused(Option<Error>),
}

impl Ticket {
    pub(crate) fn new(ticket: scheduler::Ticket<TurnOutcome>) -> Self {
        Self {
            kind: Kind::Accepted(ticket),
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
            Kind::Accepted(ticket) => Pin::new(ticket)
                .poll(context)
                .map(|answer| answer.map_err(failure)),
            Kind::Refused(error) => Poll::Ready(Err(error.take().unwrap_or(Error::ShuttingDown))),
        }
    }
}

fn failure(error: TurnError) -> Error {
    match error {
        TurnError::HandedBack => Error::ShuttingDown,
        TurnError::Merged | TurnError::Superseded => Error::Merged,
        error => Error::TurnFailed {
            reason: error.to_string(),
        },
    }
}
