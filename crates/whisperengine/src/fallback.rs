//! A primary and a fallback for each port, chosen when the engine is built.
//!
//! The fallback answers only while the primary is *unavailable*: it failed through no fault of the request, or
//! took longer than its deadline. A bad request stays an error. Every switch is logged once and counted, and
//! each [`Answered`] value says itself who gave it; the way back is automatic.

mod embedder;
mod emotion;
mod gate;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub use gate::{Gate, GateConfig, GateState};
use whisperengine_types::{Component, Degradation};

/// A port with a fallback.
///
/// What is lost while the fallback answers: with the neutral emotion reading, feelings; without an embedding,
/// meaning beyond shared words; with an empty recall, memories; with the default plan, threads and moments.
#[derive(Debug)]
pub struct Fallback<P: ?Sized> {
    primary: Arc<P>,
    secondary: Arc<P>,
    gate: Arc<Gate>,
}

/// A value, and what was missing when it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered<T> {
    /// The value.
    pub value: T,
    /// Why it may be worse than usual: a fallback gave it.
    pub degraded: Option<Degradation>,
}

impl<P: ?Sized> Clone for Fallback<P> {
    fn clone(&self) -> Self {
        Self {
            primary: Arc::clone(&self.primary),
            secondary: Arc::clone(&self.secondary),
            gate: Arc::clone(&self.gate),
        }
    }
}

impl<T> Answered<T> {
    /// The primary's answer.
    pub fn by_primary(value: T) -> Self {
        Self {
            value,
            degraded: None,
        }
    }
}

impl<T: Default> Answered<T> {
    /// The result, or the default where there is none.
    pub(crate) fn or_default(result: Result<T, Degradation>) -> Self {
        match result {
            Ok(value) => Self::by_primary(value),
            Err(degraded) => Self {
                value: T::default(),
                degraded: Some(degraded),
            },
        }
    }
}

impl<P: ?Sized> Fallback<P> {
    /// Puts `secondary` behind `primary`; `gate` decides when it answers.
    pub fn new(primary: Arc<P>, secondary: Arc<P>, gate: Arc<Gate>) -> Self {
        Self {
            primary,
            secondary,
            gate,
        }
    }

    /// The gate.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Asks the primary if the gate lets it, and the fallback if it does not, or the primary panics or fails
    /// with an error that `is_unavailable` recognises.
    ///
    /// # Errors
    /// The primary's error about the request, or the fallback's.
    pub(crate) fn call<T, E: fmt::Display>(
        &self,
        ask: impl Fn(&P) -> Result<T, E>,
        is_unavailable: impl Fn(&E) -> bool,
    ) -> Result<Answered<T>, E> {
        let by_fallback = || {
            Ok(Answered {
                value: ask(&self.secondary)?,
                degraded: Some(self.gate.degradation()),
            })
        };
        let Some(attempt) = self.gate.enter() else {
            return by_fallback();
        };
        match guarded(|| ask(&self.primary)) {
            Ok(Err(error)) if is_unavailable(&error) => {
                attempt.failed(&error);
                by_fallback()
            }
            Ok(answer) => {
                attempt.succeeded();
                answer.map(Answered::by_primary)
            }
            Err(panic) => {
                attempt.failed(&panic);
                by_fallback()
            }
        }
    }

    /// As [`call`](Self::call) for a batch of texts, one answer for each. When the primary panics over it, or
    /// fails for another reason than being unavailable, each text is asked for by itself, so that the fallback
    /// answers only for the one at fault.
    pub(crate) fn call_each<T, E: fmt::Display>(
        &self,
        texts: &[&str],
        ask: impl Fn(&P, &[&str]) -> Result<Vec<T>, E>,
        is_unavailable: impl Fn(&E) -> bool,
    ) -> Vec<Result<Answered<T>, E>> {
        if texts.len() > 1 && self.gate.is_closed() {
            let whole = self.call(
                |port| guarded_batch(|| ask(port, texts)),
                |fault| matches!(fault, Fault::Port(error) if is_unavailable(error)),
            );
            if let Ok(Answered { value, degraded }) = whole
                && value.len() == texts.len()
            {
                let answered = |value| {
                    Ok(Answered {
                        value,
                        degraded: degraded.clone(),
                    })
                };
                return value.into_iter().map(answered).collect();
            }
        }
        let any_fault = |_: &E| true;
        let one = |text: &&str| {
            let answered = self.call(|port| ask(port, std::slice::from_ref(text)), any_fault)?;
            let Answered { mut value, degraded } = answered;
            let value = value.pop().expect("one answer for each text");
            Ok(Answered { value, degraded })
        };
        texts.iter().map(one).collect()
    }
}

/// What went wrong with a whole batch.
enum Fault<E> {
    Panic,
    Port(E),
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic => f.write_str("panicked"),
            Self::Port(error) => error.fmt(f),
        }
    }
}

fn guarded_batch<T, E>(ask: impl FnOnce() -> Result<T, E>) -> Result<T, Fault<E>> {
    match guarded(ask) {
        Ok(answer) => answer.map_err(Fault::Port),
        Err(_) => Err(Fault::Panic),
    }
}

/// Runs `work`; a panic comes back as its message.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        format!("panicked: {}", text.as_deref().unwrap_or("no message"))
    })
}

/// Runs `work`; an error or a panic comes back as what is missing of `component`.
pub(crate) fn isolate<T, E: fmt::Display>(
    component: Component,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, Degradation> {
    let missing = |reason: String| Degradation {
        component,
        reason,
        since: None,
    };
    match guarded(work) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(error)) => Err(missing(error.to_string())),
        Err(panic) => Err(missing(panic)),
    }
}
