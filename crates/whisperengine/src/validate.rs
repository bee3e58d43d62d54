//! Whether a configuration can be used: every section by itself, and the sections beside one another.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use figment::value::Value;
use whisperengine_phase4::Error as Phase4Error;
use whisperengine_types::BotId;

use crate::{config::EngineConfig, error::ConfigError};

impl EngineConfig {
    /// Checks every value, and whether the sections fit one another.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`] names the first field that is not acceptable, [`ConfigError::Section`] the
    /// first section.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_own()?;
        self.validate_reach()?;
        let state = &self.state;
        at_least_one("state.save_after_turns", u64::from(state.save_after_turns))?;
        within(
            "state.save_after_idle_secs",
            state.save_after_idle_secs,
            0..=YEAR_SECS,
        )?;
        within(
            "state.unload_after_idle_secs",
            state.unload_after_idle_secs,
            0..=YEAR_SECS,
        )?;
        within(
            "state.session_gap_minutes",
            state.session_gap_minutes,
            1..=YEAR_SECS / 60,
        )?;
        within("state.tick_stored_people", state.tick_stored_people, 0..=MILLION)?;
        within("state.replay_messages", state.replay_messages, 0..=MILLION)?;
        let fallback = &self.fallback;
        at_least_one("fallback.failures_to_open", u64::from(fallback.failures_to_open))?;
        at_least_one(
            "fallback.successes_to_close",
            u64::from(fallback.successes_to_close),
        )?;
        within(
            "fallback.probe_interval_ms",
            fallback.probe_interval_ms,
            0..=DAY_MS,
        )?;
        within("fallback.deadline_ms", fallback.deadline_ms, 1..=DAY_MS)?;
        self.validate_store()?;
        self.validate_sections()
    }

    fn validate_own(&self) -> Result<(), ConfigError> {
        if let Some(folder) = &self.data_dir
            && folder.as_os_str().is_empty()
        {
            let expected = "expected a folder, or no setting at all to keep memories in memory";
            return Err(ConfigError::out_of_range("data_dir", "empty", expected));
        }
        at_least_one("message_limit_bytes", self.message_limit_bytes as u64)?;
        at_least_one("reply_limit_bytes", self.reply_limit_bytes as u64)?;
        within("recall_memories", self.recall_memories, 1..=MAX_RECALLED)?;
        within("recall_min_relevance", self.recall_min_relevance, 0.0..=1.0)?;
        within("reply_timeout_ms", self.reply_timeout_ms, 1..=DAY_MS)?;
        within("shutdown_seconds", self.shutdown_seconds, 0..=DAY_MS / 1000)?;
        self.lore()?;
        for (id, bot) in &self.bots {
            BotId::new(id)
                .map_err(|error| ConfigError::out_of_range("bots", format!("{id:?}"), error.to_string()))?;
            if bot.budget_tokens == Some(0) {
                return Err(ConfigError::out_of_range(
                    format!("bots.{id}.budget_tokens"),
                    0,
                    "expected at least 1",
                ));
            }
        }
        Ok(())
    }

    /// What is accepted must be storable.
    fn validate_reach(&self) -> Result<(), ConfigError> {
        let longest = self.vector_memory.max_text_bytes;
        within("vector_memory.max_text_bytes", longest, 1..=MAX_TEXT_BYTES)?;
        for (field, limit) in [
            ("message_limit_bytes", self.message_limit_bytes),
            ("reply_limit_bytes", self.reply_limit_bytes),
        ] {
            if limit > longest {
                let expected = format!(
                    "expected at most vector_memory.max_text_bytes, {longest}: longer texts are not stored"
                );
                return Err(ConfigError::out_of_range(field, limit, expected));
            }
        }
        Ok(())
    }

    fn validate_store(&self) -> Result<(), ConfigError> {
        let memory = &self.vector_memory;
        within(
            "vector_memory.store_cache_bytes",
            memory.store_cache_bytes,
            0..=MAX_BYTES,
        )?;
        within(
            "vector_memory.write_buffer_bytes",
            memory.write_buffer_bytes,
            0..=MAX_BYTES,
        )?;
        at_least_one("vector_memory.chunk_chars", memory.chunk_chars as u64)?;
        if memory.chunk_overlap_chars >= memory.chunk_chars {
            let expected = format!(
                "expected less than vector_memory.chunk_chars, {}",
                memory.chunk_chars
            );
            let field = "vector_memory.chunk_overlap_chars";
            return Err(ConfigError::out_of_range(
                field,
                memory.chunk_overlap_chars,
                expected,
            ));
        }
        within(
            "recall_cache.max_bytes",
            self.recall_cache.max_bytes,
            0..=MAX_BYTES,
        )?;
        let (batcher, scheduler) = (&self.memory_batcher, &self.conversation_scheduler);
        within(
            "memory_batcher.parallel_commits",
            batcher.parallel_commits,
            1..=MAX_THREADS,
        )?;
        within("memory_batcher.queue_items", batcher.queue_items, 1..=MAX_ITEMS)?;
        let workers = scheduler.min_workers.get();
        within("conversation_scheduler.min_workers", workers, 1..=MAX_THREADS)?;
        if let Some(workers) = scheduler.max_workers {
            within(
                "conversation_scheduler.max_workers",
                workers.get(),
                1..=MAX_THREADS,
            )?;
        }
        for (field, duration) in [
            (
                "recall_cache.recency_tolerance",
                self.recall_cache.recency_tolerance,
            ),
            ("memory_batcher.max_delay", batcher.max_delay),
            ("memory_batcher.retry.backoff", batcher.retry.backoff),
            ("memory_batcher.retry.max_backoff", batcher.retry.max_backoff),
        ] {
            if duration > HOUR {
                return Err(ConfigError::out_of_range(
                    field,
                    format!("{duration:?}"),
                    "expected at most 1h",
                ));
            }
        }
        Ok(())
    }

    fn validate_sections(&self) -> Result<(), ConfigError> {
        let within = |section, reason: &dyn Display| ConfigError::Section {
            section,
            reason: reason.to_string(),
        };
        self.memory_batcher
            .validate()
            .map_err(|error| within("memory_batcher", &error))?;
        self.conversation_scheduler
            .validate()
            .map_err(|error| within("conversation_scheduler", &error))?;
        self.reply_context
            .validate()
            .map_err(|error| within("reply_context", &error))?;
        self.phase4.validate().map_err(|error| match error {
            Phase4Error::InvalidConfig { field, expected } => {
                let value = Value::serialize(&self.phase4)
                    .ok()
                    .and_then(|all| all.find(field));
                let value = value.map_or_else(String::new, |value| shown(&value));
                ConfigError::out_of_range(format!("phase4.{field}"), value, format!("expected {expected}"))
            }
            error => within("phase4", &error),
        })
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Num(_, number) => number.to_f64().map_or_else(
            || format!("{:?}", number.to_actual()),
            |number| number.to_string(),
        ),
        other => format!("{other:?}"),
    }
}

fn at_least_one(field: &str, value: u64) -> Result<(), ConfigError> {
    match value {
        0 => Err(ConfigError::out_of_range(field, 0, "expected at least 1")),
        _ => Ok(()),
    }
}

fn within<T: PartialOrd + Display>(
    field: &str,
    value: T,
    accepted: RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if accepted.contains(&value) {
        return Ok(());
    }
    let expected = format!("expected {} to {}", accepted.start(), accepted.end());
    Err(ConfigError::out_of_range(field, value, expected))
}

const MILLION: usize = 1_000_000;
const MAX_RECALLED: usize = 1_000;
const MAX_TEXT_BYTES: usize = 16 << 20;
const MAX_BYTES: u64 = 1 << 40;
const MAX_THREADS: usize = 256;
const MAX_ITEMS: usize = u32::MAX as usize;
const HOUR: Duration = Duration::from_secs(3_600);
const DAY_MS: u64 = 86_400_000;
const YEAR_SECS: u64 = 31_536_000;
