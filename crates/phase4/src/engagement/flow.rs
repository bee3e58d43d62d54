use serde::{Deserialize, Serialize};
use whisperengine_types::{FlowState, StagnationKind, StagnationSignal, Timestamp};

use super::Engagement;
use crate::{
    lexicon::Cue,
    number::{Byte, log2, unit},
    session::Sitting,
    text::{Utterance, fold32, hash64},
};

/// One scored message of the person.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Sample {
    at: Timestamp,
    words: u16,
    /// Seconds since the message before, within the session.
    gap_s: u32,
    pub(super) score: Byte,
    /// Hash of the lower-case words, to see repetition.
    content: u32,
    /// Short, but with feeling: "haha yes!!" is no sign of boredom.
    spirited: bool,
}

/// Share of the recent messages that a signal looks at.
const WINDOW: usize = 3;

impl Engagement {
    pub(super) fn sample(
        &self,
        utterance: &Utterance<'_>,
        valence: f32,
        sitting: Sitting,
        at: Timestamp,
    ) -> Sample {
        let words = utterance.words();
        let gap_s = sitting
            .gap
            .filter(|_| !sitting.opens)
            .map_or(0, |gap| gap.as_secs().min(86_400) as u32);
        let pace = if sitting.opens {
            0.6
        } else {
            unit(0.65 - 0.2 * log2((gap_s as f32 + 5.0) / (self.rhythm.gap_s() + 5.0)))
        };
        let length = unit(0.5 + 0.25 * log2((words as f32 + 1.0) / (self.rhythm.words() + 1.0)));
        let enthusiasm = unit(
            0.4 + 0.2 * utterance.weight(Cue::Lively).min(2.0)
                + 0.1 * utterance.exclamations.min(2) as f32
                + if utterance.is_question() { 0.15 } else { 0.0 }
                + 0.1 * valence.abs()
                - 0.2 * utterance.weight(Cue::Flat).min(2.0),
        );
        let disclosure =
            unit(0.3 + 0.3 * utterance.weight(Cue::Personal) + 0.05 * utterance.terms.len() as f32);
        let score = 0.3 * pace + 0.3 * length + 0.25 * enthusiasm + 0.15 * disclosure;
        let mut content = 0_u64;
        for token in &utterance.tokens {
            content = content.wrapping_mul(31).wrapping_add(token.surface);
        }
        Sample {
            at,
            words: words.min(65_535) as u16,
            gap_s,
            score: Byte::new(score),
            content: fold32(hash64(&content.to_le_bytes())),
            spirited: utterance.exclamations > 0 || utterance.has(Cue::Lively) || utterance.has(Cue::Humour),
        }
    }

    /// What speaks for stagnation inside the exchange, strongest first.
    pub(super) fn signals(&self) -> Vec<StagnationSignal> {
        let last = &self.recent[self.recent.len().saturating_sub(WINDOW)..];
        let mut signals = Vec::new();
        let mut signal = |kind, strength: f32| {
            if strength > 0.0 {
                signals.push(StagnationSignal {
                    kind,
                    strength: unit(strength),
                });
            }
        };
        if last.len() == WINDOW {
            let usual = self.rhythm.words();
            let short = |s: &&Sample| s.words <= 3 && f32::from(s.words) < 0.5 * usual && !s.spirited;
            let count = last.iter().filter(short).count();
            signal(
                StagnationKind::ShortResponses,
                if count >= 2 {
                    count as f32 / WINDOW as f32
                } else {
                    0.0
                },
            );
            let same = last.iter().all(|s| s.content == last[0].content);
            signal(StagnationKind::RepetitiveContent, if same { 0.7 } else { 0.0 });
            let below = self.rhythm.baseline() - self.smoothed;
            let falling = slope(&self.recent) < -0.02;
            signal(
                StagnationKind::EngagementDecline,
                if falling && below > 0.08 {
                    below / 0.25
                } else {
                    0.0
                },
            );
        }
        signals.sort_by(|a, b| b.strength.total_cmp(&a.strength));
        signals
    }

    /// Whether the exchange is plainly alive: quick or long messages just now.
    pub(super) fn is_lively(&self) -> bool {
        let last = &self.recent[self.recent.len().saturating_sub(2)..];
        let alive = |s: &Sample| (s.words >= 5 && s.gap_s <= 120) || s.spirited;
        self.flow <= FlowState::Engaging || (!last.is_empty() && last.iter().all(alive))
    }
}

/// Risk that the conversation dies down: the signals as independent causes.
pub(super) fn risk(signals: &[StagnationSignal]) -> f32 {
    unit(
        1.0 - signals
            .iter()
            .fold(1.0, |left, signal| left * (1.0 - 0.9 * signal.strength)),
    )
}

/// Least-squares slope of the last six scores, per turn.
pub(super) fn slope(samples: &[Sample]) -> f32 {
    let last = &samples[samples.len().saturating_sub(6)..];
    let n = last.len() as f32;
    if n < 3.0 {
        return 0.0;
    }
    let middle = (n - 1.0) / 2.0;
    let mean = last.iter().map(|s| s.score.value()).sum::<f32>() / n;
    let (mut up, mut down) = (0.0, 0.0);
    for (index, sample) in last.iter().enumerate() {
        let x = index as f32 - middle;
        up += x * (sample.score.value() - mean);
        down += x * x;
    }
    up / down
}

/// The state of a score; a state is left only when the score is clearly beyond its border.
pub(super) fn state(score: f32, present: FlowState) -> FlowState {
    use FlowState as F;
    const BORDERS: [(f32, F); 5] = [
        (0.8, F::HighlyEngaging),
        (0.6, F::Engaging),
        (0.4, F::Steady),
        (0.3, F::Declining),
        (0.2, F::Stagnating),
    ];
    const SLACK: f32 = 0.03;
    let plain = |score: f32| {
        BORDERS
            .iter()
            .find(|(border, _)| score >= *border)
            .map_or(F::Stagnant, |(_, s)| *s)
    };
    let near = [plain(score - SLACK), plain(score + SLACK)];
    if near.contains(&present) {
        present
    } else {
        plain(score)
    }
}
