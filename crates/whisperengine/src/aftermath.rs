//! Work that a turn leaves behind and its reply does not wait for: profiles, aging, saving states.
//!
//! One thread, one bounded queue. When the queue is full a turn's aftermath is skipped and counted; the
//! engine's `after_turn` catches up at the owner's next turn.

use std::{
    collections::BTreeSet,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use whisperengine_types::{Clock, MemoryOwner};

use crate::{forgetting::Forgetting, metrics, state::ConversationStates, writer::Writer};

/// The sending end.
#[derive(Debug)]
pub(crate) struct Aftermath {
    queue: Sender<Task>,
}

#[derive(Debug)]
enum Task {
    AfterTurn(MemoryOwner),
    Stop,
}

impl Aftermath {
    /// Starts the thread.
    pub(crate) fn start(
        clock: Arc<dyn Clock>,
        states: Arc<ConversationStates>,
        writer: Writer,
        forgetting: Arc<Forgetting>,
    ) -> (Self, JoinHandle<()>) {
        let (queue, tasks) = bounded(QUEUE_TURNS);
        let work = move || run(&tasks, &*clock, &states, &writer, &forgetting);
        let thread = thread::Builder::new()
            .name("whisperengine-aftermath".to_owned())
            .spawn(work);
        (
            Self { queue },
            thread.expect("the system gives a thread at start-up"),
        )
    }

    /// Queues the aftermath of each owner's turn.
    pub(crate) fn schedule(&self, owners: impl IntoIterator<Item = MemoryOwner>) {
        for owner in owners {
            if let Err(TrySendError::Full(_)) = self.queue.try_send(Task::AfterTurn(owner)) {
                metrics::record_skipped_aftermath();
            }
        }
    }

    /// Ends the thread once what was scheduled is done.
    pub(crate) fn stop(&self) {
        // An error means that the thread has ended.
        let _ = self.queue.send(Task::Stop);
    }
}

impl Drop for Aftermath {
    fn drop(&mut self) {
        // The thread ends by itself when the queue is gone; a full queue is no reason to wait here.
        let _ = self.queue.try_send(Task::Stop);
    }
}

fn run(
    tasks: &Receiver<Task>,
    clock: &dyn Clock,
    states: &ConversationStates,
    writer: &Writer,
    forgetting: &Forgetting,
) {
    let mut next_upkeep = clock.instant() + UPKEEP_INTERVAL;
    loop {
        let first = match tasks.recv_timeout(UPKEEP_INTERVAL) {
            Ok(Task::AfterTurn(owner)) => {
                // Others come meanwhile, and this thread is woken once for all of them.
                thread::park_timeout(GATHER);
                Some(owner)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Ok(Task::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        };
        let (owners, stop) = waiting(first, tasks);
        let remembering = forgetting.remember();
        let changed = owners
            .into_iter()
            .filter(|owner| states.after_turn(owner, clock.now()));
        let changed: BTreeSet<MemoryOwner> = changed.collect();
        save(states, writer, &states.saves_of(changed));
        drop(remembering);
        if stop {
            break;
        }
        if clock.instant() >= next_upkeep {
            let remembering = forgetting.remember();
            save(states, writer, &states.idle_saves(clock.now()));
            writer.retry();
            drop(remembering);
            states.unload_idle(clock.now());
            metrics::record_levels(writer.waiting(), states.len());
            next_upkeep = clock.instant() + UPKEEP_INTERVAL;
        }
    }
}

/// `first` and whose turns have come besides, and whether the end has.
fn waiting(first: Option<MemoryOwner>, tasks: &Receiver<Task>) -> (Vec<MemoryOwner>, bool) {
    let mut owners = Vec::from_iter(first);
    let mut stop = false;
    for task in tasks.try_iter().take(QUEUE_TURNS) {
        match task {
            Task::AfterTurn(owner) => owners.push(owner),
            Task::Stop => stop = true,
        }
    }
    (owners, stop)
}

/// Writes states; those that could not be written stay due. Returns how many were.
pub(crate) fn save(states: &ConversationStates, writer: &Writer, saves: &[crate::state::Save]) -> usize {
    let mut written = 0;
    for chunk in saves.chunks(SAVES_PER_COMMIT) {
        let results = writer.commit_blocking(chunk.iter().map(|save| save.op.clone()).collect());
        for (save, durable) in chunk.iter().zip(results) {
            if durable {
                states.saved(save);
                written += 1;
            }
        }
    }
    written
}

const QUEUE_TURNS: usize = 16_384;
const GATHER: Duration = Duration::from_millis(2);
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Some 100 kB: messages that are written meanwhile wait for the disk to take them.
const SAVES_PER_COMMIT: usize = 16;
