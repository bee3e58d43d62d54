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

use std::sync::Arc;

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

    /// Asks the primary if the gate lets it, and the stand-in if it does not or the primary fails with
    /// an error that `is_unavailable` recognises.
    fn call<T, E: std::fmt::Display>(
        &self,
        ask: impl Fn(&P) -> Result<T, E>,
        is_unavailable: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let Some(attempt) = self.gate.enter() else {
            return ask(&self.secondary);
        };
        match ask(&self.primary) {
            Err(error) if is_unavailable(&error) => {
                attempt.failed(&error);
                ask(&self.secondary)
            }
            answer => {
                attempt.succeeded();
                answer
            }
        }
    }
}
