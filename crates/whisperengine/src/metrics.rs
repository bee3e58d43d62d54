//! What the engine counts. Labels never hold message text or anyone's id.
//!
//! | name | kind | labels | unit |
//! |---|---|---|---|
//! | `whisperengine_turns_total` | counter | `priority`, `stored` | turns |
//! | `whisperengine_refused_total` | counter | `reason` | turns |
//! | `whisperengine_degraded_total` | counter | `component` | turns |
//! | `whisperengine_stage_seconds` | histogram | `stage` | seconds |
//! | `whisperengine_aftermath_skipped_total` | counter | | turns |
//! | `whisperengine_outbox_writes` | gauge | | writes |
//! | `whisperengine_conversations` | gauge | | people in memory |

use metrics::{counter, gauge, histogram};
use whisperengine_types::{Durability, TurnOutcome};

/// Counts a finished turn and its stages. `wanted` is false when it was not to be stored, because the
/// person was forgotten.
pub(crate) fn record_turn(outcome: &TurnOutcome, wanted: bool) {
    let stored = match outcome.stored {
        _ if !wanted => "forgotten",
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
    // One by one: a label that is a literal costs nothing, one that is a variable an allocation.
    let timings = &outcome.timings;
    histogram!("whisperengine_stage_seconds", "stage" => "queued").record(timings.queued);
    histogram!("whisperengine_stage_seconds", "stage" => "emotion").record(timings.emotion);
    histogram!("whisperengine_stage_seconds", "stage" => "embedding").record(timings.embedding);
    histogram!("whisperengine_stage_seconds", "stage" => "recall").record(timings.recall);
    histogram!("whisperengine_stage_seconds", "stage" => "plan").record(timings.plan);
    histogram!("whisperengine_stage_seconds", "stage" => "store").record(timings.store);
    histogram!("whisperengine_stage_seconds", "stage" => "total").record(timings.total);
}

/// Counts a turn that was not accepted.
pub(crate) fn record_refusal(reason: &'static str) {
    counter!("whisperengine_refused_total", "reason" => reason).increment(1);
}

/// Counts a turn whose aftermath found no room.
pub(crate) fn record_skipped_aftermath() {
    counter!("whisperengine_aftermath_skipped_total").increment(1);
}

/// Sets what the gauges show.
pub(crate) fn record_levels(outbox: usize, conversations: usize) {
    gauge!("whisperengine_outbox_writes").set(outbox as f64);
    gauge!("whisperengine_conversations").set(conversations as f64);
}
