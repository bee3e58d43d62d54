//! How much a memory matters, for ranking and for what to keep.
//!
//! A weighted sum of six sides, and a daily decay that strong feeling, real use and milestones slow down.
//! Use is counted by the caller, never guessed.

use whisperengine_types::Timestamp;

use crate::number::{DAY, decay, unit};

/// What a memory's importance is made of; every share `0..=1`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ImportanceFactors {
    /// How strong the feeling in it is.
    pub emotional_intensity: f32,
    /// How much it concerns the person themselves.
    pub personal_relevance: f32,
    /// Days since it was said.
    pub age_days: f32,
    /// How often it was recalled.
    pub reads: u32,
    /// How unlike other memories it is.
    pub uniqueness: f32,
    /// How much of a milestone it is.
    pub milestone: f32,
}

/// The importance from which a memory is a core memory.
pub const CORE_MEMORY: f32 = 0.85;
/// Core memories of one person, at most.
pub const MAX_CORE_MEMORIES: usize = 20;

impl ImportanceFactors {
    /// The importance, `0..=1`.
    ///
    /// ```
    /// use whisperengine_phase4::ImportanceFactors;
    ///
    /// let birth = ImportanceFactors {
    ///     emotional_intensity: 1.0,
    ///     personal_relevance: 1.0,
    ///     uniqueness: 1.0,
    ///     milestone: 1.0,
    ///     reads: 9,
    ///     ..ImportanceFactors::default()
    /// };
    /// assert!(birth.importance() > 0.95);
    /// assert_eq!(ImportanceFactors { age_days: 3000.0, ..Default::default() }.importance(), 0.0);
    /// ```
    pub fn importance(&self) -> f32 {
        unit(
            0.30 * unit(self.emotional_intensity)
                + 0.25 * unit(self.personal_relevance)
                + 0.15 * self.recency()
                + 0.15 * self.access()
                + 0.10 * unit(self.uniqueness)
                + 0.05 * unit(self.milestone),
        )
    }

    /// What is left of `importance` after `days` more days, never below 0.1 unless it already was.
    pub fn decayed(&self, importance: f32, days: f32) -> f32 {
        let slower = |holds: bool, factor: f32| if holds { factor } else { 1.0 };
        let rate = 0.01
            * slower(self.emotional_intensity > 0.8, 0.5)
            * slower(self.access() > 0.7, 0.3)
            * slower(self.milestone > 0.5, 0.2)
            * slower(self.recency() > 0.8, 0.7);
        let importance = unit(importance);
        unit(importance - rate * days.max(0.0)).max(importance.min(0.1))
    }

    /// Half-life of thirty days, five per cent more for each day under seven.
    fn recency(&self) -> f32 {
        let days = if self.age_days.is_finite() {
            self.age_days.clamp(0.0, 36_500.0)
        } else {
            36_500.0
        };
        unit(decay(DAY.mul_f32(days), DAY * 30) * (1.0 + 0.05 * (7.0 - days).max(0.0)))
    }

    /// Ten reads and more count fully, the first ones most.
    fn access(&self) -> f32 {
        let reads = self.reads.min(1000) as f32;
        unit(1.1 * reads / (reads + 1.0))
    }
}

/// How far the source of a memory is trusted, and what a day leaves of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MemorySource {
    Direct,
    Summary,
    Inference,
    Diary,
    Observation,
    Dream,
    Gossip,
}

impl MemorySource {
    /// Weight of the source in a ranking, `0..=1`.
    pub fn weight(self) -> f32 {
        match self {
            Self::Direct => 1.0,
            Self::Summary => 0.9,
            Self::Inference => 0.8,
            Self::Diary => 0.7,
            Self::Observation => 0.6,
            Self::Dream => 0.5,
            Self::Gossip => 0.4,
        }
    }

    /// Share of its weight that a memory of this source keeps each day, `0..=1`.
    pub fn daily_retention(self) -> f32 {
        match self {
            Self::Direct => 0.98,
            Self::Summary => 0.97,
            Self::Inference | Self::Diary => 0.95,
            Self::Observation => 0.94,
            Self::Gossip => 0.93,
            Self::Dream => 0.90,
        }
    }
}

/// Days from `then` to `now`, for [`ImportanceFactors::age_days`]; 0 when `then` is later.
pub fn age_days(then: Timestamp, now: Timestamp) -> f32 {
    now.since(then).as_secs_f32() / DAY.as_secs_f32()
}
