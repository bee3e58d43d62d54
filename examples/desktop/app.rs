//! What the screen shows, as plain data: changed by what happens, drawn by [`view`](crate::view).

use std::collections::VecDeque;

use whisperengine::{
    Durability, MemoryRecord, MomentPlan, PrimaryEmotion, RecalledMemory, ScoreParts, Suggestion, ThreadPlan,
    Timestamp, TurnOutcome,
};

/// The state of the screen.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) bot: String,
    pub(crate) user: String,
    /// The line being written.
    pub(crate) input: String,
    /// The conversation, oldest first.
    pub(crate) chat: VecDeque<ChatLine>,
    /// Lines at the end of the conversation that are scrolled out of view.
    pub(crate) scroll: usize,
    /// The course of feelings, oldest first.
    pub(crate) feelings: VecDeque<Feeling>,
    /// What the last message brought back, best first.
    pub(crate) recalled: Vec<Recollection>,
    /// Threads in the order of their last message, latest first.
    pub(crate) threads: Vec<ThreadPlan>,
    /// Moments of the last message.
    pub(crate) moments: Vec<MomentPlan>,
    /// Suggestions of the last message.
    pub(crate) suggestions: Vec<Suggestion>,
    /// What became of the last message, or how to begin.
    pub(crate) status: String,
    /// Whether `status` tells of a fault.
    pub(crate) fault: bool,
    /// Whether a reply is being waited for.
    pub(crate) waiting: bool,
}

/// One line of the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChatLine {
    pub(crate) from: Speaker,
    pub(crate) text: String,
    pub(crate) at: Timestamp,
}

/// Who says a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    Person,
    Bot,
    /// The bot, on its own initiative.
    Unasked,
}

/// The feeling in one message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feeling {
    pub(crate) emotion: PrimaryEmotion,
    /// `-1..=1`.
    pub(crate) valence: f32,
    /// `0..=1`.
    pub(crate) intensity: f32,
}

/// A memory that came back, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recollection {
    pub(crate) text: String,
    pub(crate) at: Timestamp,
    pub(crate) why: String,
}

impl App {
    /// An empty conversation of `user` with `bot`.
    pub(crate) fn new(bot: &str, user: &str) -> Self {
        Self {
            bot: bot.to_owned(),
            user: user.to_owned(),
            input: String::new(),
            chat: VecDeque::new(),
            scroll: 0,
            feelings: VecDeque::new(),
            recalled: Vec::new(),
            threads: Vec::new(),
            moments: Vec::new(),
            suggestions: Vec::new(),
            status: "Enter sends, Esc ends; /proactive on|off, /forget".to_owned(),
            fault: false,
            waiting: false,
        }
    }

    /// Shows an earlier conversation.
    pub(crate) fn remember(&mut self, record: &MemoryRecord) {
        let by_bot = record.speaker.as_deref() == Some(self.bot.as_str());
        let from = if by_bot { Speaker::Bot } else { Speaker::Person };
        self.say(from, &record.text, record.sent_at);
    }

    /// The person sent a line.
    pub(crate) fn sent(&mut self, text: &str, at: Timestamp) {
        self.say(Speaker::Person, text, at);
        self.waiting = true;
    }

    /// The engine and the responder are done with it.
    pub(crate) fn answered(&mut self, outcome: &TurnOutcome, reply: &str, at: Timestamp) {
        self.waiting = false;
        let emotion = &outcome.emotion;
        push_bounded(
            &mut self.feelings,
            Feeling {
                emotion: emotion.primary,
                valence: emotion.valence,
                intensity: emotion.intensity,
            },
        );
        self.recalled = outcome.recalled.memories.iter().map(Recollection::from).collect();
        if let Some(thread) = &outcome.plan.thread {
            self.threads.retain(|known| known.id != thread.id);
            self.threads.insert(0, thread.clone());
        }
        self.moments.clone_from(&outcome.plan.moments);
        self.suggestions.clone_from(&outcome.plan.engagement.suggestions);
        self.tell(&stored(outcome), outcome.stored != Durability::Durable);
        self.say(Speaker::Bot, reply, at);
    }

    /// A message or command failed.
    pub(crate) fn failed(&mut self, error: &str) {
        self.waiting = false;
        self.tell(error, true);
    }

    /// The bot says something on its own initiative.
    pub(crate) fn suggested(&mut self, suggestion: &Suggestion, at: Timestamp) {
        self.say(Speaker::Unasked, &suggestion.text, at);
    }

    /// Everything about the person is gone.
    pub(crate) fn forgotten(&mut self) {
        *self = Self::new(&self.bot, &self.user);
        self.tell("everything about you is deleted", false);
    }

    /// Scrolls `lines` back, at most to the first.
    pub(crate) fn scroll_back(&mut self, lines: usize) {
        self.scroll = (self.scroll + lines).min(self.chat.len().saturating_sub(1));
    }

    /// Puts a notice on the status line.
    pub(crate) fn tell(&mut self, notice: &str, fault: bool) {
        notice.clone_into(&mut self.status);
        self.fault = fault;
    }

    fn say(&mut self, from: Speaker, text: &str, at: Timestamp) {
        push_bounded(
            &mut self.chat,
            ChatLine {
                from,
                text: text.to_owned(),
                at,
            },
        );
        self.scroll = 0;
    }
}

impl From<&RecalledMemory> for Recollection {
    fn from(hit: &RecalledMemory) -> Self {
        let ScoreParts {
            dense,
            lexical,
            neighbours,
            speaker,
            prior,
        } = hit.parts;
        let parts = [
            ("meaning", dense),
            ("words", lexical),
            ("context", neighbours),
            ("speaker", speaker),
            ("weight", prior),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(_, points)| points.abs() >= 0.005)
            .map(|(name, points)| format!("{name} {points:.2}"))
            .collect();
        let mut why = parts.join(" + ");
        if !hit.matched_terms.is_empty() {
            why = format!("shares {}: {why}", hit.matched_terms.join(", "));
        }
        Self {
            text: hit.memory.text.clone(),
            at: hit.memory.sent_at,
            why,
        }
    }
}

fn stored(outcome: &TurnOutcome) -> String {
    let mut status = match &outcome.stored {
        Durability::Durable => "stored durably".to_owned(),
        Durability::Volatile => "stored in memory only".to_owned(),
        Durability::NotStored { reason } => format!("NOT stored: {reason}"),
    };
    for degradation in &outcome.degraded {
        status.push_str(&format!(
            "; {} is degraded: {}",
            degradation.component, degradation.reason
        ));
    }
    status
}

fn push_bounded<T>(items: &mut VecDeque<T>, item: T) {
    if items.len() == KEPT {
        items.pop_front();
    }
    items.push_back(item);
}

const KEPT: usize = 500;
