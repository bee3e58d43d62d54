use std::{
    fmt::Debug,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;

use crate::{Message, TurnOutcome};

/// A boxed future, so that an asynchronous port stays object-safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// A boxed stream, so that a port that answers in parts stays object-safe.
pub type BoxStream<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

/// A turn whose reply is to be written.
#[derive(Debug, Clone)]
pub struct ReplyRequest {
    /// The message.
    pub message: Arc<Message>,
    /// What the engine made of it; [`TurnOutcome::context`] is what a language model is given.
    pub outcome: Arc<TurnOutcome>,
}

/// Writes the reply: a template, a language model, a person.
pub trait Responder: Send + Sync + Debug {
    /// The reply, in parts of text to be joined as they are; the stream ends when it is complete.
    ///
    /// After an error nothing more comes. Dropping the stream gives the rest of the reply up; nothing else
    /// is affected.
    fn respond(&self, request: ReplyRequest) -> BoxStream<Result<String, ResponderError>>;
}

/// A reply that is there as a whole: a stream of one part, or of one error.
#[derive(Debug)]
pub struct WholeReply(Option<Result<String, ResponderError>>);

impl WholeReply {
    /// The stream of `reply`.
    pub fn new(reply: Result<String, ResponderError>) -> Self {
        Self(Some(reply))
    }
}

impl Stream for WholeReply {
    type Item = Result<String, ResponderError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.0.is_some()), Some(usize::from(self.0.is_some())))
    }
}

/// Why there is no reply, or no more of it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ResponderError {
    /// The responder does not answer at present.
    #[error("responder is unavailable: {reason}")]
    Unavailable {
        /// What is known of the cause.
        reason: String,
    },
    /// The responder takes no more requests for a while; it is not broken.
    #[error("responder is busy")]
    Busy {
        /// How long to wait, where it says so.
        retry_after: Option<Duration>,
    },
    /// The reply broke off after its beginning.
    #[error("reply broke off: {reason}")]
    BrokenOff {
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
pub struct NoResponder;

impl Responder for NoResponder {
    fn respond(&self, _: ReplyRequest) -> BoxStream<Result<String, ResponderError>> {
        Box::pin(WholeReply(None))
    }
}
