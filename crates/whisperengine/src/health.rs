//! What works, what does not, and since when.

use std::sync::Arc;

use serde::Serialize;
use whisperengine_memory_batcher::CacheStats;
use whisperengine_types::{Component, Degradation, Timestamp};

use crate::fallback::{Gate, GateState};

/// The engine's condition at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The verdict on the whole.
    pub status: Status,
    /// Every component that is built in, in the order of a turn.
    pub components: Vec<ComponentHealth>,
    /// Writes that wait in memory for the store to come back.
    pub waiting_writes: usize,
    /// Writes that were answered as waiting and then found no room; how many since the start.
    pub lost_writes: usize,
    /// People whose conversation is in memory.
    pub conversations: usize,
    /// Answers of recall that are kept.
    pub recall_cache: RecallCache,
}

/// How often recall was answered from what it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RecallCache {
    /// Queries answered from the cache.
    pub hits: u64,
    /// Queries that were searched for.
    pub misses: u64,
    /// Answers dropped because their owner wrote.
    pub invalidations: u64,
}

impl From<CacheStats> for RecallCache {
    fn from(stats: CacheStats) -> Self {
        Self {
            hits: stats.hits,
            misses: stats.misses,
            invalidations: stats.invalidations,
        }
    }
}

/// A verdict, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Every component does its usual work, as far as it is switched on.
    Healthy,
    /// Messages are answered and stored; something is missing in the answers.
    Degraded,
    /// Messages cannot be stored at present, or cannot be served.
    Unhealthy,
}

/// The condition of one component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentHealth {
    /// Which one.
    pub component: Component,
    /// Whether it does its usual work.
    pub primary: bool,
    /// Whether it was switched off when the engine was built.
    pub disabled: bool,
    /// Since when it does not; `None` when it does, or never did because it is disabled.
    pub degraded_since: Option<Timestamp>,
    /// Why it does not.
    pub reason: Option<String>,
    /// Answers its fallback has given.
    pub fallbacks: u64,
}

/// The gates of the components that have one, and what was switched off when the engine was built.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    pub(crate) gates: Vec<Arc<Gate>>,
    pub(crate) disabled: Vec<Degradation>,
}

impl Gates {
    pub(crate) fn components(&self) -> Vec<ComponentHealth> {
        let gated = self.gates.iter().map(|gate| ComponentHealth::from(gate.state()));
        let disabled = self.disabled.iter().map(|degradation| ComponentHealth {
            component: degradation.component,
            primary: false,
            disabled: true,
            degraded_since: None,
            reason: Some(degradation.reason.clone()),
            fallbacks: 0,
        });
        let mut components: Vec<ComponentHealth> = disabled.chain(gated).collect();
        components.sort_by_key(|health| health.component);
        // What is switched off may have a gate all the same.
        components.dedup_by_key(|health| health.component);
        components
    }
}

impl Status {
    pub(crate) fn of(components: &[ComponentHealth]) -> Self {
        let is_away = |health: &&ComponentHealth| !health.primary && !health.disabled;
        let away = components.iter().filter(is_away);
        let verdict = |health: &ComponentHealth| match health.component {
            Component::Store | Component::Scheduler => Self::Unhealthy,
            _ => Self::Degraded,
        };
        away.map(verdict).max().unwrap_or(Self::Healthy)
    }
}

impl From<GateState> for ComponentHealth {
    fn from(state: GateState) -> Self {
        Self {
            component: state.component,
            primary: state.degraded_since.is_none(),
            disabled: false,
            degraded_since: state.degraded_since,
            reason: state.reason,
            fallbacks: state.fallbacks,
        }
    }
}
