//! How urgent a message is, as a number from 0 to 100 with its reasons, and the class that follows.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use whisperengine_types::{EmotionReading, Priority};

use crate::lexicon;

/// What a message is scored by.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScoreInput<'a> {
    /// The message.
    pub text: &'a str,
    /// What the scheduler knows of the session and its channel.
    pub signals: SessionSignals,
    /// How the person feels, if it is known by now.
    pub emotion: Option<&'a EmotionReading>,
}

/// What the scheduler knows of a session before its next message is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionSignals {
    /// Messages accepted so far.
    pub earlier_messages: u64,
    /// Time since the last of them.
    pub since_last: Option<Duration>,
    /// People with a live session in the channel, this one included once it exists.
    pub active_people: usize,
}

/// One reason for points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Every message: 50.
    Base,
    /// The session has earlier messages: 20.
    Continued,
    /// The last message is under 30 s ago: 15.
    Recent,
    /// A word of urgency, as a whole word and not negated: 30.
    UrgentWords,
    /// A question: 10.
    Question,
    /// More than 5 active people in the channel: 5.
    BusyChannel,
    /// Unpleasant and agitated or strong: up to 20.
    Emotion,
}

impl Rule {
    /// Every rule, in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::Base,
        Self::Continued,
        Self::Recent,
        Self::UrgentWords,
        Self::Question,
        Self::BusyChannel,
        Self::Emotion,
    ];
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Base => "base",
            Self::Continued => "session has earlier messages",
            Self::Recent => "last message under 30 s ago",
            Self::UrgentWords => "urgent words",
            Self::Question => "question",
            Self::BusyChannel => "more than 5 active people in the channel",
            Self::Emotion => "emotional urgency",
        })
    }
}

/// The points of one message.
///
/// ```
/// use whisperengine_conversation_scheduler::{PriorityScore, Rule, ScoreInput};
/// use whisperengine_types::Priority;
///
/// let input = ScoreInput { text: "please help, it is urgent", ..ScoreInput::default() };
/// let score = PriorityScore::of(&input);
/// assert_eq!((score.total(), score.class()), (80, Priority::High));
/// assert!(score.reasons().eq([(Rule::Base, 50), (Rule::UrgentWords, 30)]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriorityScore {
    points: [u8; Rule::ALL.len()],
}

impl PriorityScore {
    /// From this total on, an urgent message is critical and any other is high.
    pub const TOP: u8 = 95;
    /// From this total on, an urgent message is high.
    pub const URGENT: u8 = 80;
    /// From this total on, a message is at least normal.
    pub const NORMAL: u8 = 50;

    /// Scores a message; takes time in proportion to its length.
    pub fn of(input: &ScoreInput<'_>) -> Self {
        let signals = input.signals;
        let words = lexicon::Words::of(input.text);
        let recent = signals.since_last.is_some_and(|since| since < RECENT);
        let when = |holds: bool, points: u8| if holds { points } else { 0 };
        Self {
            points: [
                50,
                when(signals.earlier_messages > 0, 20),
                when(recent, 15),
                when(words.are_urgent(), 30),
                when(words.ask(), 10),
                when(signals.active_people > BUSY_PEOPLE, 5),
                input.emotion.map_or(0, emotional_urgency),
            ],
        }
    }

    /// The sum of the points, at most 100.
    pub fn total(&self) -> u8 {
        let sum: u32 = self.points.iter().map(|&points| u32::from(points)).sum();
        sum.min(100) as u8
    }

    /// The rules that gave points, and how many.
    pub fn reasons(&self) -> impl Iterator<Item = (Rule, u8)> + '_ {
        Rule::ALL
            .into_iter()
            .zip(self.points)
            .filter(|&(_, points)| points > 0)
    }

    /// Whether the words or the emotion (with at least 10 points) say that it is urgent.
    pub fn is_urgent(&self) -> bool {
        self.points[Rule::UrgentWords as usize] > 0 || self.points[Rule::Emotion as usize] >= 10
    }

    /// The class of the score:
    ///
    /// | urgent | total | class |
    /// |---|---|---|
    /// | yes | 95 and over | critical |
    /// | yes | 80 to 94 | high |
    /// | no | 95 and over | high |
    /// | either | 50 and over otherwise | normal |
    /// | either | under 50 | low |
    ///
    /// A lively talk about nothing can reach 100 points; it takes urgency to be critical. Every message
    /// has the base of 50, so `Low` is for turns that a caller puts there, such as background work.
    pub fn class(&self) -> Priority {
        match (self.is_urgent(), self.total()) {
            (true, Self::TOP..) => Priority::Critical,
            (true, Self::URGENT..) | (false, Self::TOP..) => Priority::High,
            (_, Self::NORMAL..) => Priority::Normal,
            _ => Priority::Low,
        }
    }
}

/// 0 to 20: how unpleasant it is, times how agitated or how strong.
fn emotional_urgency(reading: &EmotionReading) -> u8 {
    let unpleasant = (-reading.valence).clamp(0.0, 1.0);
    let strength = reading.arousal.max(reading.intensity).clamp(0.0, 1.0);
    (20.0 * unpleasant * strength).round() as u8
}

const RECENT: Duration = Duration::from_secs(30);
const BUSY_PEOPLE: usize = 5;
