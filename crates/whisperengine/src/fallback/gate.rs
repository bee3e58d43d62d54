//! When the fallback answers: a circuit breaker with hysteresis in both directions.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use whisperengine_types::{Clock, Component, Degradation, Timestamp};

/// How readily a gate switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct GateConfig {
    /// Failures in a row before the fallback takes over; default 3. More rides out longer hiccups, at
    /// the cost of that many failed attempts.
    pub failures_to_open: u32,
    /// Successful probes in a row before the primary answers everything again; default 2.
    pub successes_to_close: u32,
    /// Milliseconds between probes of an unavailable primary; default 1000.
    pub probe_interval_ms: u64,
    /// Milliseconds after which an answer counts as a failure, though it is still used; default 1000.
    /// The call itself is not interrupted.
    pub deadline_ms: u64,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            failures_to_open: 3,
            successes_to_close: 2,
            probe_interval_ms: 1000,
            deadline_ms: 1000,
        }
    }
}

/// Counts the answers of one component and decides who gives the next one.
#[derive(Debug)]
pub struct Gate {
    component: Component,
    loss: &'static str,
    config: GateConfig,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    failures_in_a_row: u32,
    open: Option<Open>,
    fallbacks: u64,
    switches: u64,
}

#[derive(Debug)]
struct Open {
    since: Timestamp,
    reason: String,
    next_probe: Instant,
    successes_in_a_row: u32,
}

/// What a gate has seen so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateState {
    /// The component behind the gate.
    pub component: Component,
    /// Since when the fallback answers; `None` while the primary does.
    pub degraded_since: Option<Timestamp>,
    /// Why it does.
    pub reason: Option<String>,
    /// Answers the fallback has given.
    pub fallbacks: u64,
    /// How often the fallback took over.
    pub switches: u64,
}

/// Leave to ask the primary once; report how it went.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    gate: &'a Gate,
    started: Instant,
}

impl Gate {
    /// A closed gate; `loss` says in words what is missing while the fallback answers.
    pub fn new(component: Component, loss: &'static str, config: GateConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            component,
            loss,
            config,
            clock,
            inner: Mutex::default(),
        }
    }

    /// The component behind the gate.
    pub fn component(&self) -> Component {
        self.component
    }

    /// Whether the primary answers everything at present.
    pub fn is_closed(&self) -> bool {
        self.lock().open.is_none()
    }

    /// What the gate has seen so far.
    pub fn state(&self) -> GateState {
        let inner = self.lock();
        GateState {
            component: self.component,
            degraded_since: inner.open.as_ref().map(|open| open.since),
            reason: inner.open.as_ref().map(|open| open.reason.clone()),
            fallbacks: inner.fallbacks,
            switches: inner.switches,
        }
    }

    /// Answers the fallback has given; compare before and after a call to see who answered.
    pub fn fallbacks(&self) -> u64 {
        self.lock().fallbacks
    }

    /// The degradation to name in an outcome.
    pub fn degradation(&self) -> Degradation {
        let inner = self.lock();
        let cause = inner.open.as_ref().map_or("a call failed", |open| &open.reason);
        Degradation {
            component: self.component,
            reason: format!("{}: {cause}", self.loss),
            since: inner.open.as_ref().map(|open| open.since),
        }
    }

    /// Notes the outcome of work that was not asked for through the gate; an error counts as a fallback.
    pub(crate) fn note(&self, error: Option<&str>) {
        match error {
            Some(reason) => self.failure(reason, false),
            None => self.success(),
        }
    }

    /// Whether the primary may be asked now; while it is away, only now and then.
    pub(crate) fn may_enter(&self) -> bool {
        self.enter().is_some()
    }

    /// Leave to ask the primary; `None` when the fallback is to answer.
    pub(crate) fn enter(&self) -> Option<Attempt<'_>> {
        let now = self.clock.instant();
        let mut inner = self.lock();
        let inner = &mut *inner;
        if let Some(open) = &mut inner.open {
            if now < open.next_probe {
                inner.fallbacks += 1;
                return None;
            }
            open.next_probe = now + Duration::from_millis(self.config.probe_interval_ms);
        }
        Some(Attempt {
            gate: self,
            started: now,
        })
    }

    fn failure(&self, reason: &str, answered: bool) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.fallbacks += u64::from(!answered);
        inner.failures_in_a_row += 1;
        if let Some(open) = &mut inner.open {
            open.successes_in_a_row = 0;
            reason.clone_into(&mut open.reason);
        } else if inner.failures_in_a_row >= self.config.failures_to_open {
            inner.switches += 1;
            inner.open = Some(Open {
                since: self.clock.now(),
                reason: reason.to_owned(),
                next_probe: self.clock.instant() + Duration::from_millis(self.config.probe_interval_ms),
                successes_in_a_row: 0,
            });
            tracing::warn!(component = %self.component, reason, "fallback takes over");
        }
    }

    fn success(&self) {
        let mut inner = self.lock();
        inner.failures_in_a_row = 0;
        let Some(open) = &mut inner.open else { return };
        open.successes_in_a_row += 1;
        if open.successes_in_a_row >= self.config.successes_to_close {
            inner.open = None;
            tracing::info!(component = %self.component, "primary answers again");
        } else {
            // A probe that went well is followed by the next one at once.
            open.next_probe = self.clock.instant();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    pub(crate) fn failed(self, error: &dyn fmt::Display) {
        self.gate.failure(&error.to_string(), false);
    }

    pub(crate) fn succeeded(self) {
        let took = self.gate.clock.instant().saturating_duration_since(self.started);
        if took > Duration::from_millis(self.gate.config.deadline_ms) {
            let reason = format!(
                "took {} ms, more than {} ms",
                took.as_millis(),
                self.gate.config.deadline_ms
            );
            self.gate.failure(&reason, true);
        } else {
            self.gate.success();
        }
    }
}
