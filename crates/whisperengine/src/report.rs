//! What is on, said once at start.

use std::fmt;

use serde::Serialize;
use whisperengine_types::Degradation;

use crate::{config::Mode, environment::Environment};

/// What the engine found and chose; its [`Display`](fmt::Display) form is for the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CapabilityReport {
    /// The machine.
    pub environment: Environment,
    /// The mode.
    pub mode: Mode,
    /// Where memories are kept; `None` when in memory only.
    pub data_dir: Option<String>,
    /// The space of the embeddings.
    pub embedding: String,
    /// Bytes of memories kept ready for searching.
    pub partition_budget_bytes: usize,
    /// What is switched off, and what that means.
    pub disabled: Vec<Degradation>,
}

impl fmt::Display for CapabilityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Environment {
            cores,
            memory_bytes,
            platform,
            ..
        } = &self.environment;
        write!(
            f,
            "WhisperEngine, mode {:?}: {cores} cores, {} MB, {platform}; {} MB for partitions, \
             embeddings {}, memories in {}",
            self.mode,
            memory_bytes / 1_000_000,
            self.partition_budget_bytes / 1_000_000,
            self.embedding,
            self.data_dir.as_deref().unwrap_or("memory only"),
        )?;
        for off in &self.disabled {
            write!(f, "\n  off: {} ({})", off.component, off.reason)?;
        }
        Ok(())
    }
}
