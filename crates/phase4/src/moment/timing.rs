//! Why now: the timings of a turn, and those at which a kind of moment fits.

use whisperengine_types::{MomentTiming, MomentType};

/// The timings of one turn.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timings(u8);

impl Timings {
    pub(crate) fn set(&mut self, timing: MomentTiming, holds: bool) {
        if holds {
            self.0 |= 1 << timing as u8;
        }
    }

    pub(crate) fn has(self, timing: MomentTiming) -> bool {
        self.0 & (1 << timing as u8) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The best of the kind's timings that the turn has.
    pub(super) fn fits(self, kind: MomentType) -> Option<MomentTiming> {
        optimal(kind).iter().copied().find(|&timing| self.has(timing))
    }
}

fn optimal(kind: MomentType) -> &'static [MomentTiming] {
    use MomentTiming as T;
    match kind {
        MomentType::AchievementCallback => &[T::AchievementSharing],
        MomentType::CelebrationEcho => &[T::AchievementSharing, T::EmotionalMoment],
        MomentType::SupportFollowUp => &[T::EmotionalMoment, T::ProblemMention],
        MomentType::EmotionalContinuity => &[T::EmotionalMoment],
        MomentType::ProblemResolution => &[
            T::AchievementSharing,
            T::EmotionalMoment,
            T::TopicTransition,
            T::ConversationStart,
            T::ProblemMention,
        ],
        MomentType::PersonalGrowth => &[
            T::EmotionalMoment,
            T::AchievementSharing,
            T::RelationshipDeepening,
        ],
        MomentType::RelationshipMilestone => {
            &[T::RelationshipDeepening, T::ConversationStart, T::NaturalPause]
        }
        MomentType::InterestDevelopment | MomentType::SharedExperience | MomentType::RecurringTheme => {
            &[T::ConversationStart, T::TopicTransition, T::NaturalPause]
        }
    }
}
