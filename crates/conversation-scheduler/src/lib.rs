//! A priority conversation scheduler: per-session order, weighted fairness, admission control, deadlines.
//!
//! ```
//! use std::time::Duration;
//! use whisperengine_conversation_scheduler::{Config, Scheduler, Turn};
//! use whisperengine_types::{BotId, ChannelId, SessionKey, UserId};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Called on the scheduler's own threads with turns of different sessions.
//! let shout = |turns: &[Turn<String>]| turns.iter().map(|turn| turn.payload.to_uppercase()).collect();
//! let scheduler: Scheduler<String, String> = Scheduler::start(Config::default(), shout)?;
//!
//! let (bot, user, channel) = (BotId::new("ember")?, UserId::new("ana")?, ChannelId::new("dm")?);
//! let session = SessionKey { bot, user, channel };
//! let text = "please help";
//! let score = scheduler.score(&session, text, None);
//! let ticket = scheduler.submit(session, text.to_owned(), score)?;
//! assert_eq!(ticket.await?, "PLEASE HELP");
//!
//! let report = scheduler.shutdown(Duration::from_secs(5)).await;
//! assert!(report.handed_back.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Concepts
//! A **turn** belongs to a **session** (bot, person, channel). A session's turns are served in the order
//! they came, one at a time. A turn has one of four **classes**, given or scored ([`PriorityScore`]);
//! classes share the service by weight, 4:3:2:1, and none waits longer than 64 turns. Inside a class,
//! sessions take turns in rounds, so one that sends a thousand times as much as the others is served as
//! often as they are. A session waits in the most urgent class among its waiting turns.
//!
//! A [`Handler`] gets a **batch** of turns of different sessions and answers each, in the call or later.
//! Every accepted turn has exactly one answer: its result or a [`TurnError`]. A turn that is not accepted
//! is [`Refused`] with the limit it met and a time to come back that follows from the measured service
//! rate; besides the queue's limits, a turn is refused when its estimated wait is over `max_wait`. That is
//! what keeps the accepted turns fast and the workers busy when ten times too many come.
//!
//! [`Scheduler`] is threads, wakers and a clock around [`SchedulerCore`], which has none of them and can be
//! driven by a simulated clock. [`SchedulerService`] and [`SchedulerLayer`] are the same for `tower`.
//!
//! # It is not
//! A job queue: turns live in memory, and a turn that was not started when the process ends is lost with
//! it ([`Scheduler::shutdown`] hands them back before). It does not preempt: a started turn runs to its end.
//!
//! # Limits and units
//! About 210 bytes of memory per idle session, keys included; 4 billion sessions and queued turns; 65,000
//! waiting turns per session. Deadlines are kept to the millisecond, the idle timeout to a thousandth of
//! it. Waits and rates are measured on the monotonic clock; a rate follows a change within seconds.
//!
//! # Trade-offs
//! The waiting turns are behind one mutex: a turn holds it for about a third of a microsecond in all, so it
//! carries some million turns a second, and the order of sessions and classes is exact. A flooder costs the
//! others nothing in the queue, but it does keep one worker's place busy: with few workers and no batches,
//! that is a noticeable part of the capacity.
//!
//! An answer that comes from a worker's thread costs its caller a change of threads, tens of microseconds when
//! little is going on. [`Scheduler::start_on`] has the workers among the caller's own tasks, where it takes
//! about two, and handlers must then be short.
//!
//! # Features
//! None. The futures work on any executor; only [`SchedulerLayer`] and [`Scheduler::start_on`] need a tokio
//! runtime.
#![forbid(unsafe_code)]

mod batch;
mod config;
mod controller;
mod driver;
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

pub use batch::{Batch, Handler, Replies, Reply};
pub use config::{Config, OverloadPolicy, PanicPolicy};
pub use driver::{DrainReport, Scheduler};
pub use error::{Error, RefusalReason, Refused, Result, ScheduleError, TurnError};
pub use layer::{LayerError, Scheduled, ScheduledFuture, SchedulerLayer};
pub use machine::{Accepted, Dispatch, Lease, Output, SchedulerCore, Submission};
pub use metrics::{ClassMetrics, Dropped, Metrics, Refusals};
pub use options::{Coalesce, PriorityChoice, SubmitOptions, Turn, TurnId};
pub use score::{PriorityScore, Rule, ScoreInput, SessionSignals};
pub use service::{Place, ResponseFuture, SchedulerService};
pub use ticket::{Ticket, Tickets};
pub use weighted_queue::WeightedQueue;
