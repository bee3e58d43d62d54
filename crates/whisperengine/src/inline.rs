//! Turns without a scheduler: each starts as soon as the one before it in its session is done.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use tokio::{
    runtime::Handle,
    sync::{oneshot, watch},
    task::spawn_blocking,
};
use whisperengine_types::{SessionKey, TurnOutcome};

use crate::{
    error::{Error, Result},
    pipeline::Pipeline,
    turn::Turn,
};

/// The last turn of each session that has any under way.
#[derive(Debug)]
pub(crate) struct InlineTurns {
    runtime: Handle,
    pipeline: Arc<Pipeline>,
    tails: Arc<DashMap<SessionKey, watch::Receiver<()>>>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl InlineTurns {
    pub(crate) fn new(runtime: Handle, pipeline: Arc<Pipeline>, limit: usize) -> Self {
        Self {
            runtime,
            pipeline,
            tails: Arc::default(),
            waiting: Arc::default(),
            limit,
        }
    }

    /// Starts `turn` behind the last one of its session. The order is fixed here, not when tasks run.
    pub(crate) fn submit(&self, turn: Turn) -> Result<oneshot::Receiver<Result<TurnOutcome>>> {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.limit {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            let reason = format!("{} turns are under way", self.limit);
            return Err(Error::Busy {
                reason,
                retry_after: RETRY_AFTER,
            });
        }
        let key = turn.message.session();
        let (finish, done) = watch::channel(());
        let before = self.tails.insert(key.clone(), done);
        let (answer, answered) = oneshot::channel();
        let (pipeline, tails, waiting) = (
            Arc::clone(&self.pipeline),
            Arc::clone(&self.tails),
            Arc::clone(&self.waiting),
        );
        self.runtime.spawn(async move {
            if let Some(mut before) = before {
                // An error means that the turn before is gone, which is what we wait for.
                let _ = before.changed().await;
            }
            let result = spawn_blocking(move || pipeline.run(&[turn]).pop()).await;
            let failed = |reason: &str| {
                Err(Error::TurnFailed {
                    reason: reason.to_owned(),
                })
            };
            let result = match result {
                Ok(Some(outcome)) => Ok(outcome),
                Ok(None) => failed("the pipeline gave no outcome"),
                Err(error) => failed(&error.to_string()),
            };
            drop(finish);
            tails.remove_if(&key, |_, tail| tail.has_changed().is_err());
            waiting.fetch_sub(1, Ordering::AcqRel);
            // The caller may have dropped its ticket.
            let _ = answer.send(result);
        });
        Ok(answered)
    }

    /// Waits until no turn is under way, at most for `deadline`.
    pub(crate) async fn drain(&self, deadline: Duration) {
        let ended = async {
            loop {
                let Some(mut tail) = self.tails.iter().next().map(|tail| tail.value().clone()) else {
                    break;
                };
                // An error means that the turn has ended.
                let _ = tail.changed().await;
                tokio::task::yield_now().await;
            }
        };
        // Past the deadline the turns go on by themselves; nothing waits for them.
        let _ = tokio::time::timeout(deadline, ended).await;
    }
}

const RETRY_AFTER: Duration = Duration::from_millis(50);
