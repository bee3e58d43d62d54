//! What works, what does not, and since when.

use std::sync::Arc;

use serde::Serialize;
use whisperengine_types::{Component, Degradation, Timestamp};

use crate::fallback::{Gate, GateState};

/// The engine's condition at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    /// The verdict on the whole.
    pub status: Status,
    /// Every component that is built in, in the order of a turn.
    pub components: Vec<ComponentHealth>,
    /// Writes that wait in memory for the store to come back.
    pub outbox: usize,
    /// People whose conversation is in memory.
    pub conversations: usize,
}

/// A verdict, best first: the share of components at work is at least 75 %, 50 %, 25 %, or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the doc above names them")]
pub enum Status {
    Excellent,
    Good,
    Fair,
    Poor,
}

/// The condition of one component.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComponentHealth {
    /// Which one.
    pub component: Component,
    /// Whether it does its usual work.
    pub primary: bool,
    /// Since when it does not; `None` when it does, or never did because it is disabled.
    pub degraded_since: Option<Timestamp>,
    /// Why it does not.
    pub reason: Option<String>,
    /// Answers its stand-in has given.
    pub fallbacks: u64,
}

/// The gates of the components that have one, and what was switched off when the engine was built.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    pub(crate) gates: Vec<Arc<Gate>>,
    pub(crate) disabled: Vec<Degradation>,
}

impl Gates {
    /// How often each stand-in has answered so far; see [`degraded_since`](Self::degraded_since).
    pub(crate) fn mark(&self) -> Vec<u64> {
        self.gates.iter().map(|gate| gate.fallbacks()).collect()
    }

    /// What was switched off or stood in for since `mark`.
    pub(crate) fn degraded_since(&self, mark: &[u64]) -> Vec<Degradation> {
        let used = self.gates.iter().zip(mark).filter(|(gate, before)| {
            gate.component() != Component::Responder && gate.fallbacks() != **before
        });
        self.disabled
            .iter()
            .cloned()
            .chain(used.map(|(gate, _)| gate.degradation()))
            .collect()
    }

    /// As [`mark`](Self::mark), of the responder alone, which works outside a turn's stages.
    pub(crate) fn responder_mark(&self) -> u64 {
        self.responder().map_or(0, Gate::fallbacks)
    }

    /// Whether the responder was stood in for since `mark`.
    pub(crate) fn responder_degraded(&self, mark: u64) -> Option<Degradation> {
        self.responder()
            .filter(|gate| gate.fallbacks() != mark)
            .map(Gate::degradation)
    }

    fn responder(&self) -> Option<&Gate> {
        self.gates
            .iter()
            .map(|gate| &**gate)
            .find(|gate| gate.component() == Component::Responder)
    }

    pub(crate) fn components(&self) -> Vec<ComponentHealth> {
        let gated = self.gates.iter().map(|gate| ComponentHealth::from(gate.state()));
        let disabled = self.disabled.iter().map(|degradation| ComponentHealth {
            component: degradation.component,
            primary: false,
            degraded_since: None,
            reason: Some(degradation.reason.clone()),
            fallbacks: 0,
        });
        let mut components: Vec<_> = disabled.chain(gated).collect();
        components.sort_by_key(|health| health.component);
        components
    }
}

impl Status {
    pub(crate) fn of(components: &[ComponentHealth]) -> Self {
        let working = components.iter().filter(|health| health.primary).count();
        match working * 100 / components.len().max(1) {
            75.. => Self::Excellent,
            50.. => Self::Good,
            25.. => Self::Fair,
            _ => Self::Poor,
        }
    }
}

impl From<GateState> for ComponentHealth {
    fn from(state: GateState) -> Self {
        Self {
            component: state.component,
            primary: state.degraded_since.is_none(),
            degraded_since: state.degraded_since,
            reason: state.reason,
            fallbacks: state.fallbacks,
        }
    }
}
