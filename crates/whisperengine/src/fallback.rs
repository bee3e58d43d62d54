//! A primary and a stand-in for each port, chosen when the engine is built.
//!
//! The stand-in answers only while the primary is *unavailable* — it failed through no fault of the
//! request, or took longer than its deadline. A bad request stays an error. Every switch is logged once,
//! counted, and named in the outcomes of the turns it touched; the way back is automatic.

mod conversation;
mod embedder;
mod emotion;
mod gate;
mod memory;
mod responder;

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub use gate::{Gate, GateConfig, GateState};

/// A port with a stand-in.
///
/// What is lost while the stand-in answers: with the neutral emotion reading, feelings; with the hashing
/// embedder, meaning beyond shared words (and nothing is found by embedding in a store of another
/// space); with an empty recall, memories; with the default plan, threads and moments.
#[derive(Debug)]
pub struct Fallback<P: ?Sized> {
    primary: Arc<P>,
    secondary: Arc<P>,
    gate: Arc<Gate>,
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

    /// Asks the primary if the gate lets it, and the stand-in if it does not, or the primary panics or
    /// fails with an error that `is_unavailable` recognises.
    fn call<T, E: fmt::Display>(
        &self,
        ask: impl Fn(&P) -> Result<T, E>,
        is_unavailable: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let Some(attempt) = self.gate.enter() else {
            return ask(&self.secondary);
        };
        match guarded(|| ask(&self.primary)) {
            Ok(Err(error)) if is_unavailable(&error) => {
                attempt.failed(&error);
                ask(&self.secondary)
            }
            Ok(answer) => {
                attempt.succeeded();
                answer
            }
            Err(panic) => {
                attempt.failed(&panic);
                ask(&self.secondary)
            }
        }
    }

    /// As [`call`](Self::call) for a batch of texts. When the primary panics over it, or fails for another
    /// reason than being unavailable, each text is asked for by itself, so that the stand-in answers only
    /// for the one at fault.
    fn call_batch<T, E: fmt::Display>(
        &self,
        texts: &[&str],
        ask: impl Fn(&P, &[&str]) -> Result<Vec<T>, E>,
        is_unavailable: impl Fn(&E) -> bool,
    ) -> Result<Vec<T>, E> {
        let any_fault = |_: &E| true;
        if texts.len() <= 1 || !self.gate.is_closed() {
            return self.call(|port| ask(port, texts), any_fault);
        }
        let whole = self.call(
            |port| guarded_batch(|| ask(port, texts)),
            |fault| matches!(fault, Fault::Port(error) if is_unavailable(error)),
        );
        if let Ok(answers) = whole {
            return Ok(answers);
        }
        let mut answers = Vec::with_capacity(texts.len());
        for text in texts {
            answers.extend(self.call(|port| ask(port, std::slice::from_ref(text)), any_fault)?);
        }
        Ok(answers)
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
