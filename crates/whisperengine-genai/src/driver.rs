//! One reply: asking, waiting, asking again, and passing on what comes. The only file that reads a clock.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use genai::chat::{ChatRequest, ChatStream, ChatStreamEvent, StreamEnd};
use tokio::time::{Instant, sleep, timeout_at};
use whisperengine_types::ResponderError;

use crate::{
    config::Provider,
    model::Inner,
    retry::{Failure, jitter, wait},
};

/// A reply that is being written. Nothing is sent before the first call of [`next`](Self::next).
pub(crate) struct Reply {
    model: Arc<Inner>,
    request: ChatRequest,
    /// Names the turn: waits differ between turns.
    turn: String,
    state: State,
    deadline: Option<Instant>,
    attempt: u32,
    /// Bytes passed on.
    said: usize,
}

enum State {
    Asking,
    Writing(ChatStream),
    /// More came than is accepted.
    TooLong,
    Ended,
}

impl Reply {
    pub(crate) fn new(model: Arc<Inner>, request: ChatRequest, turn: String) -> Self {
        Self {
            model,
            request,
            turn,
            state: State::Asking,
            deadline: None,
            attempt: 0,
            said: 0,
        }
    }

    /// The next part; `None` once the reply is complete or an error was returned. Dropping the future loses
    /// nothing that was not returned yet.
    pub(crate) async fn next(&mut self) -> Option<Result<String, ResponderError>> {
        let total = self.model.config.deadline;
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + total);
        loop {
            let result = match &mut self.state {
                State::Ended => return None,
                State::TooLong => return Some(Err(self.broken("the answer is longer than accepted"))),
                State::Asking => match self.ask().await {
                    Ok(stream) => {
                        self.state = State::Writing(stream);
                        continue;
                    }
                    Err(failure) => Err(failure),
                },
                State::Writing(stream) => match timeout_at(deadline, stream.next()).await {
                    Ok(Some(Ok(event))) => match self.take(event) {
                        Some(part) => return Some(part),
                        None if matches!(self.state, State::Ended) => return None,
                        None => continue,
                    },
                    Ok(Some(Err(error))) => Err(Failure::of(&error)),
                    Ok(None) => return Some(Err(self.broken("the answer ended before it was complete"))),
                    Err(_) => Err(Failure::slow()),
                },
            };
            let Err(failure): Result<(), Failure> = result else {
                continue;
            };
            if let Some(error) = self.give_up_or_wait(failure, deadline).await {
                return Some(Err(error));
            }
        }
    }

    async fn ask(&mut self) -> Result<ChatStream, Failure> {
        let model = &self.model;
        let asked =
            model
                .client
                .exec_chat_stream(model.target.clone(), self.request.clone(), Some(&model.options));
        match asked.await {
            Ok(response) => Ok(response.stream),
            Err(error) => Err(Failure::of(&error)),
        }
    }

    /// What an event adds to the reply.
    fn take(&mut self, event: ChatStreamEvent) -> Option<Result<String, ResponderError>> {
        match event {
            ChatStreamEvent::Chunk(chunk) => {
                let mut text = chunk.content;
                if self.said == 0 {
                    text.drain(..text.len() - text.trim_start().len());
                }
                if text.is_empty() {
                    return None;
                }
                let mut room = self.model.config.max_reply_bytes - self.said;
                if text.len() > room {
                    while !text.is_char_boundary(room) {
                        room -= 1;
                    }
                    text.truncate(room);
                    self.state = State::TooLong;
                }
                self.said += text.len();
                Some(Ok(text))
            }
            ChatStreamEvent::End(end) => self.end(&end),
            ChatStreamEvent::Start
            | ChatStreamEvent::Heartbeat
            | ChatStreamEvent::ReasoningChunk(_)
            | ChatStreamEvent::ThoughtSignatureChunk(_)
            | ChatStreamEvent::ToolCallChunk(_) => None,
        }
    }

    fn end(&mut self, end: &StreamEnd) -> Option<Result<String, ResponderError>> {
        // This interface's client makes an end of its own when the connection closes.
        let is_cut = self.model.config.provider == Provider::Ollama && end.captured_stop_reason.is_none();
        if is_cut {
            return Some(Err(self.broken("the answer ended before it was complete")));
        }
        if self.said == 0 {
            return Some(Err(self.broken("the model said nothing")));
        }
        self.state = State::Ended;
        None
    }

    /// The end of a reply that is not complete.
    fn broken(&mut self, reason: &str) -> ResponderError {
        self.state = State::Ended;
        let reason = reason.to_owned();
        if self.said == 0 {
            ResponderError::Unavailable { reason }
        } else {
            ResponderError::BrokenOff { reason }
        }
    }

    /// Waits until it is time to ask again; an error when there is no use or no time.
    async fn give_up_or_wait(&mut self, failure: Failure, deadline: Instant) -> Option<ResponderError> {
        if self.said > 0 {
            return Some(self.broken(&failure.reason));
        }
        let jitter = jitter(&self.turn, self.attempt);
        let wait = wait(
            self.model.config.backoff,
            self.attempt,
            failure.retry_after,
            jitter,
        );
        let left = deadline.saturating_duration_since(Instant::now());
        let in_time = wait < left || wait == Duration::ZERO && left > Duration::ZERO;
        if !failure.is_temporary() || self.attempt >= self.model.config.retries || !in_time {
            self.state = State::Ended;
            return Some(failure.into());
        }
        self.attempt += 1;
        self.state = State::Asking;
        sleep(wait).await;
        None
    }
}
