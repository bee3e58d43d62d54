use serde::{Deserialize, Serialize};
use whisperengine_types::{EngagementStrategy, ResponseLength, StagnationKind};

use crate::{number::unit, session::Sitting, text::Utterance};

/// A person's own pace, measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rhythm {
    gap_s: f32,
    words: f32,
    baseline: f32,
    points: u32,
    /// Length of sessions in minutes and in messages.
    session_minutes: f32,
    session_messages: f32,
    questions: f32,
    switches: f32,
    /// Decayed counts by local hour.
    hours: [u16; 24],
}

/// How a person usually writes.
#[derive(Debug, Clone, PartialEq)]
pub struct RhythmSummary {
    /// Mean seconds between messages within a session.
    pub mean_gap_s: f32,
    /// Mean length of a session in messages.
    pub session_messages: f32,
    /// Mean length of a session in minutes.
    pub session_minutes: f32,
    /// Local hours in which most messages come, busiest first, at most three.
    pub peak_hours: Vec<u8>,
    /// The length of message the person writes.
    pub message_length: ResponseLength,
    /// Share of messages with a question, `0..=1`.
    pub question_frequency: f32,
    /// Share of messages that change the thread, `0..=1`.
    pub switch_frequency: f32,
    /// Signs that the person's talks showed at their end, twice or more, most frequent first.
    pub fade_signals: Vec<StagnationKind>,
    /// What the bot said of its own accord and the person took up gladly, best first.
    pub reengagement_triggers: Vec<EngagementStrategy>,
    /// How sure of all this, `0..=1`: messages seen over 100.
    pub confidence: f32,
    /// Messages seen.
    pub points: u32,
}

/// Messages that the starting guesses weigh.
const PRIOR_POINTS: f32 = 10.0;
/// The slowest that a mean follows.
const FLOOR_RATE: f32 = 0.03;

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            gap_s: 60.0,
            words: 8.0,
            baseline: 0.5,
            points: 0,
            session_minutes: 10.0,
            session_messages: 8.0,
            questions: 0.2,
            switches: 0.1,
            hours: [0; 24],
        }
    }
}

/// What the rhythm learns from one message; waits in the state until the reply is out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Beat {
    gap_s: Option<f32>,
    words: f32,
    score: f32,
    question: bool,
    switched: bool,
    hour: u8,
    /// Minutes and messages of the session that this message ended by opening a new one.
    ended: Option<(f32, f32)>,
}

impl Beat {
    pub(crate) fn new(utterance: &Utterance<'_>, sitting: &Sitting, score: f32, hour: u8) -> Self {
        Self {
            gap_s: sitting
                .gap
                .filter(|_| !sitting.opens)
                .map(|gap| gap.as_secs_f32().min(7200.0)),
            words: utterance.words().min(500) as f32,
            score,
            question: utterance.is_question(),
            switched: false,
            hour,
            ended: sitting.ended,
        }
    }

    /// Says whether the message changed the thread.
    pub(crate) fn switched(self, switched: bool) -> Self {
        Self { switched, ..self }
    }
}

impl Rhythm {
    pub(crate) fn learn(&mut self, beat: &Beat) {
        self.points = self.points.saturating_add(1);
        let rate = (1.0 / (PRIOR_POINTS + self.points as f32)).max(FLOOR_RATE);
        let mix = |mean: &mut f32, value: f32, rate: f32| *mean += rate * (value - *mean);
        if let Some(gap) = beat.gap_s {
            mix(&mut self.gap_s, gap, rate * 2.0);
        }
        mix(&mut self.words, beat.words, rate);
        mix(&mut self.baseline, beat.score, rate);
        mix(&mut self.questions, f32::from(u8::from(beat.question)), rate);
        mix(&mut self.switches, f32::from(u8::from(beat.switched)), rate);
        if let Some((minutes, messages)) = beat.ended {
            mix(&mut self.session_minutes, minutes.min(1440.0), 0.2);
            mix(&mut self.session_messages, messages.min(1000.0), 0.2);
        }
        let hour = &mut self.hours[usize::from(beat.hour % 24)];
        *hour = hour.saturating_add(16);
        if *hour > 16_000 {
            self.hours.iter_mut().for_each(|count| *count /= 2);
        }
    }

    pub(crate) fn gap_s(&self) -> f32 {
        self.gap_s
    }

    pub(crate) fn words(&self) -> f32 {
        self.words
    }

    /// The person's own mean score.
    pub(crate) fn baseline(&self) -> f32 {
        self.baseline
    }

    /// The eight hours in a row in which the person hardly ever writes: first hour and the one after the
    /// last. `None` before there is enough to tell.
    pub(crate) fn night(&self) -> Option<(u8, u8)> {
        const HOURS: usize = 8;
        let total: u32 = self.hours.iter().map(|&count| u32::from(count)).sum();
        if self.points < 60 || total == 0 {
            return None;
        }
        let within =
            |from: usize| -> u32 { (0..HOURS).map(|h| u32::from(self.hours[(from + h) % 24])).sum() };
        let from = (0..24).min_by_key(|&from| within(from))?;
        (within(from) * 50 <= total).then_some((from as u8, ((from + HOURS) % 24) as u8))
    }

    /// The measured part of the summary.
    pub(super) fn summary(&self) -> RhythmSummary {
        let mut hours: Vec<u8> = (0..24)
            .filter(|&hour| self.hours[usize::from(hour)] > 0)
            .collect();
        hours.sort_by_key(|&hour| (std::cmp::Reverse(self.hours[usize::from(hour)]), hour));
        hours.truncate(3);
        RhythmSummary {
            mean_gap_s: self.gap_s,
            session_messages: self.session_messages,
            session_minutes: self.session_minutes,
            peak_hours: hours,
            message_length: match self.words {
                w if w < 6.0 => ResponseLength::Brief,
                w if w > 30.0 => ResponseLength::Detailed,
                _ => ResponseLength::Medium,
            },
            question_frequency: self.questions,
            switch_frequency: self.switches,
            fade_signals: Vec::new(),
            reengagement_triggers: Vec::new(),
            confidence: unit(self.points as f32 / 100.0),
            points: self.points,
        }
    }

    pub(crate) fn repair(&mut self) {
        let bound = |x: &mut f32, high: f32| *x = if x.is_finite() { x.clamp(0.0, high) } else { 0.0 };
        bound(&mut self.gap_s, 7200.0);
        bound(&mut self.words, 500.0);
        bound(&mut self.baseline, 1.0);
        bound(&mut self.session_minutes, 1440.0);
        bound(&mut self.session_messages, 1000.0);
        bound(&mut self.questions, 1.0);
        bound(&mut self.switches, 1.0);
    }
}
