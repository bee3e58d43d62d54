//! Settings of the conversation engine; every default is the documented one.

use serde::{Deserialize, Serialize};
use whisperengine_types::{ConversationMode, Language};

use crate::error::Error;

/// Settings of the whole engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The language of messages whose own is not clear. Default `en`.
    pub language: Language,
    /// Sessions and interaction types.
    pub interaction: InteractionConfig,
    /// Threads.
    pub thread: ThreadConfig,
    /// Memory-triggered moments.
    pub moment: MomentConfig,
    /// Flow and initiative.
    pub engagement: EngagementConfig,
    /// Personality and relationship.
    pub personality: PersonalityConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            language: Language::ENGLISH,
            interaction: InteractionConfig::default(),
            thread: ThreadConfig::default(),
            moment: MomentConfig::default(),
            engagement: EngagementConfig::default(),
            personality: PersonalityConfig::default(),
        }
    }
}

/// Settings of sessions, modes and interaction types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct InteractionConfig {
    /// The mode of every turn; `None` (default) chooses it for each message.
    pub mode: Option<ConversationMode>,
    /// Minutes of silence that end a session; default 30.
    pub session_gap_minutes: u32,
    /// How far the best interaction type must lead, `0..=1`; below it the type of the turn before is kept
    /// if it is one of the two. Default 0.08; higher changes type less often.
    pub margin: f32,
}

impl Default for InteractionConfig {
    fn default() -> Self {
        Self {
            mode: None,
            session_gap_minutes: 30,
            margin: 0.08,
        }
    }
}

/// Settings of the threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ThreadConfig {
    /// Threads open (active or paused) at a time; further ones go to the background. Default 5, at most 5.
    pub open: usize,
    /// Threads in the background; the oldest beyond are archived. Default 20, at most 20.
    pub background: usize,
    /// Hours of rest after which a thread is archived. Default 48.
    pub archive_after_hours: u32,
    /// Hours a paused thread with an open question or commitment rests before it is suspended. Default 12.
    pub suspend_after_hours: u32,
    /// Relevance at which a message takes up another thread, `0..=1`. Default 0.45; higher resumes less.
    pub resume: f32,
    /// Relevance to the current thread below which a message with a subject of its own opens a new one,
    /// `0..=1`. Default 0.12; higher opens more threads.
    pub leave: f32,
    /// Likeness at which two threads are merged, `0..=1`. Default 0.7.
    pub merge: f32,
}

impl Default for ThreadConfig {
    fn default() -> Self {
        Self {
            open: 5,
            background: 20,
            archive_after_hours: 48,
            suspend_after_hours: 12,
            resume: 0.45,
            leave: 0.12,
            merge: 0.7,
        }
    }
}

/// Settings of memory-triggered moments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MomentConfig {
    /// Hours before the same moment is offered again. Default 24.
    pub cooldown_hours: u32,
    /// Age in hours from which a memory of the same session may be brought up; memories of earlier
    /// sessions may at once. Default 6.
    pub minimum_age_hours: u32,
    /// Days after which a memory is not brought up any more. Default 365.
    pub retention_days: u32,
    /// Relevance a moment needs, `0..=1`. Default 0.4; higher offers fewer and better ones.
    pub relevance: f32,
    /// Cosine from which a recalled memory is near enough without a shared word. Default 0.7.
    pub similarity: f32,
    /// Turns between two offered moments. Default 5.
    pub gap_turns: u32,
    /// Characters quoted of one memory at most. Default 160.
    pub quote_chars: usize,
}

impl Default for MomentConfig {
    fn default() -> Self {
        Self {
            cooldown_hours: 24,
            minimum_age_hours: 6,
            retention_days: 365,
            relevance: 0.4,
            similarity: 0.7,
            gap_turns: 5,
            quote_chars: 160,
        }
    }
}

/// Settings of the flow of the conversation and of the bot's own initiative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EngagementConfig {
    /// Minutes of silence that begin to count as stagnation; people who usually take longer get twice
    /// their usual time. Default 5.
    pub stagnation_minutes: u32,
    /// Risk above which to intervene, `0..=1`. Default 0.6.
    pub risk: f32,
    /// Messages on the bot's own initiative in an hour. Default 8.
    pub hourly_cap: u32,
    /// The same in a day. Default 3.
    pub daily_cap: u32,
    /// Minutes between two of them. Default 120.
    pub minimum_gap_minutes: u32,
    /// The same unanswered, after which to wait for the person. Default 1.
    pub unanswered_cap: u32,
    /// First hour of the night, local time, `0..=23`. Default 22.
    pub quiet_from_hour: u8,
    /// Hour at which the night ends, local time, `0..=23`; equal to the first one for no night. Default 8.
    pub quiet_until_hour: u8,
    /// IANA time zone of people whose own is neither told nor inferred. Default UTC.
    pub time_zone: String,
}

impl Default for EngagementConfig {
    fn default() -> Self {
        Self {
            stagnation_minutes: 5,
            risk: 0.6,
            hourly_cap: 8,
            daily_cap: 3,
            minimum_gap_minutes: 120,
            unanswered_cap: 1,
            quiet_from_hour: 22,
            quiet_until_hour: 8,
            time_zone: "UTC".to_owned(),
        }
    }
}

/// Settings of the personality profile and the relationship.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PersonalityConfig {
    /// Observations for full confidence in a trait. Default 5.
    pub full_confidence: u32,
    /// Least share of a new observation in a trait, `0..=1`. Default 0.05; higher follows changes faster.
    pub floor_rate: f32,
    /// Days after which an unused trait has lost half of its evidence. Default 30.
    pub window_days: u32,
    /// Trust and depth of somebody unknown, `0..=1`. Default 0.3.
    pub prior: f32,
}

impl Default for PersonalityConfig {
    fn default() -> Self {
        Self {
            full_confidence: 5,
            floor_rate: 0.05,
            window_days: 30,
            prior: 0.3,
        }
    }
}

impl Config {
    /// Checks every value against its documented range.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] names the first field that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        let shares = [
            ("interaction.margin", self.interaction.margin),
            ("thread.resume", self.thread.resume),
            ("thread.leave", self.thread.leave),
            ("thread.merge", self.thread.merge),
            ("moment.relevance", self.moment.relevance),
            ("moment.similarity", self.moment.similarity),
            ("engagement.risk", self.engagement.risk),
            ("personality.floor_rate", self.personality.floor_rate),
            ("personality.prior", self.personality.prior),
        ];
        if let Some((field, _)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(Error::InvalidConfig {
                field,
                expected: "a number in 0..=1",
            });
        }
        let (thread, engagement) = (&self.thread, &self.engagement);
        let checks = [
            (
                "thread.open",
                (1..=crate::thread::MAX_OPEN).contains(&thread.open),
                "1 to 5",
            ),
            (
                "thread.background",
                thread.background <= crate::thread::MAX_BACKGROUND,
                "0 to 20",
            ),
            (
                "interaction.session_gap_minutes",
                self.interaction.session_gap_minutes > 0,
                "at least 1",
            ),
            (
                "engagement.stagnation_minutes",
                engagement.stagnation_minutes > 0,
                "at least 1",
            ),
            (
                "engagement.quiet_from_hour",
                engagement.quiet_from_hour < 24,
                "0 to 23",
            ),
            (
                "engagement.quiet_until_hour",
                engagement.quiet_until_hour < 24,
                "0 to 23",
            ),
            (
                "personality.full_confidence",
                self.personality.full_confidence > 0,
                "at least 1",
            ),
            (
                "personality.window_days",
                self.personality.window_days > 0,
                "at least 1",
            ),
            (
                "engagement.time_zone",
                jiff::tz::TimeZone::get(&engagement.time_zone).is_ok(),
                "an IANA time zone",
            ),
        ];
        match checks.iter().find(|(_, holds, _)| !holds) {
            Some(&(field, _, expected)) => Err(Error::InvalidConfig { field, expected }),
            None => Ok(()),
        }
    }
}
