//! A priority conversation scheduler: per-session order, weighted fairness, admission control, deadlines.
#![forbid(unsafe_code)]

mod batch;
mod config;
mod context_cache;
mod controller;
mod driver;
mod duration_text;
mod error;
mod histogram;
mod key_index;
mod layer;
mod lexicon;
mod machine;
mod metrics;
mod options;
mod rate;
mod reply;
mod score;
mod service;
mod sessions;
mod slab;
mod ticket;
mod timing_wheel;
mod turns;
mod weighted_queue;

pub use batch::{Batch, Handler, Reply};
pub use config::{Config, OverloadPolicy, PanicPolicy};
pub use context_cache::ContextCache;
pub use driver::{DrainReport, Scheduler};
pub use error::{Error, RefusalReason, Refused, Result, ScheduleError, TurnError};
pub use layer::{LayerError, Scheduled, ScheduledFuture, SchedulerLayer};
pub use machine::{Accepted, Dispatch, Lease, Output, SchedulerCore, Submission};
pub use metrics::{ClassMetrics, Dropped, Metrics, Refusals};
pub use options::{Coalesce, PriorityChoice, SubmitOptions, Turn, TurnId};
pub use score::{PriorityScore, Rule, ScoreInput, SessionSignals};
pub use service::{ResponseFuture, SchedulerService};
pub use ticket::{Ticket, Tickets};
pub use weighted_queue::WeightedQueue;
