//! How lively the conversation is, and whether the bot should say something of its own accord.
//!
//! Only the person's turns measure the person's interest. Each gets a score from its pace, length and
//! enthusiasm compared with the person's own rhythm; decline is a slope of those scores below the
//! person's own baseline, with hysteresis, so that a terse person is not thought to be bored. Whatever is
//! suggested passes the gates of [`gate`]: opt-out, goodbye, caps, gaps, quiet hours in the person's time
//! zone. A suggestion counts when it is confirmed as sent; the person's next message tells whether it
//! worked.

mod fading;
mod flow;
mod gate;
mod initiative;
mod interest;
mod local_time;
mod rhythm;
mod suggest;

use serde::{Deserialize, Serialize};
use whisperengine_types::{EngagementPlan, FlowState, Timestamp};

pub(crate) use fading::Fading;
use flow::Sample;
pub(crate) use initiative::Initiative;
pub(crate) use interest::Interests;
pub(crate) use interest::Mentions;
pub(crate) use local_time::LocalTime;
pub(crate) use rhythm::Beat;
use rhythm::Rhythm;
pub use rhythm::RhythmSummary;
pub(crate) use suggest::{Ground, suggest};

use crate::{
    config::EngagementConfig,
    number::{push_bounded, unit},
    session::Sitting,
    text::Utterance,
};

/// What is known of the flow of a person's conversations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Engagement {
    recent: Vec<Sample>,
    smoothed: f32,
    flow: FlowState,
    pub(crate) rhythm: Rhythm,
    pub(crate) initiative: Initiative,
    pub(crate) interests: Interests,
    pub(crate) local_time: LocalTime,
    /// Turn at which an intervention was last advised.
    advised: Option<u64>,
}

impl Default for Engagement {
    fn default() -> Self {
        Self {
            recent: Vec::new(),
            smoothed: 0.5,
            flow: FlowState::Steady,
            rhythm: Rhythm::default(),
            initiative: Initiative::default(),
            interests: Interests::default(),
            local_time: LocalTime::default(),
            advised: None,
        }
    }
}

/// Turns scored that are kept.
const RECENT: usize = 8;
/// Turns between two interventions inside replies.
const REPLY_GAP_TURNS: u64 = 4;

impl Engagement {
    /// Scores a message and updates the flow. Returns its score.
    pub(crate) fn observe(
        &mut self,
        fading: &mut Fading,
        utterance: &Utterance<'_>,
        valence: f32,
        sitting: Sitting,
        at: Timestamp,
    ) -> f32 {
        if sitting.opens {
            fading.learn(&self.signals());
            self.recent.clear();
            self.smoothed = self.rhythm.baseline();
        }
        let sample = self.sample(utterance, valence, sitting, at);
        let score = sample.score.value();
        self.initiative.judge(score, self.rhythm.baseline());
        self.smoothed = unit(0.6 * self.smoothed + 0.4 * score);
        push_bounded(&mut self.recent, sample, RECENT);
        self.flow = flow::state(self.smoothed, self.flow);
        score
    }

    /// The plan for the reply: flow, trend, risk and whether to intervene. Suggestions are added by the
    /// caller, who knows what there is to suggest.
    pub(crate) fn plan(
        &mut self,
        config: &EngagementConfig,
        turn: u64,
        closed: bool,
        at: Timestamp,
    ) -> EngagementPlan {
        let signals = self.signals();
        let risk = flow::risk(&signals);
        let trend = flow::slope(&self.recent);
        let fading = trend < -0.03 && self.smoothed < self.rhythm.baseline() - 0.12;
        let wanted = self.flow >= FlowState::Declining || risk > config.risk || fading;
        let advised_lately = self
            .advised
            .is_some_and(|before| turn.saturating_sub(before) < REPLY_GAP_TURNS);
        let intervene = wanted
            && !closed
            && !self.is_lively()
            && self.recent.len() >= 3
            && !advised_lately
            && self.initiative.may_weave_in(config, at);
        if intervene {
            self.advised = Some(turn);
        }
        EngagementPlan {
            flow: self.flow,
            score: self.smoothed,
            trend,
            stagnation_risk: risk,
            signals,
            intervene,
            suggestions: Vec::new(),
        }
    }

    /// How the person usually writes, how talks end and what brings them back.
    pub(crate) fn rhythm(&self, fading: &Fading) -> RhythmSummary {
        RhythmSummary {
            fade_signals: fading.signals(),
            reengagement_triggers: self.initiative.welcome(),
            ..self.rhythm.summary()
        }
    }

    pub(crate) fn score(&self) -> f32 {
        self.smoothed
    }

    pub(crate) fn repair(&mut self) {
        self.recent.truncate(RECENT);
        self.smoothed = unit(self.smoothed);
        self.rhythm.repair();
        self.initiative.repair();
        self.interests.repair();
        self.local_time.repair();
    }
}
