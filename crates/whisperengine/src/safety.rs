//! Who learns of it when somebody is in danger.

use std::{fmt, sync::Arc};

use whisperengine_types::{SafetyLevel, TurnOutcome};

use crate::fallback::guarded;

/// A function that is called with each turn that says somebody is in danger.
#[derive(Clone, Default)]
pub(crate) struct SafetyHook(Option<Arc<Notify>>);

/// What is called.
pub(crate) type Notify = dyn Fn(&TurnOutcome) + Send + Sync;

impl SafetyHook {
    pub(crate) fn new(hook: Arc<Notify>) -> Self {
        Self(Some(hook))
    }

    /// Calls the hook if there is occasion; its panic is logged and goes no further.
    pub(crate) fn notify(&self, outcome: &TurnOutcome) {
        let Some(hook) = &self.0 else { return };
        let is_occasion = outcome.safety().level > SafetyLevel::None && !outcome.redelivered;
        if is_occasion && let Err(panic) = guarded(|| hook(outcome)) {
            tracing::error!(panic, "the safety hook panicked");
        }
    }
}

impl fmt::Debug for SafetyHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SafetyHook").field(&self.0.is_some()).finish()
    }
}
