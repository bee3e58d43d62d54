//! How close the two are: trust and depth, both of which can fall, and the stage they amount to.
//!
//! Trust runs from -1 to 1. Confiding words and deep talk draw it up, distrust, insults and overstepped
//! boundaries draw it down faster, long absence lets it fade. A stage is reached when trust, depth and
//! days all suffice, and lost when trust or depth falls clearly below; below zero come three strained
//! stages. The level counts messages, without limit, and support given raises it by one.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use whisperengine_types::{RelationshipLevel, RelationshipPlan, RelationshipStage, Timestamp};

use crate::{
    config::PersonalityConfig,
    number::{DAY, decay, push_bounded, signed, unit},
    personality::Observation,
};

/// What is known of the relationship.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Relationship {
    /// `-1..=1`; `None` before the first message.
    standing: Option<f32>,
    depth: Option<f32>,
    stage: RelationshipStage,
    first: Option<Timestamp>,
    last: Timestamp,
    milestones: Vec<Milestone>,
    /// Has risen, and that was not marked yet.
    risen: bool,
}

/// A stage that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Milestone {
    /// The stage.
    pub stage: RelationshipStage,
    /// When.
    pub at: Timestamp,
    /// Whether it was reached from below; `false` when the relationship fell back to it.
    pub risen: bool,
}

/// How the relationship stands and what comes next.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationshipReport {
    /// The present stage.
    pub stage: RelationshipStage,
    /// `-1..=1`.
    pub trust: f32,
    /// `0..=1`.
    pub depth: f32,
    /// Since the first message.
    pub acquainted: Duration,
    /// The next stage and what is missing: trust, depth, days; zeros where nothing is.
    pub next: Option<(RelationshipStage, f32, f32, f32)>,
    /// Trust or depth is so near its border that the stage may be lost.
    pub at_risk: bool,
    /// Stages reached and lost, oldest first, at most eight.
    pub milestones: Vec<Milestone>,
}

/// Something a bot might do that not every stage allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gesture {
    /// Banter and teasing.
    Banter,
    /// Asking about personal matters.
    PersonalQuestion,
    /// Advice that was not asked for.
    UnaskedAdvice,
    /// Words of affection.
    Affection,
}

/// Trust, depth and days that a stage takes.
const STAGES: [(RelationshipStage, f32, f32, u32); 4] = [
    (RelationshipStage::Acquaintance, 0.3, 0.2, 7),
    (RelationshipStage::Friend, 0.6, 0.5, 30),
    (RelationshipStage::CloseFriend, 0.8, 0.8, 90),
    (RelationshipStage::Confidant, 0.95, 0.9, 180),
];
/// How far below its border a stage is still kept.
const SLACK: f32 = 0.05;
const MAX_MILESTONES: usize = 8;
/// A stage takes a few messages, whatever the days.
const MINIMUM_MESSAGES: u64 = 5;

impl Relationship {
    pub(crate) fn trust(&self, config: &PersonalityConfig) -> f32 {
        unit(self.standing.unwrap_or(config.prior))
    }

    pub(crate) fn depth(&self, config: &PersonalityConfig) -> f32 {
        unit(self.depth.unwrap_or(config.prior))
    }

    pub(crate) fn stage(&self) -> RelationshipStage {
        self.stage
    }

    /// Whether the relationship has risen a stage and nobody has said so yet.
    pub(crate) fn is_risen(&self) -> bool {
        self.risen
    }

    /// The rise was marked.
    pub(crate) fn settle_rise(&mut self) {
        self.risen = false;
    }

    /// Learns from a message; `turns` counts it in.
    pub(crate) fn learn(&mut self, config: &PersonalityConfig, seen: &Observation, valence: f32, turns: u64) {
        let first = *self.first.get_or_insert(seen.at);
        // Talking every few days is no absence.
        let away = seen.at.since(self.last).saturating_sub(DAY * 7);
        let faded = |half_life: u32| {
            if turns > 1 {
                decay(away, DAY * half_life)
            } else {
                1.0
            }
        };
        let mut standing = self.standing.unwrap_or(config.prior) * faded(365);
        let mut draw = |target: f32, rate: f32| standing += rate * (target - standing);
        let depth_now = seen.depth.value();
        if seen.confiding > 0 {
            draw(
                (0.6 + 0.2 * f32::from(seen.confiding) + 0.3 * depth_now).min(1.0),
                0.08,
            );
        } else if depth_now > 0.4 {
            draw(
                (0.3 + 0.5 * depth_now).max(self.standing.unwrap_or(config.prior)),
                0.03,
            );
        }
        if seen.gratitude || valence > 0.4 {
            draw(0.7_f32.max(self.standing.unwrap_or(config.prior)), 0.01);
        }
        if seen.distrust > 0 {
            draw(-0.7, (0.15 * f32::from(seen.distrust)).min(0.4));
        }
        if seen.insults > 0 {
            draw(-1.0, (0.12 * f32::from(seen.insults)).min(0.4));
        }
        if seen.boundary {
            draw(0.0, 0.05);
        }
        let depth = 0.95 * self.depth.unwrap_or(config.prior) * faded(180)
            + 0.1 * depth_now
            + 0.05 * f32::from(seen.confiding.min(4))
            + 0.05 * seen.openness.value();
        self.standing = Some(signed(standing));
        self.depth = Some(unit(depth));
        self.last = seen.at;
        self.set_stage(seen.at, seen.at.since(first), turns);
    }

    fn set_stage(&mut self, at: Timestamp, acquainted: Duration, turns: u64) {
        let (standing, depth) = (self.standing.unwrap_or(0.0), self.depth.unwrap_or(0.0));
        let reached = match standing {
            s if s < -0.5 => RelationshipStage::Hostile,
            s if s < -0.2 => RelationshipStage::Cold,
            s if s < 0.0 => RelationshipStage::Wary,
            _ => {
                let holds = |&&(stage, trust, intimacy, days): &&(RelationshipStage, f32, f32, u32)| {
                    let slack = if stage <= self.stage { SLACK } else { 0.0 };
                    standing >= trust - slack
                        && depth >= intimacy - slack
                        && (stage <= self.stage || (acquainted >= DAY * days && turns >= MINIMUM_MESSAGES))
                };
                STAGES
                    .iter()
                    .rev()
                    .find(holds)
                    .map_or(RelationshipStage::Stranger, |(stage, ..)| *stage)
            }
        };
        if reached != self.stage {
            let milestone = Milestone {
                stage: reached,
                at,
                risen: reached > self.stage,
            };
            push_bounded(&mut self.milestones, milestone, MAX_MILESTONES);
            self.risen = milestone.risen && reached > RelationshipStage::Stranger;
            self.stage = reached;
        }
    }

    pub(crate) fn plan(&self, config: &PersonalityConfig, turns: u64, supportive: u64) -> RelationshipPlan {
        RelationshipPlan {
            level: level(turns, supportive),
            stage: self.stage,
            depth: self.depth(config),
            trust: self.trust(config),
            interactions: turns,
        }
    }

    pub(crate) fn report(&self, config: &PersonalityConfig, now: Timestamp) -> RelationshipReport {
        let (standing, depth) = (self.standing.unwrap_or(config.prior), self.depth(config));
        let acquainted = self.first.map_or(Duration::ZERO, |first| now.since(first));
        let days = acquainted.as_secs_f32() / DAY.as_secs_f32();
        let next = STAGES.iter().find(|(stage, ..)| *stage > self.stage);
        let present = STAGES.iter().find(|(stage, ..)| *stage == self.stage);
        RelationshipReport {
            stage: self.stage,
            trust: standing,
            depth,
            acquainted,
            next: next.map(|&(stage, trust, intimacy, needed)| {
                let missing = |needed: f32, present: f32| (needed - present).max(0.0);
                (
                    stage,
                    missing(trust, standing),
                    missing(intimacy, depth),
                    missing(needed as f32, days),
                )
            }),
            at_risk: present.is_some_and(|&(_, trust, intimacy, _)| standing < trust || depth < intimacy)
                || standing < 0.05,
            milestones: self.milestones.clone(),
        }
    }

    pub(crate) fn repair(&mut self) {
        self.standing = self.standing.map(signed);
        self.depth = self.depth.map(unit);
        self.milestones.truncate(MAX_MILESTONES);
    }
}

impl RelationshipReport {
    /// Whether a gesture is fit for the present stage.
    pub fn allows(&self, gesture: Gesture) -> bool {
        self.stage
            >= match gesture {
                Gesture::Banter => RelationshipStage::Stranger,
                Gesture::PersonalQuestion => RelationshipStage::Acquaintance,
                Gesture::UnaskedAdvice => RelationshipStage::Friend,
                Gesture::Affection => RelationshipStage::CloseFriend,
            }
    }
}

/// How long the two know each other by messages; three turns of support raise it by one.
fn level(turns: u64, supportive: u64) -> RelationshipLevel {
    use RelationshipLevel as L;
    let counted = match turns {
        0..5 => L::New,
        5..15 => L::Developing,
        15..50 => L::Established,
        _ => L::Deep,
    };
    match counted {
        L::Developing if supportive >= 3 => L::Established,
        L::Established if supportive >= 3 => L::Deep,
        other => other,
    }
}
