//! How an answer reaches its caller: one slot per single turn, one group for all turns of one call.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use tokio::sync::oneshot;

use crate::TurnError;

/// The one answer of a turn.
pub(crate) type Answer<R> = Result<R, TurnError>;

/// Where a turn's answer goes; dropped unused, it answers [`TurnError::NoResult`].
#[derive(Debug)]
pub(crate) struct ReplySlot<R>(Target<R>);

#[derive(Debug)]
enum Target<R> {
    One(oneshot::Sender<Answer<R>>),
    Many(Arc<Group<R>>, u32),
    Used,
}

impl<R> ReplySlot<R> {
    pub(crate) fn one() -> (Self, oneshot::Receiver<Answer<R>>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Target::One(sender)), receiver)
    }

    pub(crate) fn many(group: &Arc<Group<R>>, position: u32) -> Self {
        Self(Target::Many(Arc::clone(group), position))
    }

    pub(crate) fn send(mut self, answer: Answer<R>) {
        self.put(answer);
    }

    fn put(&mut self, answer: Answer<R>) {
        match std::mem::replace(&mut self.0, Target::Used) {
            // An error means that the ticket was dropped: nobody waits for the answer.
            Target::One(sender) => drop(sender.send(answer)),
            Target::Many(group, position) => group.add(&mut std::iter::once((position, answer))),
            Target::Used => {}
        }
    }

    fn group(&self) -> Option<&Arc<Group<R>>> {
        match &self.0 {
            Target::Many(group, _) => Some(group),
            Target::One(_) | Target::Used => None,
        }
    }

    fn position(mut self) -> u32 {
        match std::mem::replace(&mut self.0, Target::Used) {
            Target::Many(_, position) => position,
            Target::One(_) | Target::Used => 0,
        }
    }
}

impl<R> Drop for ReplySlot<R> {
    fn drop(&mut self) {
        if matches!(self.0, Target::Many(..)) {
            self.put(Err(TurnError::NoResult));
        }
    }
}

/// Sends answers in order; a run of answers for one group takes its lock and its waker once.
pub(crate) fn send_all<R>(answers: impl IntoIterator<Item = (ReplySlot<R>, Answer<R>)>) {
    let mut answers = answers.into_iter().peekable();
    while let Some((slot, answer)) = answers.next() {
        let Some(group) = slot.group().map(Arc::clone) else {
            slot.send(answer);
            continue;
        };
        let same = |(slot, _): &(ReplySlot<R>, Answer<R>)| {
            slot.group().is_some_and(|other| Arc::ptr_eq(other, &group))
        };
        let mut run = std::iter::once((slot, answer))
            .chain(std::iter::from_fn(|| answers.next_if(same)))
            .map(|(slot, answer)| (slot.position(), answer));
        group.add(&mut run);
    }
}

/// The answers of the turns that were submitted together.
#[derive(Debug)]
pub(crate) struct Group<R> {
    state: Mutex<GroupState<R>>,
}

#[derive(Debug)]
pub(crate) struct GroupState<R> {
    /// Answers by position in the call, in the order they came.
    pub(crate) done: VecDeque<(u32, Answer<R>)>,
    /// Answers to come; more than can come until the group is [closed](Group::close).
    pub(crate) missing: usize,
    pub(crate) waiting: Option<(Waker, WakeWhen)>,
}

/// What a group's waiter waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WakeWhen {
    Any,
    All,
}

impl<R> Group<R> {
    /// A group that is open for slots, about `expected` of them.
    pub(crate) fn with_room(expected: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(GroupState {
                done: VecDeque::with_capacity(expected),
                missing: usize::MAX,
                waiting: None,
            }),
        })
    }

    /// Says how many slots there were, before anybody waits.
    pub(crate) fn close(&self, slots: usize) {
        self.lock().missing -= usize::MAX - slots;
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, GroupState<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, answers: &mut dyn Iterator<Item = (u32, Answer<R>)>) {
        let mut state = self.lock();
        for answer in answers {
            state.done.push_back(answer);
            state.missing -= 1;
        }
        let wake = match &state.waiting {
            Some((_, WakeWhen::Any)) => true,
            Some((_, WakeWhen::All)) => state.missing == 0,
            None => false,
        };
        let waiting = if wake { state.waiting.take() } else { None };
        drop(state);
        if let Some((waker, _)) = waiting {
            waker.wake();
        }
    }
}
