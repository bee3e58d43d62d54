//! What the engine counts. Labels never hold message text or anyone's id.
//!
//! | name | kind | labels | unit |
//! |---|---|---|---|
//! | `whisperengine_turns_total` | counter | `priority`, `stored` | turns |
//! | `whisperengine_refused_total` | counter | `reason` | turns |
//! | `whisperengine_safety_total` | counter | `level` | turns |
//! | `whisperengine_degraded_total` | counter | `component` | turns |
//! | `whisperengine_stage_seconds` | histogram | `stage` | seconds |
//! | `whisperengine_upkeep_skipped_total` | counter | | turns |
//! | `whisperengine_replies_total` | counter | `by` | replies |
//! | `whisperengine_recall_cache_hits_total`, `..._misses_total`, `..._invalidations_total` | counter | | queries |
//! | `whisperengine_waiting_writes` | gauge | | writes |
//! | `whisperengine_conversations` | gauge | | people in memory |

use metrics::{counter, gauge, histogram};
use whisperengine_memory_batcher::CacheStats;
use whisperengine_types::{Durability, SafetyLevel, TurnOutcome};

use crate::pipeline::FORGOTTEN;

/// Counts a finished turn and its stages.
pub(crate) fn record_turn(outcome: &TurnOutcome) {
    let stored = match &outcome.stored {
        Durability::NotStored { reason } if reason == FORGOTTEN => "forgotten",
        Durability::Durable => "durable",
        Durability::Volatile => "volatile",
        Durability::NotStored { .. } => "not_stored",
    };
    counter!("whisperengine_turns_total", "priority" => outcome.priority.name(), "stored" => stored)
        .increment(1);
    for degradation in &outcome.degraded {
        counter!("whisperengine_degraded_total", "component" => degradation.component.to_string())
            .increment(1);
    }
    if outcome.safety().level > SafetyLevel::None && !outcome.redelivered {
        counter!("whisperengine_safety_total", "level" => outcome.safety().level.name()).increment(1);
    }
    // One by one: a label that is a literal costs nothing, one that is a variable an allocation.
    let timings = &outcome.timings;
    histogram!("whisperengine_stage_seconds", "stage" => "queued").record(timings.queued);
    histogram!("whisperengine_stage_seconds", "stage" => "emotion").record(timings.emotion);
    histogram!("whisperengine_stage_seconds", "stage" => "embedding").record(timings.embedding);
    histogram!("whisperengine_stage_seconds", "stage" => "recall").record(timings.recall);
    histogram!("whisperengine_stage_seconds", "stage" => "plan").record(timings.plan);
    histogram!("whisperengine_stage_seconds", "stage" => "context").record(timings.context);
    histogram!("whisperengine_stage_seconds", "stage" => "store").record(timings.store);
    histogram!("whisperengine_stage_seconds", "stage" => "total").record(timings.total);
}

/// Counts a turn that was not accepted.
pub(crate) fn record_refusal(reason: &'static str) {
    counter!("whisperengine_refused_total", "reason" => reason).increment(1);
}

/// Counts a turn whose work after the reply found no room.
pub(crate) fn record_skipped_upkeep() {
    counter!("whisperengine_upkeep_skipped_total").increment(1);
}

/// Counts a reply. `degraded`: the template stood in, or it broke off.
pub(crate) fn record_reply(degraded: bool) {
    let by = if degraded { "fallback" } else { "responder" };
    counter!("whisperengine_replies_total", "by" => by).increment(1);
}

/// Sets what the gauges show.
pub(crate) fn record_levels(waiting: usize, conversations: usize, cache: &CacheStats) {
    counter!("whisperengine_recall_cache_hits_total").absolute(cache.hits);
    counter!("whisperengine_recall_cache_misses_total").absolute(cache.misses);
    counter!("whisperengine_recall_cache_invalidations_total").absolute(cache.invalidations);
    gauge!("whisperengine_waiting_writes").set(waiting as f64);
    gauge!("whisperengine_conversations").set(conversations as f64);
}
