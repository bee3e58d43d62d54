//! The engine behind the screen.

use std::{error::Error, path::Path, sync::Arc};

use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};
use whisperengine::{
    BotId, Clock, Exchange, Feedback, MemoryRecord, OwnerHandle, Suggestion, Timestamp, UserId, WhisperEngine,
};
use whisperengine_examples::{input, report};

use crate::{app::App, view, wrap};

/// One person's conversation with one bot.
#[derive(Debug)]
pub(crate) struct Session {
    engine: WhisperEngine,
    known: OwnerHandle,
    bot: String,
    user: String,
    clock: Arc<dyn Clock>,
}

/// What a line from the person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request<'a> {
    Nothing,
    Quit,
    Forget,
    Proactive { allowed: bool },
    Say(&'a str),
}

impl<'a> Request<'a> {
    /// Reads one line.
    pub(crate) fn read(line: &'a str) -> Self {
        match line.trim() {
            "" => Self::Nothing,
            "/quit" => Self::Quit,
            "/forget" => Self::Forget,
            "/proactive on" => Self::Proactive { allowed: true },
            "/proactive off" => Self::Proactive { allowed: false },
            text => Self::Say(text),
        }
    }
}

impl Session {
    /// Opens the memories in `data`, which is made if it does not exist.
    pub(crate) fn open(
        data: &Path,
        bot: &str,
        user: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Box<dyn Error>> {
        let engine = WhisperEngine::builder()
            .data_dir(data)
            .clock(Arc::clone(&clock))
            .build()?;
        let known = engine.owner(BotId::new(bot)?, UserId::new(user)?);
        Ok(Self {
            engine,
            known,
            bot: bot.to_owned(),
            user: user.to_owned(),
            clock,
        })
    }

    /// The screen as it is at first: with what was said before.
    pub(crate) async fn app(&self) -> Result<App, Box<dyn Error>> {
        let mut app = App::new(&self.bot, &self.user);
        let mut memories = Vec::new();
        loop {
            let after = memories
                .last()
                .map(|memory: &Arc<MemoryRecord>| memory.id.clone());
            let page = self.known.memories(after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            memories.extend(page);
            if is_last {
                break;
            }
        }
        memories.sort_by_key(|memory| memory.sent_at);
        memories.iter().for_each(|memory| app.remember(memory));
        Ok(app)
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Says `text` and has the reply written and stored; the error is for people.
    pub(crate) async fn say(&self, text: &str) -> Result<Exchange, String> {
        let message = self
            .engine
            .message(&self.bot, &self.user, CHANNEL, text)
            .map_err(|error| report::chain(&error))?;
        self.engine
            .converse(message)
            .await
            .map_err(|error| report::chain(&error))
    }

    /// Allows or forbids messages on the bot's own initiative.
    pub(crate) async fn allow_proactive(&self, allowed: bool) -> Result<(), String> {
        let consent = Feedback::Proactive { allowed };
        self.known
            .feed_back(consent)
            .await
            .map_err(|error| report::chain(&error))
    }

    /// What the bot has to say unasked; confirmed as sent.
    pub(crate) async fn unasked(&self) -> Vec<Suggestion> {
        let mut due = Vec::new();
        for suggestion in self.known.tick().await.unwrap_or_default() {
            let sent = Feedback::SuggestionSent {
                suggestion: suggestion.id.clone(),
                at: self.now(),
            };
            if self.known.feed_back(sent).await.is_ok() {
                due.push(suggestion);
            }
        }
        due
    }

    /// Deletes everything known of the person.
    pub(crate) async fn forget(&self) -> Result<(), String> {
        self.known.forget().await.map_err(|error| report::chain(&error))
    }

    /// Feeds the lines of a file and returns the last screen as text.
    pub(crate) async fn play(&self, file: &Path, size: (u16, u16)) -> Result<String, Box<dyn Error>> {
        let mut app = self.app().await?;
        for line in input::lines(file)? {
            match Request::read(&line) {
                Request::Quit => break,
                request => self.carry_out(request, &mut app).await,
            }
        }
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1))?;
        terminal.draw(|frame| view::draw(&app, frame))?;
        Ok(text(terminal.backend().buffer()))
    }

    /// Does what a line asks for and waits for it; [`Request::Quit`] does nothing here.
    pub(crate) async fn carry_out(&self, request: Request<'_>, app: &mut App) {
        let done = match request {
            Request::Nothing | Request::Quit => Ok(()),
            Request::Forget => self.forget().await.map(|()| app.forgotten()),
            Request::Proactive { allowed } => self.allow_proactive(allowed).await.map(|()| {
                let notice = if allowed {
                    "I may write unasked"
                } else {
                    "I write only when asked"
                };
                app.tell(notice, false);
            }),
            Request::Say(text) => {
                app.sent(text, self.now());
                let answer = self.say(text).await;
                answer.map(|exchange| app.answered(&exchange.outcome, &exchange.reply, self.now()))
            }
        };
        if let Err(error) = done {
            app.failed(&error);
        }
    }

    /// Finishes what was begun and closes the memories.
    pub(crate) async fn close(self) {
        self.engine.shutdown().await;
    }
}

/// A screen as lines of text.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.content.chunks(buffer.area.width.into()) {
        let mut line = String::new();
        let mut covered = 0;
        for cell in row {
            // A wide character hides the cells behind it.
            if covered == 0 {
                line.push_str(cell.symbol());
                covered = wrap::columns(cell.symbol());
            }
            covered = covered.saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

const CHANNEL: &str = "desktop";

const PAGE: usize = 1024;
