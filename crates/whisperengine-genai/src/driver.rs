//! One reply: asking, waiting, asking again, and passing on what comes. The only file that reads a clock.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use genai::chat::{ChatMessage, ChatRequest, ChatStream, ChatStreamEvent, StreamEnd, ToolResponse};
use tokio::time::{Instant, sleep, timeout_at};
use whisperengine_types::ResponderError;

use crate::{
    config::Provider,
    model::Inner,
    retry::{Failure, jitter, wait},
    tool::{ToolCall, Toolbox},
};

/// A reply that is being written. Nothing is sent before the first call of [`next`](Self::next).
pub(crate) struct Reply {
    model: Arc<Inner>,
    request: ChatRequest,
    toolbox: Option<Arc<dyn Toolbox>>,
    /// How often tools were used.
    rounds: u32,
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
    /// The model waits for what its tools say.
    Calling(Box<StreamEnd>),
    /// More came than is accepted.
    TooLong,
    Ended,
}

impl Reply {
    pub(crate) fn new(
        model: Arc<Inner>,
        request: ChatRequest,
        toolbox: Option<Arc<dyn Toolbox>>,
        turn: String,
    ) -> Self {
        Self {
            model,
            request,
            toolbox,
            rounds: 0,
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
                State::Calling(end) => {
                    let end = std::mem::take(&mut **end);
                    match timeout_at(deadline, self.use_tools(end)).await {
                        Ok(()) => continue,
                        Err(_) => Err(Failure::slow()),
                    }
                }
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
        let options = match self.toolbox {
            Some(_) => &model.tool_options,
            None => &model.options,
        };
        let (target, request) = (model.target.clone(), self.request.clone());
        let asked = model.client.exec_chat_stream(target, request, Some(options));
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
            ChatStreamEvent::End(end) => self.end(end),
            ChatStreamEvent::Start
            | ChatStreamEvent::Heartbeat
            | ChatStreamEvent::ReasoningChunk(_)
            | ChatStreamEvent::ThoughtSignatureChunk(_)
            | ChatStreamEvent::ToolCallChunk(_) => None,
        }
    }

    fn end(&mut self, end: StreamEnd) -> Option<Result<String, ResponderError>> {
        let calls = end.captured_tool_calls().is_some_and(|calls| !calls.is_empty());
        if calls && self.toolbox.is_some() && self.rounds < MAX_ROUNDS {
            self.state = State::Calling(Box::new(end));
            return None;
        }
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

    /// Runs the tools that the model called and adds what they say to the request. A tool that fails says so to
    /// the model.
    async fn use_tools(&mut self, end: StreamEnd) {
        let calls: Vec<_> = end
            .captured_tool_calls()
            .unwrap_or_default()
            .into_iter()
            .cloned()
            .collect();
        let mut messages = Vec::with_capacity(calls.len() + 1);
        messages.push(match end.captured_content {
            Some(content) => ChatMessage::assistant(content),
            None => ChatMessage::from(calls.clone()),
        });
        for call in calls {
            let asked = ToolCall {
                name: call.fn_name.clone(),
                arguments: call.fn_arguments.clone(),
            };
            let said = match &self.toolbox {
                Some(toolbox) => toolbox
                    .call(asked)
                    .await
                    .unwrap_or_else(|error| error.to_string()),
                None => String::new(),
            };
            messages.push(ToolResponse::from_tool_call(&call, said).into());
        }
        self.request.messages.extend(messages);
        self.rounds += 1;
        if self.rounds == MAX_ROUNDS {
            self.request.tools = None;
        }
        self.attempt = 0;
        self.state = State::Asking;
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

/// After so many uses of its tools the model has to answer without.
const MAX_ROUNDS: u32 = 4;
