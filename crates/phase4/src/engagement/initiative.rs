use std::time::Duration;

use serde::{Deserialize, Serialize};
use whisperengine_types::{EngagementStrategy, Timestamp};

use crate::{
    error::Error,
    number::{push_bounded, unit},
};

/// What the bot said of its own accord, and how it was taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Initiative {
    /// What the person or the app decided; nothing is sent before.
    consent: Option<bool>,
    /// When suggestions were sent, latest last.
    sent: Vec<Timestamp>,
    unanswered: u32,
    awaiting: Option<EngagementStrategy>,
    /// Sent and success of each strategy, `0..=1`; 0.5 to begin with.
    record: [(u32, f32); STRATEGIES],
    /// What was suggested lately, so that it does not come again.
    history: Vec<u32>,
}

const ALL: [EngagementStrategy; STRATEGIES] = [
    EngagementStrategy::TopicSuggestion,
    EngagementStrategy::FollowUpQuestion,
    EngagementStrategy::MemoryConnection,
    EngagementStrategy::EmotionalCheckIn,
    EngagementStrategy::SharedInterest,
    EngagementStrategy::CuriosityPrompt,
    EngagementStrategy::Celebration,
    EngagementStrategy::SupportOffer,
];
pub(super) const STRATEGIES: usize = 8;
const MAX_SENT: usize = 12;
const MAX_HISTORY: usize = 12;

impl Default for Initiative {
    fn default() -> Self {
        Self {
            consent: None,
            sent: Vec::new(),
            unanswered: 0,
            awaiting: None,
            record: [(0, 0.5); STRATEGIES],
            history: Vec::new(),
        }
    }
}

impl Initiative {
    pub(crate) fn allow(&mut self, allowed: bool) {
        self.consent = Some(allowed);
    }

    /// Whether messages on the bot's own initiative are allowed.
    pub(crate) fn is_allowed(&self) -> bool {
        self.consent == Some(true)
    }

    /// Whether the person wants to be left alone.
    pub(super) fn is_refused(&self) -> bool {
        self.consent == Some(false)
    }

    pub(crate) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    pub(crate) fn sent_within(&self, now: Timestamp, span: Duration) -> usize {
        self.sent.iter().filter(|&&at| now.since(at) < span).count()
    }

    /// How well a strategy has worked with this person, `0..=1`.
    pub(crate) fn success(&self, strategy: EngagementStrategy) -> f32 {
        self.record[strategy as usize].1
    }

    /// Strategies that were taken up gladly, best first.
    pub(super) fn welcome(&self) -> Vec<EngagementStrategy> {
        let mut welcome: Vec<_> = ALL
            .into_iter()
            .filter(|&strategy| self.used(strategy) > 0 && self.success(strategy) > 0.5)
            .collect();
        welcome.sort_by(|&a, &b| self.success(b).total_cmp(&self.success(a)).then(a.cmp(&b)));
        welcome
    }

    /// How often a strategy was used.
    pub(crate) fn used(&self, strategy: EngagementStrategy) -> u32 {
        self.record[strategy as usize].0
    }

    pub(super) fn is_stale(&self, key: u32) -> bool {
        self.history.contains(&key)
    }

    /// Counts a suggestion as sent; its id says what it was, so that suggesting leaves no trace.
    pub(crate) fn confirm(&mut self, id: &str, at: Timestamp) -> Result<(), Error> {
        let (strategy, key) = parse_id(id).ok_or_else(|| Error::UnknownSuggestion {
            id: id.chars().take(40).collect(),
        })?;
        push_bounded(&mut self.sent, at, MAX_SENT);
        push_bounded(&mut self.history, key, MAX_HISTORY);
        self.unanswered = self.unanswered.saturating_add(1);
        self.awaiting = Some(strategy);
        let record = &mut self.record[strategy as usize];
        record.0 = record.0.saturating_add(1);
        Ok(())
    }

    /// The person's next message tells how the last suggestion was taken.
    pub(super) fn judge(&mut self, score: f32, baseline: f32) {
        self.unanswered = 0;
        if let Some(strategy) = self.awaiting.take() {
            let outcome = if score >= baseline - 0.05 { 1.0 } else { 0.0 };
            let record = &mut self.record[strategy as usize];
            record.1 = unit(0.75 * record.1 + 0.25 * outcome);
        }
    }

    pub(super) fn repair(&mut self) {
        self.sent.truncate(MAX_SENT);
        self.history.truncate(MAX_HISTORY);
        for (_, success) in &mut self.record {
            *success = unit(*success);
        }
    }
}

/// The id of a suggestion: turn, strategy, and what makes it one of its kind.
pub(super) fn suggestion_id(turn: u64, strategy: EngagementStrategy, key: u32) -> String {
    format!("s{turn}-{}-{key:08x}", strategy as u8)
}

fn parse_id(id: &str) -> Option<(EngagementStrategy, u32)> {
    let mut parts = id.strip_prefix('s')?.split('-');
    parts.next()?.parse::<u64>().ok()?;
    let strategy = ALL.get(parts.next()?.parse::<usize>().ok()?)?;
    let key = u32::from_str_radix(parts.next()?, 16).ok()?;
    parts.next().is_none().then_some((*strategy, key))
}
