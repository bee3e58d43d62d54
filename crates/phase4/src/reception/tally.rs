use serde::{Deserialize, Serialize};
use whisperengine_types::{ConversationPattern, EffectivePattern};

use super::pattern::bit;
use crate::number::{Byte, unit};

/// How replies went down, by pattern and on the whole.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Tallies {
    pub(super) all: Tally,
    patterns: [Tally; ConversationPattern::ALL.len()],
}

/// Answered replies and how well they went down lately.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    replies: u16,
    success: Byte,
}

/// Answers that the starting guess weighs.
const PRIOR: f32 = 2.0;
/// The slowest that a tally follows.
const FLOOR_RATE: f32 = 0.1;
/// Answers from which a pattern counts.
const ENOUGH: u16 = 5;
/// How much better than replies on the whole a pattern has to be.
const LEAD: f32 = 0.05;

impl Default for Tally {
    fn default() -> Self {
        Self {
            replies: 0,
            success: Byte::new(START),
        }
    }
}

const START: f32 = 0.5;

impl Tally {
    pub(super) fn learn(&mut self, outcome: f32) {
        self.replies = self.replies.saturating_add(1);
        let rate = (1.0 / (PRIOR + f32::from(self.replies))).max(FLOOR_RATE);
        let success = self.success.value();
        self.success = Byte::new(success + rate * (outcome - success));
    }

    /// `0..=1`; exactly one half before the first answer.
    pub(super) fn success(self) -> f32 {
        if self.replies == 0 {
            START
        } else {
            unit(self.success.value())
        }
    }

    pub(super) fn replies(self) -> u32 {
        u32::from(self.replies)
    }
}

impl Tallies {
    /// Learns from the answer to a reply of these patterns, a bit each.
    pub(super) fn learn(&mut self, used: u16, outcome: f32) {
        for pattern in ConversationPattern::ALL {
            if used & bit(pattern) != 0 {
                self.patterns[pattern as usize].learn(outcome);
            }
        }
    }

    pub(super) fn of(&self, pattern: ConversationPattern) -> Tally {
        self.patterns[pattern as usize]
    }

    /// The patterns that go down clearly better than replies on the whole, best first.
    pub(super) fn effective(&self) -> Vec<EffectivePattern> {
        let least = self.all.success().max(START) + LEAD;
        let mut effective = Vec::new();
        for pattern in ConversationPattern::ALL {
            let tally = self.of(pattern);
            if tally.replies >= ENOUGH && tally.success() >= least {
                effective.push(EffectivePattern {
                    pattern,
                    success: tally.success(),
                    replies: tally.replies(),
                });
            }
        }
        effective.sort_by(|a, b| b.success.total_cmp(&a.success).then(a.pattern.cmp(&b.pattern)));
        effective
    }
}
