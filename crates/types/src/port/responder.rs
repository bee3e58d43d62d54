use std::{fmt::Debug, future::Future, pin::Pin};

use crate::{Message, TurnOutcome};

/// A boxed future, so that an asynchronous port stays object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Writes the reply: a template, a language model, a person.
///
/// Dropping the future gives the reply up; nothing else is affected.
pub trait Responder: Send + Sync + Debug {
    /// The reply to `message`, made with what `outcome` says.
    fn respond<'a>(
        &'a self,
        message: &'a Message,
        outcome: &'a TurnOutcome,
    ) -> BoxFuture<'a, Result<String, ResponderError>>;
}

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResponderError {
    /// The responder does not answer at present.
    #[error("responder is unavailable: {reason}")]
    Unavailable {
        /// What is known of the cause.
        reason: String,
    },
    /// The responder refused this message.
    #[error("responder refused: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
}

/// The null responder: says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Responder for Silent {
    fn respond<'a>(
        &'a self,
        _: &'a Message,
        _: &'a TurnOutcome,
    ) -> BoxFuture<'a, Result<String, ResponderError>> {
        Box::pin(async { Ok(String::new()) })
    }
}
