//! Trajectories of many people at once, within bounds.

use std::sync::{Arc, Mutex, PoisonError};

use moka::sync::Cache;
use whisperengine_types::{EmotionReading, MemoryOwner, Timestamp};

use crate::{EmotionContext, EmotionTrajectory};

/// The trajectory of each owner of memories; one person's never mixes with another's, nor with their own
/// under another bot. When there are more than the limit, those heard of least go first.
#[derive(Debug, Clone)]
pub struct EmotionTrajectories {
    people: Cache<MemoryOwner, Arc<Mutex<EmotionTrajectory>>>,
}

impl EmotionTrajectories {
    /// Keeps the trajectories of at most about `people_items` owners, some 150 bytes each.
    pub fn new(people_items: u64) -> Self {
        Self {
            people: Cache::new(people_items),
        }
    }

    /// Takes in the reading of a message that `owner` sent at `at` and returns what is known then.
    pub fn observe(&self, owner: &MemoryOwner, reading: &EmotionReading, at: Timestamp) -> EmotionContext {
        let entry = self
            .people
            .entry_by_ref(owner)
            .or_insert_with(|| Arc::new(Mutex::new(EmotionTrajectory::default())));
        let mut trajectory = entry.value().lock().unwrap_or_else(PoisonError::into_inner);
        trajectory.observe(reading, at);
        trajectory.context()
    }

    /// What a bot should know of the feelings of `owner`; `None` for someone not heard of.
    pub fn context(&self, owner: &MemoryOwner) -> Option<EmotionContext> {
        self.trajectory(owner).map(|trajectory| trajectory.context())
    }

    /// A copy of the trajectory of `owner`.
    pub fn trajectory(&self, owner: &MemoryOwner) -> Option<EmotionTrajectory> {
        let entry = self.people.get(owner)?;
        let trajectory = entry.lock().unwrap_or_else(PoisonError::into_inner);
        Some(trajectory.clone())
    }

    /// Puts a trajectory back, as after a restart.
    pub fn restore(&self, owner: &MemoryOwner, trajectory: EmotionTrajectory) {
        self.people
            .insert(owner.clone(), Arc::new(Mutex::new(trajectory)));
    }

    /// Forgets everything about the feelings of `owner`.
    pub fn forget(&self, owner: &MemoryOwner) {
        self.people.invalidate(owner);
    }
}
