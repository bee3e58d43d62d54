//! How a person's feelings move from message to message.

use serde::{Deserialize, Serialize};
use whisperengine_types::{EmotionReading, PrimaryEmotion, Timestamp};

/// Which way someone's mood is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoodTrend {
    /// More pleasant than it was.
    Rising,
    /// About as it was.
    #[default]
    Steady,
    /// Less pleasant than it was.
    Falling,
}

/// The course of one person's readings, of constant size.
///
/// Valence and arousal are exponentially weighted: the newest reading has a share of 0.3. The trend is the
/// distance between that average and a slower one (share 0.1); volatility is the exponentially weighted
/// standard deviation of valence around the average that preceded it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EmotionTrajectory {
    messages: u64,
    valence: f32,
    slow_valence: f32,
    arousal: f32,
    variance: f32,
    last: Option<PrimaryEmotion>,
    last_at: Timestamp,
    /// How present each primary emotion has been, each in `0..=1`.
    presence: [f32; PrimaryEmotion::COUNT],
}

const SHARE: f32 = 0.3;
const SLOW_SHARE: f32 = 0.1;
/// A trend within this of 0 is steady.
const STEADY: f32 = 0.08;
/// After this many milliseconds of silence old feelings count for half.
const HALF_LIFE_MS: f32 = 6.0 * 3_600_000.0;

impl EmotionTrajectory {
    /// Takes in the reading of a message sent at `at`. A clock that went backwards counts as no time.
    pub fn observe(&mut self, reading: &EmotionReading, at: Timestamp) {
        if self.messages == 0 {
            self.valence = reading.valence;
            self.slow_valence = reading.valence;
            self.arousal = reading.arousal;
        } else {
            self.fade(at);
            let surprise = reading.valence - self.valence;
            self.variance = (1.0 - SHARE) * (self.variance + SHARE * surprise * surprise);
            self.valence += SHARE * surprise;
            self.slow_valence += SLOW_SHARE * (reading.valence - self.slow_valence);
            self.arousal += SHARE * (reading.arousal - self.arousal);
        }
        for (emotion, presence) in PrimaryEmotion::ALL.into_iter().zip(&mut self.presence) {
            let now = if emotion == reading.primary { 1.0 } else { 0.0 };
            *presence += SHARE * (now - *presence);
        }
        self.messages += 1;
        self.last = Some(reading.primary);
        self.last_at = self.last_at.max(at);
    }

    /// Messages taken in.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// Average valence, `-1..=1`.
    pub fn valence(&self) -> f32 {
        self.valence
    }

    /// Average arousal, `0..=1`.
    pub fn arousal(&self) -> f32 {
        self.arousal
    }

    /// How much valence jumps about, `0..=2`; 0 for a single message.
    pub fn volatility(&self) -> f32 {
        self.variance.sqrt()
    }

    /// The fast average of valence less the slow one; positive is brightening.
    pub fn trend(&self) -> f32 {
        self.valence - self.slow_valence
    }

    /// The trend in a word.
    pub fn mood_trend(&self) -> MoodTrend {
        match self.trend() {
            STEADY.. => MoodTrend::Rising,
            trend if trend <= -STEADY => MoodTrend::Falling,
            _ => MoodTrend::Steady,
        }
    }

    /// The primary emotion of the last message.
    pub fn last(&self) -> Option<PrimaryEmotion> {
        self.last
    }

    /// The emotion most present over the recent messages, neutral aside, and its presence in `0..=1`.
    pub fn dominant(&self) -> Option<(PrimaryEmotion, f32)> {
        PrimaryEmotion::ALL
            .into_iter()
            .zip(self.presence)
            .filter(|&(emotion, presence)| emotion != PrimaryEmotion::Neutral && presence > 0.05)
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// What a bot should know of it before it answers.
    pub fn context(&self) -> EmotionContext {
        EmotionContext {
            messages: self.messages,
            current: self.last.unwrap_or_default(),
            dominant: self.dominant().map(|(emotion, _)| emotion),
            valence: self.valence,
            arousal: self.arousal,
            volatility: self.volatility(),
            trend: self.mood_trend(),
        }
    }

    /// Lets feelings fade with the time since the last message.
    fn fade(&mut self, at: Timestamp) {
        let silence = at.since(self.last_at).as_millis() as f32;
        let kept = (-silence / HALF_LIFE_MS).exp2();
        self.valence *= kept;
        self.slow_valence *= kept;
        self.variance *= kept;
        for presence in &mut self.presence {
            *presence *= kept;
        }
    }
}

/// What a bot should know of a person's feelings before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EmotionContext {
    /// Messages it rests on.
    pub messages: u64,
    /// The primary emotion of the last one.
    pub current: PrimaryEmotion,
    /// The emotion most present of late, if any is.
    pub dominant: Option<PrimaryEmotion>,
    /// Average valence, `-1..=1`.
    pub valence: f32,
    /// Average arousal, `0..=1`.
    pub arousal: f32,
    /// How much valence jumps about.
    pub volatility: f32,
    /// Which way the mood is going.
    pub trend: MoodTrend,
}

/// From here on a mood is called volatile.
const VOLATILE: f32 = 0.4;

/// One line for a prompt, without anything the person wrote.
impl std::fmt::Display for EmotionContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.messages == 0 {
            return f.write_str("no messages yet");
        }
        write!(f, "now {}", self.current)?;
        if let Some(dominant) = self.dominant.filter(|&dominant| dominant != self.current) {
            write!(f, ", lately mostly {dominant}")?;
        }
        let mood = match self.valence {
            0.3.. => "bright",
            ..=-0.3 => "low",
            _ => "even",
        };
        let trend = match self.trend {
            MoodTrend::Rising => "rising",
            MoodTrend::Steady => "steady",
            MoodTrend::Falling => "falling",
        };
        let volatile = if self.volatility >= VOLATILE {
            ", volatile"
        } else {
            ""
        };
        write!(
            f,
            "; mood {mood} and {trend}{volatile} over {} messages",
            self.messages
        )
    }
}
