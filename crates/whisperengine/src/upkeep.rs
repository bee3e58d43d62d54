//! Work that a reply does not wait for: what a turn leaves to do, saving and unloading states, answering what
//! waits too long, retrying.
//!
//! One thread, one bounded queue; it never waits for the store. When the queue is full a turn's work is skipped
//! and counted: the conversation makes up for it at the owner's next turn.

use std::{
    collections::BTreeSet,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use tokio::runtime::Handle;
use whisperengine_memory_batcher::CachedRecall;
use whisperengine_types::{Clock, MemoryOwner};

use crate::{cell::OwnerCell, cells::Cells, channels::Channels, fallback::guarded, metrics, writer::Writer};

/// The sending end.
#[derive(Debug)]
pub(crate) struct Upkeep {
    queue: Sender<Task>,
}

#[derive(Debug)]
enum Task {
    AfterTurn(MemoryOwner),
    Stop,
}

/// The thread's side.
struct Worker {
    tasks: Receiver<Task>,
    clock: Arc<dyn Clock>,
    cells: Arc<Cells>,
    channels: Arc<Channels>,
    writer: Writer,
    cache: CachedRecall,
    runtime: Handle,
}

impl Upkeep {
    /// Starts the thread.
    pub(crate) fn start(
        clock: Arc<dyn Clock>,
        cells: Arc<Cells>,
        channels: Arc<Channels>,
        writer: Writer,
        cache: CachedRecall,
        runtime: Handle,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, tasks) = bounded(QUEUE_TURNS);
        let worker = Worker {
            tasks,
            clock,
            cells,
            channels,
            writer,
            cache,
            runtime,
        };
        let thread = thread::Builder::new()
            .name("whisperengine-upkeep".to_owned())
            .spawn(move || worker.run())?;
        Ok((Self { queue }, thread))
    }

    /// Queues what is left to do for each owner's turn.
    pub(crate) fn schedule(&self, owners: impl IntoIterator<Item = MemoryOwner>) {
        for owner in owners {
            if let Err(TrySendError::Full(_)) = self.queue.try_send(Task::AfterTurn(owner)) {
                metrics::record_skipped_upkeep();
            }
        }
    }

    /// Ends the thread once what was scheduled is done.
    pub(crate) fn stop(&self) {
        // An error means that the thread has ended.
        let _ = self.queue.send(Task::Stop);
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        // The thread ends by itself when the queue is gone; a full queue is no reason to wait here.
        let _ = self.queue.try_send(Task::Stop);
    }
}

impl Worker {
    fn run(&self) {
        let mut next_round = self.clock.instant() + ROUND;
        let mut unanswered = false;
        loop {
            let patience = if unanswered { EXPIRY } else { ROUND };
            let first = match self.tasks.recv_timeout(patience) {
                Ok(Task::AfterTurn(owner)) => {
                    // Others come meanwhile, and this thread is woken once for all of them.
                    thread::park_timeout(GATHER);
                    Some(owner)
                }
                Err(RecvTimeoutError::Timeout) => None,
                Ok(Task::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            let (owners, stop) = self.waiting(first);
            for owner in owners {
                Self::contain(|| self.after_turn(&owner));
            }
            unanswered = self.writer.expire();
            if stop {
                return;
            }
            if self.clock.instant() >= next_round {
                Self::contain(|| self.round());
                next_round = self.clock.instant() + ROUND;
            }
        }
    }

    /// `first` and the owners that came besides, each once, and whether the end has come.
    fn waiting(&self, first: Option<MemoryOwner>) -> (BTreeSet<MemoryOwner>, bool) {
        let mut owners = BTreeSet::from_iter(first);
        let mut stop = false;
        for task in self.tasks.try_iter().take(QUEUE_TURNS) {
            match task {
                Task::AfterTurn(owner) => drop(owners.insert(owner)),
                Task::Stop => stop = true,
            }
        }
        (owners, stop)
    }

    fn after_turn(&self, owner: &MemoryOwner) {
        if self.cells.after_turn(&self.cells.cell(owner)) {
            save(&self.cells, &self.writer, owner, |_| true);
        }
    }

    /// What is done every second.
    fn round(&self) {
        let now = self.clock.now();
        for owner in self.cells.owners() {
            save(&self.cells, &self.writer, &owner, |cell| {
                self.cells.is_idle(cell, now)
            });
        }
        self.writer.retry(&self.runtime);
        self.cells.unload_idle(now);
        let idle = Duration::from_secs(self.cells.config.unload_after_idle_secs);
        self.channels.unload_idle(now, idle);
        metrics::record_levels(self.writer.waiting(), self.cells.len(), &self.cache.stats());
    }

    /// A panic of a conversation engine costs the work at hand, not the thread.
    fn contain(work: impl FnOnce()) {
        if let Err(panic) = guarded(work) {
            tracing::error!(panic, "upkeep panicked");
        }
    }
}

/// Submits the state of `owner` if it is due; it stays due until it is durable.
fn save(cells: &Arc<Cells>, writer: &Writer, owner: &MemoryOwner, is_due: impl FnOnce(&OwnerCell) -> bool) {
    let saving = cells.try_save(owner, is_due, |op| writer.submit_one(op));
    if let Some((save, submission)) = saving {
        submission.then(move |outcomes| save.done(outcomes.iter().all(Result::is_ok)));
    }
}

const QUEUE_TURNS: usize = 16_384;
const GATHER: Duration = Duration::from_millis(2);
const ROUND: Duration = Duration::from_secs(1);
/// How often it is looked for answers that are due, while any are waited for.
const EXPIRY: Duration = Duration::from_millis(100);
